package notary_test

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	fnote "github.com/transparency-dev/formats/note"
	"golang.org/x/mod/sumdb/note"

	"github.com/lienthong/lienthong/gateway/ledger/notary"
	"github.com/lienthong/lienthong/gateway/ledger/witness"
)

// away is a switch: while it is on, a witness does not answer.
type away struct {
	http.Handler
	on atomic.Bool
}

func (a *away) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if a.on.Load() {
		http.Error(w, "away", http.StatusServiceUnavailable)
		return
	}
	a.Handler.ServeHTTP(w, r)
}

// observed adds a witness of its own to a log's configuration. The log's key is made before.
func observed(t *testing.T, cfg *notary.Config, name string) *away {
	t.Helper()
	n, err := notary.Open(t.Context(), *cfg)
	require.NoError(t, err)
	require.NoError(t, n.Close())
	w, err := witness.Open(witness.Config{Dir: t.TempDir(), Name: name, Logs: []string{n.Verifier()}, Log: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	a := &away{Handler: w.Handler()}
	s := httptest.NewServer(a)
	t.Cleanup(func() {
		s.Close()
		require.NoError(t, w.Close())
	})
	cfg.Witnesses.Client = &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	cfg.Witnesses.List = append(cfg.Witnesses.List, notary.Witness{URL: s.URL + "/w", Key: w.Verifier()})
	// The witness is asked below a path, as when several share a host.
	a.Handler = http.StripPrefix("/w", w.Handler())
	return a
}

// cosigners are the names of the configured witnesses that cosigned the published checkpoint.
func cosigners(t *testing.T, n *notary.Notary, cfg notary.Config) []string {
	t.Helper()
	raw, err := n.Checkpoint(t.Context())
	require.NoError(t, err)
	keys := []note.Verifier{verifier(t, cfg)}
	for _, w := range cfg.Witnesses.List {
		key, err := fnote.NewVerifierForCosignatureV1(w.Key)
		require.NoError(t, err)
		keys = append(keys, key)
	}
	signed, err := note.Open(raw, note.VerifierList(keys...))
	require.NoError(t, err)
	var names []string
	for _, s := range signed.Sigs {
		if s.Name != origin {
			names = append(names, s.Name)
		}
	}
	return names
}

func TestEachCheckpointIsCosignedByAllWitnesses(t *testing.T) {
	j := newJournal(0)
	cfg := config(t.TempDir(), j)
	observed(t, &cfg, "one")
	observed(t, &cfg, "two")
	cfg.Witnesses.Required = true
	n, _ := keep(t, cfg)
	for _, more := range []int{1, 300, 256, 1000} {
		j.append(more)
		published(t, n, j)
		require.ElementsMatch(t, []string{"one", "two"}, cosigners(t, n, cfg))
		require.Equal(t, 2, n.Cosigned())
	}
	require.NoError(t, n.Err())
}

func TestOneOfTwoWitnessesIsEnoughWhereOneIsAskedFor(t *testing.T) {
	j := newJournal(0)
	cfg := config(t.TempDir(), j)
	observed(t, &cfg, "one").on.Store(true)
	observed(t, &cfg, "two")
	cfg.Witnesses.Required, cfg.Witnesses.Need = true, 1
	n, _ := keep(t, cfg)
	j.append(10)
	published(t, n, j)
	require.Equal(t, []string{"two"}, cosigners(t, n, cfg))
}

func TestAMissingWitnessStopsNothingUnlessItIsRequired(t *testing.T) {
	j := newJournal(0)
	cfg := config(t.TempDir(), j)
	observed(t, &cfg, "one").on.Store(true)
	n, _ := keep(t, cfg)
	j.append(10)
	published(t, n, j)
	require.Empty(t, cosigners(t, n, cfg))
	require.Eventually(t, func() bool { return n.Err() != nil }, wait, tick, "but it is said")
}

func TestARequiredWitnessThatIsMissingKeepsTheCheckpointBack(t *testing.T) {
	j := newJournal(0)
	cfg := config(t.TempDir(), j)
	a := observed(t, &cfg, "one")
	cfg.Witnesses.Required = true
	n, _ := keep(t, cfg)
	j.append(10)
	published(t, n, j)
	a.on.Store(true)
	j.append(10)
	require.Eventually(t, func() bool { return n.Err() != nil }, wait, tick)
	require.EqualValues(t, 10, n.Published())
	_, err := n.Prove(t.Context(), 10)
	require.ErrorIs(t, err, notary.ErrNotYet)
	a.on.Store(false)
	published(t, n, j)
	require.Equal(t, []string{"one"}, cosigners(t, n, cfg))
}

func TestAWitnessRefusesAHistoryThatTheLogRewroteWithItsKey(t *testing.T) {
	j := newJournal(0)
	cfg := config(t.TempDir(), j)
	observed(t, &cfg, "one")
	cfg.Witnesses.Required = true
	n, stop := keep(t, cfg)
	j.append(700)
	published(t, n, j)
	stop()

	// Whoever has the machine removes every trace of the old history and makes another one with the same key.
	require.NoError(t, os.RemoveAll(cfg.Dir))
	require.NoError(t, os.RemoveAll(cfg.HeadFile))
	j.rewrite(5)
	j.append(300)
	n, err := notary.Open(t.Context(), cfg)
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- n.Run(ctx) }()
	require.Eventually(t, func() bool { return n.Err() != nil }, wait, tick)
	require.ErrorContains(t, n.Err(), "consistency")
	require.Zero(t, n.Published())
	cancel()
	require.Error(t, <-done)
	require.NoError(t, n.Close())
}

// Log, journal and head put back together agree with each other: nobody but a witness can tell.
func TestALogThatWasPutBackWithItsJournalAndHeadIsToldByItsWitness(t *testing.T) {
	for name, later := range map[string]int{"shorter than it was": 100, "as long": 300, "longer": 600} {
		t.Run(name, func(t *testing.T) {
			j := newJournal(400)
			cfg := config(t.TempDir(), j)
			observed(t, &cfg, "one")
			other := observed(t, &cfg, "two")
			cfg.Witnesses.Need = 1 // and the other one would do
			filled(t, cfg)
			yesterday := copied(t, cfg)
			j.append(300)
			filled(t, cfg)
			other.on.Store(true)

			back := newJournal(400)
			back.append(later)
			back.rewrite(401)
			yesterday.Source, yesterday.Witnesses = back, cfg.Witnesses
			n, _ := keep(t, yesterday)
			require.Eventually(t, func() bool { return errors.Is(n.Err(), notary.ErrRefused) }, wait, tick)
			require.Zero(t, n.Cosigned())
		})
	}
}

func TestAWitnessThatWasAskedWithAnOldSizeRefusesNothing(t *testing.T) {
	j := newJournal(400)
	cfg := config(t.TempDir(), j)
	observed(t, &cfg, "one")
	filled(t, cfg)
	n, _ := keep(t, cfg) // does not know yet what the witness cosigned
	j.append(300)
	published(t, n, j)
	require.Equal(t, 1, n.Cosigned())
	require.NoError(t, n.Err())
}

func TestAWitnessThatHangsDoesNotHoldUpEveryCheckpoint(t *testing.T) {
	j := newJournal(0)
	cfg := config(t.TempDir(), j)
	observed(t, &cfg, "one")
	asked, release := make(chan struct{}, 100), make(chan struct{})
	hung := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		asked <- struct{}{}
		<-release
	}))
	t.Cleanup(func() { close(release); hung.Close() })
	_, key, err := note.GenerateKey(rand.Reader, "two")
	require.NoError(t, err)
	cfg.Witnesses.List = append(cfg.Witnesses.List, notary.Witness{URL: hung.URL, Key: key})
	cfg.Witnesses.Timeout = 50 * time.Millisecond
	n, _ := keep(t, cfg)
	for range 20 {
		j.append(1)
		published(t, n, j)
	}
	require.Less(t, len(asked), 5, "it is left alone for a while once it did not answer")
}

func TestAPolicyThatCannotBeMetIsRefused(t *testing.T) {
	cfg := config(t.TempDir(), newJournal(1))
	observed(t, &cfg, "one")
	for _, change := range []func(*notary.Witnesses){
		func(w *notary.Witnesses) { w.Need = 2 },
		func(w *notary.Witnesses) { w.List[0].URL = "witness.example" },
		func(w *notary.Witnesses) { w.List[0].Key = "witness.example" },
		func(w *notary.Witnesses) { w.List = append(w.List, w.List[0]) },
	} {
		bad := cfg
		bad.Witnesses.List = append([]notary.Witness(nil), cfg.Witnesses.List...)
		change(&bad.Witnesses)
		refused(t, bad)
	}
}
