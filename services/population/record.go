package population

import (
	"time"

	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
	populationv1 "github.com/lienthong/lienthong/proto/registry/population/v1"
	"github.com/lienthong/lienthong/services/person"
)

// vietnamese is the nationality of everybody who has a number.
const vietnamese = "VN"

// record is a person's row as personColumns have it; "" where there is nothing.
type record struct {
	id, oldID string
	identity
	sex                                    hubv1.Sex
	ethnic, religion, blood, phone         string
	cardIssued                             string
	birthSystem, hometownSystem            hubv1.CodeSystem
	birthUnit, birthDetail, hometownUnit   string
	father, fatherName, mother, motherName string
	spouse                                 string
	marital                                populationv1.MaritalStatus
	household                              string
	relation                               populationv1.Relation
	permanent, permanentDetail             string
	temporary, temporaryDetail             string
	absent                                 int
}

func (rec *record) columns() []any {
	return []any{
		&rec.id, &rec.oldID, &rec.family, &rec.middle, &rec.given, &rec.birth, &rec.sex,
		&rec.ethnic, &rec.religion, &rec.blood, &rec.phone, &rec.cardIssued,
		&rec.birthSystem, &rec.birthUnit, &rec.birthDetail, &rec.hometownSystem, &rec.hometownUnit,
		&rec.father, &rec.fatherName, &rec.mother, &rec.motherName,
		&rec.spouse, &rec.marital, &rec.household, &rec.relation,
		&rec.permanent, &rec.permanentDetail, &rec.temporary, &rec.temporaryDetail, &rec.absent, &rec.death,
	}
}

// message is the record as the contract has it, but for relatives and head.
func (rec *record) message(c *catalogue) *populationv1.Person {
	msg := &populationv1.Person{
		Name:                   &hubv1.PersonName{Family: rec.family, Middle: rec.middle, Given: rec.given, Full: rec.fullName()},
		PersonalId:             rec.id,
		BirthDate:              rec.birth,
		Sex:                    rec.sex,
		BirthPlace:             c.address(rec.birthSystem, rec.birthUnit, rec.birthDetail),
		BirthRegistrationPlace: c.address(rec.birthSystem, rec.birthUnit, ""),
		Hometown:               c.address(rec.hometownSystem, rec.hometownUnit, ""),
		EthnicGroupCode:        rec.ethnic,
		EthnicGroup:            c.ethnic[rec.ethnic],
		ReligionCode:           rec.religion,
		Religion:               c.religion[rec.religion],
		Nationality:            vietnamese,
		BloodType:              rec.blood,
		OldId:                  rec.oldID,
		PermanentResidence:     c.address(since2025, rec.permanent, rec.permanentDetail),
		ResidenceFileNumber:    rec.household,
		MaritalStatus:          rec.marital,
		RelationToHead:         rec.relation,
		DeathDate:              rec.death,
		Phone:                  rec.phone,
	}
	if card := identityCard(rec.cardIssued, rec.birth); card != nil {
		msg.IdentityDocuments = append(msg.IdentityDocuments, card)
	}
	if rec.death != "" {
		return msg
	}
	msg.TemporaryResidence = c.address(since2025, rec.temporary, rec.temporaryDetail)
	msg.TemporaryAbsence = rec.absent != 0
	msg.CurrentResidence = msg.TemporaryResidence
	if msg.CurrentResidence == nil {
		msg.CurrentResidence = msg.PermanentResidence
	}
	return msg
}

// newCards is the day from which identity cards are issued instead of citizen cards (Law on Identification 26/2023).
var newCards = person.Date{Year: 2024, Month: 7, Day: 1}

// identityCard is the card that was issued on a day, nil for none.
func identityCard(issued, birth string) *populationv1.IdentityDocument {
	day, err := person.ParseDate(issued)
	if err != nil {
		return nil
	}
	card := &populationv1.IdentityDocument{
		Kind:     populationv1.IdentityDocumentKind_IDENTITY_DOCUMENT_KIND_CITIZEN_CARD,
		IssuedOn: issued,
		IssuedBy: "Cục Cảnh sát quản lý hành chính về trật tự xã hội",
	}
	if !day.Time().Before(newCards.Time()) {
		card.Kind, card.IssuedBy = populationv1.IdentityDocumentKind_IDENTITY_DOCUMENT_KIND_IDENTITY_CARD, "Bộ Công an"
	}
	if born, err := person.ParseDate(birth); err == nil {
		card.ExpiresOn = cardExpiry(day, born).String()
	}
	return card
}

// cardExpiry is the 14th, 25th, 40th or 60th birthday, whichever comes next after the issue; but a card issued in the
// two years before one is good until the one after it. The zero Date is no end. (Law 26/2023, Art. 21.)
func cardExpiry(issued, born person.Date) person.Date {
	for _, age := range [...]int{14, 25, 40, 60} {
		birthday := person.Date{Year: born.Year + age, Month: born.Month, Day: born.Day}
		if birthday.Month == int(time.February) && birthday.Day == 29 {
			birthday.Day = 28
		}
		grace := 2
		if age == 14 {
			grace = 0
		}
		if issued.Time().AddDate(grace, 0, 0).Before(birthday.Time()) {
			return birthday
		}
	}
	return person.Date{}
}
