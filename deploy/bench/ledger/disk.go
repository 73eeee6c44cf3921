package ledger

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"syscall"
)

// What a ledger takes of the disk before it is measured.
const (
	spacePerRecord = 1230      // bytes
	spaceAtLeast   = 512 << 20 // for the journal alone, and segments that are prepared
)

// checkSpace fails unless the disk has space for a ledger of so many records.
func checkSpace(dir string, records int) error {
	var fs syscall.Statfs_t
	if err := syscall.Statfs(dir, &fs); err != nil {
		return fmt.Errorf("--work %s: %w", dir, err)
	}
	need := spaceNeed(records)
	if free := int64(fs.Bavail) * fs.Bsize; free < need {
		return fmt.Errorf("the disk of %s has %d MB free and a ledger of %d records may need %d MB: choose fewer --records, or another --work",
			dir, free>>20, records, need>>20)
	}
	return nil
}

func spaceNeed(records int) int64 { return int64(records)*spacePerRecord + spaceAtLeast }

// measureDisk says what each part takes. Empty space that the journal prepared for what comes is counted too.
func (b *bench) measureDisk(context.Context) error {
	var all int64
	for _, part := range []struct {
		name  string
		paths []string
	}{
		{"journal", []string{b.path().Journal()}},
		{"transparency log", []string{b.path().Log()}},
		{"index", []string{b.path().Index(), b.path().Index() + "-wal", b.path().Index() + "-shm"}},
	} {
		var sum int64
		for _, path := range part.paths {
			n, err := onDisk(path)
			if err != nil {
				return err
			}
			sum += n
		}
		all += sum
		b.report.Disk = append(b.report.Disk, b.disk(part.name, sum))
	}
	b.report.Disk = append(b.report.Disk, b.disk(diskAll, all))
	return nil
}

func (b *bench) disk(part string, bytes int64) Disk {
	return Disk{Part: part, MB: float64(bytes) / 1e6, PerRecord: float64(bytes) / float64(b.cfg.Records)}
}

// onDisk is how many bytes of the disk a file takes, or all files below a directory; a file that is missing takes none.
func onDisk(path string) (int64, error) {
	var sum int64
	err := filepath.WalkDir(path, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		if stat, ok := info.Sys().(*syscall.Stat_t); ok {
			sum += stat.Blocks * 512
		}
		return nil
	})
	if errors.Is(err, fs.ErrNotExist) {
		return sum, nil
	}
	return sum, err
}
