package insurance

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
	"github.com/lienthong/lienthong/proto/reason"
	insurancev1 "github.com/lienthong/lienthong/proto/registry/insurance/v1"
	"github.com/lienthong/lienthong/services/person"
)

// visit is the rest of a coverage question: where and when.
type visit struct {
	facility string
	day      string // ISO date
}

// CheckCoverage says whether a person is covered at a facility on a day.
//
// The rules, in this order: the number must be one that exists (050, 051, 130 for a small child; 205 if two numbers
// name two people), name and birth date must agree (060, 061, 070), the printed number must be the card's (051 to
// 053, 003 and 004 for one that was replaced), and the card must count on the day (110 to 124, 010). Name comes
// before the printed number, so that nobody can find a number out who does not know the person.
func (r *Registry) CheckCoverage(ctx context.Context, req *insurancev1.CheckCoverageRequest) (*insurancev1.CheckCoverageResponse, error) {
	now := r.Clock()
	q, err := newQuestion(req, req.GetCardNumber(), "card_number", now)
	if err != nil {
		return nil, err
	}
	v, err := newVisit(req, now)
	if err != nil {
		return nil, err
	}
	if q.odd {
		return answer(wrongForm), nil
	}
	rows, crossed, err := r.find(ctx, &q)
	switch {
	case err != nil:
		return nil, err
	case crossed:
		return answer(wrongParameters), nil
	case len(rows) == 0:
		return answer(q.withoutRecord(v.day)), nil
	}
	rows, c := q.match(rows)
	if c != valid {
		return answer(c), nil
	}
	i := best(rows, v.day)
	return r.decide(ctx, &q, i, v)
}

func newVisit(req *insurancev1.CheckCoverageRequest, now time.Time) (v visit, err error) {
	v.facility, v.day = req.GetFacilityCode(), req.GetDate()
	if err := facilityCode(v.facility, "facility_code"); err != nil {
		return v, err
	}
	if v.day == "" {
		v.day = person.DateOf(now).String()
		return v, nil
	}
	day, err := pastDate(v.day, "date", now)
	if err == nil && day.Day == 0 {
		err = reason.DateMalformed.At("date")
	}
	return v, err
}

// withoutRecord is the code for somebody whom the registry does not know. A small child may be treated on its birth
// certificate (NĐ 188/2025, Art. 37): the number and the birth date must tell the same year.
func (q *question) withoutRecord(day string) code {
	if q.personalID != "" && q.number == "" && person.ID(q.personalID).BirthYear() == q.birth.Year && underSix(q.birth, day) {
		return childWithoutCard
	}
	return noCard
}

// best picks the card that counts for somebody insured under several numbers: one in force before others, then the
// one that pays more, then the one that lasts longer. rows is not empty.
func best(rows []insured, day string) *insured {
	b := &rows[0]
	for i := range rows[1:] {
		if r := &rows[i+1]; r.rank(day) > b.rank(day) || r.rank(day) == b.rank(day) && r.validTo > b.validTo {
			b = r
		}
	}
	return b
}

func (i *insured) rank(day string) uint32 {
	if i.prefix == "" || i.standing(day) != valid {
		return 0
	}
	return 1 + shares[i.level()]
}

// standing says whether the card counts on a day, and if not, why: a code from 010 to 124.
func (i *insured) standing(day string) code {
	switch {
	case i.endedOn != "" && day > i.endedOn:
		return code(i.endedCode)
	case day < i.validFrom || day > i.validTo:
		return expired
	}
	return valid
}

// decide answers for a person who is known and matched.
func (r *Registry) decide(ctx context.Context, q *question, i *insured, v visit) (*insurancev1.CheckCoverageResponse, error) {
	if i.prefix == "" {
		return answer(i.withoutCard(v.day)), nil
	}
	standing := i.standing(v.day)
	switch {
	case i.deceased != 0 && standing != valid:
		return deceased(standing), nil
	case q.prefix != "" && q.prefix != i.prefix:
		return r.decideFormer(ctx, q.prefix, i, v.day)
	case v.day < i.validFrom && i.formerPrefix != "": // the new card has not begun: the one before may count still
		former, err := r.former(ctx, i, i.formerPrefix)
		if err != nil {
			return nil, err
		}
		if former != nil && former.standing(v.day) == valid {
			i, standing = former, valid
		}
	}
	if standing != valid {
		return i.coverage(standing), nil
	}
	return i.coverage(i.validAt(v.facility)), nil
}

