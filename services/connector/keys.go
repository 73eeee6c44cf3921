package connector

import (
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
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
}

// liveKeys are the key that is announced and the one before it, which still opens for a while.
type liveKeys struct {
	current, previous *bus.Key
	made              time.Time
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
	next := &liveKeys{current: key, made: now}
	if last := k.live.Load(); last != nil {
		next.previous = last.current
	}
	k.live.Store(next)
	return nil
}

func (k *keys) rotateIfDue(now time.Time, instance string, offers []*hubv1.Offer) error {
	live := k.live.Load()
	if now.Sub(live.made) >= bus.KeyLife {
		return k.rotate(now, instance, offers)
	}
	if live.previous != nil && now.Sub(live.made) >= bus.KeyOverlap {
		k.live.Store(&liveKeys{current: live.current, made: live.made})
	}
	return nil
}

func (l *liveKeys) key(id bus.KeyID) *bus.Key {
	for _, key := range []*bus.Key{l.current, l.previous} {
		if key != nil && key.ID == id {
			return key
		}
	}
	return nil
}

func (k *keys) announcement(now time.Time, leaving bool) ([]byte, error) {
	return k.live.Load().current.Announce(now, leaving)
}

// pair finds what is shared with the sender of a frame. It returns nil if the frame is for a key that this process
// does not hold, or from a gateway that it does not know and that does not introduce itself.
func (k *keys) pair(f *bus.Frame) (*bus.Pair, error) {
	own := k.live.Load().key(f.Receiver)
	if own == nil {
		return nil, nil
	}
	if pair := own.Known(f.Sender); pair != nil || len(f.Announcement) == 0 {
		return pair, nil
	}
	party, err := bus.Verify(f.Announcement, k.cfg.Roots, k.cfg.Now())
	if err != nil {
		return nil, err
	}
	if party.Role != hubv1.AnnouncedKey_ROLE_GATEWAY || !slices.Contains(k.cfg.Gateways, party.ID) || party.Key != f.Sender {
		return nil, fmt.Errorf("%w: %s is not one of this connector's gateways", bus.ErrAnnouncement, party.ID)
	}
	return own.Pair(party)
}
