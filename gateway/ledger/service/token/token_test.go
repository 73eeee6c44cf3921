package token_test

import (
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/stretchr/testify/require"

	"github.com/lienthong/lienthong/gateway/ledger/service/token"
	"github.com/lienthong/lienthong/proto/peer"
	"github.com/lienthong/lienthong/proto/reason"
)

var (
	key    = []byte("0123456789abcdef0123456789abcdef")
	portal = peer.ID{Agency: "G22", System: "dvc-portal"}
	person = []token.Hash{{1, 2, 3}, {4, 5, 6}}
	noon   = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
)

// clock is a time that a test moves.
type clock struct{ now time.Time }

func (c *clock) Now() time.Time { return c.now }

func book(t testing.TB, origin string, key []byte, c *clock) *token.Book {
	b, err := token.New(origin, key, c.Now)
	require.NoError(t, err)
	return b
}

func issue(t testing.TB, b *token.Book, life time.Duration) string {
	text, _, err := b.Make(person, 3, portal, life)
	require.NoError(t, err)
	return text
}

func TestATokenSaysWhoItIsAbout(t *testing.T) {
	c := &clock{noon}
	b := book(t, "G06/gateway", key, c)
	text, expires, err := b.Make(person, 3, portal, 15*time.Minute)
	require.NoError(t, err)
	require.Equal(t, noon.Add(15*time.Minute), expires.UTC())
	claims, err := b.Read(text)
	require.NoError(t, err)
	require.Equal(t, person, claims.Subjects)
	require.Equal(t, portal, claims.Holder)
	require.EqualValues(t, 3, claims.Key)
	require.True(t, expires.Equal(claims.Expires))
}

func TestATokenIsTakenUntilItsTimeIsOver(t *testing.T) {
	c := &clock{noon}
	b := book(t, "G06/gateway", key, c)
	text := issue(t, b, time.Hour)
	for at, good := range map[time.Duration]bool{
		0: true, time.Hour - time.Second: true, time.Hour: false, time.Hour + time.Second: false, 24 * time.Hour: false,
		-5 * time.Second: true, -time.Minute: false,
	} {
		c.now = noon.Add(at)
		_, err := b.Read(text)
		require.Equal(t, good, err == nil, "%s", at)
	}
}

func TestNoTokenIsMadeForLongOrForNobody(t *testing.T) {
	b := book(t, "G06/gateway", key, &clock{noon})
	for _, life := range []time.Duration{-time.Second, 0, time.Second - 1, time.Hour + 1, 1 << 62} {
		_, _, err := b.Make(person, 3, portal, life)
		require.Error(t, err, "%s", life)
	}
	_, _, err := b.Make(nil, 3, portal, time.Minute)
	require.Error(t, err)
	_, err = token.New("G06/gateway", key[1:], nil)
	require.Error(t, err)
}

func TestATokenOfAnotherLedgerOrKeyIsRefused(t *testing.T) {
	c := &clock{noon}
	text := issue(t, book(t, "G06/gateway", key, c), time.Hour)
	for name, other := range map[string]*token.Book{
		"origin": book(t, "G06/gateway-2", key, c),
		"key":    book(t, "G06/gateway", []byte(strings.Repeat("x", 32)), c),
	} {
		_, err := other.Read(text)
		require.ErrorIs(t, err, reason.TokenInvalid, name)
	}
}

func TestAnAlteredTokenIsRefused(t *testing.T) {
	b := book(t, "G06/gateway", key, &clock{noon})
	text := issue(t, b, time.Hour)
	for i := range len(text) {
		for _, other := range "A-z.=" {
			altered := text[:i] + string(other) + text[i+1:]
			if decoded(altered) == decoded(text) {
				continue // the last letter of a part has bits that mean nothing
			}
			_, err := b.Read(altered)
			require.ErrorIs(t, err, reason.TokenInvalid, altered)
		}
	}
}

func decoded(text string) string {
	var all []string
	for _, part := range strings.Split(text, ".") {
		data, _ := base64.RawURLEncoding.DecodeString(part)
		all = append(all, string(data))
	}
	return strings.Join(all, "\x00")
}

// forged is a token with this header and content, signed by nobody.
func forged(header, content, signature string) string {
	enc := base64.RawURLEncoding
	return enc.EncodeToString([]byte(header)) + "." + enc.EncodeToString([]byte(content)) + "." + enc.EncodeToString([]byte(signature))
}

