package population

import (
	"context"
	"database/sql"
	"strings"

	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
	"github.com/lienthong/lienthong/proto/reason"
	populationv1 "github.com/lienthong/lienthong/proto/registry/population/v1"
	"github.com/lienthong/lienthong/services/person"
)

const (
	// maxDraws is how often a number is drawn. Even with 9 of 10 numbers of a province, sex and year given, one
	// birth in a thousand million would find none.
	maxDraws = 200
	// firstYear is the first year of birth that a number can tell.
	firstYear = 1900
)

// newborn is somebody who gets a number: the row to be written.
type newborn struct {
	province, commune string
	name              *hubv1.PersonName
	sex               hubv1.Sex
	birth             person.Date
	ethnic            string
	father, mother    person.ID // "" when not known

	fatherName, motherName string
	hometownSystem         hubv1.CodeSystem
	hometown               string
}

// IssueNumber gives a number to somebody whose birth is being registered.
func (r *Registry) IssueNumber(ctx context.Context, req *populationv1.IssueNumberRequest) (*populationv1.IssueNumberResponse, error) {
	if err := checkRequestID(req.GetRequestId()); err != nil {
		return nil, err
	}
	child, err := r.newborn(req)
	if err != nil {
		return nil, err
	}
	answer, err := r.once(ctx, write{
		method: "IssueNumber", id: req.GetRequestId(), req: req,
		do: func(ctx context.Context, tx *sql.Tx) (person.ID, error) { return r.issue(ctx, tx, child) },
	})
	if err != nil {
		return nil, err
	}
	return &populationv1.IssueNumberResponse{
		Result: result(hubv1.Result_FOUND), PersonalId: string(answer.id), IssuedAt: answer.at,
	}, nil
}

// newborn checks a request as far as it can be without the database.
func (r *Registry) newborn(req *populationv1.IssueNumberRequest) (*newborn, error) {
	child := &newborn{
		province: req.GetProvinceCode(), commune: req.GetCommuneCode(), name: req.GetName(),
		sex: req.GetSex(), ethnic: req.GetEthnicGroupCode(),
	}
	if err := r.checkCodes(child); err != nil {
		return nil, err
	}
	if err := checkName(child.name); err != nil {
		return nil, err
	}
	if child.sex != hubv1.Sex_SEX_MALE && child.sex != hubv1.Sex_SEX_FEMALE {
		return nil, reason.FieldInvalid.At("sex")
	}
	if req.GetBirthDate() == "" {
		return nil, reason.FieldRequired.At("birth_date")
	}
	var err error
	if child.birth, err = r.pastDate(req.GetBirthDate(), "birth_date"); err != nil {
		return nil, err
	}
	if child.birth.Year < firstYear {
		return nil, reason.FieldInvalid.At("birth_date")
	}
	if child.father, err = optionalID(req.GetFatherPersonalId(), "father_personal_id"); err != nil {
		return nil, err
	}
	child.mother, err = optionalID(req.GetMotherPersonalId(), "mother_personal_id")
	return child, err
}

func optionalID(s, field string) (person.ID, error) {
	if s == "" {
		return "", nil
	}
	return personalID(s, field)
}

// checkCodes checks the codes of a newborn against the shared catalogue.
func (r *Registry) checkCodes(child *newborn) error {
	c := r.catalogue.Load()
	switch {
	case child.province == "":
		return reason.FieldRequired.At("province_code")
	case len(child.province) != provinceDigits || !c.has(since2025, child.province):
		return reason.CodeUnknown.At("province_code")
	case child.commune != "" && (len(child.commune) != communeDigits || c.province(since2025, child.commune) != child.province):
		return reason.CodeUnknown.At("commune_code")
	case child.ethnic != "" && c.ethnic[child.ethnic] == "":
		return reason.CodeUnknown.At("ethnic_group_code")
	}
	return nil
}

// checkName checks the parts of a name, and the whole if it is given.
func checkName(n *hubv1.PersonName) error {
	whole := joinName(n.GetFamily(), n.GetMiddle(), n.GetGiven())
	switch {
	case person.NameKey(n.GetFamily()) == "":
		return reason.FieldRequired.At("name.family")
	case person.NameKey(n.GetGiven()) == "":
		return reason.FieldRequired.At("name.given")
	case len(whole) > maxNameBytes || strings.ContainsFunc(whole, isControl):
		return reason.FieldInvalid.At("name")
	case n.GetFull() != "" && person.NameKey(n.GetFull()) != person.NameKey(whole):
		return reason.FieldInvalid.At("name.full")
	}
	return nil
}

func isControl(c rune) bool { return c < ' ' || c == 0x7f }

// issue writes the newborn under a number that nobody has.
func (r *Registry) issue(ctx context.Context, tx *sql.Tx, child *newborn) (person.ID, error) {
	if err := r.addParents(ctx, tx, child); err != nil {
		return "", err
	}
	for range maxDraws {
		serial, err := r.serial()
		if err != nil {
			return "", err
		}
		id, err := person.NewID(child.province, child.sex, child.birth.Year, serial)
		if err != nil {
			return "", err
		}
		written, err := r.insert(ctx, tx, id, child)
		if err != nil || written {
			return id, err
		}
	}
	return "", reason.NumbersExhausted
}

// insert reports false when somebody has the number.
func (r *Registry) insert(ctx context.Context, tx *sql.Tx, id person.ID, child *newborn) (bool, error) {
	unit := child.commune
	if unit == "" {
		unit = child.province
	}
	res, err := r.ask.insert.In(ctx, tx).Exec(ctx, string(id), child.name.GetFamily(), child.name.GetMiddle(), child.name.GetGiven(),
		child.birth.String(), int(child.sex), orNull(child.ethnic), int(since2025), unit, int(child.hometownSystem), orNull(child.hometown),
		orNull(string(child.father)), orNull(child.fatherName), orNull(string(child.mother)), orNull(child.motherName))
	if err != nil {
		return false, err
	}
	n, err := res.RowsAffected()
	return n == 1, err
}
