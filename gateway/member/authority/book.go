package authority

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/lienthong/lienthong/gateway/internal/safefile"
	"github.com/lienthong/lienthong/gateway/member"
	"github.com/lienthong/lienthong/proto/peer"
)

// Record is one certificate that was issued.
type Record struct {
	Serial    string       `json:"serial"` // lower-case hexadecimal, 32 digits
	ID        peer.ID      `json:"id"`
	Roles     member.Roles `json:"roles"`               // of the system when it was issued
	Server    bool         `json:"server"`              // may be shown by servers too
	Hosts     []string     `json:"hosts,omitempty"`     // further host names and addresses of a server
	NotBefore time.Time    `json:"not_before"`          // in force from
	NotAfter  time.Time    `json:"not_after"`           // in force until
	RevokedAt time.Time    `json:"revoked_at,omitzero"` // zero if it was not
	Replaced  bool         `json:"replaced,omitempty"`  // a later one was issued to the same system
}

// State says what a certificate is worth.
type State string

// The states of a certificate.
const (
	Valid      State = "valid"
	Superseded State = "superseded" // valid, but the system has a later one
	Expired    State = "expired"
	Revoked    State = "revoked"
)

// State returns what the certificate is worth at the time now.
func (r Record) State(now time.Time) State {
	switch {
	case !r.RevokedAt.IsZero():
		return Revoked
	case now.After(r.NotAfter):
		return Expired
	case r.Replaced:
		return Superseded
	}
	return Valid
}

// due reports whether less than a third of the certificate's time is left.
func (r Record) due(now time.Time) bool {
	return r.NotAfter.Sub(now) < r.NotAfter.Sub(r.NotBefore)/3
}

// book is what the authority knows: its own records, and the members as the gateways read them.
type book struct {
	issued  []Record
	members member.File
}

type issuedFile struct {
	Certificates []Record `json:"certificates"`
}

// read loads the book. A file that is not there is empty; one that is malformed is an error, and nothing is
// changed until somebody has mended it.
func (a *Authority) read() (*book, error) {
	var issued issuedFile
	data, err := os.ReadFile(a.path("ca/issued.json"))
	if err == nil {
		dec := json.NewDecoder(bytes.NewReader(data))
		dec.DisallowUnknownFields()
		err = dec.Decode(&issued)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("read %s: %w", a.path("ca/issued.json"), err)
	}
	b := &book{issued: issued.Certificates}
	data, err = os.ReadFile(a.path(member.FileName))
	if err == nil {
		b.members, err = member.ParseFile(data)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s: %w", a.path(member.FileName), err)
	}
	return b, nil
}

// change lets f alter the book under the lock, and stores it: first what gateways must know, a revocation above
// all, then the authority's own records. The lock is held until after has run as well; it may be nil.
func (a *Authority) change(f func(*book) error, after func() error) error {
	unlock, err := a.lock()
	if err != nil {
		return err
	}
	defer unlock()
	b, err := a.read()
	if err != nil {
		return err
	}
	if err := f(b); err != nil {
		return err
	}
	b.settle(a.now())
	members, err := b.members.Encode()
	if err != nil {
		return err
	}
	issued, err := json.MarshalIndent(issuedFile{Certificates: b.issued}, "", "  ")
	if err != nil {
		return err
	}
	if err := safefile.Update(a.path(member.FileName), members, 0o644); err != nil {
		return err
	}
	if err := safefile.Update(a.path("ca/issued.json"), append(issued, '\n'), 0o600); err != nil {
		return err
	}
	if after == nil {
		return nil
	}
	return after()
}

// settle makes the list of revoked certificates what the records say, without those whose time is over anyway.
// Entries of certificates that are not on record here are kept: operators may add some.
func (b *book) settle(now time.Time) {
	listed := map[string]bool{}
	b.members.Revoked = slices.DeleteFunc(b.members.Revoked, func(r member.Revocation) bool {
		listed[r.Serial] = true
		return !r.NotAfter.IsZero() && now.After(r.NotAfter.Add(24*time.Hour))
	})
	for _, r := range b.issued {
		if r.State(now) == Revoked && !listed[r.Serial] && now.Before(r.NotAfter) {
			b.members.Revoked = append(b.members.Revoked, member.Revocation{Serial: r.Serial, ID: r.ID, At: r.RevokedAt, NotAfter: r.NotAfter})
		}
	}
}

// add records a certificate and takes the place of earlier ones of the same system.
func (b *book) add(r Record) {
	for i := range b.issued {
		if b.issued[i].ID == r.ID {
			b.issued[i].Replaced = true
		}
	}
	b.issued = append(b.issued, r)
}

// latest returns the last certificate that was issued to a system.
func (b *book) latest(id peer.ID) (Record, bool) {
	for _, r := range slices.Backward(b.issued) {
		if r.ID == id {
			return r, true
		}
	}
	return Record{}, false
}

// system returns what the members' list says of a system, nil if nothing.
func (b *book) system(id peer.ID) *member.System {
	for i := range b.members.Systems {
		if b.members.Systems[i].ID == id {
			return &b.members.Systems[i]
		}
	}
	return nil
}

// List returns every certificate on record, by identity and then from old to new.
func (a *Authority) List() ([]Record, error) {
	b, err := a.read()
	if err != nil {
		return nil, fmt.Errorf("list certificates: %w", err)
	}
	slices.SortStableFunc(b.issued, func(x, y Record) int { return strings.Compare(x.ID.String(), y.ID.String()) })
	return b.issued, nil
}
