package journal

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"hash"
	"time"
)

// Digest is the SHA-256 that a record adds to the chain. It covers everything before it.
type Digest [32]byte

// String returns the digest as 64 hex digits.
func (d Digest) String() string { return hex.EncodeToString(d[:]) }

// Salt makes a digest say nothing about a guessed payload. It is random and drawn for each record.
type Salt [16]byte

// Entry is one position of the journal.
type Entry struct {
	Seq     uint64
	Time    time.Time // when its batch was written, to the millisecond; never earlier than the entry before it
	Salt    Salt
	Prev    Digest // of the entry before it; zeros at seq 0
	Digest  Digest
	Payload []byte
	Void    bool // taken by a batch that could not be written and was never acknowledged: no payload, no salt
}

const (
	recordDomain = "lienthong/record/v1\x00"
	voidDomain   = "lienthong/void/v1\x00"
)

// Sum returns the digest of a record.
func Sum(salt Salt, seq uint64, prev Digest, payload []byte) Digest {
	c := newChain()
	return c.sum(salt, seq, prev, payload)
}

// SumVoid returns the digest of a sequence number that holds no record.
func SumVoid(seq uint64, prev Digest) Digest {
	b := make([]byte, 0, len(voidDomain)+8+len(prev))
	b = append(b, voidDomain...)
	b = binary.BigEndian.AppendUint64(b, seq)
	return sha256.Sum256(append(b, prev[:]...))
}

// sumVoids returns the digest before `to` when all from `from` on are void.
func sumVoids(from, to uint64, prev Digest) Digest {
	for ; from < to; from++ {
		prev = SumVoid(from, prev)
	}
	return prev
}

// chain computes digests without allocating. It is used by one goroutine at a time.
type chain struct {
	h      hash.Hash
	prefix [len(recordDomain) + 16 + 8 + 32]byte
	out    []byte
}

func newChain() *chain {
	c := &chain{h: sha256.New(), out: make([]byte, 0, 32)}
	copy(c.prefix[:], recordDomain)
	return c
}

func (c *chain) sum(salt Salt, seq uint64, prev Digest, payload []byte) Digest {
	p := c.prefix[len(recordDomain):]
	copy(p, salt[:])
	binary.BigEndian.PutUint64(p[16:], seq)
	copy(p[24:], prev[:])
	c.h.Reset()
	c.h.Write(c.prefix[:])
	c.h.Write(payload)
	return Digest(c.h.Sum(c.out))
}
