package population

import (
	"cmp"
	"context"
	"database/sql"
	"slices"
	"strconv"

	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
	"github.com/lienthong/lienthong/proto/reason"
	populationv1 "github.com/lienthong/lienthong/proto/registry/population/v1"
	"github.com/lienthong/lienthong/services/person"
	"github.com/lienthong/lienthong/services/store"
)

// maxMembers is more than any household has.
const maxMembers = 50

// membership is which household somebody belongs to.
type membership struct {
	identity
	household       string // residence file number, "" for none
	relation        populationv1.Relation
	address, detail string // permanent residence
}

func (r *Registry) membership(ctx context.Context, id person.ID) (m membership, found bool, err error) {
	found, err = one(r.ask.membership.Find(ctx, string(id)).
		Scan(append(m.columns(), &m.household, &m.relation, &m.address, &m.detail)...))
	return m, found, err
}

// member is somebody in a household, or a child of somebody.
type member struct {
	id string
	identity
	sex      hubv1.Sex
	relation populationv1.Relation
}

func (m *member) columns() []any {
	return append(append([]any{&m.id}, m.identity.columns()...), &m.sex, &m.relation)
}

func (m *member) message() *populationv1.HouseholdMember {
	return &populationv1.HouseholdMember{
		PersonalId: m.id, FullName: m.fullName(), Relation: m.relation, Sex: m.sex, BirthDate: m.birth, Deceased: m.death != "",
	}
}

// members runs a statement that gives memberColumns.
func members(ctx context.Context, ask *store.Stmt, key string) ([]member, error) {
	rows, err := ask.Query(ctx, key)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	return scanMembers(rows)
}

func scanMembers(rows *sql.Rows) ([]member, error) {
	var all []member
	for rows.Next() {
		var m member
		if err := rows.Scan(m.columns()...); err != nil {
			return nil, err
		}
		all = append(all, m)
	}
	return all, rows.Err()
}

// GetHousehold returns who lives with a person.
func (r *Registry) GetHousehold(ctx context.Context, req *populationv1.GetHouseholdRequest) (*populationv1.GetHouseholdResponse, error) {
	q, err := r.question(req)
	if err != nil {
		return nil, err
	}
	mine, found, err := r.membership(ctx, q.id)
	switch {
	case err != nil:
		return nil, err
	case !found || !mine.agrees(q):
		return &populationv1.GetHouseholdResponse{Result: result(hubv1.Result_NO_MATCH)}, nil
	case mine.death != "":
		return &populationv1.GetHouseholdResponse{Result: result(hubv1.Result_DECEASED)}, nil
	case mine.household == "":
		return &populationv1.GetHouseholdResponse{Result: result(hubv1.Result_PARTIAL)}, nil
	}
	all, err := members(ctx, r.ask.members, mine.household)
	if err != nil {
		return nil, err
	}
	slices.SortFunc(all, headThenAge)
	resp := &populationv1.GetHouseholdResponse{
		Result: result(hubv1.Result_FOUND), ResidenceFileNumber: mine.household,
		Address: r.catalogue.Load().address(since2025, mine.address, mine.detail),
		Members: make([]*populationv1.HouseholdMember, len(all)),
	}
	for i := range all {
		resp.Members[i] = all[i].message()
	}
	return resp, nil
}

// headThenAge orders the head first, then the oldest.
func headThenAge(a, b member) int {
	if head := isHead(b) - isHead(a); head != 0 {
		return head
	}
	return cmp.Or(cmp.Compare(a.birth, b.birth), cmp.Compare(a.id, b.id))
}

func isHead(m member) int {
	if m.relation == populationv1.Relation_RELATION_HEAD {
		return 1
	}
	return 0
}

// ConfirmHousehold says which people belong to the household of a head.
func (r *Registry) ConfirmHousehold(ctx context.Context, req *populationv1.ConfirmHouseholdRequest) (*populationv1.ConfirmHouseholdResponse, error) {
	id, err := checkClaims(req)
	if err != nil {
		return nil, err
	}
	head, found, err := r.membership(ctx, id)
	switch {
	case err != nil:
		return nil, err
	case !found || head.relation != populationv1.Relation_RELATION_HEAD:
		return &populationv1.ConfirmHouseholdResponse{Result: result(hubv1.Result_NO_MATCH)}, nil
	case head.death != "":
		return &populationv1.ConfirmHouseholdResponse{Result: result(hubv1.Result_DECEASED)}, nil
	}
	all, err := members(ctx, r.ask.members, head.household)
	if err != nil {
		return nil, err
	}
	resp := &populationv1.ConfirmHouseholdResponse{Result: result(hubv1.Result_FOUND)}
	for _, claim := range req.GetMembers() {
		resp.Members = append(resp.Members, confirm(claim, all))
	}
	return resp, nil
}

// checkClaims checks the request and returns the head's number.
func checkClaims(req *populationv1.ConfirmHouseholdRequest) (person.ID, error) {
	id, err := personalID(req.GetHeadPersonalId(), "head_personal_id")
	if err != nil {
		return "", err
	}
	switch n := len(req.GetMembers()); {
	case n == 0:
		return "", reason.FieldRequired.At("members")
	case n > maxMembers:
		return "", reason.FieldInvalid.At("members")
	}
	for i, claim := range req.GetMembers() {
		at := "members." + strconv.Itoa(i)
		if _, err := personalID(claim.GetPersonalId(), at+".personal_id"); err != nil {
			return "", err
		}
		if populationv1.Relation_name[int32(claim.GetRelation())] == "" {
			return "", reason.FieldInvalid.At(at + ".relation")
		}
	}
	return id, nil
}

// confirm compares a claim with the members of the household.
func confirm(claim *populationv1.ClaimedMember, all []member) *populationv1.ConfirmedMember {
	i := slices.IndexFunc(all, func(m member) bool { return m.id == claim.GetPersonalId() })
	if i < 0 {
		return &populationv1.ConfirmedMember{Result: result(hubv1.Result_NO_MATCH), PersonalId: claim.GetPersonalId()}
	}
	said := claim.GetRelation()
	return &populationv1.ConfirmedMember{
		Result: result(hubv1.Result_FOUND), PersonalId: claim.GetPersonalId(), Member: true, Relation: all[i].relation,
		RelationMatches: said == populationv1.Relation_RELATION_UNSPECIFIED || said == all[i].relation,
	}
}
