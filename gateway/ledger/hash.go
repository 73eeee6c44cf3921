package ledger

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"hash"
	"strings"
	"sync"

	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
)

// hashSize is how much of a data subject's hash is kept, in bytes. Two numbers of a billion have the same one with a
// chance of 10⁻²¹.
const hashSize = 16

// keyed makes HMAC-SHA-256 under one key. It is safe for concurrent use, and keeps the states that the key begins with.
type keyed struct{ states sync.Pool }

func newKeyed(key []byte) *keyed {
	return &keyed{states: sync.Pool{New: func() any { return &state{mac: hmac.New(sha256.New, key)} }}}
}

// state is an HMAC, and room for what it gives.
type state struct {
	mac hash.Hash
	sum [sha256.Size]byte
	in  [72]byte
}

// sum is the HMAC of head followed by tail.
func (k *keyed) sum(head byte, tail string) [sha256.Size]byte {
	s := k.states.Get().(*state)
	defer k.states.Put(s)
	s.mac.Reset()
	in := append(append(s.in[:0], head), tail...)
	s.mac.Write(in)
	s.mac.Sum(s.sum[:0])
	clear(in) // a number of a person is not left in the pool longer than the HMAC's own state is
	return s.sum
}

// hasher hashes data subjects under one key.
type hasher struct {
	number uint32
	keyed  *keyed
}

// subject is how a data subject stands in a record.
func (h *hasher) subject(kind hubv1.Subject, value string) (sum [hashSize]byte) {
	kind, value = canonical(kind, value)
	full := h.keyed.sum(byte(kind), value)
	copy(sum[:], full[:])
	return sum
}

// insuranceDigits is how long a health-insurance card's number is when it is the insurance number alone.
const insuranceDigits = 10

// canonical is the one form in which a number is hashed. Where a card's number is asked for, registries take it with
// small letters, and without its prefix, as cards show it since 2021.
func canonical(kind hubv1.Subject, value string) (hubv1.Subject, string) {
	if kind != hubv1.Subject_SUBJECT_CARD_NUMBER {
		return kind, value
	}
	if len(value) == insuranceDigits {
		return hubv1.Subject_SUBJECT_INSURANCE_NUMBER, value
	}
	return kind, strings.ToUpper(value)
}

// subjects hashes all, each once, in the order of their first appearance.
func (h *hasher) subjects(all []*hubv1.DataSubject) [][]byte {
	if len(all) == 0 {
		return nil
	}
	sums := make([][hashSize]byte, 0, len(all))
	var seen map[[hashSize]byte]bool // once there are many
	for _, s := range all {
		sum := h.subject(s.GetKind(), s.GetValue())
		if len(all) > 16 {
			if seen == nil {
				seen = make(map[[hashSize]byte]bool, len(all))
			}
			if seen[sum] {
				continue
			}
			seen[sum] = true
		} else if contains(sums, sum) {
			continue
		}
		sums = append(sums, sum)
	}
	out := make([][]byte, len(sums))
	for i := range sums {
		out[i] = sums[i][:]
	}
	return out
}

func contains(sums [][hashSize]byte, sum [hashSize]byte) bool {
	for i := range sums {
		if sums[i] == sum {
			return true
		}
	}
	return false
}

// receiptKey is the key of an exchange's receipt.
func (k *keyed) receiptKey(exchange []byte) (key [sha256.Size]byte) {
	return k.sum('r', string(exchange))
}

// receiptText is a receipt's key as the consumer gets it.
func receiptText(key [sha256.Size]byte) string { return base64.RawURLEncoding.EncodeToString(key[:]) }
