// Package token makes and reads citizens' tokens: who shows one may read the ledger's entries about one person, for an
// hour at most, and nothing else.
//
// A token is a JWS (RFC 7515) under a key that the ledger alone holds, so only the ledger that made it can read it. It
// holds the person's keyed hashes and never a number.
//
// Invariants:
//   - Only HS256 is taken, whatever a token says of itself.
//   - A token is taken until its time is over, and that is an hour after it was made at the latest.
//   - Why a token is refused is not said: it is TOKEN_INVALID.
//
// What does not belong here: who may have a token made, and what it opens (package service).
package token

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/lienthong/lienthong/proto/peer"
	"github.com/lienthong/lienthong/proto/reason"
)

// Bounds.
const (
	MaxLife = time.Hour        // of a token
	skew    = 10 * time.Second // by which the clock may have gone back since a token was made
	maxText = 4 << 10          // bytes of a token; one that is longer is not read
	keySize = 32               // bytes
	kind    = "lienthong-citizen+jwt"
)

// Hash is a data subject as the ledger keeps it.
type Hash = [16]byte

// Claims are what a token says.
type Claims struct {
	Subjects []Hash    // the person, under each key of the ledger, the newest first
	Key      uint32    // number of the newest
	Holder   peer.ID   // the system that it was made for
	Expires  time.Time // whole seconds
}

// Book makes and reads the tokens of one ledger. It is safe for concurrent use.
type Book struct {
	audience string
	key      []byte
	signer   jose.Signer
	now      func() time.Time
}

// New makes the book of the ledger with this origin. The key has 32 bytes; now is time.Now if it is nil.
func New(origin string, key []byte, now func() time.Time) (*Book, error) {
	if len(key) != keySize {
		return nil, fmt.Errorf("key of citizens' tokens: %d bytes, and not %d", len(key), keySize)
	}
	if now == nil {
		now = time.Now
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.HS256, Key: key}, new(jose.SignerOptions).WithType(kind))
	if err != nil {
		return nil, fmt.Errorf("key of citizens' tokens: %w", err)
	}
	return &Book{audience: "lienthong/" + origin + "/ledger", key: bytes.Clone(key), signer: signer, now: now}, nil
}

// body is a token's content.
type body struct {
	Audience string   `json:"aud"`
	Holder   peer.ID  `json:"azp"`
	Subjects [][]byte `json:"subjects"`
	Key      uint32   `json:"key"`
	Issued   int64    `json:"iat"`
	Expires  int64    `json:"exp"`
}

// Make makes a token for a person that is taken for that long. It fails if the time is none or more than MaxLife, or
// there is no hash.
func (b *Book) Make(subjects []Hash, key uint32, holder peer.ID, life time.Duration) (string, time.Time, error) {
	if life < time.Second || life > MaxLife || len(subjects) == 0 {
		return "", time.Time{}, errors.New("make token: no subject, or not for a second to an hour")
	}
	now := b.now()
	expires := now.Add(life).Truncate(time.Second)
	content := body{Audience: b.audience, Holder: holder, Key: key, Issued: now.Unix(), Expires: expires.Unix()}
	for _, s := range subjects {
		content.Subjects = append(content.Subjects, s[:])
	}
	payload, err := json.Marshal(content)
	if err != nil {
		return "", time.Time{}, fmt.Errorf("make token: %w", err)
	}
	signed, err := b.signer.Sign(payload)
	if err != nil {
		return "", time.Time{}, fmt.Errorf("make token: %w", err)
	}
	text, err := signed.CompactSerialize()
	if err != nil {
		return "", time.Time{}, fmt.Errorf("make token: %w", err)
	}
	return text, expires, nil
}

// Read reads a token. It fails with TOKEN_INVALID.
func (b *Book) Read(text string) (*Claims, error) {
	if len(text) > maxText {
		return nil, reason.TokenInvalid
	}
	signed, err := jose.ParseSignedCompact(text, []jose.SignatureAlgorithm{jose.HS256})
	if err != nil {
		return nil, reason.TokenInvalid
	}
	payload, err := signed.Verify(b.key)
	if err != nil || signed.Signatures[0].Header.ExtraHeaders[jose.HeaderType] != kind {
		return nil, reason.TokenInvalid
	}
	return b.claims(payload)
}

// claims reads what a token says, after its signature was found good.
func (b *Book) claims(payload []byte) (*Claims, error) {
	var content body
	dec := json.NewDecoder(bytes.NewReader(payload))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&content); err != nil {
		return nil, reason.TokenInvalid
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, reason.TokenInvalid
	}
	if content.Audience != b.audience || !content.inTime(b.now()) || !content.Holder.Valid() || len(content.Subjects) == 0 {
		return nil, reason.TokenInvalid
	}
	claims := &Claims{Holder: content.Holder, Key: content.Key, Expires: time.Unix(content.Expires, 0)}
	for _, s := range content.Subjects {
		if len(s) != len(Hash{}) {
			return nil, reason.TokenInvalid
		}
		claims.Subjects = append(claims.Subjects, Hash(s))
	}
	return claims, nil
}

// inTime reports whether a token may be used now.
func (c *body) inTime(now time.Time) bool {
	issued, expires := time.Unix(c.Issued, 0), time.Unix(c.Expires, 0)
	return now.Before(expires) && !now.Before(issued.Add(-skew)) && expires.Sub(issued) <= MaxLife+time.Second
}
