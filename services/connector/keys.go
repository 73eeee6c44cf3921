package connector

import (
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/lienthong/lienthong/proto/bus"
	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
	"github.com/lienthong/lienthong/proto/peer"
)

// keys holds the sealing keys of this process.
type keys struct {
	cfg  Config
	id   peer.ID
	live atomic.Pointer[liveKeys]

	mu    sync.Mutex
	said  time.Time // of the last announcement
	words []byte    // the last announcement
}

// liveKeys are the key that is announced and the one before it, which still opens for a while.
type liveKeys struct {
	current, previous *bus.Key
	made              time.Time // of the wall clock, which is what others judge its times by
}

func newKeys(cfg Config) (*keys, error) {
	k := &keys{cfg: cfg}
	cert, err := cfg.GetCertificate()
	if err != nil {
		return nil, err
	}
	if len(cert.Certificate) == 0 {
		return nil, errors.New("connector: no certificate says who the provider is")
	}
	leaf, err := x509.ParseCertificate(cert.Certificate[0])
	if err == nil {
		k.id, err = peer.FromCertificate(leaf)
	}
	if err != nil {
		return nil, fmt.Errorf("connector: %w", err)
	}
	return k, nil
}

// rotate makes a new key and keeps the last one for those who have not heard of it yet.
func (k *keys) rotate(now time.Time, instance string, offers []*hubv1.Offer) error {
	cert, err := k.cfg.GetCertificate()
	if err != nil {
		return err
	}
	key, err := bus.NewKey(bus.KeyConfig{
		Certificate: *cert, Role: hubv1.AnnouncedKey_ROLE_CONNECTOR,
		Instance: instance, Offers: offers, Now: now,
	})
	if err != nil {
		return err
	}
	next := &liveKeys{current: key, made: now.Round(0)}
	if last := k.live.Load(); last != nil {
		next.previous = last.current
	}
	k.live.Store(next)
	return nil
}

// rotateIfDue makes a new key when the current one has lived long enough, comes from the future because the clock was
// set back, or was signed with a certificate that has been replaced.
func (k *keys) rotateIfDue(now time.Time, instance string, offers []*hubv1.Offer) error {
	live := k.live.Load()
	age := now.Sub(live.made)
	if age >= bus.KeyLife || age < -bus.MaxSkew || k.replaced(live.current) {
		return k.rotate(now, instance, offers)
	}
	if live.previous != nil && age >= bus.KeyOverlap {
		k.live.Store(&liveKeys{current: live.current, made: live.made})
	}
	return nil
}

func (k *keys) replaced(key *bus.Key) bool {
	cert, err := k.cfg.GetCertificate()
	return err == nil && !key.SignedBy(cert)
}

func (l *liveKeys) key(id bus.KeyID) *bus.Key {
	for _, key := range []*bus.Key{l.current, l.previous} {
		if key != nil && key.ID == id {
			return key
		}
	}
	return nil
}

// announcement makes the next announcement. It is newer than the last one even if the clock was set back a little;
// after a large step the last one is not believed any more.
func (k *keys) announcement(now time.Time, leaving bool) ([]byte, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if next := k.said.Add(time.Millisecond); now.Before(next) && next.Sub(now) < bus.MaxSkew {
		now = next
	}
	words, err := k.live.Load().current.Announce(now, leaving)
	if err == nil {
		k.said, k.words = now.Round(0), words
	}
	return words, err
}

// introduction is the last announcement, for somebody who seems not to have heard it. It costs no signature.
func (k *keys) introduction() []byte {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.words
}

// pair finds what is shared with the sender of a frame. It returns nil if the frame is for a key that this process
// does not hold or hold no more, or from a gateway that it does not know and that does not introduce itself. It fails
// if the sender is not one of the gateways, or not any more.
func (k *keys) pair(f *bus.Frame) (*bus.Pair, error) {
	pair, err := k.find(f)
	if err != nil || pair == nil || k.cfg.Accept == nil {
		return pair, err
	}
	if err := k.cfg.Accept(pair.Party.ID, pair.Party.Certificate); err != nil {
		return nil, fmt.Errorf("%s is not accepted: %w", pair.Party.ID, err)
	}
	return pair, nil
}

func (k *keys) find(f *bus.Frame) (*bus.Pair, error) {
	own := k.live.Load().key(f.Receiver)
	if own == nil {
		return nil, nil
	}
	if pair := own.Known(f.Sender); pair != nil && !k.cfg.Now().After(pair.Party.NotAfter) {
		return pair, nil
	} else if pair != nil || len(f.Announcement) == 0 {
		return nil, nil
	}
	party, err := bus.Verify(f.Announcement, k.cfg.Roots, k.cfg.Now())
	if err != nil {
		return nil, err
	}
	known := len(k.cfg.Gateways) == 0 || slices.Contains(k.cfg.Gateways, party.ID) // nobody named: Accept judges
	if party.Role != hubv1.AnnouncedKey_ROLE_GATEWAY || !known || party.Key != f.Sender {
		return nil, fmt.Errorf("%w: %s is not one of this connector's gateways", bus.ErrAnnouncement, party.ID)
	}
	return own.Pair(party)
}
