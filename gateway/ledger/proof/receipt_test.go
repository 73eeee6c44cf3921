package proof_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lienthong/lienthong/gateway/ledger/proof"
)

func TestDigestsOfRequestAndAnswerAreKeyedAndToldApart(t *testing.T) {
	key := []byte("0123456789abcdef0123456789abcdef")
	h := hmac.New(sha256.New, key)
	h.Write([]byte("answer\x00bytes"))
	require.Equal(t, h.Sum(nil), proof.AnswerDigest(key, []byte("bytes")))
	h = hmac.New(sha256.New, key)
	h.Write([]byte("request\x00bytes"))
	require.Equal(t, h.Sum(nil), proof.RequestDigest(key, []byte("bytes")))
}

func TestAReceiptsKeyIsReadAsItWasWritten(t *testing.T) {
	key := []byte("\xff\xfe3456789abcdef0123456789abcdef\xfd")[:32]
	text := proof.FormatReceiptKey(key)
	require.Len(t, text, 43)
	back, err := proof.ParseReceiptKey(text)
	require.NoError(t, err)
	require.Equal(t, key, back)
	for _, bad := range []string{"", text + "=", text[:42], text + "A", " " + text, text + "\n", text[:42] + "B"} {
		_, err := proof.ParseReceiptKey(bad)
		require.Error(t, err, "%q", bad)
	}
}
