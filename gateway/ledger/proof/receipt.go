package proof

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
)

// receiptKeySize is the length of a receipt's key, in bytes.
const receiptKeySize = 32

var errReceipt = errors.New("a receipt's key is 43 characters of A-Z a-z 0-9 - _, as the metadata lt-receipt of the answer has it")

// RequestDigest is what a record keeps of a request's bytes: HMAC-SHA-256(key, "request" 0x00 ‖ bytes).
func RequestDigest(key, request []byte) []byte { return digest(key, "request\x00", request) }

// AnswerDigest is what a record keeps of the bytes of a released answer: HMAC-SHA-256(key, "answer" 0x00 ‖ bytes).
func AnswerDigest(key, answer []byte) []byte { return digest(key, "answer\x00", answer) }

func digest(key []byte, kind string, content []byte) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(kind))
	h.Write(content)
	return h.Sum(nil)
}

// FormatReceiptKey writes a receipt's key, 32 bytes, as the metadata lt-receipt carries it: base64url without padding.
func FormatReceiptKey(key []byte) string { return base64.RawURLEncoding.EncodeToString(key) }

// ParseReceiptKey reads what FormatReceiptKey wrote. Its error does not repeat the text, which is a secret.
func ParseReceiptKey(text string) ([]byte, error) {
	key, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil || len(key) != receiptKeySize || FormatReceiptKey(key) != text {
		return nil, fmt.Errorf("read receipt's key: %w", errReceipt)
	}
	return key, nil
}
