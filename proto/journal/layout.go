package journal

import (
	"encoding/binary"
	"hash/crc32"
	"math"
)

// Sizes of the file format. All numbers in it are big endian, all checksums CRC-32C.
//
//	segment = header (4096) ‖ batch … ‖ zeros up to its size           while it takes records
//	segment = header (4096) ‖ batch … ‖ marks ‖ trailer (128)          once it is sealed
//	batch   = header (64) ‖ record … ‖ 32 to 95 bytes 0xFF             a multiple of 64 bytes, at a multiple of 64
//	record  = length and form (4) ‖ checksum (4) ‖ salt (16) ‖ payload
//
// A record's checksum covers payload, salt, length and sequence number. A batch header's and a trailer's begin with
// the segment's random id, so that nothing of one segment passes in another.
const (
	// MaxRecord is the largest payload in bytes.
	MaxRecord = 512 << 10
	// DefaultSegmentSize is the size of a segment in bytes.
	DefaultSegmentSize = 64 << 20
	// MinSegmentSize is the smallest segment in bytes: a record of MaxRecord fits.
	MinSegmentSize = 1 << 20

	line         = 64 // batches begin and end at multiples of it, so that no header straddles a sector
	headerSize   = 4096
	batchHeader  = line
	recordHeader = 4 + 4 + 16
	guard        = 32 // at least so many bytes 0xFF end a batch
	filler       = 0xFF
	trailerSize  = 128
	markSize     = 8 + 8 + 8 + 32
	markEvery    = 16 << 10 // bytes between two marks, at least
	maxBatch     = 4 << 20  // bytes of a batch
	maxCount     = 1 << 15  // records of a batch
	maxVoid      = 4 * maxCount
	masked       = 1 << 31 // form: the payload is stored masked
)

// blankRun is a run of zeros that a written batch holds nowhere behind its header, so that what was never written
// can be told from what was. Payloads with half as long a run are masked before they are stored; lengths, checksums
// and salts beside a shorter run cannot complete it, not even with one byte changed.
const blankRun = 32

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func checksum(seed uint32, b []byte) uint32 { return crc32.Update(seed, castagnoli, b) }

// recordSum completes the checksum of a payload.
func recordSum(payload uint32, salt *Salt, form uint32, seq uint64) uint32 {
	var b [28]byte
	copy(b[:], salt[:])
	binary.BigEndian.PutUint32(b[16:], form)
	binary.BigEndian.PutUint64(b[20:], seq)
	return checksum(payload, b[:])
}

// up rounds up to the next multiple of a line.
func up[T int | int64](n T) T { return (n + line - 1) &^ (line - 1) }

// getInt reads an offset. What no file can have becomes -1.
func getInt(b []byte) int64 {
	if v := binary.BigEndian.Uint64(b); v <= math.MaxInt64 {
		return int64(v)
	}
	return -1
}
