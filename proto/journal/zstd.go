package journal

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"

	"github.com/klauspost/compress/zstd"
)

// An archived segment is a zstd file, so that any zstd tool gives the segment back:
//
//	frame … ‖ skippable frame { (length of a frame (4) ‖ its checksum (4)) … ‖ tail (28) }
//
// Each frame holds chunkSize bytes of the segment, the last one the rest, and can be read alone. Numbers in the
// skippable frame are big endian but for its own header, which zstd prescribes.
const (
	chunkSize      = 32 << 10
	skippable      = 0x184D2A5C
	zstdTail       = 4 + 4 + 8 + 4 + 8 // chunk size, frames, bytes of the segment, checksum, magic
	zstdEntry      = 4 + 4
	zstdMagic      = "LTJZSTD\x01"
	maxZstdFrames  = 1 << 20
	maxZstdFrame   = 2 * chunkSize
	skippableStart = 8
)

// decoder is stateless between calls and may be used by any number of goroutines.
var decoder = sync.OnceValues(func() (*zstd.Decoder, error) {
	return zstd.NewReader(nil, zstd.WithDecoderMaxMemory(4*chunkSize), zstd.WithDecodeAllCapLimit(true))
})

// zstdSource reads a compressed segment. It is used by one goroutine at a time.
type zstdSource struct {
	f      *os.File
	size   int64
	frames []zstdFrame
	packed []byte
	chunk  []byte // content of frame `have`
	have   int
}

type zstdFrame struct {
	off int64
	len int
	sum uint32
}

func openZstd(f *os.File, size int64) (source, error) {
	z := &zstdSource{f: f, have: -1}
	if err := z.readTable(size); err != nil {
		_ = f.Close()
		return nil, err
	}
	return z, nil
}

// readTable reads where the frames are.
func (z *zstdSource) readTable(size int64) error {
	damage := func(what string) error { return &Damage{File: z.f.Name(), What: what} }
	tail := make([]byte, zstdTail)
	if size < zstdTail+skippableStart {
		return damage("the file is too short for an archived segment")
	}
	if _, err := z.f.ReadAt(tail, size-zstdTail); err != nil {
		return fmt.Errorf("read %s: %w", z.f.Name(), err)
	}
	n, total := int64(binary.BigEndian.Uint32(tail[4:])), getInt(tail[8:])
	length := skippableStart + n*zstdEntry + zstdTail
	switch {
	case string(tail[20:]) != zstdMagic:
		return damage("the file does not end as an archived segment does: it was cut")
	case n > maxZstdFrames || length > size || binary.BigEndian.Uint32(tail) != chunkSize || total < 0 || (total+chunkSize-1)/chunkSize != n:
		return damage("the table of the archived segment is not what was written")
	}
	table := make([]byte, length)
	if _, err := z.f.ReadAt(table, size-length); err != nil {
		return fmt.Errorf("read %s: %w", z.f.Name(), err)
	}
	if binary.BigEndian.Uint32(tail[16:]) != checksum(0, table[:length-12]) ||
		binary.LittleEndian.Uint32(table) != skippable || int64(binary.LittleEndian.Uint32(table[4:])) != length-skippableStart {
		return damage("the checksum of the archived segment's table does not match")
	}
	off := int64(0)
	z.frames = make([]zstdFrame, 0, n)
	for e := table[skippableStart : length-zstdTail]; len(e) > 0; e = e[zstdEntry:] {
		f := zstdFrame{off, int(binary.BigEndian.Uint32(e)), binary.BigEndian.Uint32(e[4:])}
		if f.len > maxZstdFrame {
			return damage("the table of the archived segment names an impossible frame")
		}
		z.frames = append(z.frames, f)
		off += int64(f.len)
	}
	if off != size-length {
		return damage("the frames of the archived segment do not fill it: it was cut")
	}
	z.size = total
	return nil
}

// Size returns the bytes of the segment.
func (z *zstdSource) Size() int64 { return z.size }

// Close closes the file.
func (z *zstdSource) Close() error { return z.f.Close() }

// ReadAt reads bytes of the segment.
func (z *zstdSource) ReadAt(p []byte, off int64) (n int, err error) {
	for n < len(p) {
		at := off + int64(n)
		if at >= z.size {
			return n, io.EOF
		}
		if err := z.load(int(at / chunkSize)); err != nil {
			return n, err
		}
		n += copy(p[n:], z.chunk[at%chunkSize:])
	}
	return n, nil
}

// load unpacks a frame.
func (z *zstdSource) load(i int) error {
	if z.have == i {
		return nil
	}
	z.have = -1
	f := z.frames[i]
	if cap(z.packed) < f.len {
		z.packed = make([]byte, maxZstdFrame)
	}
	z.packed = z.packed[:f.len]
	if _, err := z.f.ReadAt(z.packed, f.off); err != nil {
		return fmt.Errorf("read %s: %w", z.f.Name(), err)
	}
	damage := &Damage{File: z.f.Name(), Offset: int64(i) * chunkSize, What: fmt.Sprintf("the frame at %d is not what was written", f.off)}
	if checksum(0, z.packed) != f.sum {
		return damage
	}
	d, err := decoder()
	if err != nil {
		return err
	}
	if z.chunk == nil {
		z.chunk = make([]byte, 0, chunkSize)
	}
	z.chunk, err = d.DecodeAll(z.packed, z.chunk[:0])
	if err != nil || int64(len(z.chunk)) != min(chunkSize, z.size-int64(i)*chunkSize) {
		z.chunk = nil
		return damage
	}
	z.have = i
	return nil
}

// packer writes an archived segment.
type packer struct {
	enc   *zstd.Encoder
	out   io.Writer
	table []byte
	total int64
	buf   []byte
}

func newPacker(out io.Writer) (*packer, error) {
	enc, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithEncoderLevel(zstd.SpeedDefault))
	if err != nil {
		return nil, err
	}
	return &packer{enc: enc, out: out}, nil
}

// pack writes everything that src holds, and the table.
func (p *packer) pack(src io.Reader) error {
	chunk := make([]byte, chunkSize)
	for {
		n, err := io.ReadFull(src, chunk)
		if n > 0 {
			if err := p.frame(chunk[:n]); err != nil {
				return err
			}
		}
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return p.finish()
		}
		if err != nil {
			return err
		}
	}
}

func (p *packer) frame(chunk []byte) error {
	p.buf = p.enc.EncodeAll(chunk, p.buf[:0])
	p.table = binary.BigEndian.AppendUint32(p.table, uint32(len(p.buf)))
	p.table = binary.BigEndian.AppendUint32(p.table, checksum(0, p.buf))
	p.total += int64(len(chunk))
	_, err := p.out.Write(p.buf)
	return err
}

func (p *packer) finish() error {
	frames := len(p.table) / zstdEntry
	b := binary.LittleEndian.AppendUint32(nil, skippable)
	b = binary.LittleEndian.AppendUint32(b, uint32(len(p.table)+zstdTail))
	b = append(b, p.table...)
	b = binary.BigEndian.AppendUint32(b, chunkSize)
	b = binary.BigEndian.AppendUint32(b, uint32(frames))
	b = binary.BigEndian.AppendUint64(b, uint64(p.total))
	b = binary.BigEndian.AppendUint32(b, checksum(0, b))
	b = append(b, zstdMagic...)
	_, err := p.out.Write(b)
	return err
}
