package service

import (
	"github.com/lienthong/lienthong/gateway/member"
	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
)

// method is a method of hub.v1.LedgerService by its short name.
type method string

// The methods.
const (
	methodSearch            method = "Search"
	methodFollow            method = "Follow"
	methodShow              method = "Show"
	methodProve             method = "Prove"
	methodListCitizen       method = "ListCitizen"
	methodListVolumes       method = "ListVolumes"
	methodGetStatus         method = "GetStatus"
	methodExport            method = "Export"
	methodIssueCitizenToken method = "IssueCitizenToken"
	methodRotateSubjectKey  method = "RotateSubjectKey"
)

// reach is how far a method goes for somebody.
type reach uint8

// Reaches. The zero value is none.
const (
	none     reach = iota // refused
	all                   // everything
	consumed              // what its own agency's systems asked for
	provided              // what was asked of its own agency's registries
	own                   // what is about the person whose token is shown
)

// standing is as what somebody may come to the ledger: a role of its system, or with a citizen's token.
type standing struct {
	name   string
	roles  member.Roles // none: a token is shown, and then no role counts
	access hubv1.Access_Role
}

// standings are the columns of the table. Where several give something, an Access names the first.
var standings = [...]standing{
	{"operator", member.Operator, hubv1.Access_ROLE_OPERATOR},
	{"auditor", member.Auditor, hubv1.Access_ROLE_AUDITOR},
	{"provider", member.Provider, hubv1.Access_ROLE_PROVIDER},
	{"steward", member.Steward, hubv1.Access_ROLE_PROVIDER},
	{"consumer", member.Consumer, hubv1.Access_ROLE_CONSUMER},
	{"portal", member.Portal, hubv1.Access_ROLE_PORTAL},
	{"gateway", member.Gateway, hubv1.Access_ROLE_UNSPECIFIED},
	{"citizen's token", 0, hubv1.Access_ROLE_CITIZEN},
}

// rights says who may read what. It is the one place that does; what is not in it is refused.
var rights = [...]struct {
	method method
	reach  [len(standings)]reach
}{
	// operator, auditor, provider, steward, consumer, portal, gateway, citizen's token
	{methodSearch, [...]reach{all, all, provided, provided, consumed, none, none, own}},
	{methodFollow, [...]reach{all, all, provided, provided, consumed, none, none, none}},
	{methodShow, [...]reach{all, all, provided, provided, consumed, none, none, own}},
	{methodProve, [...]reach{all, all, provided, provided, consumed, none, none, own}},
	{methodListCitizen, [...]reach{all, all, provided, provided, none, none, none, own}},
	{methodListVolumes, [...]reach{all, all, provided, provided, consumed, none, none, none}},
	{methodGetStatus, [...]reach{all, all, none, none, none, none, none, none}},
	{methodExport, [...]reach{all, all, provided, provided, consumed, none, none, none}},
	{methodIssueCitizenToken, [...]reach{all, none, none, none, none, all, none, none}},
	{methodRotateSubjectKey, [...]reach{all, none, none, none, none, none, none, none}},
}

// grant is what somebody may see with one method.
type grant struct {
	role     hubv1.Access_Role
	consumed bool
	provided bool
	all      bool
	own      bool
}

// allowed looks up what a method gives to these roles, or, with a token, to its person: whoever shows a token reads as
// that person and as nobody else.
func allowed(m method, roles member.Roles, withToken bool) (g grant, ok bool) {
	for _, row := range rights {
		if row.method != m {
			continue
		}
		for i, s := range standings {
			if row.reach[i] == none || !s.has(roles, withToken) {
				continue
			}
			if !ok {
				g.role, ok = s.access, true
			}
			g.add(row.reach[i])
		}
	}
	return g, ok
}

// has reports whether somebody stands so.
func (s standing) has(roles member.Roles, withToken bool) bool {
	if withToken {
		return s.roles == 0
	}
	return s.roles != 0 && roles.Has(s.roles)
}

func (g *grant) add(r reach) {
	switch r {
	case all:
		g.all = true
	case consumed:
		g.consumed = true
	case provided:
		g.provided = true
	case own:
		g.own = true
	}
}

// scope is what the grant lets an agency, or the person of a token, see. Whoever looks for a person by number sees no
// more than what names the person to them anyway: a consumer's exchanges are about people too that were withheld
// from it, and trying numbers would tell who they are.
func (g grant) scope(agency string, person []Hash, byPerson bool) scope {
	switch {
	case g.own:
		return scope{person: person}
	case g.all:
		return scope{all: true}
	}
	var s scope
	if g.consumed && !byPerson {
		s.consumer = agency
	}
	if g.provided {
		s.provider = agency
	}
	return s
}

// scope is what a reader may see; its parts are joined by "or". The zero value is nothing.
type scope struct {
	all      bool
	consumer string // exchanges and intents of this agency's systems; "": none
	provider string // exchanges and intents with this agency's registries; "": none
	person   []Hash // exchanges, intents and accesses about whoever has one of these hashes; none: none
}

// empty reports whether nothing is in the scope.
func (s scope) empty() bool {
	return !s.all && s.consumer == "" && s.provider == "" && len(s.person) == 0
}

// permits reports whether an entry may be seen. It looks at the record alone, so that what a search returned is judged
// once more by something else than the search.
func (s scope) permits(record *hubv1.LedgerRecord) bool {
	if s.all {
		return true
	}
	switch e := record.GetEvent().(type) {
	case *hubv1.LedgerRecord_Exchange:
		return s.ofAgency(e.Exchange.GetConsumerAgency(), e.Exchange.GetProviderAgency()) || s.about(e.Exchange.GetSubjectHashes())
	case *hubv1.LedgerRecord_Intent:
		return s.ofAgency(e.Intent.GetConsumerAgency(), e.Intent.GetProviderAgency()) || s.about(e.Intent.GetSubjectHashes())
	case *hubv1.LedgerRecord_Access:
		return s.about(e.Access.GetSubjectHashes())
	}
	return false
}

func (s scope) ofAgency(consumer, provider string) bool {
	return s.consumer != "" && s.consumer == consumer || s.provider != "" && s.provider == provider
}

func (s scope) about(hashes [][]byte) bool {
	for _, h := range hashes {
		if s.names(h) {
			return true
		}
	}
	return false
}

// names reports whether a hash is one of the person's.
func (s scope) names(hash []byte) bool {
	for _, own := range s.person {
		if string(own[:]) == string(hash) {
			return true
		}
	}
	return false
}
