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

// grown is a journal of so many records of 400 bytes.
func grown(b *testing.B, n int) (dir string, j *Journal) {
	b.Helper()
	dir = filepath.Join(b.TempDir(), "j")
	j, _, err := Open(Config{Dir: dir})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = j.Close() })
	var wg sync.WaitGroup
	for range 1000 {
		wg.Go(func() {
			payload := bytes.Repeat([]byte("lienthong "), 40)
			for range n / 1000 {
				if _, err := j.Append(payload); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	return dir, j
}

// BenchmarkCheck verifies a journal of 400,000 records in three segments from the page cache.
func BenchmarkCheck(b *testing.B) {
	const n = 400_000
	dir, _ := grown(b, n)
	for b.Loop() {
		rep, err := Check(b.Context(), []string{dir}, CheckOptions{}, nil)
		if err != nil || len(rep.Faults) > 0 || rep.Records != n {
			b.Fatal(err, rep)
		}
	}
	b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds(), "records/s")
}

// BenchmarkGet reads one record at a random place, warm: of the journal itself, beside it, and from an archive.
func BenchmarkGet(b *testing.B) {
	const n = 400_000
	dir, j := grown(b, n)
	beside, err := OpenReader(dir)
	if err != nil {
		b.Fatal(err)
	}
	get := func(r *Reader, upto uint64) func(b *testing.B) {
		return func(b *testing.B) {
			for i := uint64(0); b.Loop(); i++ {
				if _, err := r.Get(b.Context(), i*7919%upto); err != nil {
					b.Fatal(err)
				}
			}
		}
	}
	b.Run("own", get(j.Reader(), n))
	b.Run("beside", get(beside, n))
	to := filepath.Join(b.TempDir(), "a")
	m, err := Archive(b.Context(), dir, to, Limit{}, "a benchmark")
	if err != nil || m.Entries == 0 {
		b.Fatal(err, m)
	}
	b.Run("archived", get(j.ReaderWith(to), m.Entries))
}

// BenchmarkOpen opens a journal of 400,000 records, of which a part is in the segment that must be read.
func BenchmarkOpen(b *testing.B) {
	dir, j := grown(b, 400_000)
	if err := j.Close(); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		j, _, err := Open(Config{Dir: dir})
		if err != nil {
			b.Fatal(err)
		}
		if err := j.Close(); err != nil {
			b.Fatal(err)
		}
	}
}
