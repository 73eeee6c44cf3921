package insurance

import (
	"context"
	"time"
	"unicode/utf8"

	"github.com/lienthong/lienthong/proto/reason"
	"github.com/lienthong/lienthong/services/person"
)

// question is whom a request asks about: a number, and the proof that the asker knows whose it is.
type question struct {
	personalID string // 12 digits, or ""
	number     string // 10 digits, or ""
	prefix     string // first part of a 15-character card number, or ""
	odd        bool   // the prefix is none that a card can have
	name       string // key of the full name
	birth      person.Date
}

// maxName bounds a full name, in bytes.
const maxName = 200

// asked is what the requests have in common.
type asked interface {
	GetPersonalId() string
	GetFullName() string
	GetBirthDate() string
}

// newQuestion checks a request for form. printed is the card or insurance number of the request field.
func newQuestion(req asked, printed, field string, now time.Time) (q question, err error) {
	if req.GetPersonalId() == "" && printed == "" {
		return q, reason.FieldRequired.At("personal_id")
	}
	if req.GetPersonalId() != "" {
		id, err := person.ParseID(req.GetPersonalId())
		if err != nil {
			return q, reason.IDMalformed.At("personal_id")
		}
		q.personalID = string(id)
	}
	if printed != "" {
		if q.prefix, q.number, q.odd, err = parseCardNumber(printed); err != nil {
			return q, reason.IDMalformed.At(field)
		}
	}
	if q.name, err = nameKey(req.GetFullName()); err != nil {
		return q, err
	}
	q.birth, err = pastDate(req.GetBirthDate(), "birth_date", now)
	return q, err
}

func nameKey(full string) (string, error) {
	if len(full) > maxName || !utf8.ValidString(full) {
		return "", reason.FieldInvalid.At("full_name")
	}
	key := person.NameKey(full)
	if key == "" {
		return "", reason.FieldRequired.At("full_name")
	}
	return key, nil
}

// pastDate reads a date that must be given and must not lie ahead.
func pastDate(s, field string, now time.Time) (person.Date, error) {
	if s == "" {
		return person.Date{}, reason.FieldRequired.At(field)
	}
	d, err := person.ParseDate(s)
	switch {
	case err != nil:
		return d, reason.DateMalformed.At(field)
	case d.After(now):
		return d, reason.DateInFuture.At(field)
	}
	return d, nil
}

// find returns the rows that the numbers name. Name and birth date are not looked at: see match. crossed says that
// the two numbers name different people.
func (r *Registry) find(ctx context.Context, q *question) (rows []insured, crossed bool, err error) {
	if q.number == "" {
		rows, err = readInsured(ctx, r.st.byPerson, q.personalID)
		return rows, false, err
	}
	rows, err = readInsured(ctx, r.st.byNumber, q.number)
	if err != nil || len(rows) == 0 || q.personalID == "" {
		return rows, false, err
	}
	return rows, rows[0].personalID != q.personalID, nil
}

// match keeps, in place, the rows that agree with name and birth date. Where none does, the code says how the
// nearest differs: a wrong date (070) is nearer than a wrong name, and same initials (061) than other ones (060).
func (q *question) match(rows []insured) ([]insured, code) {
	kept, nearest := rows[:0], wrongName
	for i := range rows {
		c := q.compare(&rows[i])
		if c == valid {
			kept = append(kept, rows[i])
			continue
		}
		nearest = max(nearest, c)
	}
	if len(kept) == 0 {
		return nil, nearest
	}
	return kept, valid
}

// compare says whether a row agrees with name and birth date: valid, wrongBirth, wrongNameSameInitials or wrongName.
func (q *question) compare(i *insured) code {
	key := person.NameKey(i.fullName())
	if key != q.name {
		if sameInitials(key, q.name) {
			return wrongNameSameInitials
		}
		return wrongName
	}
	birth, err := person.ParseDate(i.birth)
	if err != nil || !birth.Matches(q.birth) {
		return wrongBirth
	}
	return valid
}

// sameInitials reports whether two name keys have the same number of syllables, each with the same first letter.
func sameInitials(a, b string) bool {
	for {
		first, n := utf8.DecodeRuneInString(a)
		second, m := utf8.DecodeRuneInString(b)
		if first != second || n == 0 {
			return first == second && n == m
		}
		var more, too bool
		a, more = nextSyllable(a)
		b, too = nextSyllable(b)
		if !more || !too {
			return more == too
		}
	}
}

func nextSyllable(key string) (string, bool) {
	for i := range len(key) {
		if key[i] == ' ' {
			return key[i+1:], true
		}
	}
	return "", false
}

func (i *insured) fullName() string {
	full := i.family
	for _, part := range [...]string{i.middle, i.given} {
		if part != "" && full != "" {
			full += " "
		}
		full += part
	}
	return full
}
