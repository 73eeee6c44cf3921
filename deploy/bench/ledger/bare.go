package ledger

import (
	"context"
	"crypto/rand"
	"errors"
	"os"
	"syscall"
	"time"
)

// bare is a file like a segment of the journal, written without a journal.
type bare struct {
	file *os.File
	size int64
	data []byte // that is written each time
	off  int64
}

// openBare makes a file of so many bytes, full of zeros and durable. Each write will have the bytes of `write`.
func openBare(path string, size int64, write int) (*bare, error) {
	file, err := os.Create(path)
	if err != nil {
		return nil, err
	}
	b := &bare{file: file, size: size, data: make([]byte, write)}
	_, err = file.Write(make([]byte, size))
	if err == nil {
		err = file.Sync()
	}
	if err == nil {
		_, err = rand.Read(b.data)
	}
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return b, nil
}

func (b *bare) close() error { return b.file.Close() }

// syncs writes and syncs for so long. It returns how long each fdatasync took, the write before it left out.
func (b *bare) syncs(ctx context.Context, length time.Duration) ([]time.Duration, error) {
	var times []time.Duration
	fd := int(b.file.Fd())
	for end := time.Now().Add(length); time.Now().Before(end); {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if b.off+int64(len(b.data)) > b.size {
			b.off = 0
		}
		if _, err := b.file.WriteAt(b.data, b.off); err != nil {
			return nil, err
		}
		b.off += int64(len(b.data))
		before := time.Now()
		if err := syscall.Fdatasync(fd); err != nil {
			return nil, os.NewSyscallError("fdatasync", err)
		}
		times = append(times, time.Since(before))
	}
	return times, nil
}
