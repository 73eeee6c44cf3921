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
	// Client sends the requests. Default: one of its own, without redirects.
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
	cosigners []note.Verifier
	need      int
}

func newPublisher(w Witnesses, signer note.Signer, s store) (publisher, error) {
	opts := tessera.NewAppendOptions().WithCheckpointSigner(signer)
	p := publisher{need: len(w.List)}
	if w.Need > 0 {
		p.need = w.Need
	}
	if p.need > len(w.List) {
		return publisher{}, fmt.Errorf("%d witnesses are needed, but there are %d", p.need, len(w.List))
	}
	var parts []tessera.Witness
	for _, witness := range w.List {
		u, err := url.Parse(witness.URL)
		if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" {
			return publisher{}, fmt.Errorf("witness %q: not an http or https address", witness.URL)
		}
		key, err := fnote.NewVerifierForCosignatureV1(witness.Key)
		if err != nil {
			return publisher{}, fmt.Errorf("witness %q: its key is no Ed25519 verifier key: %w", witness.URL, err)
		}
		part, err := tessera.NewWitness(witness.Key, u)
		if err != nil {
			return publisher{}, fmt.Errorf("witness %q: %w", witness.URL, err)
		}
		parts, p.cosigners = append(parts, part), append(p.cosigners, key)
	}
	if len(parts) > 0 {
		if w.Timeout <= 0 {
			w.Timeout = DefaultWitnessTimeout
		}
		opts = opts.WithWitnesses(group(p.need, parts), &tessera.WitnessOptions{Timeout: w.Timeout, FailOpen: !w.Required})
	}
	p.sign = opts.CheckpointPublisher(s, w.client())
	return p, nil
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

func (w Witnesses) client() *http.Client {
	if w.Client != nil {
		return w.Client
	}
	return &http.Client{
		Transport:     http.DefaultTransport.(*http.Transport).Clone(),
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}
