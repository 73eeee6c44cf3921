package witness_test

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	flog "github.com/transparency-dev/formats/log"
	fnote "github.com/transparency-dev/formats/note"
	"github.com/transparency-dev/merkle/rfc6962"
	"github.com/transparency-dev/merkle/testonly"
	"golang.org/x/mod/sumdb/note"
	"pgregory.net/rapid"

	"github.com/lienthong/lienthong/gateway/ledger/witness"
)

const origin = "lienthong/G06/gateway"

// tree is a log: its key, and the histories that it can be made to tell.
type tree struct {
	*testonly.Tree
	origin string
	signer note.Signer
	public string
}

func newTree(t testing.TB, origin string) *tree {
	t.Helper()
	secret, public, err := note.GenerateKey(rand.Reader, origin)
	require.NoError(t, err)
	signer, err := note.NewSigner(secret)
	require.NoError(t, err)
	return &tree{Tree: testonly.New(rfc6962.DefaultHasher), origin: origin, signer: signer, public: public}
}

// grow adds leaves of one history up to a size.
func (l *tree) grow(history string, size uint64) *tree {
	for i := l.Size(); i < size; i++ {
		l.AppendData(fmt.Appendf(nil, "%s %d", history, i))
	}
	return l
}

// fork is another tree with the same key.
func (l *tree) fork() *tree {
	return &tree{Tree: testonly.New(rfc6962.DefaultHasher), origin: l.origin, signer: l.signer, public: l.public}
}

func (l *tree) checkpoint(t testing.TB, size uint64) []byte {
	t.Helper()
	text := flog.Checkpoint{Origin: l.origin, Size: size, Hash: l.HashAt(size)}.Marshal()
	raw, err := note.Sign(&note.Note{Text: string(text)}, l.signer)
	require.NoError(t, err)
	return raw
}

// ask is the request for a cosignature of the tree of size to, by one who says that from was cosigned last.
func (l *tree) ask(t testing.TB, from, to uint64) []byte {
	t.Helper()
	var proof [][]byte
	if 0 < from && from < to {
		var err error
		proof, err = l.ConsistencyProof(from, to)
		require.NoError(t, err)
	}
	return body(from, proof, l.checkpoint(t, to))
}

func body(old uint64, proof [][]byte, checkpoint []byte) []byte {
	out := fmt.Appendf(nil, "old %d\n", old)
	for _, hash := range proof {
		out = append(out, base64.StdEncoding.EncodeToString(hash)+"\n"...)
	}
	return append(append(out, '\n'), checkpoint...)
}

func config(dir string, logs ...*tree) witness.Config {
	cfg := witness.Config{Dir: dir, Name: "witness.example/one", Log: slog.New(slog.DiscardHandler)}
	for _, l := range logs {
		cfg.Logs = append(cfg.Logs, l.public)
	}
	return cfg
}

func start(t testing.TB, cfg witness.Config) *witness.Witness {
	t.Helper()
	w, err := witness.Open(cfg)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, w.Close()) })
	return w
}

func post(w *witness.Witness, body []byte) *httptest.ResponseRecorder {
	rec := httptest.NewRecorder()
	w.Handler().ServeHTTP(rec, httptest.NewRequest(http.MethodPost, "/add-checkpoint", bytes.NewReader(body)))
	return rec
}

// cosigned checks that the answer is a cosignature of the checkpoint.
func cosigned(t testing.TB, w *witness.Witness, rec *httptest.ResponseRecorder, checkpoint []byte) {
	t.Helper()
	require.Equal(t, http.StatusOK, rec.Code, rec.Body.String())
	key, err := fnote.NewVerifierForCosignatureV1(w.Verifier())
	require.NoError(t, err)
	_, err = note.Open(append(bytes.Clone(checkpoint), rec.Body.Bytes()...), note.VerifierList(key))
	require.NoError(t, err)
}

func TestHonestGrowthIsCosigned(t *testing.T) {
	l := newTree(t, origin).grow("a", 1000)
	w := start(t, config(t.TempDir(), l))
	last := uint64(0)
	for _, size := range []uint64{0, 1, 2, 2, 255, 256, 700, 1000} {
		cosigned(t, w, post(w, l.ask(t, last, size)), l.checkpoint(t, size))
		last = size
	}
}

