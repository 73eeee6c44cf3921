package civilstatus

import (
	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
	civilstatusv1 "github.com/lienthong/lienthong/proto/registry/civilstatus/v1"
	"github.com/lienthong/lienthong/services/nation"
)

// number is a person's number, "" for nobody.
func (f *filler) number(i int32) string {
	if i == nation.None {
		return ""
	}
	return f.nation.People[i].Number.String()
}

// birth is the entry of a person's birth, as the book has it.
func (f *filler) birth(i int32) *civilstatusv1.BirthRecord {
	p, b := &f.nation.People[i], &f.nation.Births[i]
	father, mother := f.nation.ParentNames(i)
	r := &civilstatusv1.BirthRecord{
		Head:       head(&b.Entry),
		PersonalId: p.Number.String(),
		Name:       name(b.Name),
		Sex:        hubv1.Sex(p.Sex),
		BirthDate:  b.Date.String(),
		Birthplace: address(p.BirthPlace),
		Hometown:   address(p.Hometown),
		EthnicCode: ethnicCode(p.Ethnic), EthnicName: nation.EthnicName(p.Ethnic),
		Nationality: p.Nationality(),
		BirthKind:   civilstatusv1.BirthKind_BIRTH_KIND_NO_FATHER,
		Mother:      f.parent(p.Mother, mother, &b.Entry),
	}
	r.Requester = &civilstatusv1.Requester{FullName: r.Mother.Name.Full, Relation: "Mẹ", PersonalId: r.Mother.PersonalId}
	if !b.NoFather {
		r.BirthKind = civilstatusv1.BirthKind_BIRTH_KIND_BOTH_PARENTS
		r.Father = f.parent(p.Father, father, &b.Entry)
		r.Requester = &civilstatusv1.Requester{FullName: r.Father.Name.Full, Relation: "Cha", PersonalId: r.Father.PersonalId}
	}
	return r
}

// parent is a child's parent, who lived where the birth was entered; of one who is not in the nation, only the name
// is known.
func (f *filler) parent(i int32, unknown nation.Name, at *nation.Entry) *civilstatusv1.Party {
	if i == nation.None {
		return &civilstatusv1.Party{Name: name(unknown)}
	}
	return f.party(i, at.Place)
}

// citizen is how an entry made today would name a person.
func (f *filler) citizen(i int32) *civilstatusv1.Party {
	party := f.party(i, f.nation.Residence(i))
	b := &f.nation.Births[i] // the books' own word on the name and the date
	party.Name, party.BirthDate = name(b.Name), b.Date.String()
	return party
}

// party is a person by their papers, living at a place.
func (f *filler) party(i int32, at nation.Place) *civilstatusv1.Party {
	p := &f.nation.People[i]
	party := &civilstatusv1.Party{
		PersonalId: p.Number.String(),
		Name:       name(p.Name),
		BirthDate:  p.Birth.String(),
		Sex:        hubv1.Sex(p.Sex),
		EthnicCode: ethnicCode(p.Ethnic), EthnicName: nation.EthnicName(p.Ethnic),
		Nationality:   p.Nationality(),
		ResidenceKind: civilstatusv1.ResidenceKind_RESIDENCE_KIND_PERMANENT,
		Residence:     address(at),
	}
	if p.Issued != 0 {
		party.PaperKind, party.PaperNumber = civilstatusv1.PaperKind_PAPER_KIND_ID_CARD, party.PersonalId
	}
	return party
}

func (f *filler) marriage(m *nation.Marriage) *civilstatusv1.MarriageRecord {
	r := &civilstatusv1.MarriageRecord{
		Head:    head(&m.Entry),
		Husband: f.party(m.Husband, m.Place),
		Wife:    f.party(m.Wife, m.Place),
	}
	if m.End == nation.EndedByDivorce { // the court's decision is noted in the margin
		r.Head.Note = "Ly hôn theo Quyết định số " + m.DecisionText() + " của " + m.Court()
	}
	return r
}

func (f *filler) death(d *nation.Death) *civilstatusv1.DeathRecord {
	minute := int(d.Minute)
	return &civilstatusv1.DeathRecord{
		Head:     head(&d.Entry),
		Deceased: f.party(d.Person, f.nation.Residence(d.Person)),
		DiedOn:   d.When.String(),
		DiedAt:   twoDigits(minute/60) + ":" + twoDigits(minute%60),
		Place:    address(d.Where),
		Cause:    d.Cause.String(),
		Document: civilstatusv1.DeathDocument(d.Document),
	}
}

// signers are made-up officials.
var signers = [...][2]string{
	{"Trần Văn Minh", "Lê Thị Mai"}, {"Nguyễn Đức Thắng", "Phạm Thu Hương"}, {"Lê Quang Huy", "Trần Thị Lan"},
	{"Phạm Văn Hải", "Vũ Thị Ngọc"}, {"Hoàng Thị Yến", "Nguyễn Văn Khoa"}, {"Đặng Hữu Phước", "Bùi Thị Hạnh"},
}

func head(e *nation.Entry) *civilstatusv1.RecordHead {
	by := signers[(int(e.Place.Commune)+e.Date.Year())%len(signers)]
	return &civilstatusv1.RecordHead{
		Number:       e.NumberText(),
		Book:         e.Book(),
		Page:         int32(e.Page()),
		RegisteredOn: e.Date.String(),
		Kind:         civilstatusv1.RegistrationKind(e.Kind),
		AgencyCode:   e.Place.CommuneCode(),
		AgencyName:   e.Place.Agency() + ", " + e.Place.ProvinceName(),
		Signer:       by[0],
		SignerTitle:  "Chủ tịch",
		Clerk:        by[1],
	}
}

func name(n nation.Name) *hubv1.PersonName {
	return &hubv1.PersonName{Family: n.FamilyName(), Middle: n.MiddleName(), Given: n.GivenName(), Full: n.String()}
}

// address is a place, nil for none.
func address(p nation.Place) *hubv1.Address {
	if p == (nation.Place{}) {
		return nil
	}
	return &hubv1.Address{
		CodeSystem:   hubv1.CodeSystem(p.System),
		ProvinceCode: p.ProvinceCode(), ProvinceName: p.ProvinceName(),
		CommuneCode: p.CommuneCode(), CommuneName: p.CommuneName(),
		Detail: p.Detail(),
	}
}

// ethnicCode is the 2-digit code of an ethnic group.
func ethnicCode(code uint8) string { return twoDigits(int(code)) }

func twoDigits(n int) string { return string([]byte{byte('0' + n/10%10), byte('0' + n%10)}) }
