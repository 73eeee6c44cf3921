package civilstatus

import (
	"context"

	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
	"github.com/lienthong/lienthong/proto/reason"
	civilstatusv1 "github.com/lienthong/lienthong/proto/registry/civilstatus/v1"
)

// birthDays is how many days after a birth its registration is still on time (Law 60/2014, Art. 15).
const birthDays = 60

// RegisterBirth enters a birth.
func (r *Registry) RegisterBirth(ctx context.Context, req *civilstatusv1.RegisterBirthRequest) (*civilstatusv1.RegisterBirthResponse, error) {
	record := &civilstatusv1.BirthRecord{}
	err := r.once(ctx, "RegisterBirth", req, record, func(g *registration) error {
		return g.birth(ctx, req, record)
	})
	if err != nil {
		return nil, err
	}
	addWords(record)
	return &civilstatusv1.RegisterBirthResponse{Result: &hubv1.Result{Code: hubv1.Result_FOUND}, Record: record}, nil
}

func (g *registration) birth(ctx context.Context, req *civilstatusv1.RegisterBirthRequest, record *civilstatusv1.BirthRecord) error {
	at, err := g.office(ctx, req.GetOffice())
	if err != nil {
		return err
	}
	child, err := g.child(req.GetChild(), at)
	if err != nil {
		return err
	}
	if err := requester(req.GetRequester()); err != nil {
		return err
	}
	if err := g.parents(ctx, req, child); err != nil {
		return err
	}
	if err := g.birthFacts(ctx, req, child, record); err != nil {
		return err
	}
	if err := g.newToTheBooks(ctx, child); err != nil {
		return err
	}
	if record.Head, err = g.head(ctx, bookOfBirths, at, req.GetOffice(), g.kindOf(child.birth, birthDays)); err != nil {
		return err
	}
	return g.bear(ctx, child, record)
}

// birthFacts checks what depends on the parents and puts everything into the record.
func (g *registration) birthFacts(ctx context.Context, req *civilstatusv1.RegisterBirthRequest, child *newborn, record *civilstatusv1.BirthRecord) error {
	c := req.GetChild()
	var err error
	if record.Birthplace, err = g.place(ctx, c.GetBirthplace(), "child.birthplace"); err != nil {
		return err
	}
	if c.GetHometown() != nil {
		if record.Hometown, err = g.place(ctx, c.GetHometown(), "child.hometown"); err != nil {
			return err
		}
	}
	if !inherits(c.GetName().GetFamily(), child, func(p *civilstatusv1.Party) string { return p.GetName().GetFamily() }) {
		return reason.FieldInvalid.At("child.name.family")
	}
	if record.EthnicName, err = g.ethnic(ctx, c.GetEthnicCode()); err != nil {
		return err
	}
	if !inherits(c.GetEthnicCode(), child, (*civilstatusv1.Party).GetEthnicCode) {
		return reason.FieldInvalid.At("child.ethnic_code")
	}
	record.EthnicCode, record.Nationality = c.GetEthnicCode(), c.GetNationality()
	if record.Nationality == "" {
		record.Nationality = "VN"
	}
	if len(record.Nationality) != 2 {
		return reason.CodeUnknown.At("child.nationality")
	}
	n := c.GetName()
	record.Name = &hubv1.PersonName{Family: squeeze(n.GetFamily()), Middle: squeeze(n.GetMiddle()), Given: squeeze(n.GetGiven())}
	record.Name.Full = squeeze(n.GetFamily() + " " + n.GetMiddle() + " " + n.GetGiven())
	record.PersonalId, record.Sex, record.BirthDate = string(child.id), c.GetSex(), child.birth.String()
	record.BirthKind = birthKind(child, c.GetAbandoned())
	record.Mother, record.Father = child.mother.as(), child.father.as()
	record.Requester = req.GetRequester()
	return nil
}

// as is how an entry names the person; nil for nobody.
func (c *citizen) as() *civilstatusv1.Party {
	if c == nil {
		return nil
	}
	return c.party
}

func birthKind(child *newborn, abandoned bool) civilstatusv1.BirthKind {
	switch {
	case abandoned:
		return civilstatusv1.BirthKind_BIRTH_KIND_ABANDONED
	case child.mother == nil && child.father == nil:
		return civilstatusv1.BirthKind_BIRTH_KIND_NO_PARENTS
	case child.mother == nil:
		return civilstatusv1.BirthKind_BIRTH_KIND_NO_MOTHER
	case child.father == nil:
		return civilstatusv1.BirthKind_BIRTH_KIND_NO_FATHER
	}
	return civilstatusv1.BirthKind_BIRTH_KIND_BOTH_PARENTS
}

// bear opens the child's file and writes the birth.
func (g *registration) bear(ctx context.Context, child *newborn, record *civilstatusv1.BirthRecord) error {
	newFile := fileOf(record)
	file := g.names.write(func(c *codec) { c.party(&newFile) })
	page := g.names.write(func(c *codec) { c.birth(record) })
	added, err := g.exec(ctx, g.write.addPerson, string(child.id), child.nameKey, record.BirthDate, int(record.Sex),
		record.GetMother().GetPersonalId(), record.GetFather().GetPersonalId(), file)
	if err != nil {
		return err
	}
	if !added {
		return reason.AlreadyRegistered.At("child.personal_id")
	}
	if added, err = g.exec(ctx, g.write.addBirth, string(child.id), entryKey(record.Head.AgencyCode, record.Head.Number), page); err == nil && !added {
		return reason.AlreadyRegistered.At("child.personal_id")
	}
	return err
}

// fileOf is how later entries will name a newborn: living with the mother, or else the father.
func fileOf(b *civilstatusv1.BirthRecord) *civilstatusv1.Party {
	home := b.GetMother()
	if home == nil {
		home = b.GetFather()
	}
	return &civilstatusv1.Party{
		PersonalId: b.PersonalId, Name: b.Name, BirthDate: b.BirthDate, Sex: b.Sex,
		EthnicCode: b.EthnicCode, EthnicName: b.EthnicName, Nationality: b.Nationality,
		ResidenceKind: home.GetResidenceKind(), Residence: home.GetResidence(),
	}
}
