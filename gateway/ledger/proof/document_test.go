package proof_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lienthong/lienthong/gateway/ledger/proof"
)

// replaceOnce edits the text of a document; the text must be there, or the test would test nothing.
func replaceOnce(t *testing.T, doc []byte, old, new string) []byte {
	t.Helper()
	require.Contains(t, string(doc), old)
	return []byte(strings.Replace(string(doc), old, new, 1))
}

func TestWhatIsNotExactlyADocumentIsRefused(t *testing.T) {
	w := newWorld(t)
	doc := w.Build(w.source)
	for name, bad := range map[string][]byte{
		"nothing":               {},
		"blank":                 []byte(" \n"),
		"no object":             []byte(`["lienthong-proof/v1"]`),
		"null":                  []byte("null"),
		"cut":                   doc[:len(doc)/2],
		"something behind it":   append(bytes.Clone(doc), "{}"...),
		"a byte order mark":     append([]byte("\xef\xbb\xbf"), doc...),
		"unknown key":           replaceOnce(t, doc, `"seq"`, `"note": "", "seq"`),
		"unknown inner key":     replaceOnce(t, doc, `"index"`, `"note": "", "index"`),
		"doubled key":           replaceOnce(t, doc, `"seq"`, `"seq": 1, "seq"`),
		"doubled key, escaped":  replaceOnce(t, doc, `"seq"`, `"\u0073eq": 1, "seq"`),
		"doubled inner key":     replaceOnce(t, doc, `"released"`, `"released": "", "released"`),
		"key of another case":   replaceOnce(t, doc, `"seq"`, `"Seq"`),
		"inner of another":      replaceOnce(t, doc, `"tree_size"`, `"Tree_size"`),
		"null for a number":     replaceOnce(t, doc, `"seq": 41`, `"seq": null`),
		"null for optional":     replaceOnce(t, doc, `"consistency": {`, `"consistency": null, "x": {`),
		"text for a number":     replaceOnce(t, doc, `"seq": 41`, `"seq": "41"`),
		"fraction":              replaceOnce(t, doc, `"seq": 41`, `"seq": 41.0`),
		"negative":              replaceOnce(t, doc, `"seq": 41`, `"seq": -41`),
		"number too large":      replaceOnce(t, doc, `"seq": 41`, `"seq": 18446744073709551657`),
		"other version":         replaceOnce(t, doc, "lienthong-proof/v1", "lienthong-proof/v0"),
		"base64 of other bits":  replaceOnce(t, doc, w.salt()[:22], w.salt()[:21]+string(w.salt()[21]+1)),
		"number of many digits": replaceOnce(t, doc, `"seq": 41`, `"seq": 41`+strings.Repeat("0", 10_000)),
		"base64 of a line":      replaceOnce(t, doc, `"salt": "`, `"salt": "\n`),
		"base64 unpadded":       replaceOnce(t, doc, `==",`, `",`),
		"no UTF-8":              replaceOnce(t, doc, "G06", "G0\xff"),
		"deep":                  replaceOnce(t, doc, `"hashes": [`, `"hashes": [`+strings.Repeat("[", 10_000)+strings.Repeat("]", 10_000)+","),
		"too large":             append(bytes.Clone(doc), bytes.Repeat([]byte(" "), proof.MaxSize)...),
	} {
		v := verify(t, bad, w.opts)
		requireOnly(t, proof.CheckForm, v)
		require.Nil(t, v.Document, name)
		require.LessOrEqual(t, len(v.Failure().Detail), 420, name)
		require.NotEmpty(t, page(t, v, "vi"), name)
	}
}

func TestAViewIsReadAsStrictly(t *testing.T) {
	w := newWorld(t)
	doc := w.Build(w.source)
	for name, bad := range map[string][]byte{
		"doubled key":         replaceOnce(t, doc, `"consumerAgency"`, `"consumerAgency": "H28", "consumerAgency"`),
		"doubled, other name": replaceOnce(t, doc, `"consumerAgency"`, `"consumer_agency": "H27", "consumerAgency"`),
		"unknown key":         replaceOnce(t, doc, `"consumerAgency"`, `"approvedBy": "everybody", "consumerAgency"`),
		"other value":         replaceOnce(t, doc, `"consumerAgency": "H27"`, `"consumerAgency": "H28"`),
		"more":                replaceOnce(t, doc, `"consumerAgency"`, `"consent": "yes", "consumerAgency"`),
		"deep":                replaceOnce(t, doc, `"consumerAgency"`, `"x": `+strings.Repeat("[", 9_000)+strings.Repeat("]", 9_000)+`, "consumerAgency"`),
	} {
		v := verify(t, bad, w.opts)
		require.Equal(t, []string{proof.CheckView}, failures(v), name)
		require.NotContains(t, page(t, v, "en"), "everybody")
	}
}

