package journal

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

const (
	headerMagic  = "LTJSEG\x00\x01"
	trailerMagic = "LTJEND\x00\x01"
	suffix       = ".seg"
	zstdSuffix   = ".seg.zst"
	blankPrefix  = "blank-"
)

// segmentID is random: it tells a segment from every other one.
type segmentID [16]byte

// header is what a segment says of itself from its first moment on.
type header struct {
	id     segmentID
	size   int64  // bytes of the file before it is sealed
	ms     int64  // Unix time of the last batch before it, ms; its own are not earlier
	void   uint64 // first void sequence number before `first`; the same as `first` when there is none
	first  uint64 // sequence number of its first record, and its name
	before Digest // of the entry before `void`
	prev   ending // how the segment before it ends; zero in the first segment
}

// ending is how a segment ends: what its successor must fit.
type ending struct {
	id    segmentID
	first uint64 // its name
	end   int64  // offset behind its last batch; whatever follows there was never acknowledged
}

// digest returns the digest of the entry before `first`.
func (h *header) digest() Digest { return sumVoids(h.void, h.first, h.before) }

func (h *header) seed() uint32 { return checksum(0, h.id[:]) }

func (h *header) encode() []byte {
	b := make([]byte, headerSize)
	copy(b, headerMagic)
	copy(b[16:], h.id[:])
	binary.BigEndian.PutUint64(b[32:], uint64(h.size))
	binary.BigEndian.PutUint64(b[40:], uint64(h.ms))
	binary.BigEndian.PutUint64(b[48:], h.void)
	binary.BigEndian.PutUint64(b[56:], h.first)
	copy(b[64:], h.before[:])
	copy(b[96:], h.prev.id[:])
	binary.BigEndian.PutUint64(b[112:], h.prev.first)
	binary.BigEndian.PutUint64(b[120:], uint64(h.prev.end))
	binary.BigEndian.PutUint32(b[8:], checksum(checksum(0, b[:8]), b[12:]))
	return b
}

// decodeHeader reads a segment header. It answers what is wrong with it, in words.
func decodeHeader(b []byte) (*header, error) {
	switch {
	case len(b) < headerSize:
		return nil, errors.New("the file is shorter than a segment header")
	case string(b[:8]) != headerMagic:
		return nil, errors.New("this is no segment header")
	case binary.BigEndian.Uint32(b[8:]) != checksum(checksum(0, b[:8]), b[12:headerSize]):
		return nil, errors.New("the checksum of the segment header does not match")
	}
	h := &header{
		id:     segmentID(b[16:32]),
		size:   getInt(b[32:]),
		ms:     getInt(b[40:]),
		void:   binary.BigEndian.Uint64(b[48:]),
		first:  binary.BigEndian.Uint64(b[56:]),
		before: Digest(b[64:96]),
		prev:   ending{segmentID(b[96:112]), binary.BigEndian.Uint64(b[112:]), getInt(b[120:])},
	}
	switch {
	case h.void > h.first || h.first-h.void > maxVoid:
		return nil, errors.New("the segment header names impossible void numbers")
	case h.size < headerSize || h.prev.end < 0 || h.ms < 0:
		return nil, errors.New("the segment header names impossible sizes")
	}
	return h, nil
}

// trailer is the last of a sealed segment.
type trailer struct {
	marks    uint32 // how many
	marksSum uint32
	pad      uint32 // bytes behind the marks
	first    uint64
	next     uint64 // sequence number behind its last record
	end      int64  // offset behind the last batch, where the marks begin
	ms       int64  // Unix time of its last batch, ms
	last     Digest // of its last record
}

func (t *trailer) encode(seed uint32) []byte {
	b := make([]byte, trailerSize)
	binary.BigEndian.PutUint32(b[4:], t.marks)
	binary.BigEndian.PutUint32(b[8:], t.marksSum)
	binary.BigEndian.PutUint32(b[12:], t.pad)
	binary.BigEndian.PutUint64(b[16:], t.first)
	binary.BigEndian.PutUint64(b[24:], t.next)
	binary.BigEndian.PutUint64(b[32:], uint64(t.end))
	binary.BigEndian.PutUint64(b[40:], uint64(t.ms))
	copy(b[48:], t.last[:])
	copy(b[trailerSize-8:], trailerMagic)
	binary.BigEndian.PutUint32(b, checksum(seed, b[4:]))
	return b
}

// decodeTrailer reads the last bytes of a sealed segment of `size` bytes.
func decodeTrailer(b []byte, h *header, size int64) (*trailer, error) {
	switch {
	case len(b) < trailerSize || string(b[trailerSize-8:]) != trailerMagic:
		return nil, errors.New("the file has neither its first size nor a trailer: it was cut")
	case binary.BigEndian.Uint32(b) != checksum(h.seed(), b[4:trailerSize]):
		return nil, errors.New("the checksum of the trailer does not match")
	}
	t := &trailer{
		marks:    binary.BigEndian.Uint32(b[4:]),
		marksSum: binary.BigEndian.Uint32(b[8:]),
		pad:      binary.BigEndian.Uint32(b[12:]),
		first:    binary.BigEndian.Uint64(b[16:]),
		next:     binary.BigEndian.Uint64(b[24:]),
		end:      getInt(b[32:]),
		ms:       getInt(b[40:]),
		last:     Digest(b[48:80]),
	}
	switch {
	case t.first != h.first || t.next < t.first:
		return nil, errors.New("the trailer does not belong to the header")
	case t.pad >= 2*line || t.end < headerSize || t.end > size:
		return nil, errors.New("the trailer names impossible sizes")
	case t.end+int64(t.marks)*markSize+int64(t.pad)+trailerSize != size:
		return nil, fmt.Errorf("the file has %d bytes, which is not what its trailer says", size)
	}
	return t, nil
}

// fileName returns the name of the segment whose first record has this number.
func fileName(first uint64) string { return fmt.Sprintf("%020d%s", first, suffix) }

// parseName reads the name of a segment, compressed or not. It answers false for names of other files.
func parseName(name string) (first uint64, zstd, ok bool) {
	digits, zstd := strings.CutSuffix(name, zstdSuffix)
	if !zstd {
		digits, ok = strings.CutSuffix(name, suffix)
		if !ok {
			return 0, false, false
		}
	}
	if len(digits) != 20 {
		return 0, false, false
	}
	first, err := strconv.ParseUint(digits, 10, 64)
	return first, zstd, err == nil
}