// validAt is the code of a card that counts, at a facility.
func (i *insured) validAt(facility string) code {
	switch i.category() {
	case army, cipher:
		return armyCard
	case police:
		return policeCard
	}
	if facility[:2] != i.facility[:min(2, len(i.facility))] {
		return wrongFacility
	}
	return valid
}

// withoutCard is the code for somebody who is on record without any card.
func (i *insured) withoutCard(day string) code {
	if birth, err := person.ParseDate(i.birth); err == nil && underSix(birth, day) {
		return childWithoutCard
	}
	return noCard
}

// decideFormer answers for a printed number that is not the one of the person's card now.
func (r *Registry) decideFormer(ctx context.Context, prefix string, i *insured, day string) (*insurancev1.CheckCoverageResponse, error) {
	former, err := r.former(ctx, i, prefix)
	if err != nil {
		return nil, err
	}
	if former == nil {
		return answer(misprint(prefix, i.prefix)), nil
	}
	if former.standing(day) == valid {
		resp := former.coverage(validReplaced)
		resp.NewCardNumber, resp.NewValidFrom, resp.NewValidTo = i.cardNumber(), i.validFrom, i.validTo
		return resp, nil
	}
	if c := i.standing(day); c != valid {
		return i.coverage(c), nil
	}
	resp := i.coverage(endedReplaced)
	resp.NewCardNumber, resp.NewValidFrom, resp.NewValidTo = i.cardNumber(), i.validFrom, i.validTo
	resp.CardNumber, resp.ValidFrom, resp.ValidTo = former.cardNumber(), former.validFrom, former.validTo
	return resp, nil
}

// former is the row as it was with a card that was replaced, or nil where there was no such card.
func (r *Registry) former(ctx context.Context, i *insured, prefix string) (*insured, error) {
	f := *i
	f.prefix, f.formerPrefix, f.endedOn, f.endedCode = prefix, "", "", ""
	err := r.st.formerCard.Find(ctx, i.number, prefix).Scan(&f.validFrom, &f.validTo)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("read former card: %w", err)
	}
	return &f, nil
}

// misprint says which part of a printed number is not the card's.
func misprint(printed, prefix string) code {
	switch {
	case printed[:2] != prefix[:2]:
		return wrongForm
	case printed[2] != prefix[2]:
		return wrongLevel
	}
	return wrongProvince
}

// answer is a code without anything of a record.
func answer(c code) *insurancev1.CheckCoverageResponse {
	m := meanings[c]
	resp := &insurancev1.CheckCoverageResponse{
		Result: resultOf(m.result), Code: string(c), MeaningVi: m.vi, MeaningEn: m.en, Covered: m.covered,
	}
	if c == childWithoutCard {
		resp.Category, resp.CategoryName = childUnderSix, categories[childUnderSix]
		resp.BenefitLevel, resp.SharePercent = childLevel, shares[childLevel]
	}
	return resp
}

func deceased(c code) *insurancev1.CheckCoverageResponse {
	resp := answer(c)
	resp.Result = resultOf(hubv1.Result_DECEASED)
	return resp
}

// coverage is a code with what the portal tells of the record.
func (i *insured) coverage(c code) *insurancev1.CheckCoverageResponse {
	resp := answer(c)
	resp.CardNumber, resp.InsuranceNumber, resp.PersonalId = i.cardNumber(), i.number, i.personalID
	resp.Name, resp.BirthDate, resp.Sex, resp.Address = i.name(), i.birth, hubv1.Sex(i.sex), i.address()
	resp.Category, resp.CategoryName = i.category(), categories[i.category()]
	resp.BenefitLevel, resp.SharePercent = i.level(), shares[i.level()]
	resp.ValidFrom, resp.ValidTo, resp.FiveYearDate = i.validFrom, i.validTo, i.fiveYears
	resp.LivingAreaCode, resp.InitialFacilityCode, resp.InsurerCode = i.livingArea, i.facility, i.insurer()
	return resp
}
