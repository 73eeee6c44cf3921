package member

import (
	"fmt"
	"regexp"
	"time"

	"github.com/lienthong/lienthong/proto/peer"
)

// System is one system of one agency, as the hub's operators know it.
type System struct {
	ID     peer.ID `json:"id"`
	Title  Title   `json:"title"`
	Roles  Roles   `json:"roles"`
	Status Status  `json:"status"`
}

// Title is a name for people, in both languages.
type Title struct {
	VI string `json:"vi"`
	EN string `json:"en"`
}

// Status says whether a system may use the hub.
type Status string

// The states of a system.
const (
	Active    Status = "active"    // may do what its roles allow
	Suspended Status = "suspended" // refused until operators say otherwise
)

func (s *System) check() error {
	switch {
	case !s.ID.Valid():
		return fmt.Errorf("system %q: %w", s.ID, peer.ErrID)
	case s.Roles == 0:
		return fmt.Errorf("%s has no role", s.ID)
	case s.Status != Active && s.Status != Suspended:
		return fmt.Errorf("%s: status %q is neither %q nor %q", s.ID, s.Status, Active, Suspended)
	}
	if err := checkName("title", s.Title.VI); err != nil {
		return fmt.Errorf("%s: %w", s.ID, err)
	}
	if err := checkName("title in English", s.Title.EN); err != nil {
		return fmt.Errorf("%s: %w", s.ID, err)
	}
	return nil
}

// Officer is an account for which the systems of an agency may ask.
type Officer struct {
	Agency   string
	Account  string
	Enrolled time.Time
	Disabled time.Time // zero: it is not
}

// Denial refuses one certificate, or a system whatever certificate it shows.
type Denial struct {
	Serial   string    // of the certificate, see peer.Serial; empty: all of the system
	ID       peer.ID   // the system; with a serial it may be left out
	At       time.Time // since when
	NotAfter time.Time // when the certificate would have expired; zero: the entry stays for ever
	Before   time.Time // of a system that was let back in: certificates that began earlier are refused; zero: all are
	Reason   string    // why, in words
}

var serialForm = regexp.MustCompile(`^[1-9a-f][0-9a-f]{0,39}$`)

// what is the key of the denial: a serial, or AGENCY/SYSTEM.
func (d *Denial) what() string {
	if d.Serial != "" {
		return d.Serial
	}
	return d.ID.String()
}

func (d *Denial) check() error {
	switch {
	case d.Serial != "" && !serialForm.MatchString(d.Serial):
		return fmt.Errorf("serial %q is not a lower-case hexadecimal number", d.Serial)
	case d.Serial == "" && !d.ID.Valid(), d.ID != (peer.ID{}) && !d.ID.Valid():
		return fmt.Errorf("%q: %w", d.ID, peer.ErrID)
	}
	return checkName("reason", d.Reason)
}