func TestAHistoryRewrittenWithTheLogsOwnKeyIsRefused(t *testing.T) {
	l := newTree(t, origin).grow("a", 500)
	w := start(t, config(t.TempDir(), l))
	cosigned(t, w, post(w, l.ask(t, 0, 400)), l.checkpoint(t, 400))
	rewritten := l.fork().grow("a", 300).grow("b", 600)
	require.Equal(t, http.StatusUnprocessableEntity, post(w, rewritten.ask(t, 400, 600)).Code)
	require.Equal(t, http.StatusConflict, post(w, rewritten.ask(t, 400, 400)).Code, "the same size, another root")
	rec := post(w, rewritten.ask(t, 0, 600))
	require.Equal(t, http.StatusConflict, rec.Code, "as if it were new")
	require.Equal(t, "400\n", rec.Body.String())
	require.Equal(t, []string{"text/x.tlog.size"}, rec.Header()["Content-Type"])
	cosigned(t, w, post(w, l.ask(t, 400, 500)), l.checkpoint(t, 500))
}

func TestAnOlderCheckpointIsNotCosignedAgain(t *testing.T) {
	l := newTree(t, origin).grow("a", 500)
	w := start(t, config(t.TempDir(), l))
	for _, ask := range [][]byte{l.ask(t, 0, 100), l.ask(t, 100, 200)} {
		require.Equal(t, http.StatusOK, post(w, ask).Code)
	}
	require.Equal(t, http.StatusConflict, post(w, l.ask(t, 0, 100)).Code)
	require.Equal(t, http.StatusConflict, post(w, l.ask(t, 100, 100)).Code)
	require.Equal(t, http.StatusBadRequest, post(w, body(200, nil, l.checkpoint(t, 100))).Code)
}

func TestOfTwoViewsOnlyTheFirstIsCosigned(t *testing.T) {
	l := newTree(t, origin).grow("a", 500)
	other := l.fork().grow("a", 100).grow("b", 500)
	w := start(t, config(t.TempDir(), l))
	require.Equal(t, http.StatusOK, post(w, l.ask(t, 0, 100)).Code)
	var wg sync.WaitGroup
	codes := make([]int, 2)
	for i, view := range []*tree{l, other} {
		ask := view.ask(t, 100, 300)
		wg.Go(func() { codes[i] = post(w, ask).Code })
	}
	wg.Wait()
	require.ElementsMatch(t, []int{http.StatusOK, http.StatusConflict}, codes)
}

func TestEachWrongRequestHasItsAnswer(t *testing.T) {
	l, stranger := newTree(t, origin).grow("a", 500), newTree(t, "else.example/log").grow("a", 10)
	w := start(t, config(t.TempDir(), l))
	require.Equal(t, http.StatusOK, post(w, l.ask(t, 0, 100)).Code)
	impostor := newTree(t, origin).grow("a", 300) // another key of the same name
	good := l.ask(t, 100, 300)
	for name, c := range map[string]struct {
		body []byte
		code int
	}{
		"unknown log":     {stranger.ask(t, 0, 10), http.StatusNotFound},
		"wrong signature": {impostor.ask(t, 100, 300), http.StatusForbidden},
		"no signature":    {body(100, nil, []byte(string(flog.Checkpoint{Origin: origin, Size: 300, Hash: l.HashAt(300)}.Marshal())+"\n")), http.StatusBadRequest},
		"no proof":        {body(100, nil, l.checkpoint(t, 300)), http.StatusUnprocessableEntity},
		"proof at zero":   {body(0, [][]byte{make([]byte, 32)}, l.checkpoint(t, 300)), http.StatusConflict},
		"other old size":  {l.ask(t, 99, 300), http.StatusConflict},
		"old beyond new":  {body(301, nil, l.checkpoint(t, 300)), http.StatusBadRequest},
		"empty":           {nil, http.StatusBadRequest},
		"no old line":     {bytes.TrimPrefix(good, []byte("old ")), http.StatusBadRequest},
		"leading zero":    {bytes.Replace(good, []byte("old 100"), []byte("old 0100"), 1), http.StatusBadRequest},
		"plus sign":       {bytes.Replace(good, []byte("old 100"), []byte("old +100"), 1), http.StatusBadRequest},
		"huge old size":   {bytes.Replace(good, []byte("old 100"), []byte("old 99999999999999999999"), 1), http.StatusBadRequest},
		"64 hashes":       {body(100, make64(64), l.checkpoint(t, 300)), http.StatusBadRequest},
		"a short hash":    {body(100, [][]byte{{1, 2}}, l.checkpoint(t, 300)), http.StatusBadRequest},
		"cut off":         {good[:len(good)-20], http.StatusBadRequest},
		"too large":       {append(bytes.Clone(good), make([]byte, 100<<10)...), http.StatusRequestEntityTooLarge},
	} {
		require.Equal(t, c.code, post(w, c.body).Code, name)
	}
	require.Equal(t, http.StatusOK, post(w, good).Code, "none of them changed what it knows")
}

