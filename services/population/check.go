package population

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
	"github.com/lienthong/lienthong/proto/reason"
	"github.com/lienthong/lienthong/services/person"
)

// maxNameBytes is far more than any name has.
const maxNameBytes = 256

// question is who is asked for: a number, and what must agree with it.
type question struct {
	id    person.ID
	name  string      // name key
	birth person.Date // zero when not asked
}

// named is a request that names a person and proves to know them.
type named interface {
	GetPersonalId() string
	GetFullName() string
	GetBirthDate() string
}

// question reads who a request names: all three are required.
func (r *Registry) question(req named) (question, error) {
	id, err := personalID(req.GetPersonalId(), "personal_id")
	if err != nil {
		return question{}, err
	}
	q, err := r.proof(req.GetFullName(), req.GetBirthDate())
	q.id = id
	return q, err
}

// proof reads a name and a birth date: both are required.
func (r *Registry) proof(fullName, birthDate string) (question, error) {
	q, err := r.someProof(fullName, birthDate)
	switch {
	case err != nil:
		return question{}, err
	case q.name == "":
		return question{}, reason.FieldRequired.At("full_name")
	case birthDate == "":
		return question{}, reason.FieldRequired.At("birth_date")
	}
	return q, nil
}

// someProof reads a name and a birth date, each of which may be empty.
func (r *Registry) someProof(fullName, birthDate string) (q question, err error) {
	if len(fullName) > maxNameBytes {
		return q, reason.FieldInvalid.At("full_name")
	}
	q.name = person.NameKey(fullName)
	if q.name == "" && fullName != "" {
		return q, reason.FieldRequired.At("full_name")
	}
	if birthDate != "" {
		q.birth, err = r.pastDate(birthDate, "birth_date")
	}
	return q, err
}

func personalID(s, field string) (person.ID, error) {
	if s == "" {
		return "", reason.FieldRequired.At(field)
	}
	id, err := person.ParseID(s)
	if err != nil {
		return "", reason.IDMalformed.At(field)
	}
	return id, nil
}

// pastDate reads a date that does not lie in the future.
func (r *Registry) pastDate(s, field string) (person.Date, error) {
	d, err := person.ParseDate(s)
	switch {
	case err != nil:
		return d, reason.DateMalformed.At(field)
	case d.After(r.Now()):
		return d, reason.DateInFuture.At(field)
	}
	return d, nil
}

// identity is what a record says of who somebody is.
type identity struct {
	family, middle, given string
	birth                 string
	death                 string // "" for the living
}

// columns are where identityColumns go.
func (i *identity) columns() []any { return []any{&i.family, &i.middle, &i.given, &i.birth, &i.death} }

// fullName is the name as written.
func (i *identity) fullName() string { return joinName(i.family, i.middle, i.given) }

// sameName reports whether a name key is this person's.
func (i *identity) sameName(key string) bool { return person.NameKey(i.fullName()) == key }

// sameBirth reports whether a birth date agrees as far as both sides know it.
func (i *identity) sameBirth(d person.Date) bool {
	mine, err := person.ParseDate(i.birth)
	return err == nil && mine.Matches(d)
}

// agrees reports whether the record agrees with everything that was asked.
func (i *identity) agrees(q question) bool {
	return (q.name == "" || i.sameName(q.name)) && (q.birth == person.Date{} || i.sameBirth(q.birth))
}

// code is FOUND, or DECEASED for the dead.
func (i *identity) code() hubv1.Result_Code { return aliveOr(i.death) }

func aliveOr(death string) hubv1.Result_Code {
	if death != "" {
		return hubv1.Result_DECEASED
	}
	return hubv1.Result_FOUND
}

// find reads who has a number; found is false when nobody does.
func (r *Registry) find(ctx context.Context, id person.ID) (who identity, found bool, err error) {
	found, err = one(r.ask.identity.Find(ctx, string(id)).Scan(who.columns()...))
	return who, found, err
}

// one tells a missing row from a failure.
func one(err error) (found bool, _ error) {
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("read population: %w", err)
	}
	return true, nil
}

func joinName(family, middle, given string) string {
	var b strings.Builder
	b.Grow(len(family) + len(middle) + len(given) + 2)
	for _, part := range [...]string{family, middle, given} {
		if part == "" {
			continue
		}
		if b.Len() > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(part)
	}
	return b.String()
}

// nexts is what the desk may do after each result.
var nexts = [...]hubv1.Result_Next{
	hubv1.Result_FOUND:    hubv1.Result_USE_DATA,
	hubv1.Result_NO_MATCH: hubv1.Result_CHECK_INPUT,
	hubv1.Result_MULTIPLE: hubv1.Result_ASK_MORE,
	hubv1.Result_DECEASED: hubv1.Result_STOP,
	hubv1.Result_MISSING:  hubv1.Result_ASK_PAPER,
	hubv1.Result_WRONG:    hubv1.Result_ASK_PAPER,
	hubv1.Result_PARTIAL:  hubv1.Result_TRY_LATER,
}

func result(code hubv1.Result_Code) *hubv1.Result {
	return &hubv1.Result{Code: code, Next: nexts[code]}
}
