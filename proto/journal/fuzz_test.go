package journal

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// FuzzSegment reads any bytes as the only segment of a journal: that ends, and says damage or nothing.
func FuzzSegment(f *testing.F) {
	c := crash(f, 3, payloads()...)
	whole := bytes.Clone(c.file)
	copy(whole[c.off:], c.batch)
	f.Add(whole)
	f.Add(whole[:headerSize])
	cfg := written(f, 2, 10)
	for _, path := range segments(f, cfg.Dir) {
		b, err := os.ReadFile(path)
		require.NoError(f, err)
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		dir := t.TempDir()
		require.NoError(t, os.WriteFile(filepath.Join(dir, fileName(0)), b, 0o600))
		rep, err := Check(t.Context(), []string{dir}, CheckOptions{Workers: 1}, nil)
		require.NoError(t, err)
		r, err := OpenReader(dir)
		if err != nil {
			require.NotEmpty(t, rep.Faults)
			return
		}
		n := uint64(0)
		for e, err := range r.Scan(t.Context(), 0, 1<<63) {
			if err != nil {
				require.NotEmpty(t, rep.Faults)
				return
			}
			require.Equal(t, n, e.Seq)
			n++
		}
	})
}

// FuzzZstd reads any bytes as an archived segment.
func FuzzZstd(f *testing.F) {
	var out bytes.Buffer
	p, err := newPacker(&out)
	require.NoError(f, err)
	require.NoError(f, p.pack(bytes.NewReader(bytes.Repeat([]byte("segment "), 20_000))))
	f.Add(out.Bytes())
	f.Fuzz(func(t *testing.T, b []byte) {
		path := filepath.Join(t.TempDir(), "x")
		require.NoError(t, os.WriteFile(path, b, 0o600))
		src, err := openSource(path, true)
		if err != nil {
			require.ErrorIs(t, err, ErrDamaged)
			return
		}
		defer src.Close()
		got := make([]byte, min(src.Size(), 1<<20))
		n, err := src.ReadAt(got, 0)
		if n < len(got) {
			require.True(t, errors.Is(err, ErrDamaged) || errors.Is(err, io.EOF), "%v", err)
		}
	})
}

// FuzzHead reads any bytes as a head file and as a marker.
func FuzzHead(f *testing.F) {
	f.Add(head{7, Digest{1}}.encode())
	f.Add((&marker{first: 7, kind: kindRemoved, by: "a b\n\"c"}).encode())
	f.Fuzz(func(t *testing.T, b []byte) {
		if h, ok := decodeHead(b); ok {
			require.Equal(t, string(b), string(h.encode()))
		}
		if m, ok := decodeMarker(b); ok {
			require.Equal(t, string(b), string(m.encode()))
		}
	})
}