func make64(n int) (out [][]byte) {
	for range n {
		out = append(out, make([]byte, 32))
	}
	return out
}

func TestAProofBeforeTheFirstCheckpointIsRefused(t *testing.T) {
	l := newTree(t, origin).grow("a", 5)
	w := start(t, config(t.TempDir(), l))
	require.Equal(t, http.StatusUnprocessableEntity, post(w, body(0, [][]byte{make([]byte, 32)}, l.checkpoint(t, 5))).Code)
}

func TestAnAnswerThatWasLostIsGivenAgainAfterARestart(t *testing.T) {
	l, dir := newTree(t, origin).grow("a", 500), t.TempDir()
	w, err := witness.Open(config(dir, l))
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, post(w, l.ask(t, 0, 300)).Code) // and the answer is lost
	require.NoError(t, w.Close())

	w = start(t, config(dir, l))
	rec := post(w, l.ask(t, 0, 300))
	require.Equal(t, http.StatusConflict, rec.Code)
	require.Equal(t, "300\n", rec.Body.String())
	cosigned(t, w, post(w, l.ask(t, 300, 300)), l.checkpoint(t, 300))
}

func TestWithoutItsStateOnDiskNoCosignatureLeaves(t *testing.T) {
	l, dir := newTree(t, origin).grow("a", 500), t.TempDir()
	w := start(t, config(dir, l))
	require.Equal(t, http.StatusOK, post(w, l.ask(t, 0, 100)).Code)
	path := only(t, filepath.Join(dir, "state"))
	require.NoError(t, os.Rename(path, path+".away"))
	require.NoError(t, os.MkdirAll(filepath.Join(path, "x"), 0o700)) // where it is written, nothing can be
	rec := post(w, l.ask(t, 100, 200))
	require.Equal(t, http.StatusInternalServerError, rec.Code)
	require.NotContains(t, rec.Body.String(), "—")
	require.NoError(t, os.RemoveAll(path))
	require.Equal(t, http.StatusOK, post(w, l.ask(t, 100, 150)).Code, "200 was not cosigned")
}

func only(t testing.TB, dir string) string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Len(t, entries, 1)
	return filepath.Join(dir, entries[0].Name())
}

func TestALogMayChangeItsKey(t *testing.T) {
	old, dir := newTree(t, origin).grow("a", 9), t.TempDir()
	renewed := newTree(t, origin)
	renewed.Tree = old.Tree
	w, err := witness.Open(config(dir, old))
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, post(w, old.ask(t, 0, 5)).Code)
	require.NoError(t, w.Close())
	w = start(t, config(dir, old, renewed))
	require.Equal(t, http.StatusOK, post(w, renewed.ask(t, 5, 9)).Code)
}

func TestTwoWitnessesCannotShareADirectory(t *testing.T) {
	l, dir := newTree(t, origin), t.TempDir()
	start(t, config(dir, l))
	_, err := witness.Open(config(dir, l))
	require.ErrorIs(t, err, witness.ErrInUse)
}

