package population

import (
	"context"

	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
	populationv1 "github.com/lienthong/lienthong/proto/registry/population/v1"
	"github.com/lienthong/lienthong/services/person"
)

// GetPerson returns the record of a person whose number, name and birth date are known.
func (r *Registry) GetPerson(ctx context.Context, req *populationv1.GetPersonRequest) (*populationv1.GetPersonResponse, error) {
	old := req.GetOldId()
	if old != "" {
		if _, err := oldID(old); err != nil {
			return nil, err
		}
	}
	if old == "" || req.GetPersonalId() != "" {
		q, err := r.question(req)
		if err != nil {
			return nil, err
		}
		return r.lookUp(ctx, q, old)
	}
	q, err := r.proof(req.GetFullName(), req.GetBirthDate())
	if err != nil {
		return nil, err
	}
	all, err := r.holders(ctx, person.OldID(old), q)
	switch {
	case err != nil:
		return nil, err
	case len(all) == 0:
		return &populationv1.GetPersonResponse{Result: result(hubv1.Result_NO_MATCH)}, nil
	case len(all) > 1:
		return &populationv1.GetPersonResponse{Result: result(hubv1.Result_MULTIPLE)}, nil
	}
	q.id = all[0].id
	return r.lookUp(ctx, q, old)
}

// lookUp returns the record of a number, if the rest of the question and the old number, when given, agree with it.
func (r *Registry) lookUp(ctx context.Context, q question, old string) (*populationv1.GetPersonResponse, error) {
	var rec record
	found, err := one(r.ask.person.Find(ctx, string(q.id)).Scan(rec.columns()...))
	if err != nil {
		return nil, err
	}
	if !found || !rec.agrees(q) || old != "" && rec.oldID != old {
		return &populationv1.GetPersonResponse{Result: result(hubv1.Result_NO_MATCH)}, nil
	}
	msg := rec.message(r.catalogue.Load())
	if err := r.addRelatives(ctx, &rec, msg); err != nil {
		return nil, err
	}
	if err := r.addHead(ctx, &rec, msg); err != nil {
		return nil, err
	}
	return &populationv1.GetPersonResponse{Result: result(rec.code()), Person: msg}, nil
}

// addHead adds the head of the person's household.
func (r *Registry) addHead(ctx context.Context, rec *record, msg *populationv1.Person) error {
	if rec.household == "" {
		return nil
	}
	heads, err := members(ctx, r.ask.head, rec.household)
	if err != nil || len(heads) == 0 {
		return err
	}
	msg.HouseholdHead = heads[0].message()
	return nil
}

// addRelatives adds father, mother, spouse, children and, for a minor, the legal representative.
func (r *Registry) addRelatives(ctx context.Context, rec *record, msg *populationv1.Person) error {
	father := parent(populationv1.RelativeKind_RELATIVE_KIND_FATHER, rec.father, rec.fatherName)
	mother := parent(populationv1.RelativeKind_RELATIVE_KIND_MOTHER, rec.mother, rec.motherName)
	msg.Relatives = appendRelatives(msg.Relatives, father, mother)
	if rec.spouse != "" {
		spouse, _, err := r.find(ctx, person.ID(rec.spouse))
		if err != nil {
			return err
		}
		msg.Relatives = append(msg.Relatives, relative(populationv1.RelativeKind_RELATIVE_KIND_SPOUSE, rec.spouse, spouse.fullName()))
	}
	if r.minor(rec) {
		representative, err := r.representative(ctx, mother, father)
		msg.Relatives = appendRelatives(msg.Relatives, representative)
		return err
	}
	ask := r.ask.childrenOfMother
	if rec.sex == hubv1.Sex_SEX_MALE {
		ask = r.ask.childrenOfFather
	}
	children, err := members(ctx, ask, rec.id)
	for i := range children {
		msg.Relatives = append(msg.Relatives, relative(populationv1.RelativeKind_RELATIVE_KIND_CHILD, children[i].id, children[i].fullName()))
	}
	return err
}

// adult is the age at which nobody needs a legal representative any more (Civil Code, Art. 20).
const adult = 18

// minor reports whether somebody alive may still be under age.
func (r *Registry) minor(rec *record) bool {
	born, err := person.ParseDate(rec.birth)
	if err != nil || rec.death != "" {
		return false
	}
	born.Year += adult
	return born.After(r.Now())
}

// representative is the first of a minor's parents who is alive and has a number.
func (r *Registry) representative(ctx context.Context, parents ...*populationv1.Relative) (*populationv1.Relative, error) {
	for _, p := range parents {
		if p.GetPersonalId() == "" {
			continue
		}
		who, found, err := r.find(ctx, person.ID(p.GetPersonalId()))
		if err != nil {
			return nil, err
		}
		if found && who.death == "" {
			return relative(populationv1.RelativeKind_RELATIVE_KIND_REPRESENTATIVE, p.GetPersonalId(), p.GetFullName()), nil
		}
	}
	return nil, nil
}

// parent is a father or mother, nil when the record has none.
func parent(kind populationv1.RelativeKind, id, fullName string) *populationv1.Relative {
	if id == "" && fullName == "" {
		return nil
	}
	return relative(kind, id, fullName)
}

func relative(kind populationv1.RelativeKind, id, fullName string) *populationv1.Relative {
	return &populationv1.Relative{Kind: kind, FullName: fullName, PersonalId: id, Nationality: vietnamese}
}

func appendRelatives(to []*populationv1.Relative, all ...*populationv1.Relative) []*populationv1.Relative {
	for _, rel := range all {
		if rel != nil {
			to = append(to, rel)
		}
	}
	return to
}
