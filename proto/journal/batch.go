package journal

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"encoding/binary"
	"fmt"
	"time"
)

const batchMagic = 0x4C544A01 // "LTJ", version 1

// batch collects records until they are written together.
type batch struct {
	buf     []byte
	first   uint64 // sequence number of its first record
	count   uint32
	prev    Digest // before its first record
	last    Digest // of its last record
	marks   []mark // offsets from the batch's beginning
	outcome *outcome
}

// outcome is what became of a batch. It outlives the batch's buffer.
type outcome struct {
	done  chan struct{} // closed when err stands
	err   error
	timer *time.Timer
}

// fits reports whether a record of n bytes can join without the batch growing over the limit.
func (b *batch) fits(n, limit int) bool {
	return b.count == 0 || b.count < maxCount && len(b.buf)+recordHeader+n+guard+line <= limit
}

// begin makes the batch ready for its first record.
func (b *batch) begin(seq uint64, prev Digest) {
	b.buf = append(b.buf[:0], make([]byte, batchHeader)...)
	b.first, b.count, b.prev, b.marks = seq, 0, prev, b.marks[:0]
}

// add appends a record in its stored form. prev is the digest of the record before it.
func (b *batch) add(r *stored, seq uint64, prev Digest) {
	if n := len(b.marks); n == 0 || int64(len(b.buf))-b.marks[n-1].off >= markEvery {
		b.marks = append(b.marks, mark{seq: seq, off: int64(len(b.buf)), prev: prev})
	}
	b.count++
	b.buf = binary.BigEndian.AppendUint32(b.buf, r.form)
	b.buf = binary.BigEndian.AppendUint32(b.buf, recordSum(r.sum, &r.salt, r.form, seq))
	b.buf = append(b.buf, r.salt[:]...)
	b.buf = append(b.buf, r.payload...)
}

// size is how many bytes the batch takes on disk.
func (b *batch) size() int64 { return int64(up(len(b.buf) + guard)) }

// finish completes the batch for its place in a segment and returns its bytes.
func (b *batch) finish(seed uint32, ms int64) []byte {
	pad := int(b.size()) - len(b.buf)
	b.buf = append(b.buf, fillers[:pad]...)
	h := batchHead{b.first, ms, b.count, uint32(len(b.buf)), b.prev}
	h.put(b.buf, seed)
	return b.buf
}

var fillers = bytes.Repeat([]byte{filler}, guard+line)

// batchHead is what a batch's header says.
type batchHead struct {
	first  uint64
	ms     int64
	count  uint32
	length uint32 // bytes, all in all
	prev   Digest // of the record before the batch
}

func (h *batchHead) put(b []byte, seed uint32) {
	binary.BigEndian.PutUint32(b, batchMagic)
	binary.BigEndian.PutUint64(b[8:], h.first)
	binary.BigEndian.PutUint64(b[16:], uint64(h.ms))
	binary.BigEndian.PutUint32(b[24:], h.count)
	binary.BigEndian.PutUint32(b[28:], h.length)
	copy(b[32:], h.prev[:])
	binary.BigEndian.PutUint32(b[4:], checksum(seed, b[8:batchHeader]))
}

// getBatchHead reads a batch header of the segment with this seed. It answers false for anything else.
func getBatchHead(b []byte, seed uint32) (h batchHead, ok bool) {
	if len(b) < batchHeader || binary.BigEndian.Uint32(b) != batchMagic ||
		binary.BigEndian.Uint32(b[4:]) != checksum(seed, b[8:batchHeader]) {
		return h, false
	}
	h = batchHead{binary.BigEndian.Uint64(b[8:]), getInt(b[16:]), binary.BigEndian.Uint32(b[24:]),
		binary.BigEndian.Uint32(b[28:]), Digest(b[32:64])}
	small := batchHeader + int64(h.count)*(recordHeader+1) + guard
	ok = h.ms >= 0 && h.count > 0 && h.count <= maxCount && h.length%line == 0 && h.length <= maxBatch &&
		int64(h.length) >= small
	return h, ok
}

// stored is a record in the form that goes to disk, before it has a number.
type stored struct {
	form    uint32
	sum     uint32 // of the plain payload
	salt    Salt
	payload []byte // masked if the form says so
}

var halfRun = make([]byte, blankRun/2)

// blank reports whether a payload holds so many zeros in a row that it must be masked.
func blank(payload []byte) bool { return bytes.Contains(payload, halfRun) }

// mask returns the payload with AES-128-CTR laid over it, keyed by the salt, counter from zero: not for secrecy, but
// so that no run of zeros is left. It is its own inverse.
func mask(dst, payload []byte, salt *Salt) ([]byte, error) {
	block, err := aes.NewCipher(salt[:])
	if err != nil {
		return nil, fmt.Errorf("mask a record: %w", err)
	}
	dst = append(dst[:0], payload...)
	cipher.NewCTR(block, make([]byte, aes.BlockSize)).XORKeyStream(dst, dst)
	return dst, nil
}
