package civilstatus

import (
	"context"
	"database/sql"
	"errors"
	"strings"

	"google.golang.org/protobuf/proto"

	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
	"github.com/lienthong/lienthong/proto/reason"
	civilstatusv1 "github.com/lienthong/lienthong/proto/registry/civilstatus/v1"
	"github.com/lienthong/lienthong/services/person"
)

// posthumousDays is how long after a husband's death a child is still taken for his (Law on Marriage and Family
// 52/2014, Art. 88).
const posthumousDays = 300

// newborn is a child that is being registered, checked.
type newborn struct {
	id             person.ID
	nameKey        string
	birth          person.Date
	mother, father *citizen // nil: unknown
}

// child checks what the request says of the child itself. The number must be one of the registering province, by
// its code of today or of before July 2025, and of the child's sex and year.
func (g *registration) child(c *civilstatusv1.NewChild, at commune) (*newborn, error) {
	if c.GetPersonalId() == "" {
		return nil, reason.FieldRequired.At("child.personal_id")
	}
	id, err := person.ParseID(c.GetPersonalId())
	if err != nil {
		return nil, reason.IDMalformed.At("child.personal_id")
	}
	birth, err := g.date(c.GetBirthDate(), "child.birth_date")
	if err != nil {
		return nil, err
	}
	if birth.Day == 0 {
		return nil, reason.DateMalformed.At("child.birth_date")
	}
	if c.GetSex() != hubv1.Sex_SEX_MALE && c.GetSex() != hubv1.Sex_SEX_FEMALE {
		return nil, reason.FieldInvalid.At("child.sex")
	}
	agrees := id.Province() == at.province || id.Province() == at.oldProvince
	if !agrees || id.Sex() != c.GetSex() || id.BirthYear() != birth.Year {
		return nil, reason.NumberDisagrees.At("child.personal_id")
	}
	key, err := childName(c.GetName())
	if err != nil {
		return nil, err
	}
	return &newborn{id: id, nameKey: key, birth: birth}, nil
}

// childName checks a child's name and completes the full name. A full name that is given must be that of its parts.
func childName(n *hubv1.PersonName) (key string, err error) {
	family, middle, given := squeeze(n.GetFamily()), squeeze(n.GetMiddle()), squeeze(n.GetGiven())
	full := squeeze(family + " " + middle + " " + given)
	switch {
	case family == "":
		return "", reason.FieldRequired.At("child.name.family")
	case given == "":
		return "", reason.FieldRequired.At("child.name.given")
	case len(full) > maxNameBytes:
		return "", reason.FieldInvalid.At("child.name")
	}
	key = person.NameKey(full)
	if n.GetFull() != "" && person.NameKey(n.GetFull()) != key {
		return "", reason.FieldInvalid.At("child.name.full")
	}
	return key, nil
}

// squeeze is s with one space between words and none around them.
func squeeze(s string) string { return strings.Join(strings.Fields(s), " ") }

// parents finds the parents that are named and checks that they can be the child's.
func (g *registration) parents(ctx context.Context, req *civilstatusv1.RegisterBirthRequest, child *newborn) error {
	for _, parent := range []struct {
		field string
		key   *civilstatusv1.PersonKey
		sex   hubv1.Sex
		days  int // how long before the birth the parent may have died
		to    **citizen
	}{
		{"mother", req.GetMother(), hubv1.Sex_SEX_FEMALE, 0, &child.mother},
		{"father", req.GetFather(), hubv1.Sex_SEX_MALE, posthumousDays, &child.father},
	} {
		if parent.key == nil || proto.Equal(parent.key, &civilstatusv1.PersonKey{}) {
			continue
		}
		if req.GetChild().GetAbandoned() {
			return reason.FieldInvalid.At("child.abandoned")
		}
		c, err := g.citizen(ctx, parent.key, parent.field)
		if err != nil {
			return err
		}
		if c.sex != parent.sex || !c.birth.Time().Before(child.birth.Time()) {
			return reason.FieldInvalid.At(parent.field + ".personal_id")
		}
		if c.diedOn != "" && diedTooSoon(c.diedOn, child.birth, parent.days) {
			return reason.PersonDeceased.At(parent.field)
		}
		*parent.to = c
	}
	return nil
}

// diedTooSoon reports whether somebody had been dead for more than some days at a birth. A day of death known in
// part is taken for the last that it can be.
func diedTooSoon(diedOn string, birth person.Date, days int) bool {
	d, err := person.ParseDate(diedOn)
	if err != nil {
		return true
	}
	last := d.Time()
	switch {
	case d.Month == 0:
		last = last.AddDate(1, 0, -1)
	case d.Day == 0:
		last = last.AddDate(0, 1, -1)
	}
	return last.AddDate(0, 0, days).Before(birth.Time())
}

// newToTheBooks fails with reason.AlreadyRegistered if a parent has a child of this name and birth date already,
// whatever its number.
func (g *registration) newToTheBooks(ctx context.Context, child *newborn) error {
	stmt, parent := g.write.siblings, child.mother
	if parent == nil {
		stmt, parent = g.write.fathersChildren, child.father
	}
	if parent == nil {
		return nil
	}
	rows, err := stmt.In(ctx, g.tx).Query(ctx, string(parent.id))
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var key, birth string
		if err := rows.Scan(&key, &birth); err != nil {
			return err
		}
		if d, err := person.ParseDate(birth); err == nil && key == child.nameKey && d.Matches(child.birth) {
			return reason.AlreadyRegistered
		}
	}
	return rows.Err()
}

// inherits reports whether what a child is given is what one of the parents has (Civil Code 2015, Art. 26 and 29).
// A child of unknown parents may be given anything.
func inherits(given string, child *newborn, of func(*civilstatusv1.Party) string) bool {
	if child.mother == nil && child.father == nil {
		return true
	}
	key := person.NameKey(given)
	return key == person.NameKey(of(child.father.as())) || key == person.NameKey(of(child.mother.as()))
}

// ethnic finds the name of an ethnic group.
func (g *registration) ethnic(ctx context.Context, code string) (name string, err error) {
	if code == "" {
		return "", reason.FieldRequired.At("child.ethnic_code")
	}
	err = g.row(ctx, g.write.ethnic, code).Scan(&name)
	if errors.Is(err, sql.ErrNoRows) {
		return "", reason.CodeUnknown.At("child.ethnic_code")
	}
	return name, err
}
