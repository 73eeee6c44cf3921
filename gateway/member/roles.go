package member

import (
	"encoding/json"
	"fmt"
	"strings"
)

// Roles is what a system may be to the hub: any number of roles. The zero value is none.
type Roles uint8

// The roles of a system.
const (
	Consumer Roles = 1 << iota // asks registries
	Provider                   // answers for a registry: its connectors
	Operator                   // runs the hub
	Steward                    // decides for a provider who may ask what
	Auditor                    // reads the ledger
	Gateway                    // is a gateway of the hub
	Portal                     // has made sure who a citizen is, and may make a token for them
)

var roleNames = []string{"consumer", "provider", "operator", "steward", "auditor", "gateway", "portal"}

// ParseRoles reads role names, at least one, none twice.
func ParseRoles(names []string) (Roles, error) {
	var roles Roles
	for _, name := range names {
		role, err := parseRole(name)
		if err != nil {
			return 0, err
		}
		if roles.Has(role) {
			return 0, fmt.Errorf("role %q is given twice", name)
		}
		roles |= role
	}
	if roles == 0 {
		return 0, fmt.Errorf("no role; a system has at least one of %s", strings.Join(roleNames, ", "))
	}
	return roles, nil
}

func parseRole(name string) (Roles, error) {
	for i, known := range roleNames {
		if name == known {
			return 1 << i, nil
		}
	}
	return 0, fmt.Errorf("role %q is none of %s", name, strings.Join(roleNames, ", "))
}

// Has reports whether all of want are among the roles.
func (r Roles) Has(want Roles) bool { return r&want == want }

// Names returns the roles' names, in a fixed order.
func (r Roles) Names() []string {
	names := make([]string, 0, len(roleNames))
	for i, name := range roleNames {
		if r.Has(1 << i) {
			names = append(names, name)
		}
	}
	return names
}

// String returns the names joined by commas.
func (r Roles) String() string { return strings.Join(r.Names(), ",") }

// MarshalJSON writes the roles as a list of names.
func (r Roles) MarshalJSON() ([]byte, error) { return json.Marshal(r.Names()) }

// UnmarshalJSON reads what MarshalJSON writes, by the rules of ParseRoles.
func (r *Roles) UnmarshalJSON(data []byte) error {
	var names []string
	if err := json.Unmarshal(data, &names); err != nil {
		return err
	}
	roles, err := ParseRoles(names)
	if err != nil {
		return err
	}
	*r = roles
	return nil
}
