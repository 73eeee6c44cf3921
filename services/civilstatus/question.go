package civilstatus

import (
	"context"
	"database/sql"
	"errors"
	"strconv"
	"strings"

	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
	"github.com/lienthong/lienthong/proto/reason"
	"github.com/lienthong/lienthong/services/person"
	"github.com/lienthong/lienthong/services/store"
)

// maxNameBytes is far more than any name has.
const maxNameBytes = 256

// lookUp is a request for an entry: by person, or by number and agency.
type lookUp interface {
	GetPersonalId() string
	GetFullName() string
	GetBirthDate() string
	GetNumber() string
	GetBook() string
	GetAgencyCode() string
}

// question is a lookUp, read: about id, or else about the entry at a place in the books.
type question struct {
	id    person.ID
	name  string      // key
	birth person.Date // zero: not asked
	entry string
	book  string // empty: not asked
}

// identity reads who is meant: a number, a name and a birth date, all required.
func (r *Registry) identity(id, name, birth string) (question, error) {
	var q question
	var err error
	if q.id, err = person.ParseID(id); err != nil {
		return q, reason.IDMalformed.At("personal_id")
	}
	if q.name, err = nameKey(name); err != nil {
		return q, err
	}
	if birth == "" {
		return q, reason.FieldRequired.At("birth_date")
	}
	q.birth, err = r.birthDate(birth)
	return q, err
}

func nameKey(name string) (string, error) {
	if len(name) > maxNameBytes {
		return "", reason.FieldInvalid.At("full_name")
	}
	key := person.NameKey(name)
	if key == "" {
		return "", reason.FieldRequired.At("full_name")
	}
	return key, nil
}

func (r *Registry) birthDate(s string) (person.Date, error) {
	d, err := person.ParseDate(s)
	if err != nil {
		return d, reason.DateMalformed.At("birth_date")
	}
	if d.After(r.Now()) {
		return d, reason.DateInFuture.At("birth_date")
	}
	return d, nil
}

// question reads a lookUp.
func (r *Registry) question(req lookUp) (question, error) {
	if req.GetPersonalId() != "" {
		if req.GetNumber() != "" {
			return question{}, reason.FieldInvalid.At("number") // one or the other, or they could contradict
		}
		return r.identity(req.GetPersonalId(), req.GetFullName(), req.GetBirthDate())
	}
	if req.GetNumber() == "" {
		return question{}, reason.FieldRequired.At("personal_id")
	}
	var q question
	var err error
	if q.name, err = nameKey(req.GetFullName()); err != nil {
		return q, err
	}
	if req.GetBirthDate() != "" {
		if q.birth, err = r.birthDate(req.GetBirthDate()); err != nil {
			return q, err
		}
	}
	number, ok := readNumber(req.GetNumber())
	if !ok {
		return q, reason.FieldInvalid.At("number")
	}
	if q.book, ok = readNumber(req.GetBook()); !ok && req.GetBook() != "" {
		return q, reason.FieldInvalid.At("book")
	}
	if req.GetAgencyCode() == "" {
		return q, reason.FieldRequired.At("agency_code")
	}
	if !isCommuneCode(req.GetAgencyCode()) {
		return q, reason.FieldInvalid.At("agency_code")
	}
	q.entry = entryKey(req.GetAgencyCode(), number)
	return q, nil
}

// matches reports whether a person on record is the one that is meant.
func (q question) matches(key, birth string) bool {
	if q.name != key {
		return false
	}
	if q.birth == (person.Date{}) {
		return true
	}
	d, err := person.ParseDate(birth)
	return err == nil && q.birth.Matches(d)
}

// hit is what a look-up found.
type hit struct {
	code    hubv1.Result_Code
	page    string // empty unless FOUND or DECEASED
	state   int32
	endedOn string
}

// lookUps are the two statements that find an entry: by person, and by its number.
type lookUps struct{ of, at *store.Stmt }

// find finds the entry that is asked for.
func (l lookUps) find(ctx context.Context, q question) (hit, error) {
	if q.id == "" {
		return l.findEntry(ctx, q)
	}
	h, err := q.weigh(l.of.Find(ctx, string(q.id)))
	if errors.Is(err, sql.ErrNoRows) {
		return hit{code: hubv1.Result_NO_MATCH}, nil
	}
	return h, err
}

// findEntry finds an entry by its number. Two may have it: a commune of before July 2025 and one of after, whose
// codes are equal. Usually the name tells them apart.
func (l lookUps) findEntry(ctx context.Context, q question) (hit, error) {
	rows, err := l.at.Query(ctx, q.entry)
	if err != nil {
		return hit{}, err
	}
	defer rows.Close()
	found := hit{code: hubv1.Result_NO_MATCH}
	for rows.Next() {
		h, err := q.weigh(rows)
		switch {
		case err != nil:
			return hit{}, err
		case h.code == hubv1.Result_NO_MATCH:
			continue
		case found.code != hubv1.Result_NO_MATCH:
			return hit{code: hubv1.Result_MULTIPLE}, nil
		}
		found = h
	}
	return found, rows.Err()
}

// weigh reads a row and says what it is to the question.
func (q question) weigh(row interface{ Scan(...any) error }) (hit, error) {
	var name, birth, diedOn string
	var there int
	var h hit
	var page sql.NullString
	if err := row.Scan(&name, &birth, &diedOn, &there, &h.state, &h.endedOn, &page); err != nil {
		return hit{}, err
	}
	switch {
	case there == 0 || !q.matches(name, birth):
		return hit{code: hubv1.Result_NO_MATCH}, nil
	case !page.Valid:
		h.code = hubv1.Result_MISSING
		return h, nil
	case diedOn != "":
		h.code = hubv1.Result_DECEASED
	default:
		h.code = hubv1.Result_FOUND
	}
	h.page = page.String
	return h, nil
}

// entryKey is where an entry stands in the books.
func entryKey(agency, number string) string { return agency + "/" + number }

// readNumber reads the number of an entry or a book, such as "7/2024", and writes it as the books do: "07/2024".
func readNumber(s string) (string, bool) {
	running, year, ok := strings.Cut(s, "/")
	n, err := strconv.ParseUint(running, 10, 31)
	if !ok || err != nil || n == 0 || len(year) != 4 || !isDigits(year) {
		return "", false
	}
	return writeNumber(int(n), year), true
}

func writeNumber(n int, year string) string {
	if n < 10 {
		return "0" + strconv.Itoa(n) + "/" + year
	}
	return strconv.Itoa(n) + "/" + year
}

func isCommuneCode(s string) bool { return len(s) == 5 && isDigits(s) }

func isDigits(s string) bool { return strings.Trim(s, "0123456789") == "" }
