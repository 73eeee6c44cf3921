// Package peer says who a certificate belongs to, and makes connections on which both sides know that.
//
// Invariants:
//   - An identity comes from the one SPIFFE URI of a certificate, never from its common name or from where the
//     connection comes from.
//   - Every connection is TLS 1.3 with certificates both ways, and every certificate is judged anew for every
//     connection, resumed ones too.
//   - A peer that is refused is told by a TLS alert; the reason goes to our own side only.
//
// What does not belong here: which systems exist, their roles and who is revoked (gateway/member), and issuing
// certificates (gateway/member/authority).
package peer

import (
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"strings"

	"github.com/spiffe/go-spiffe/v2/spiffeid"
)

// TrustDomain is the SPIFFE trust domain of every identity on the hub.
const TrustDomain = "lienthong"

// maxAgency is the longest agency code: Decision 20/2020/QD-TTg, article 4.
const maxAgency = 35

var (
	trustDomain = spiffeid.RequireTrustDomainFromString(TrustDomain)

	// A level-1 code and its units, left to right (Decision 20/2020/QD-TTg), or a company by its tax code with
	// or without branch.
	agencyForm = regexp.MustCompile(`^(?:[A-Y][0-9]{2}(?:\.[0-9]{1,6})*|COM\.[0-9]{10}(?:-[0-9]{3})?)$`)
	systemForm = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,63}$`)
)

// ErrID says that a text is not an identity.
var ErrID = errors.New("not an identity: write AGENCY/SYSTEM, like G22/dvc-portal, H27.07/clinic or COM.3000000012/ekyc")

// ID names one system of one agency. It can be compared and be the key of a map. The zero ID is nobody.
type ID struct {
	Agency string // agency code, "H27.07", or company by tax code, "COM.3000000012"
	System string // the agency's own name for the system, "one-stop"
}

// ParseID reads "H27/one-stop". It fails with ErrID.
func ParseID(s string) (ID, error) {
	agency, system, ok := strings.Cut(s, "/")
	id := ID{Agency: agency, System: system}
	if !ok || !id.Valid() {
		return ID{}, ErrID
	}
	return id, nil
}

// Valid reports whether both parts have their form.
func (id ID) Valid() bool { return ValidAgency(id.Agency) && systemForm.MatchString(id.System) }

// ValidAgency reports whether a text has the form of an agency code.
func ValidAgency(code string) bool { return len(code) <= maxAgency && agencyForm.MatchString(code) }

// String returns "H27/one-stop", the form that ParseID reads, and "" for the zero ID.
func (id ID) String() string {
	if id == (ID{}) {
		return ""
	}
	return id.Agency + "/" + id.System
}

// URI returns the identity as it stands in a certificate: spiffe://lienthong/agency/H27/system/one-stop.
func (id ID) URI() *url.URL {
	return &url.URL{Scheme: "spiffe", Host: TrustDomain, Path: "/agency/" + id.Agency + "/system/" + id.System}
}

// MarshalText writes the identity as String does; a malformed one fails with ErrID.
func (id ID) MarshalText() ([]byte, error) {
	if !id.Valid() {
		return nil, ErrID
	}
	return []byte(id.String()), nil
}

// UnmarshalText reads the identity as ParseID does.
func (id *ID) UnmarshalText(text []byte) error {
	parsed, err := ParseID(string(text))
	if err != nil {
		return err
	}
	*id = parsed
	return nil
}

// fromURI reads the identity of a SPIFFE URI. It fails with ForeignIdentity if the URI is none, or of another
// trust domain or form.
func fromURI(uri *url.URL) (ID, error) {
	sid, err := spiffeid.FromURI(uri)
	if err != nil {
		return ID{}, fmt.Errorf("%w: %w", ForeignIdentity, err)
	}
	if !sid.MemberOf(trustDomain) {
		return ID{}, fmt.Errorf("%w: another trust domain", ForeignIdentity)
	}
	segments := strings.Split(sid.Path(), "/") // "", "agency", code, "system", name
	if len(segments) != 5 || segments[1] != "agency" || segments[3] != "system" {
		return ID{}, fmt.Errorf("%w: another path", ForeignIdentity)
	}
	id := ID{Agency: segments[2], System: segments[4]}
	if !id.Valid() {
		return ID{}, fmt.Errorf("%w: malformed agency or system", ForeignIdentity)
	}
	return id, nil
}
