package land

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"

	"github.com/lienthong/lienthong/proto/reason"
)

// A page token is the last parcel of the page, 8 bytes, and 16 bytes of a digest that binds it to the question.
// The digest needs no key: whoever makes up a token for a question of their own only skips some of its answers.
const (
	tokenPosition = 8
	tokenDigest   = 16
)

// token leads to what comes after a parcel in the answers to the same question. Page size may change between pages.
func (q *holdingsQuestion) token(last int64) string {
	b := binary.BigEndian.AppendUint64(make([]byte, 0, tokenPosition+sha256.Size), uint64(last))
	b = append(b, q.digest(b)...)
	return base64.RawURLEncoding.EncodeToString(b)
}

// parseToken reads a token. It fails with reason.PageTokenInvalid unless it is one of this question.
func (q *holdingsQuestion) parseToken(token string) (last int64, err error) {
	b, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil || len(b) != tokenPosition+tokenDigest || b[0] > 0x7f {
		return 0, reason.PageTokenInvalid.At("page_token")
	}
	last = int64(binary.BigEndian.Uint64(b))
	if token != q.token(last) { // the text, for a decoder skips line breaks and spare bits
		return 0, reason.PageTokenInvalid.At("page_token")
	}
	return last, nil
}

// digest binds a position to the question. Everything before the name has a fixed length or ends with a zero byte.
func (q *holdingsQuestion) digest(position []byte) []byte {
	b := append(make([]byte, 0, 128), "registry.land.v1.LandService/ListHoldings\x00"...)
	b = append(b, position...)
	var in uint32
	if q.commune != nil {
		in = q.commune.code
	}
	b = binary.BigEndian.AppendUint32(append(b, q.province), in)
	b = append(append(b, q.id...), 0)
	b = append(append(b, q.oldID...), 0)
	sum := sha256.Sum256(append(b, q.nameKey...))
	return sum[:tokenDigest]
}
