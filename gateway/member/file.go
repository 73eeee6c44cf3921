package member

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/lienthong/lienthong/proto/peer"
)

// FileName is the file in the hub's directory that says who its members are. It holds no secret.
const FileName = "members.json"

// File is the content of FileName: what operators decide about systems, and which certificates they revoked.
type File struct {
	Systems []System     `json:"systems"`
	Revoked []Revocation `json:"revoked"`
}

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

// Revocation is one certificate that is refused before its time is over.
type Revocation struct {
	Serial   string    `json:"serial"`             // lower-case hexadecimal, see peer.Serial
	ID       peer.ID   `json:"id,omitzero"`        // whose it is; may be left out
	At       time.Time `json:"at,omitzero"`        // when it was revoked; may be left out
	NotAfter time.Time `json:"not_after,omitzero"` // when it would have expired; left out: the entry stays for ever
}

var serialForm = regexp.MustCompile(`^[1-9a-f][0-9a-f]{0,39}$`)

// ParseFile reads a File. Unknown keys, malformed entries and entries that are given twice are errors: a list
// of who is refused must not be half understood.
func ParseFile(data []byte) (File, error) {
	var f File
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&f); err != nil {
		return File{}, fmt.Errorf("read members: %w", err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return File{}, errors.New("read members: something follows the end")
	}
	if err := f.check(); err != nil {
		return File{}, fmt.Errorf("read members: %w", err)
	}
	return f, nil
}

func (f *File) check() error {
	ids, serials := map[peer.ID]bool{}, map[string]bool{}
	for i, s := range f.Systems {
		switch {
		case !s.ID.Valid():
			return fmt.Errorf("systems[%d]: %w", i, peer.ErrID)
		case ids[s.ID]:
			return fmt.Errorf("systems[%d]: %s is given twice", i, s.ID)
		case s.Roles == 0:
			return fmt.Errorf("systems[%d]: %s has no role", i, s.ID)
		case s.Status != Active && s.Status != Suspended:
			return fmt.Errorf("systems[%d]: status %q is neither %q nor %q", i, s.Status, Active, Suspended)
		}
		ids[s.ID] = true
	}
	for i, r := range f.Revoked {
		switch {
		case !serialForm.MatchString(r.Serial):
			return fmt.Errorf("revoked[%d]: serial %q is not a lower-case hexadecimal number", i, r.Serial)
		case serials[r.Serial]:
			return fmt.Errorf("revoked[%d]: %s is given twice", i, r.Serial)
		}
		serials[r.Serial] = true
	}
	return nil
}

// Encode writes the file in its one form: sorted, indented.
func (f *File) Encode() ([]byte, error) {
	if err := f.check(); err != nil {
		return nil, fmt.Errorf("write members: %w", err)
	}
	sorted := File{Systems: append([]System{}, f.Systems...), Revoked: append([]Revocation{}, f.Revoked...)}
	slices.SortFunc(sorted.Systems, func(a, b System) int { return strings.Compare(a.ID.String(), b.ID.String()) })
	slices.SortFunc(sorted.Revoked, func(a, b Revocation) int { return strings.Compare(a.Serial, b.Serial) })
	data, err := json.MarshalIndent(sorted, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("write members: %w", err)
	}
	return append(data, '\n'), nil
}
