package insurance

import (
	"context"

	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
	"github.com/lienthong/lienthong/proto/reason"
	insurancev1 "github.com/lienthong/lienthong/proto/registry/insurance/v1"
	"github.com/lienthong/lienthong/services/person"
)

// GetCard returns the card of the one person who matches number, name and birth date.
func (r *Registry) GetCard(ctx context.Context, req *insurancev1.GetCardRequest) (*insurancev1.GetCardResponse, error) {
	now := r.Clock()
	q, err := newQuestion(req, req.GetCardNumber(), "card_number", now)
	if err != nil {
		return nil, err
	}
	if q.odd {
		return nil, reason.IDMalformed.At("card_number")
	}
	i, c, err := r.one(ctx, &q)
	if err != nil || c != hubv1.Result_FOUND {
		return &insurancev1.GetCardResponse{Result: resultOf(c)}, err
	}
	if i.prefix == "" || q.prefix != "" && q.prefix != i.prefix {
		return &insurancev1.GetCardResponse{Result: resultOf(hubv1.Result_NO_MATCH)}, nil
	}
	return &insurancev1.GetCardResponse{Result: resultOf(c), Card: i.card(person.DateOf(now).String())}, nil
}

// one finds the one row that agrees with the whole question, or says why there is none to return.
func (r *Registry) one(ctx context.Context, q *question) (*insured, hubv1.Result_Code, error) {
	rows, crossed, err := r.find(ctx, q)
	if err != nil || crossed {
		return nil, hubv1.Result_NO_MATCH, err
	}
	rows, _ = q.match(rows)
	switch {
	case len(rows) == 0:
		return nil, hubv1.Result_NO_MATCH, nil
	case rows[0].deceased != 0:
		return nil, hubv1.Result_DECEASED, nil
	case len(rows) > 1:
		return nil, hubv1.Result_MULTIPLE, nil
	}
	return &rows[0], hubv1.Result_FOUND, nil
}

// card is the row as a card, in its state on an ISO day.
func (i *insured) card(day string) *insurancev1.Card {
	c := &insurancev1.Card{
		CardNumber: i.cardNumber(), InsuranceNumber: i.number, PersonalId: i.personalID,
		Name: i.name(), BirthDate: i.birth, Sex: hubv1.Sex(i.sex), Address: i.address(),
		Category: i.category(), CategoryName: categories[i.category()],
		BenefitLevel: i.level(), SharePercent: shares[i.level()],
		ValidFrom: i.validFrom, ValidTo: i.validTo, FiveYearDate: i.fiveYears, LivingAreaCode: i.livingArea,
		InitialFacilityCode: i.facility, InsurerCode: i.insurer(),
		State: i.state(day), EndedOn: i.endedOn,
	}
	if i.formerPrefix != "" {
		c.FormerCardNumber = i.formerPrefix + i.number
	}
	return c
}

func (i *insured) state(day string) insurancev1.CardState {
	switch i.standing(day) {
	case valid:
		return insurancev1.CardState_CARD_STATE_VALID
	case recalled:
		return insurancev1.CardState_CARD_STATE_RECALLED
	case expired:
		if day < i.validFrom {
			return insurancev1.CardState_CARD_STATE_NOT_YET
		}
		return insurancev1.CardState_CARD_STATE_EXPIRED
	}
	return insurancev1.CardState_CARD_STATE_REDUCED
}

func (i *insured) name() *hubv1.PersonName {
	return &hubv1.PersonName{Family: i.family, Middle: i.middle, Given: i.given, Full: i.fullName()}
}

// address is nil where none is on record.
func (i *insured) address() *hubv1.Address {
	if i.codeSystem == 0 {
		return nil
	}
	return &hubv1.Address{
		CodeSystem: hubv1.CodeSystem(i.codeSystem), ProvinceCode: i.provinceCode, ProvinceName: i.provinceName,
		CommuneCode: i.communeCode, CommuneName: i.communeName, Detail: i.detail,
	}
}

// insurer is the office that keeps the card: that of the province which issued it.
func (i *insured) insurer() string {
	if len(i.prefix) != prefixLength {
		return ""
	}
	return i.prefix[3:]
}