func TestAnotherKeyOfTheWitnessIsRefused(t *testing.T) {
	l, dir := newTree(t, origin), t.TempDir()
	w, err := witness.Open(config(dir, l))
	require.NoError(t, err)
	require.NoError(t, w.Close())
	path := filepath.Join(dir, "witness.key")
	info, err := os.Stat(path)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())

	renamed := config(dir, l)
	renamed.Name = "witness.example/two"
	_, err = witness.Open(renamed)
	require.ErrorIs(t, err, witness.ErrKey)

	secret, _, err := note.GenerateKey(rand.Reader, "witness.example/one")
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(path, []byte(secret), 0o600))
	_, err = witness.Open(config(dir, l))
	require.ErrorIs(t, err, witness.ErrKey)
	require.NoError(t, os.Remove(path))
	_, err = witness.Open(config(dir, l))
	require.ErrorIs(t, err, witness.ErrKey)
}

func TestThePageSaysWhatTheWitnessKnows(t *testing.T) {
	l := newTree(t, origin).grow("a", 9)
	w := start(t, config(t.TempDir(), l))
	require.Equal(t, http.StatusOK, post(w, l.ask(t, 0, 5)).Code)
	post(w, l.ask(t, 3, 5))
	rec := httptest.NewRecorder()
	w.Handler().ServeHTTP(rec, httptest.NewRequest(http.MethodGet, "/", nil))
	page, err := io.ReadAll(rec.Body)
	require.NoError(t, err)
	for _, line := range []string{origin, w.Verifier(), "Size      5", fmt.Sprintf("%x", l.HashAt(5)), "Refused   1"} {
		require.Contains(t, string(page), line)
	}
	for path, code := range map[string]int{"/state": http.StatusNotFound, "/witness.key": http.StatusNotFound,
		"/add-checkpoint": http.StatusMethodNotAllowed} {
		rec := httptest.NewRecorder()
		w.Handler().ServeHTTP(rec, httptest.NewRequest(http.MethodGet, path, nil))
		require.Equal(t, code, rec.Code, path)
	}
}

// TestWhateverIsAskedOneHistoryIsCosigned asks at random, from two histories that share a beginning: all that was
// cosigned is of one of them, and grows.
func TestWhateverIsAskedOneHistoryIsCosigned(t *testing.T) {
	a := newTree(t, origin).grow("a", 60)
	b := a.fork().grow("a", 20).grow("b", 60)
	rapid.Check(t, func(r *rapid.T) {
		dir, err := os.MkdirTemp(t.TempDir(), "")
		require.NoError(r, err)
		w, err := witness.Open(config(dir, a))
		require.NoError(r, err)
		defer func() { _ = w.Close() }()
		last, lastRoot := uint64(0), []byte(nil)
		for range rapid.IntRange(1, 12).Draw(r, "requests") {
			view := rapid.SampledFrom([]*tree{a, b}).Draw(r, "view")
			to := rapid.Uint64Range(1, 60).Draw(r, "to")
			from := rapid.OneOf(rapid.Just(last), rapid.Uint64Range(0, 60)).Draw(r, "from")
			if from > to || post(w, view.ask(t, from, to)).Code != http.StatusOK {
				continue
			}
			require.GreaterOrEqual(r, to, last)
			if lastRoot != nil {
				require.Equal(r, lastRoot, view.HashAt(last))
			}
			last, lastRoot = to, view.HashAt(to)
		}
	})
}

func FuzzNoRequestIsCosignedThatIsNotTheLogs(f *testing.F) {
	l := newTree(f, origin).grow("a", 20)
	w := start(f, config(f.TempDir(), l))
	f.Add(l.ask(f, 0, 5))
	f.Add(l.ask(f, 5, 20))
	f.Add([]byte("old 0\n\n" + origin + "\n5\n" + strings.Repeat("A", 43) + "=\n\n— x AAAA\n"))
	f.Fuzz(func(t *testing.T, body []byte) {
		rec := post(w, body)
		require.NotEqual(t, http.StatusInternalServerError, rec.Code)
		if rec.Code == http.StatusOK {
			_, text, _ := bytes.Cut(body, []byte("\n\n"))
			key, err := fnote.NewVerifier(l.public)
			require.NoError(t, err)
			_, err = note.Open(text, note.VerifierList(key))
			require.NoError(t, err)
		}
	})
}
