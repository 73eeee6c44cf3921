package notary

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// leftAlone is for how long a witness that did not answer in time is not asked.
	leftAlone = 10 * time.Second
	// maxAnswer is how much of a witness's answer is read, in bytes: some lines of signature.
	maxAnswer = 16 << 10
)

// guarded sends requests to witnesses, which are other people's machines. It cuts their answers off, and does not ask
// one again for a while that has let a request run into its deadline: each checkpoint would wait for it. And it remembers
// who refused, which Tessera takes for being away.
type guarded struct {
	next    http.RoundTripper
	patient bool          // ask again all the same: nothing can be published without the witnesses
	size    atomic.Uint64 // of the checkpoint that they are asked about

	mu    sync.Mutex
	hosts map[string]*manners // by host and path: several witnesses may share a host
}

// manners is how a witness has behaved.
type manners struct {
	until  time.Time // left alone until then
	refuse string    // why it does not cosign, in words; empty if it does, or did not say
}

// RoundTrip sends a request, or fails at once.
func (g *guarded) RoundTrip(r *http.Request) (*http.Response, error) {
	if g.sulks(r.URL.Host + r.URL.Path) {
		return nil, errors.New("the witness did not answer in time and is left alone for a while")
	}
	resp, err := g.next.RoundTrip(r)
	if err != nil {
		g.blame(r)
		return nil, err
	}
	resp.Body = &answer{Reader: io.LimitReader(resp.Body, maxAnswer), Closer: resp.Body, late: func() { g.blame(r) }}
	if err := g.listen(r, resp); err != nil {
		return nil, err
	}
	return resp, nil
}

// listen finds out what an answer says about the log, see https://c2sp.org/tlog-witness.
func (g *guarded) listen(r *http.Request, resp *http.Response) error {
	switch {
	case resp.StatusCode == http.StatusOK:
		g.remember(r, "")
	case resp.StatusCode == http.StatusUnprocessableEntity:
		g.remember(r, "what it cosigned is not the beginning of the log")
	case resp.StatusCode != http.StatusConflict:
	case resp.Header.Get("Content-Type") != "text/x.tlog.size":
		g.remember(r, fmt.Sprintf("it cosigned another tree of %d leaves", g.size.Load()))
	default:
		body, err := io.ReadAll(resp.Body)
		if err != nil {
			return errors.Join(err, resp.Body.Close())
		}
		resp.Body = &answer{Reader: bytes.NewReader(body), Closer: resp.Body, late: func() {}}
		have, err := strconv.ParseUint(strings.TrimSuffix(string(body), "\n"), 10, 64)
		if size := g.size.Load(); err == nil && have > size {
			g.remember(r, fmt.Sprintf("it cosigned %d leaves, the log has %d", have, size))
		}
	}
	return nil
}

// remember keeps why a witness refuses.
func (g *guarded) remember(r *http.Request, why string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.of(r.URL.Host + r.URL.Path).refuse = why
}

// of is how a witness has behaved. mu is held.
func (g *guarded) of(witness string) *manners {
	m := g.hosts[witness]
	if m == nil {
		m = new(manners)
		g.hosts[witness] = m
	}
	return m
}

// refused is ErrRefused, with what each witness says that refuses; nil if none does.
func (g *guarded) refused() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	var all []error
	for _, witness := range slices.Sorted(maps.Keys(g.hosts)) {
		if why := g.hosts[witness].refuse; why != "" {
			all = append(all, fmt.Errorf("%w: %s says that %s", ErrRefused, witness, why))
		}
	}
	return errors.Join(all...)
}

func (g *guarded) sulks(witness string) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return time.Now().Before(g.of(witness).until)
}

func (g *guarded) blame(r *http.Request) {
	if g.patient || !errors.Is(r.Context().Err(), context.DeadlineExceeded) {
		return // it said no, or enough others answered first
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.of(r.URL.Host + r.URL.Path).until = time.Now().Add(leftAlone)
}

// answer is the body of an answer that may never end.
type answer struct {
	io.Reader
	io.Closer
	late func()
}

// Read reads, and tells when it took too long.
func (a *answer) Read(p []byte) (int, error) {
	n, err := a.Reader.Read(p)
	if err != nil && err != io.EOF {
		a.late()
	}
	return n, err
}
