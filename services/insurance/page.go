package insurance

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"

	"github.com/lienthong/lienthong/proto/reason"
)

// A page token is the sequence number of the last period that was given, 8 bytes, and a digest of it and the
// question, 16 bytes. It keeps a token to its question; it is no secret, for the question is proved each time.
const (
	positionLength = 8
	tokenLength    = positionLength + 16
)

// token is the page token for what follows a position.
func (q *question) token(position int64) string {
	b := binary.BigEndian.AppendUint64(make([]byte, 0, positionLength+sha256.Size), uint64(position))
	asked := append([]byte("insurance.contributions\x00"), b...)
	for _, part := range []string{q.personalID, q.number, q.name, q.birth.String()} {
		asked = append(append(asked, part...), 0)
	}
	sum := sha256.Sum256(asked)
	return base64.RawURLEncoding.EncodeToString(append(b, sum[:]...)[:tokenLength])
}

// position reads a page token of this question: 0 for the first page. Any other text is reason.PageTokenInvalid.
func (q *question) position(token string) (int64, error) {
	if token == "" {
		return 0, nil
	}
	raw, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil || len(raw) != tokenLength {
		return 0, reason.PageTokenInvalid.At("page_token")
	}
	position := int64(binary.BigEndian.Uint64(raw))
	if token != q.token(position) { // the text, for a decoder skips line breaks
		return 0, reason.PageTokenInvalid.At("page_token")
	}
	return position, nil
}
