package population

import (
	"context"
	"database/sql"

	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
	"github.com/lienthong/lienthong/proto/reason"
	"github.com/lienthong/lienthong/services/person"
	"github.com/lienthong/lienthong/services/store"
)

// parentOf is one of a newborn's parents as the request has them, and what the record says.
type parentOf struct {
	id       person.ID
	field    string // of the request
	sex      hubv1.Sex
	children *store.Stmt

	name           string
	hometownSystem hubv1.CodeSystem
	hometown       string
}

// addParents checks the parents and takes over their names, and the father's hometown, or else the mother's. It
// fails with reason.PersonNotFound when nobody has a parent's number, reason.FieldInvalid when the parent cannot be
// one, and reason.AlreadyRegistered when the parent has a child of the same name and birth date.
func (r *Registry) addParents(ctx context.Context, tx *sql.Tx, child *newborn) error {
	mother := parentOf{id: child.mother, field: "mother_personal_id", sex: hubv1.Sex_SEX_FEMALE, children: r.ask.siblingsByMother}
	father := parentOf{id: child.father, field: "father_personal_id", sex: hubv1.Sex_SEX_MALE, children: r.ask.siblingsByFather}
	for _, p := range []*parentOf{&mother, &father} {
		if p.id == "" {
			continue
		}
		if err := r.readParent(ctx, tx, p, child); err != nil {
			return err
		}
		if err := checkSiblings(ctx, tx, p, child); err != nil {
			return err
		}
		child.hometownSystem, child.hometown = p.hometownSystem, p.hometown
	}
	child.motherName, child.fatherName = mother.name, father.name
	return nil
}

// readParent reads the parent's record. A parent is of the right sex, and born before the child.
func (r *Registry) readParent(ctx context.Context, tx *sql.Tx, p *parentOf, child *newborn) error {
	var who identity
	var sex hubv1.Sex
	found, err := one(r.ask.parent.In(ctx, tx).QueryRow(ctx, string(p.id)).
		Scan(append(who.columns(), &sex, &p.hometownSystem, &p.hometown)...))
	if err != nil {
		return err
	}
	if !found {
		return reason.PersonNotFound.At(p.field)
	}
	born, err := person.ParseDate(who.birth)
	if err != nil || sex != p.sex || !born.Time().Before(child.birth.Time()) {
		return reason.FieldInvalid.At(p.field)
	}
	p.name = who.fullName()
	return nil
}

// checkSiblings refuses a child that the parent has already.
func checkSiblings(ctx context.Context, tx *sql.Tx, p *parentOf, child *newborn) error {
	siblings, err := members(ctx, p.children.In(ctx, tx), string(p.id))
	if err != nil {
		return err
	}
	key := person.NameKey(joinName(child.name.GetFamily(), child.name.GetMiddle(), child.name.GetGiven()))
	for i := range siblings {
		if siblings[i].birth == child.birth.String() && siblings[i].sameName(key) {
			return reason.AlreadyRegistered
		}
	}
	return nil
}
