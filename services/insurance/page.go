package insurance

import (
	"crypto/sha256"
	"crypto/subtle"
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

var tokenText = base64.RawURLEncoding.Strict()

// token is the page token for what follows a position.
func (q *question) token(position int64) string {
	return tokenText.EncodeToString(q.rawToken(position))
}

func (q *question) rawToken(position int64) []byte {
	b := binary.BigEndian.AppendUint64(make([]byte, 0, positionLength+sha256.Size), uint64(position))
	asked := append([]byte("insurance.contributions\x00"), b...)
	for _, part := range []string{q.personalID, q.number, q.name, q.birth.String()} {
		asked = append(append(asked, part...), 0)
	}
	sum := sha256.Sum256(asked)
	return append(b, sum[:]...)[:tokenLength]
}

// position reads a page token of this question: 0 for the first page. Any other text is reason.PageTokenInvalid.
func (q *question) position(token string) (int64, error) {
	if token == "" {
		return 0, nil
	}
	raw, err := tokenText.DecodeString(token)
	if err != nil || len(raw) != tokenLength {
		return 0, reason.PageTokenInvalid.At("page_token")
	}
	position := int64(binary.BigEndian.Uint64(raw))
	if subtle.ConstantTimeCompare(raw, q.rawToken(position)) != 1 {
		return 0, reason.PageTokenInvalid.At("page_token")
	}
	return position, nil
}