func TestOnlyTheLedgersOwnAlgorithmIsTaken(t *testing.T) {
	b := book(t, "G06/gateway", key, &clock{noon})
	good := issue(t, b, time.Hour)
	payload, err := base64.RawURLEncoding.DecodeString(strings.Split(good, ".")[1])
	require.NoError(t, err)
	_, private, err := ed25519.GenerateKey(nil)
	require.NoError(t, err)
	for name, text := range map[string]string{
		"none":            forged(`{"alg":"none","typ":"lienthong-citizen+jwt"}`, string(payload), ""),
		"None":            forged(`{"alg":"None","typ":"lienthong-citizen+jwt"}`, string(payload), ""),
		"no algorithm":    forged(`{"typ":"lienthong-citizen+jwt"}`, string(payload), ""),
		"empty":           forged(`{"alg":"HS256","typ":"lienthong-citizen+jwt"}`, string(payload), ""),
		"stronger":        sign(t, jose.HS512, []byte(strings.Repeat("k", 64)), payload, "lienthong-citizen+jwt"),
		"same key, HS384": sign(t, jose.HS384, append(key, key[:16]...), payload, "lienthong-citizen+jwt"),
		"EdDSA":           sign(t, jose.EdDSA, private, payload, "lienthong-citizen+jwt"),
		"another kind":    sign(t, jose.HS256, key, payload, "JWT"),
		"JSON form":       `{"payload":"e30","signatures":[]}`,
		"nothing":         "",
		"dots":            "..",
		"long":            strings.Repeat("a", 1<<20),
	} {
		_, err := b.Read(text)
		require.ErrorIs(t, err, reason.TokenInvalid, name)
	}
	_, err = b.Read(sign(t, jose.HS256, key, payload, "lienthong-citizen+jwt"))
	require.NoError(t, err, "what is signed here is good but for what each case spoils")
}

func sign(t *testing.T, alg jose.SignatureAlgorithm, key any, payload []byte, kind string) string {
	s, err := jose.NewSigner(jose.SigningKey{Algorithm: alg, Key: key}, new(jose.SignerOptions).WithType(jose.ContentType(kind)))
	require.NoError(t, err)
	signed, err := s.Sign(payload)
	require.NoError(t, err)
	text, err := signed.CompactSerialize()
	require.NoError(t, err)
	return text
}

func TestATokenThatSaysTooMuchOrTooLittleIsRefusedThoughItIsSigned(t *testing.T) {
	b := book(t, "G06/gateway", key, &clock{noon})
	content := func(change func(map[string]any)) []byte {
		m := map[string]any{
			"aud": "lienthong/G06/gateway/ledger", "azp": "G22/dvc-portal", "subjects": [][]byte{person[0][:]},
			"iat": noon.Unix(), "exp": noon.Unix() + 60,
		}
		change(m)
		data, err := json.Marshal(m)
		require.NoError(t, err)
		return data
	}
	for name, change := range map[string]func(map[string]any){
		"no subject":      func(m map[string]any) { delete(m, "subjects") },
		"short subject":   func(m map[string]any) { m["subjects"] = [][]byte{{1}} },
		"a year":          func(m map[string]any) { m["exp"] = noon.Unix() + 365*86400 },
		"made later":      func(m map[string]any) { m["iat"] = noon.Unix() + 3600; m["exp"] = noon.Unix() + 7200 },
		"no time":         func(m map[string]any) { delete(m, "exp") },
		"no holder":       func(m map[string]any) { m["azp"] = "" },
		"holder left out": func(m map[string]any) { delete(m, "azp") },
		"all of it":       func(m map[string]any) { m["role"] = "operator" },
	} {
		_, err := b.Read(sign(t, jose.HS256, key, content(change), "lienthong-citizen+jwt"))
		require.ErrorIs(t, err, reason.TokenInvalid, name)
	}
	_, err := b.Read(sign(t, jose.HS256, key, append(content(func(map[string]any) {}), "{}"...), "lienthong-citizen+jwt"))
	require.ErrorIs(t, err, reason.TokenInvalid, "something follows the end")
	_, err = b.Read(sign(t, jose.HS256, key, content(func(map[string]any) {}), "lienthong-citizen+jwt"))
	require.NoError(t, err)
}

func FuzzRead(f *testing.F) {
	b, err := token.New("G06/gateway", key, (&clock{noon}).Now)
	require.NoError(f, err)
	good, _, err := b.Make(person, 3, portal, time.Hour)
	require.NoError(f, err)
	f.Add(good)
	f.Add(forged(`{"alg":"none"}`, `{}`, ""))
	f.Fuzz(func(t *testing.T, text string) {
		if _, err := b.Read(text); err == nil {
			require.Equal(t, decoded(good), decoded(text))
		}
	})
}
