package notary

import (
	"context"
	"errors"
	"io"
	"net/http"
	"sync"
	"time"
)

const (
	// leftAlone is for how long a witness that did not answer in time is not asked.
	leftAlone = 10 * time.Second
	// maxAnswer is how much of a witness's answer is read, in bytes: some lines of signature.
	maxAnswer = 16 << 10
)

// guarded sends requests to witnesses, which are other people's machines. It cuts their answers off, and does not ask
// one again for a while that has let a request run into its deadline: each checkpoint would wait for it.
type guarded struct {
	next    http.RoundTripper // nil: http.DefaultTransport
	patient bool              // ask again all the same: nothing can be published without the witnesses

	mu    sync.Mutex
	until map[string]time.Time // by host
}

// RoundTrip sends a request, or fails at once.
func (g *guarded) RoundTrip(r *http.Request) (*http.Response, error) {
	if g.sulks(r.URL.Host) {
		return nil, errors.New("the witness did not answer in time and is left alone for a while")
	}
	next := g.next
	if next == nil {
		next = http.DefaultTransport
	}
	resp, err := next.RoundTrip(r)
	if err != nil {
		g.blame(r)
		return nil, err
	}
	resp.Body = &answer{Reader: io.LimitReader(resp.Body, maxAnswer), Closer: resp.Body, late: func() { g.blame(r) }}
	return resp, nil
}

func (g *guarded) sulks(host string) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return time.Now().Before(g.until[host])
}

func (g *guarded) blame(r *http.Request) {
	if g.patient || !errors.Is(r.Context().Err(), context.DeadlineExceeded) {
		return // it said no, or enough others answered first
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.until[r.URL.Host] = time.Now().Add(leftAlone)
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