func TestNestingIsRefusedWhereItBegins(t *testing.T) {
	doc := []byte(`{"origin":` + strings.Repeat("[", proof.MaxSize-10))
	v := verify(t, doc, newWorld(t).opts)
	requireOnly(t, proof.CheckForm, v)
	require.Contains(t, v.Failure().Detail, "nested")
}

func TestEveryKeyIsNeeded(t *testing.T) {
	w := newWorld(t)
	var whole map[string]any
	require.NoError(t, json.Unmarshal(w.Build(w.source), &whole))
	cut := func(in map[string]any, key string) {
		kept := in[key]
		delete(in, key)
		doc, err := json.Marshal(whole)
		require.NoError(t, err)
		v := verify(t, doc, w.opts)
		requireOnly(t, proof.CheckForm, v)
		require.Contains(t, v.Failure().Detail, key)
		in[key] = kept
	}
	keys := 0
	for key, value := range whole {
		if key != "consistency" {
			cut(whole, key)
			keys++
		}
		if inner, ok := value.(map[string]any); ok && key != "record_view" {
			for key := range inner {
				cut(inner, key)
				keys++
			}
		}
	}
	require.Equal(t, 11+2+3+2, keys)
	doc, err := json.Marshal(whole)
	require.NoError(t, err)
	require.True(t, verify(t, doc, w.opts).OK(), "other blanks and another order mean the same")
}

func TestLengthsAreExact(t *testing.T) {
	w := newWorld(t)
	for name, spoil := range map[string]func(d *proof.Document){
		"salt":          func(d *proof.Document) { d.Salt = d.Salt[1:] },
		"prev":          func(d *proof.Document) { d.Prev = append(d.Prev, 0) },
		"digest":        func(d *proof.Document) { d.Digest = nil },
		"record":        func(d *proof.Document) { d.Record = nil },
		"hash":          func(d *proof.Document) { d.Inclusion.Hashes[0] = d.Inclusion.Hashes[0][1:] },
		"older hash":    func(d *proof.Document) { d.Consistency.Hashes[0] = nil },
		"binary hashes": func(d *proof.Document) { d.Inclusion.Hashes = append(d.Inclusion.Hashes, proof.Bytes{1}) },
	} {
		d := w.document(w.source)
		spoil(d)
		require.Equal(t, []string{proof.CheckForm}, failures(verify(t, encode(t, d), w.opts)), name)
	}
}

func TestALogMustSignCheckpointsInTheirForm(t *testing.T) {
	w := newWorld(t)
	root := base64.StdEncoding.EncodeToString(w.head(records).Hash)
	for text, ok := range map[string]bool{
		"lienthong/G06/gateway\n100\n" + root + "\n":                  true,
		"lienthong/G06/gateway\n100\n" + root + "\nextension\n":       true,
		"lienthong/G06/gateway\n0100\n" + root + "\n":                 false,
		"lienthong/G06/gateway\n100\n" + root[:40] + "\n":             false,
		"lienthong/G06/gateway\n100\n" + root[:42] + "B=\n":           false,
		"lienthong/G06/gateway\n100\n":                                false,
		"lienthong/G06/gateway\n18446744073709551616\n" + root + "\n": false,
	} {
		d := w.document(w.source)
		d.Checkpoint, d.Consistency = string(w.SignText(text)), nil
		v := verify(t, encode(t, d), proof.Options{LogKey: w.Key()})
		require.Equal(t, ok, v.OK(), "%q: %+v", text, v.Failure())
	}
}

func TestACheckpointIsReadStrictly(t *testing.T) {
	w := newWorld(t)
	signed := string(w.Checkpoint(records))
	for name, checkpoint := range map[string]string{
		"empty":               "",
		"text alone":          "lienthong/G06/gateway\n100\n",
		"no checkpoint":       strings.Replace(signed, "100", "many", 1),
		"size with a zero":    strings.Replace(signed, "100", "0100", 1),
		"size with a sign":    strings.Replace(signed, "100", "+100", 1),
		"carriage returns":    strings.ReplaceAll(signed, "\n", "\r\n"),
		"signature cut":       signed[:len(signed)-9] + "\n",
		"another size":        strings.Replace(signed, "100", "101", 1),
		"no signature":        signed[:strings.Index(signed, "\n\n")+2],
		"an extension unsaid": strings.Replace(signed, "\n\n", "\nmore\n\n", 1),
	} {
		d := w.document(w.source)
		d.Checkpoint = checkpoint
		require.Contains(t, failures(verify(t, encode(t, d), proof.Options{LogKey: w.Key()})), proof.CheckSignature, name)
	}
}
