package civilstatus

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
	"github.com/lienthong/lienthong/proto/reason"
	civilstatusv1 "github.com/lienthong/lienthong/proto/registry/civilstatus/v1"
	"github.com/lienthong/lienthong/services/person"
)

// citizen is a person's civil-status file.
type citizen struct {
	id           person.ID
	nameKey      string
	birthText    string
	birth        person.Date
	sex          hubv1.Sex
	diedOn       string // empty: alive
	marital      civilstatusv1.MaritalStatus
	maritalSince string
	maritalKnown bool  // false: the entry that would say is only on paper
	marriage     int64 // the current one, or the last, or 0
	mother       string
	father       string
	party        *civilstatusv1.Party
}

// scanCitizen reads a row of citizenColumns. It fails with sql.ErrNoRows if there is none.
func (names *catalogue) scanCitizen(id person.ID, row interface{ Scan(...any) error }) (*citizen, error) {
	c := &citizen{id: id}
	var file string
	var known int
	err := row.Scan(&c.nameKey, &c.birthText, &c.sex, &c.diedOn, &c.marital, &c.maritalSince, &known, &c.marriage, &c.mother, &c.father, &file)
	if err != nil {
		return nil, err
	}
	c.maritalKnown = known != 0
	if c.birth, err = person.ParseDate(c.birthText); err != nil {
		return nil, fmt.Errorf("read person's birth: %w", err)
	}
	if err := names.read(file, func(k *codec) { k.party(&c.party) }); err != nil {
		return nil, fmt.Errorf("read person's file: %w", err)
	}
	return c, nil
}

// citizen finds the person that a request names at a field. It fails with reason.PersonNotFound unless number, name
// and birth date agree.
func (g *registration) citizen(ctx context.Context, key *civilstatusv1.PersonKey, field string) (*citizen, error) {
	if key.GetPersonalId() == "" {
		return nil, reason.FieldRequired.At(field + ".personal_id")
	}
	id, err := person.ParseID(key.GetPersonalId())
	if err != nil {
		return nil, reason.IDMalformed.At(field + ".personal_id")
	}
	birth, err := g.date(key.GetBirthDate(), field+".birth_date")
	if err != nil {
		return nil, err
	}
	c, err := g.names.scanCitizen(id, g.row(ctx, g.write.citizen, string(id)))
	if errors.Is(err, sql.ErrNoRows) {
		return nil, reason.PersonNotFound.At(field)
	}
	if err != nil {
		return nil, err
	}
	if c.nameKey != person.NameKey(key.GetFullName()) || !c.birth.Matches(birth) {
		return nil, reason.PersonNotFound.At(field)
	}
	return c, nil
}

// date reads a required date that is not in the future.
func (g *registration) date(s, field string) (person.Date, error) {
	if s == "" {
		return person.Date{}, reason.FieldRequired.At(field)
	}
	d, err := person.ParseDate(s)
	if err != nil {
		return d, reason.DateMalformed.At(field)
	}
	if d.Time().After(g.today.Time()) {
		return d, reason.DateInFuture.At(field)
	}
	return d, nil
}

// Ages from which one may marry (Law on Marriage and Family 52/2014, Art. 8).
const (
	menMarryAt   = 20
	womenMarryAt = 18
)

// ofAge reports whether the person may marry on a day by age. Of a birth date known in part, the earliest day counts
// (TTLT 01/2016/TANDTC-VKSNDTC-BTP, Art. 2).
func (c *citizen) ofAge(on person.Date) bool {
	years := womenMarryAt
	if c.sex != hubv1.Sex_SEX_FEMALE {
		years = menMarryAt
	}
	return !c.birth.Time().AddDate(years, 0, 0).After(on.Time())
}

func (c *citizen) married() bool {
	return c.marital == civilstatusv1.MaritalStatus_MARITAL_STATUS_MARRIED
}
