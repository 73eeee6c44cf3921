package authority

import (
	"context"
	"crypto/tls"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/lienthong/lienthong/gateway/internal/safefile"
	"github.com/lienthong/lienthong/gateway/member"
	"github.com/lienthong/lienthong/gateway/state"
	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
	"github.com/lienthong/lienthong/proto/peer"
)

// How long certificates are valid if nothing else is said.
const (
	ConsumerLife = 90 * 24 * time.Hour // systems and people that call
	ServiceLife  = 30 * 24 * time.Hour // gateways and connectors, which renew by themselves
)

// Failures that callers tell apart.
var (
	ErrUnknown = errors.New("no such certificate is on record; see: lienthong identity list")
	ErrRevoked = errors.New("the system's certificate was revoked; issue a new one if it may come back")
	ErrOutside = errors.New("its key is with the system's owner: let them make a new request (lienthong identity request), and approve that")
)

// Order says for whom a certificate is wanted.
type Order struct {
	ID       peer.ID       // the system; its agency is known and open
	Title    member.Title  // its name for people; empty: as it was
	Roles    member.Roles  // what it may be; none: as it was
	Validity time.Duration // zero: ServiceLife for servers, else ConsumerLife
	Server   bool          // for servers too; then it also names localhost, 127.0.0.1 and ::1
	Hosts    []string      // further host names and addresses of a server
}

// Issue makes a new key and certificate for a system and makes the system a member, also one that was refused as a
// whole. Certificates that it had before stay valid until their time is over; revoke them if they must not.
func (a *Authority) Issue(order Order) (Record, error) {
	if !order.ID.Valid() {
		return Record{}, fmt.Errorf("issue certificate: %w", peer.ErrID)
	}
	ctx, cancel := bounded()
	defer cancel()
	var p *pair
	err := a.change(ctx, func(tx *state.Tx) (err error) {
		if p, err = a.enrolled(ctx, tx, order, nil); err == nil {
			note(tx, p.record, "issued")
		}
		return err
	}, func() error { return a.store(p) })
	if err != nil {
		return Record{}, fmt.Errorf("issue certificate of %s: %w", order.ID, err)
	}
	return p.record, nil
}

// enrolled makes the system of an order a member that may connect, and a certificate for it.
func (a *Authority) enrolled(ctx context.Context, tx *state.Tx, order Order, request *Request) (*pair, error) {
	agency, err := member.FindAgency(ctx, tx.Tx, order.ID.Agency)
	switch {
	case errors.Is(err, member.ErrAgencyUnknown):
		return nil, fmt.Errorf("%w; add it with: lienthong agency add %s", err, order.ID.Agency)
	case err != nil:
		return nil, err
	case !agency.OpenOn(member.Today(a.now())):
		return nil, fmt.Errorf("%s: %w", agency.Code, member.ErrAgencyClosed)
	case agency.SafetyLevel < member.SafetyNeeded:
		return nil, fmt.Errorf("%s: %w", agency.Code, member.ErrUnsafe)
	}
	if err := enrol(ctx, tx, order); err != nil {
		return nil, err
	}
	if err := member.Readmit(ctx, tx, order.ID, a.now()); err != nil {
		return nil, err
	}
	return a.make(ctx, tx, order, request)
}

// Renew makes a new key and certificate like the last one of the system. It fails with ErrUnknown if there was
// none, with ErrRevoked if that one was revoked, and with ErrOutside if its key is not here.
func (a *Authority) Renew(id peer.ID) (Record, error) {
	ctx, cancel := bounded()
	defer cancel()
	var p *pair
	err := a.change(ctx, func(tx *state.Tx) error {
		last, ok, err := latest(ctx, tx.Tx, id)
		switch {
		case err != nil:
			return err
		case !ok:
			return ErrUnknown
		case !last.RevokedAt.IsZero():
			return ErrRevoked
		case last.Outside:
			return ErrOutside
		}
		if p, err = a.make(ctx, tx, again(last), nil); err == nil {
			note(tx, p.record, "renewed")
		}
		return err
	}, func() error { return a.store(p) })
	if err != nil {
		return Record{}, fmt.Errorf("renew certificate of %s: %w", id, err)
	}
	return p.record, nil
}

// RenewDue renews the certificates of servers that have less than a third of their time left, and returns them.
func (a *Authority) RenewDue(ctx context.Context) ([]Record, error) {
	due, err := a.due(ctx)
	if err != nil || len(due) == 0 {
		return nil, err
	}
	var made []*pair
	err = a.change(ctx, func(tx *state.Tx) error {
		made = nil
		due, err := a.dueIn(ctx, tx.Tx) // another process may have come first
		if err != nil {
			return err
		}
		for _, r := range due {
			p, err := a.make(ctx, tx, again(r), nil)
			if errors.Is(err, ErrRevoked) {
				continue
			}
			if err != nil {
				return err
			}
			note(tx, p.record, "renewed")
			made = append(made, p)
		}
		return nil
	}, func() error { return a.store(made...) })
	if err != nil {
		return nil, fmt.Errorf("renew certificates: %w", err)
	}
	records := make([]Record, len(made))
	for i, p := range made {
		records[i] = p.record
	}
	return records, nil
}

// due looks, without the lock, for what RenewDue would renew: mostly that is nothing.
func (a *Authority) due(ctx context.Context) (due []Record, err error) {
	err = a.db.InReadTx(ctx, func(tx *sql.Tx) error {
		due, err = a.dueIn(ctx, tx)
		return err
	})
	return due, err
}

