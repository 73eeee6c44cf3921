package snapshot

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Files returns a stamp for Watch: it changes when a file in one of the directories that has one of the
// extensions (".yaml") appears, goes, or changes its size or time. It does not look into subdirectories. A
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
		fmt.Fprintf(b, "\n%s %d %d", path, info.Size(), info.ModTime().UnixNano())
	}
	return nil
}
