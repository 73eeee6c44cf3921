package notary

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"time"

	fnote "github.com/transparency-dev/formats/note"
	"github.com/transparency-dev/tessera"
	"golang.org/x/mod/sumdb/note"
)

// Witnesses says who cosigns the checkpoints, and what happens when they do not.
type Witnesses struct {
	List []Witness
	// Need is how many of them are asked for: a checkpoint is published as soon as that many have cosigned it.
	// Default: all.
	Need int
	// Required: without Need cosignatures nothing is published. Default: it is published all the same after Timeout,
	// with those that there are, and Err says so.
	Required bool
	// Timeout is how long the witnesses have. Default: one second.
	Timeout time.Duration
	// Client sends the requests. Default: one that follows no redirects.
	Client *http.Client
}

// Witness is one C2SP tlog-witness.
type Witness struct {
	URL string // its submission prefix, to which /add-checkpoint is added
	Key string // its verifier key in one line, as its log of type Ed25519 or cosignature/v1
}

// DefaultWitnessTimeout is how long witnesses have to cosign.
const DefaultWitnessTimeout = time.Second

// publisher signs checkpoints and has them cosigned.
type publisher struct {
	sign      func(ctx context.Context, size uint64, root []byte) ([]byte, error)
	refused   func() error // ErrRefused with what the witnesses say; nil if none refuses
	cosigners []note.Verifier
	need      int
}

func newPublisher(w Witnesses, signer note.Signer, s store) (publisher, error) {
	p := publisher{need: len(w.List)}
	if w.Need > 0 {
		p.need = w.Need
	}
	if p.need > len(w.List) {
		return publisher{}, fmt.Errorf("%d witnesses are needed, but there are %d", p.need, len(w.List))
	}
	opts := tessera.NewAppendOptions().WithCheckpointSigner(signer)
	if len(w.List) > 0 {
		parts, err := p.witnesses(w.List)
		if err != nil {
			return publisher{}, err
		}
		if w.Timeout <= 0 {
			w.Timeout = DefaultWitnessTimeout
		}
		opts = opts.WithWitnesses(group(p.need, parts), &tessera.WitnessOptions{Timeout: w.Timeout, FailOpen: !w.Required})
	}
	g := &guarded{next: http.DefaultTransport, patient: w.Required, hosts: map[string]*manners{}}
	sign := opts.CheckpointPublisher(s, w.client(g))
	p.refused = g.refused
	p.sign = func(ctx context.Context, size uint64, root []byte) ([]byte, error) {
		g.size.Store(size)
		return sign(ctx, size, root)
	}
	return p, nil
}

// witnesses makes Tessera's view of the witnesses. Two with one key, or at one address, would count as one.
func (p *publisher) witnesses(list []Witness) (parts []tessera.Witness, err error) {
	seen := map[string]bool{}
	for _, w := range list {
		u, err := url.Parse(w.URL)
		if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" {
			return nil, fmt.Errorf("witness %q: not an http or https address", w.URL)
		}
		key, err := fnote.NewVerifierForCosignatureV1(w.Key)
		if err != nil {
			return nil, fmt.Errorf("witness %q: its key is no Ed25519 verifier key: %w", w.URL, err)
		}
		part, err := tessera.NewWitness(w.Key, u)
		if err != nil {
			return nil, fmt.Errorf("witness %q: %w", w.URL, err)
		}
		id := fmt.Sprintf("%s+%08x", key.Name(), key.KeyHash())
		if seen[id] || seen[part.URL] {
			return nil, fmt.Errorf("witness %q: another one has the same key or address", w.URL)
		}
		seen[id], seen[part.URL] = true, true
		parts, p.cosigners = append(parts, part), append(p.cosigners, key)
	}
	return parts, nil
}

// group makes the policy "need of these". Its parts have a type that Tessera keeps to itself.
func group(need int, parts []tessera.Witness) tessera.WitnessGroup {
	g := tessera.NewWitnessGroup(0)
	for _, p := range parts {
		g.Components = append(g.Components, p)
	}
	g.N = need
	return g
}

func (w Witnesses) client(g *guarded) *http.Client {
	c := http.Client{
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	if w.Client != nil {
		c = *w.Client
	}
	if c.Transport != nil {
		g.next = c.Transport
	}
	c.Transport = g
	return &c
}