func (a *Authority) dueIn(ctx context.Context, tx *sql.Tx) ([]Record, error) {
	servers, err := find(ctx, tx, `WHERE server = 1 AND outside = 0 AND replaced = 0 AND revoked_at = 0`)
	if err != nil {
		return nil, err
	}
	var due []Record
	for _, r := range servers {
		if r.due(a.now()) {
			due = append(due, r)
		}
	}
	return due, nil
}

// again is the order by which a certificate would be issued once more.
func again(r Record) Order {
	return Order{ID: r.ID, Roles: r.Roles, Validity: r.NotAfter.Sub(r.NotBefore) - skew, Server: r.Server, Hosts: r.Hosts}
}

// Revoke revokes what is named: one certificate by its serial, or all of a system that have not expired; then the
// system is refused as a whole, whatever authority certifies it, until a certificate is issued to it again. It returns
// the certificates on record, those that were revoked before included, or fails with ErrUnknown if neither they nor
// the system are known.
func (a *Authority) Revoke(idOrSerial string) ([]Record, error) {
	ctx, cancel := bounded()
	defer cancel()
	var revoked []Record
	err := a.change(ctx, func(tx *state.Tx) (err error) {
		if id, idErr := peer.ParseID(idOrSerial); idErr == nil {
			revoked, err = a.revokeSystem(ctx, tx, id)
			return err
		}
		serial := strings.TrimLeft(strings.ToLower(strings.ReplaceAll(idOrSerial, ":", "")), "0")
		if revoked, err = find(ctx, tx.Tx, `WHERE serial = $1`, serial); err != nil {
			return err
		}
		return a.revoke(ctx, tx, revoked)
	}, nil)
	if err != nil {
		return nil, fmt.Errorf("revoke %q: %w", idOrSerial, err)
	}
	return revoked, nil
}

func (a *Authority) revokeSystem(ctx context.Context, tx *state.Tx, id peer.ID) ([]Record, error) {
	records, err := find(ctx, tx.Tx, `WHERE agency = $1 AND system = $2 AND (not_after >= $3 OR revoked_at <> 0)`, id.Agency, id.System, a.now().UnixMilli())
	if err != nil {
		return nil, err
	}
	_, err = member.FindSystem(ctx, tx.Tx, id)
	if err != nil && (!errors.Is(err, member.ErrSystemUnknown) || len(records) == 0) {
		return nil, unknown(err)
	}
	if err := member.Deny(ctx, tx, member.Denial{ID: id, At: a.now(), Reason: "revoked by the hub's operators"}); err != nil {
		return nil, err
	}
	if len(records) == 0 {
		return nil, nil // of another authority's certificates there is no record
	}
	return records, a.revoke(ctx, tx, records)
}

// unknown is what ErrSystemUnknown is called where certificates are asked for.
func unknown(err error) error {
	if errors.Is(err, member.ErrSystemUnknown) {
		return ErrUnknown
	}
	return err
}

// revoke marks certificates on record as revoked, and denies them.
func (a *Authority) revoke(ctx context.Context, tx *state.Tx, records []Record) error {
	if len(records) == 0 {
		return ErrUnknown
	}
	now := a.now().UTC().Truncate(time.Second)
	for i := range records {
		r := &records[i]
		if !r.RevokedAt.IsZero() {
			continue
		}
		r.RevokedAt = now
		if _, err := tx.ExecContext(ctx, `UPDATE certificate SET revoked_at = $1 WHERE serial = $2`, now.UnixMilli(), r.Serial); err != nil {
			return fmt.Errorf("note as revoked: %w", err)
		}
		if _, err := member.PutDenial(ctx, tx, member.Denial{Serial: r.Serial, ID: r.ID, At: now, NotAfter: r.NotAfter, Reason: "revoked by the hub's operators"}); err != nil {
			return err
		}
		note(tx, *r, "revoked")
	}
	return nil
}

// enrol makes the system of an order a member, or updates what the order says of it. Its status stays.
func enrol(ctx context.Context, tx *state.Tx, order Order) error {
	s, err := member.FindSystem(ctx, tx.Tx, order.ID)
	switch {
	case errors.Is(err, member.ErrSystemUnknown) && order.Roles == 0:
		return errors.New("a new member needs a role")
	case errors.Is(err, member.ErrSystemUnknown):
		s = member.System{ID: order.ID, Status: member.Active}
	case err != nil:
		return err
	}
	if order.Roles != 0 {
		s.Roles = order.Roles
	}
	if order.Title != (member.Title{}) {
		s.Title = order.Title
	}
	_, err = member.PutSystem(ctx, tx, s)
	return err
}

// note records what happened to a certificate.
func note(tx *state.Tx, r Record, done string) {
	tx.Record(&hubv1.Change{Kind: hubv1.Change_KIND_MEMBER, Object: r.ID.String(),
		Text: fmt.Sprintf("certificate %s %s: roles %s, until %s", r.Serial, done, r.Roles, r.NotAfter.Format(time.RFC3339))})
}

// store hands the pairs to their owners: the key first, so that a certificate never lies there without its key.
func (a *Authority) store(pairs ...*pair) error {
	for _, p := range pairs {
		certFile, keyFile, _ := Files(a.dir, p.record.ID)
		if err := safefile.Write(keyFile, p.keyPEM, 0o600); err != nil {
			return err
		}
		if err := safefile.Write(certFile, p.certPEM, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// stored reports whether the certificate on record lies in its owner's place, with its key, as this authority
// signed it.
func (a *Authority) stored(r Record) bool {
	certFile, keyFile, _ := Files(a.dir, r.ID)
	cert, err := tls.LoadX509KeyPair(certFile, keyFile)
	return err == nil && peer.Serial(cert.Leaf) == r.Serial && cert.Leaf.CheckSignatureFrom(a.cert) == nil
}
