package notary_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	fnote "github.com/transparency-dev/formats/note"
	"github.com/transparency-dev/merkle/rfc6962"
	"github.com/transparency-dev/tessera/api"
	"github.com/transparency-dev/tessera/client"
	"github.com/transparency-dev/tessera/fsck"

	"github.com/lienthong/lienthong/gateway/ledger/notary"
)

// served is a log behind HTTP.
func served(t *testing.T, leaves int) (*notary.Notary, notary.Config, *httptest.Server) {
	t.Helper()
	j := newJournal(leaves)
	cfg := config(t.TempDir(), j)
	n, _ := keep(t, cfg)
	published(t, n, j)
	s := httptest.NewServer(n.Handler())
	t.Cleanup(s.Close)
	return n, cfg, s
}

func hashes(bundle []byte) ([][]byte, error) {
	var b api.EntryBundle
	if err := b.UnmarshalText(bundle); err != nil {
		return nil, err
	}
	var out [][]byte
	for _, e := range b.Entries {
		out = append(out, rfc6962.DefaultHasher.HashLeaf(e))
	}
	return out, nil
}

func TestAStrangersToolFollowsTheLogOverHTTP(t *testing.T) {
	_, cfg, s := served(t, 2_100)
	u, err := url.Parse(s.URL + "/")
	require.NoError(t, err)
	fetcher, err := client.NewHTTPFetcher(u, s.Client())
	require.NoError(t, err)
	require.NoError(t, fsck.New(origin, verifier(t, cfg), fetcher, hashes, fsck.Opts{N: 2}).Check(t.Context()))
}

func TestAStrangersToolAcceptsACopyOfTheFiles(t *testing.T) {
	j := newJournal(1)
	cfg := config(t.TempDir(), j)
	n, _ := keep(t, cfg)
	line, err := os.ReadFile(cfg.PublicFile)
	require.NoError(t, err)
	_, err = fnote.NewVerifier(string(line)) // as the command reads --public_key: it trims nothing
	require.NoError(t, err)
	for _, more := range []int{255, 256, 300, 5_000} {
		j.append(more)
		published(t, n, j)
		dir := t.TempDir()
		require.NoError(t, os.CopyFS(dir, os.DirFS(cfg.Dir)))
		files := client.FileFetcher{Root: dir} // as Tessera's fsck command reads a file:// address
		require.NoError(t, fsck.New(origin, verifier(t, cfg), files, hashes, fsck.Opts{N: 1}).Check(t.Context()))
		flip(t, filepath.Join(dir, "checkpoint"), 40, 1) // in a tile, Tessera's check finds it and then waits for ever
		require.Error(t, fsck.New(origin, verifier(t, cfg), files, hashes, fsck.Opts{N: 1}).Check(t.Context()))
	}
}

func get(t *testing.T, s *httptest.Server, method, path string) (int, http.Header, []byte) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, s.URL, nil)
	require.NoError(t, err)
	req.URL.Opaque = path // as it is: no client cleans it
	resp, err := s.Client().Do(req)
	require.NoError(t, err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return resp.StatusCode, resp.Header, body
}

func TestEachPartOfTheLogHasItsTypeAndMayBeKeptAsLongAsItHolds(t *testing.T) {
	n, _, s := served(t, 66_000)
	cp, err := n.Checkpoint(t.Context())
	require.NoError(t, err)
	for _, c := range []struct {
		path, kind, cache string
		length            int
	}{
		{"/checkpoint", "text/plain; charset=utf-8", "no-cache", len(cp)},
		{"/tile/0/000", "application/octet-stream", "immutable", 8192},
		{"/tile/1/000", "application/octet-stream", "immutable", 8192},
		{"/tile/2/000.p/1", "application/octet-stream", "immutable", 32},
		{"/tile/0/000.p/3", "application/octet-stream", "immutable", 3 * 32}, // a smaller tree had it
		{"/tile/entries/000", "application/octet-stream", "immutable", 256 * 34},
		{"/tile/entries/257.p/208", "application/octet-stream", "immutable", 208 * 34},
	} {
		for _, method := range []string{http.MethodGet, http.MethodHead} {
			code, header, body := get(t, s, method, c.path)
			require.Equal(t, http.StatusOK, code, c.path)
			require.Equal(t, c.kind, header.Get("Content-Type"))
			require.Contains(t, header.Get("Cache-Control"), c.cache)
			if method == http.MethodGet {
				require.Len(t, body, c.length, c.path)
			}
		}
	}
}

func TestNothingElseOfTheDirectoryIsServed(t *testing.T) {
	_, _, s := served(t, 2_100)
	for _, path := range []string{
		"/", "/log.key", "/../log.key", "/%2e%2e/log.key", "/tile/../../log.key", "/tile/entries/../../../log.key",
		"/.state/treeState", "/tile/../.state/treeState", "/tile/entries/..%2f..%2f.state%2ftreeState", "/checkpoint/",
		"//checkpoint", "/tile", "/tile/", "/tile/0", "/tile/0/", "/tile/00/000", "/tile/0/000/", "/tile/0/0", "/tile/0/0000",
		"/tile/0/x000/000", "/tile/0/000.p/0", "/tile/0/000.p/01", "/tile/0/000.p/256", "/tile/0/000.p", "/tile/-1/000",
		"/tile/0/+00", "/tile/8/000", "/tile/63/000", "/tile/64/000", "/tile/0/999", "/tile/entries/008",
		"/tile/entries/008.p/53", "/tile/0/008.p/53", "/tile/1/000", "/tile/1/000.p/9", "/tile/1/001", "/tile/data/000", "/tile/0/\x00",
		"/tile/0/x999/x999/x999/x999/x999/999", "/tile/entries/" + strings.Repeat("x999/", 500) + "000",
	} {
		code, _, _ := get(t, s, http.MethodGet, strings.ReplaceAll(path, "\x00", "%00"))
		require.Equal(t, http.StatusNotFound, code, path)
	}
	code, _, _ := get(t, s, http.MethodPost, "/checkpoint")
	require.Equal(t, http.StatusMethodNotAllowed, code)
}

func FuzzAPathLeadsToATileOrNowhere(f *testing.F) {
	j := newJournal(300)
	n, _ := keep(f, config(f.TempDir(), j))
	published(f, n, j)
	h := n.Handler()
	f.Add("/tile/0/000")
	f.Add("/tile/entries/001.p/44")
	f.Add("/../log.key")
	f.Fuzz(func(t *testing.T, path string) {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, &http.Request{Method: http.MethodGet, URL: &url.URL{Path: path}})
		if w.Code != http.StatusOK || path == "/checkpoint" {
			require.Contains(t, []int{http.StatusOK, http.StatusNotFound}, w.Code)
			return
		}
		require.Regexp(t, `^/tile/(\d+|entries)/00[01](\.p/[1-9]\d{0,2})?$`, path)
		require.Zero(t, w.Body.Len()%2)
	})
}
