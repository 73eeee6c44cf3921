package bus

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/protobuf/encoding/protowire"

	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
	"github.com/lienthong/lienthong/proto/peer"
)

// Why a frame is not opened.
var (
	ErrSeal     = errors.New("seal broken")        // altered, forged, or not for this place
	ErrExpired  = errors.New("frame expired")      // after its expiry, or sealed for longer than MaxLife
	ErrReplayed = errors.New("frame seen before")  // or so old that it may have been
	ErrFrame    = errors.New("frame is malformed") // not a frame at all
)

// Header is what a seal is bound to, beside the two keys and the direction.
type Header struct {
	Subject    string    // the subject the call rides on, for its answer too
	Reply      string    // the subject its answer rides on
	ExchangeID [16]byte  // the exchange
	Expires    time.Time // ms precision
	Digest     [32]byte  // of the service's contract
}

// Pair is what one process shares with another: a key for each direction, agreed by X25519 and derived by
// HKDF-SHA-256, a counter for what it sends, a window for what it received. It is safe for concurrent use.
type Pair struct {
	Party   *Party // the other one, without its offers
	own     *Key
	send    cipher.AEAD
	receive cipher.AEAD
	counter atomic.Uint64
	window  window
}

// Pair agrees keys with another party: one of the two is a gateway, the other a connector. A key has one Pair for
// each party for as long as it lives, so that counters are never used twice. It fails if the party's identity has
// announced more than a working one would.
func (k *Key) Pair(party *Party) (*Pair, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if p := k.pairs[party.Key]; p != nil {
		return p, nil
	}
	if k.held[party.ID] >= maxKeys {
		return nil, fmt.Errorf("agree keys: %s has announced %d of them already", party.ID, maxKeys)
	}
	p, err := newPair(k, party)
	if err != nil {
		return nil, err
	}
	if k.pairs == nil {
		k.pairs, k.held = make(map[KeyID]*Pair), make(map[peer.ID]int)
	}
	k.pairs[party.Key] = p
	k.held[party.ID]++
	return p, nil
}

// Known returns what is shared with the party that holds a key, or nil if that party is not known yet.
func (k *Key) Known(party KeyID) *Pair {
	k.mu.RLock()
	defer k.mu.RUnlock()
	return k.pairs[party]
}

func newPair(own *Key, party *Party) (*Pair, error) {
	if own.Role == party.Role {
		return nil, fmt.Errorf("agree keys: both are %v", own.Role)
	}
	secret, err := own.private.ECDH(party.public)
	if err != nil {
		return nil, fmt.Errorf("agree keys: %w", err)
	}
	kept := *party
	kept.Offers = nil // as large as an announcement may be, and no part of the seal
	p := &Pair{Party: &kept, own: own}
	if p.send, err = derive(secret, own.ID, party.Key, own.Role); err != nil {
		return nil, err
	}
	if p.receive, err = derive(secret, party.Key, own.ID, party.Role); err != nil {
		return nil, err
	}
	return p, nil
}

// derive makes the key for what `from` sends to `to`. The sender's role is the direction.
func derive(secret []byte, from, to KeyID, sender hubv1.AnnouncedKey_Role) (cipher.AEAD, error) {
	info := "lienthong/bus/seal/v1 " + sender.String() + string(from[:]) + string(to[:])
	key, err := hkdf.Key(sha256.New, secret, nil, info, 32)
	if err != nil {
		return nil, fmt.Errorf("derive key: %w", err)
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, fmt.Errorf("derive key: %w", err)
	}
	return cipher.NewGCM(block)
}

// Seal appends to dst the frame that carries plaintext under the header.
func (p *Pair) Seal(dst []byte, h *Header, plaintext []byte) []byte {
	n := p.counter.Add(1)
	dst = appendOutside(dst, p.own.ID, p.Party.Key, n, h)
	dst = protowire.AppendTag(dst, 7, protowire.BytesType)
	dst = protowire.AppendVarint(dst, uint64(len(plaintext)+p.send.Overhead()))
	s := scratches.Get().(*scratch)
	defer scratches.Put(s)
	s.set(n, p.own.ID, p.Party.Key, h)
	return p.send.Seal(dst, s.nonce[:], plaintext, s.bound)
}

// Open returns what a frame carries, appended to dst, after it is certain that the other party sealed it for this
// process, for this subject and reply, at most MaxLife ago, and that it comes for the first time. The frame's
// exchange, expiry and digest are written to h; subject and reply are taken from it.
func (p *Pair) Open(dst []byte, h *Header, f *Frame, now time.Time) ([]byte, error) {
	h.ExchangeID, h.Expires, h.Digest = f.ExchangeID, f.Expires, f.Digest
	if now.After(f.Expires.Add(MaxSkew)) || f.Expires.After(now.Add(MaxLife+MaxSkew)) {
		return nil, ErrExpired
	}
	if f.Sender != p.Party.Key || f.Receiver != p.own.ID || f.Refusal != hubv1.Frame_REFUSAL_UNSPECIFIED {
		return nil, ErrSeal
	}
	s := scratches.Get().(*scratch)
	defer scratches.Put(s)
	s.set(f.Counter, f.Sender, f.Receiver, h)
	plaintext, err := p.receive.Open(dst, s.nonce[:], f.Body, s.bound)
	if err != nil {
		return nil, ErrSeal
	}
	if !p.window.first(f.Counter) {
		return nil, ErrReplayed
	}
	return plaintext, nil
}

// scratch is what sealing needs beside the frame. It is reused, because it cannot live on a stack: a cipher is
// behind an interface.
type scratch struct {
	nonce [12]byte
	bound []byte
}

var scratches = sync.Pool{New: func() any { return &scratch{bound: make([]byte, 0, 512)} }}

func (s *scratch) set(counter uint64, sender, receiver KeyID, h *Header) {
	binary.BigEndian.PutUint64(s.nonce[4:], counter)
	s.bound = appendBound(s.bound[:0], sender, receiver, h)
}

// appendBound is the additional data of the seal: every length is fixed or said, so no two headers look alike.
func appendBound(b []byte, sender, receiver KeyID, h *Header) []byte {
	b = append(b, sender[:]...)
	b = append(b, receiver[:]...)
	b = append(b, h.ExchangeID[:]...)
	b = binary.BigEndian.AppendUint64(b, uint64(h.Expires.UnixMilli()))
	b = append(b, h.Digest[:]...)
	b = binary.BigEndian.AppendUint32(b, uint32(len(h.Subject)))
	b = append(b, h.Subject...)
	b = binary.BigEndian.AppendUint32(b, uint32(len(h.Reply)))
	return append(b, h.Reply...)
}
