package journal

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// FuzzSegment reads any bytes behind a segment's header, as Open does. The checksums of the first batch and its
// first record are put right if asked for, or nothing behind them would be reached. Whatever comes out must fit.
func FuzzSegment(f *testing.F) {
	c := crash(f, 0, payloads()...)
	f.Add(c.batch, false)
	f.Add(append(bytes.Clone(c.batch), c.batch...), true)
	f.Add(make([]byte, 300), true)
	v, err := inspect(c.path)
	require.NoError(f, err)
	f.Fuzz(func(t *testing.T, b []byte, right bool) {
		h := *v.h
		h.size = headerSize + int64(up(len(b)))
		file := append(h.encode(), make([]byte, up(len(b)))...)
		copy(file[headerSize:], b)
		if body := file[headerSize:]; right && len(body) >= 2*line {
			correct(body, &h)
		}
		tl := tail{src: bytes.NewReader(file), file: "x", h: &h, idx: newIndex(&h), end: h.size}
		cut, err := tl.scan()
		var d *Damage
		if err != nil {
			require.ErrorAs(t, err, &d)
		}
		next, end, _, last := tl.idx.ends()
		require.LessOrEqual(t, end, h.size)
		if cut != nil {
			require.Equal(t, end, cut.Offset)
			require.LessOrEqual(t, cut.Offset+cut.Bytes, h.size)
		}
		w := newWalk(bytes.NewReader(file), "x", &h, end, getChunk)
		for n := uint64(0); ; n++ {
			e, err := w.next()
			if err != nil {
				require.True(t, errors.Is(err, io.EOF) || tl.filler > 0, "%v", err)
				require.Equal(t, next, n)
				require.Equal(t, last, w.digest)
				break
			}
			require.Equal(t, Sum(e.Salt, n, e.Prev, e.Payload), e.Digest)
		}
	})
}

// correct puts the checksums of a batch and of its first record right.
func correct(b []byte, h *header) {
	binary.BigEndian.PutUint32(b[4:], checksum(h.seed(), b[8:batchHeader]))
	r := b[batchHeader:]
	form := binary.BigEndian.Uint32(r)
	n := int(form &^ masked)
	if n > len(r)-recordHeader {
		return
	}
	salt := Salt(r[8:recordHeader])
	plain := r[recordHeader : recordHeader+n]
	if form&masked != 0 {
		plain, _ = mask(nil, plain, &salt)
	}
	binary.BigEndian.PutUint32(r[4:], recordSum(checksum(0, plain), &salt, form, 0))
}

// FuzzHeader reads any bytes as a segment's header and as its trailer, with right checksums.
func FuzzHeader(f *testing.F) {
	h := &header{size: 1 << 20, first: 7, void: 5}
	f.Add(h.encode()[:128], (&trailer{first: 7, next: 9, end: headerSize}).encode(0))
	f.Fuzz(func(t *testing.T, hb, tb []byte) {
		b := make([]byte, headerSize)
		copy(b, hb)
		copy(b, headerMagic)
		binary.BigEndian.PutUint32(b[8:], checksum(checksum(0, b[:8]), b[12:]))
		h, err := decodeHeader(b)
		if err != nil {
			return
		}
		again, err := decodeHeader(h.encode())
		require.NoError(t, err)
		require.Equal(t, h, again)
		tr := make([]byte, trailerSize)
		copy(tr, tb)
		copy(tr[trailerSize-8:], trailerMagic)
		binary.BigEndian.PutUint32(tr, checksum(h.seed(), tr[4:]))
		if got, err := decodeTrailer(tr, h, h.size); err == nil {
			require.LessOrEqual(t, got.end+int64(got.marks)*markSize, h.size)
		}
	})
}

// FuzzZstd reads any bytes as an archived segment.
func FuzzZstd(f *testing.F) {
	var out bytes.Buffer
	p, err := newPacker(&out)
	require.NoError(f, err)
	require.NoError(f, p.pack(bytes.NewReader(bytes.Repeat([]byte("segment "), 50))))
	f.Add(out.Bytes())
	path := filepath.Join(f.TempDir(), "x")
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) > zstdTail { // or nothing behind the checksum would be reached
			copy(b[len(b)-8:], zstdMagic)
			length := skippableStart + int(binary.BigEndian.Uint32(b[len(b)-24:]))*zstdEntry + zstdTail
			if length > 0 && length <= len(b) {
				table := b[len(b)-length:]
				binary.BigEndian.PutUint32(b[len(b)-12:], checksum(0, table[:length-12]))
			}
		}
		name := fmt.Sprint(path, os.Getpid())
		require.NoError(t, os.WriteFile(name, b, 0o600))
		src, err := openSource(name, true)
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
