package journal

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
)

// BenchmarkFdatasync is the disk's own figure: one write and one fdatasync of 512 bytes on a file full of zeros.
func BenchmarkFdatasync(b *testing.B) {
	f, err := osDisk{}.Create(filepath.Join(b.TempDir(), "f"))
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	const size = 16 << 20
	if _, err := f.WriteAt(make([]byte, size), 0); err != nil {
		b.Fatal(err)
	}
	if err := f.Sync(); err != nil {
		b.Fatal(err)
	}
	record := bytes.Repeat([]byte{7}, 512)
	b.ResetTimer()
	for i := range b.N {
		if _, err := f.WriteAt(record, int64(i)*512%size); err != nil {
			b.Fatal(err)
		}
		if err := f.Datasync(); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkAppend is records of 400 bytes from so many appenders, each waiting for its own to be durable.
func BenchmarkAppend(b *testing.B) {
	for _, n := range []int{1, 64, 256, 10000} {
		b.Run(fmt.Sprintf("appenders=%d", n), func(b *testing.B) {
			dir := b.TempDir()
			j, _, err := Open(Config{Dir: filepath.Join(dir, "j")})
			if err != nil {
				b.Fatal(err)
			}
			defer j.Close()
			defer os.RemoveAll(dir)
			payload := bytes.Repeat([]byte("lienthong "), 40)
			b.SetBytes(int64(len(payload)))
			b.ResetTimer()
			var wg sync.WaitGroup
			for a := range n {
				wg.Go(func() {
					for range (b.N + n - 1 - a) / n {
						if _, err := j.Append(payload); err != nil {
							b.Error(err)
							return
						}
					}
				})
			}
			wg.Wait()
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "records/s")
		})
	}
}
