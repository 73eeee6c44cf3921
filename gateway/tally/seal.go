package tally

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/lienthong/lienthong/proto/bus"
)

// A word on the bus, in bytes:
//
//	version 1 | sender 16 | nonce 12 | sealed
//
// and what is sealed, with the first two as additional data:
//
//	number 8 | Unix time in ms 8 | length of the process's name 1 | name | kind 1 | payload
//
// The sender is a random name that a process gives itself when it opens. Each seals under a key of its own, which
// HKDF makes of the shared key and that name: so a random nonce of 96 bits is good for the 2^32 words that one process
// may ever send, and not for what all of them send in all years.
const (
	version    = 1
	senderSize = 16
	nonceSize  = 12
	tagSize    = 16
	headSize   = 1 + senderSize // the additional data
	insideSize = 8 + 8 + 1 + 1  // without the name and the payload
	maxName    = 64
	maxWord    = headSize + nonceSize + insideSize + maxName + MaxPayload + tagSize

	lastNumber = 1 << 32 // that is sealed under one key
	sealedFor  = "lienthong/tally/v1\x00"
	maxAge     = int64(bus.MaxSkew / time.Millisecond) // ms between sealing and hearing, either way
	maxSenders = 1024                                  // that are remembered
)

// errRefused says that a word is not believed, and no more: whoever sent it learns nothing.
var errRefused = errors.New("tally refused")

type senderID [senderSize]byte

// keyOf makes the key of one sender.
func keyOf(key []byte, sender senderID) (cipher.AEAD, error) {
	own, err := hkdf.Key(sha256.New, key, sender[:], sealedFor, KeySize)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(own)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}

// sealer seals what one process says. It is used by one at a time.
type sealer struct {
	sender  senderID
	process string
	aead    cipher.AEAD
	number  uint64 // of the last word
}

func newSealer(key []byte, process string) (*sealer, error) {
	if len(key) != KeySize {
		return nil, fmt.Errorf("the key has %d bytes; it must have %d", len(key), KeySize)
	}
	if len(process) > maxName {
		return nil, fmt.Errorf("the process's name has %d bytes; it may have %d", len(process), maxName)
	}
	s := &sealer{process: process}
	if _, err := rand.Read(s.sender[:]); err != nil {
		return nil, err
	}
	var err error
	s.aead, err = keyOf(key, s.sender)
	return s, err
}

// seal seals a payload.
func (s *sealer) seal(kind byte, payload []byte, now int64) ([]byte, error) {
	if s.number == lastNumber {
		return nil, errors.New("this process has sealed all it may; start it again")
	}
	s.number++
	word := make([]byte, headSize+nonceSize, headSize+nonceSize+insideSize+len(s.process)+len(payload)+tagSize)
	word[0] = version
	copy(word[1:], s.sender[:])
	nonce := word[headSize:]
	if _, err := rand.Read(nonce); err != nil {
		return nil, err
	}
	inside := make([]byte, 0, insideSize+len(s.process)+len(payload))
	inside = binary.BigEndian.AppendUint64(inside, s.number)
	inside = binary.BigEndian.AppendUint64(inside, uint64(now))
	inside = append(inside, byte(len(s.process)))
	inside = append(inside, s.process...)
	inside = append(inside, kind)
	inside = append(inside, payload...)
	return s.aead.Seal(word, nonce, inside, word[:headSize]), nil
}

// heard is what is remembered of a sender.
type heard struct {
	aead    cipher.AEAD
	number  uint64 // of its last word
	at      int64  // when that came, Unix ms
	process string
}

// opener believes what others seal. It is used by one at a time.
type opener struct {
	key   []byte
	self  senderID
	since int64 // Unix ms: what was said before is not believed
	heard map[senderID]*heard

	taken, refused uint64
}

// open returns what a word says. Of one's own it says errRefused too, but does not count it.
func (o *opener) open(word []byte, now int64) (kind byte, payload []byte, err error) {
	if len(word) >= headSize && senderID(word[1:headSize]) == o.self {
		return 0, nil, errRefused
	}
	if kind, payload, err = o.believe(word, now); err != nil {
		o.refused++
		return 0, nil, err
	}
	o.taken++
	return kind, payload, nil
}

func (o *opener) believe(word []byte, now int64) (kind byte, payload []byte, err error) {
	if len(word) < headSize+nonceSize+insideSize+tagSize || len(word) > maxWord || word[0] != version {
		return 0, nil, errRefused
	}
	id := senderID(word[1:headSize])
	from, known := o.heard[id]
	if !known {
		// Nothing is remembered of a sender before one of its words was believed.
		from = new(heard)
		if from.aead, err = keyOf(o.key, id); err != nil {
			return 0, nil, errRefused
		}
	}
	nonce, sealed := word[headSize:headSize+nonceSize], word[headSize+nonceSize:]
	inside, err := from.aead.Open(nil, nonce, sealed, word[:headSize])
	if err != nil {
		return 0, nil, errRefused
	}
	number, said := binary.BigEndian.Uint64(inside), int64(binary.BigEndian.Uint64(inside[8:]))
	name := int(inside[16])
	if number <= from.number || said < o.since || said < now-maxAge || said > now+maxAge || name > maxName || len(inside) < insideSize+name {
		return 0, nil, errRefused
	}
	if !known && !o.room(now) {
		return 0, nil, errRefused
	}
	from.number, from.at, from.process = number, now, string(inside[17:17+name])
	o.heard[id] = from
	return inside[17+name], inside[insideSize+name:], nil
}

// room makes room for one more sender, if there is none. Who was silent for as long as words are believed may be
// forgotten: none of its old words would be believed again.
func (o *opener) room(now int64) bool {
	if len(o.heard) < maxSenders {
		return true
	}
	for id, h := range o.heard {
		if now-h.at > 2*maxAge {
			delete(o.heard, id)
		}
	}
	return len(o.heard) < maxSenders
}

// others are the processes that spoke within the time in which words are believed.
func (o *opener) others(now int64) []string {
	var names []string
	for _, h := range o.heard {
		if now-h.at <= maxAge && !slices.Contains(names, h.process) {
			names = append(names, h.process)
		}
	}
	slices.Sort(names)
	return names
}
