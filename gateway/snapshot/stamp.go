package snapshot

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
)

// Files returns a stamp for Watch: it changes when a file in one of the directories that has one of the
// extensions (".yaml") appears, goes, is replaced or written. It does not look into subdirectories. A
// directory that does not exist counts as empty.
func Files(dirs []string, extensions ...string) func() (string, error) {
	return func() (string, error) {
		var b strings.Builder
		b.WriteString("files") // so that no stamp is empty
		for _, dir := range dirs {
			if err := stampDir(&b, dir, extensions); err != nil {
				return "", err
			}
		}
		return b.String(), nil
	}
}

func stampDir(b *strings.Builder, dir string, extensions []string) error {
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	for _, e := range entries {
		if !slices.Contains(extensions, filepath.Ext(e.Name())) {
			continue
		}
		// Stat and not the entry's Info: a mounted configuration is often a link to the file that changes.
		path := filepath.Join(dir, e.Name())
		info, err := os.Stat(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue // gone since it was listed
		}
		if err != nil {
			return err
		}
		fmt.Fprintf(b, "\n%s %s", path, FileStamp(info))
	}
	return nil
}

// FileStamp tells one state of a file from another. Size and time are not enough: an archive, a copy that keeps times
// and an image built to be reproducible all give a new content the time of the old one. The number of the file and the
// time of its last change, which nobody can set, tell them apart.
func FileStamp(info fs.FileInfo) string {
	s := fmt.Sprintf("%d %d", info.Size(), info.ModTime().UnixNano())
	if sys, ok := info.Sys().(*syscall.Stat_t); ok {
		s += fmt.Sprintf(" %d %d", sys.Ino, changed(sys))
	}
	return s
}
