package insurance

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"google.golang.org/protobuf/proto"

	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
	"github.com/lienthong/lienthong/proto/reason"
	insurancev1 "github.com/lienthong/lienthong/proto/registry/insurance/v1"
	"github.com/lienthong/lienthong/services/person"
)

const (
	renewalDays = 30 // a card may be renewed in its last days
	gapDays     = 90 // from such a gap on insurance is interrupted: a new card starts later, the five years begin anew
	waitDays    = 30 // how much later (Law on Health Insurance, Art. 16)
	numberTries = 32
	insurerSize = 100_000_000 // insurance numbers of a province
)

// IssueCard issues or renews a card in one transaction, and answers when it is on disk.
func (r *Registry) IssueCard(ctx context.Context, req *insurancev1.IssueCardRequest) (*insurancev1.IssueCardResponse, error) {
	o, err := newOrder(req, r.Clock())
	if err != nil {
		return nil, err
	}
	resp := &insurancev1.IssueCardResponse{}
	err = r.db.InTx(ctx, func(tx *sql.Tx) error {
		done, err := r.replay(ctx, tx, o, resp)
		if err != nil || done {
			return err
		}
		i, err := r.issue(ctx, tx, o)
		if err != nil {
			return err
		}
		resp.Result, resp.Card = resultOf(hubv1.Result_FOUND), i.card(o.today.String())
		return r.remember(ctx, tx, o, resp)
	})
	if err != nil {
		return nil, err
	}
	return resp, nil
}

// replay fills resp with the answer that this request id had before, if it had one.
func (r *Registry) replay(ctx context.Context, tx *sql.Tx, o *order, resp *insurancev1.IssueCardResponse) (bool, error) {
	var digest, answer []byte
	err := r.st.issuedRequest.In(ctx, tx).QueryRow(ctx, o.req.GetRequestId()).Scan(&digest, &answer)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return false, nil
	case err != nil:
		return false, fmt.Errorf("read request: %w", err)
	case !bytes.Equal(digest, o.digest[:]):
		return false, reason.IdempotencyConflict.At("request_id")
	}
	if err := proto.Unmarshal(answer, resp); err != nil {
		return false, fmt.Errorf("read answer of request: %w", err)
	}
	return true, nil
}

func (r *Registry) remember(ctx context.Context, tx *sql.Tx, o *order, resp *insurancev1.IssueCardResponse) error {
	answer, err := proto.Marshal(resp)
	if err != nil {
		return fmt.Errorf("keep answer of request: %w", err)
	}
	_, err = r.st.saveIssued.In(ctx, tx).Exec(ctx, o.req.GetRequestId(), o.digest[:], answer,
		o.req.GetBirthRegistrationNumber(), o.req.GetBirthRegistrationDate(), o.today.String())
	if err != nil {
		return fmt.Errorf("keep request: %w", err)
	}
	return nil
}

// issue makes the person's row with the new card, saved but not yet durable.
func (r *Registry) issue(ctx context.Context, tx *sql.Tx, o *order) (*insured, error) {
	rows, err := readInsured(ctx, r.st.writerByPerson.In(ctx, tx), o.personalID)
	if err != nil {
		return nil, err
	}
	i, err := o.standing(rows)
	if err != nil {
		return nil, err
	}
	before := insured{}
	if i != nil {
		before = *i
	}
	switch {
	case o.req.GetKind() == insurancev1.IssueKind_ISSUE_KIND_RENEWAL:
		err = o.renew(i)
	default:
		i, err = r.firstCard(ctx, tx, o, i)
	}
	if err != nil {
		return nil, err
	}
	o.place(i)
	return i, r.save(ctx, tx, &before, i)
}

// standing is the row that the card is to be written in, nil for somebody unknown. It fails if the person may not
// have another card.
func (o *order) standing(rows []insured) (*insured, error) {
	if len(rows) == 0 {
		return nil, nil
	}
	for n := range rows {
		if rows[n].deceased != 0 {
			return nil, reason.PersonDeceased
		}
	}
	rows, c := o.match(rows)
	if c != valid {
		return nil, reason.PersonNotFound
	}
	last := &rows[0]
	for n := range rows {
		if rows[n].heldOn(o.lastDay()) {
			return nil, reason.AlreadyRegistered
		}
		if rows[n].validTo > last.validTo {
			last = &rows[n]
		}
	}
	return last, nil
}

// lastDay is the day after which a card that still counts stands in the way of a new one.
func (o *order) lastDay() string {
	if o.req.GetKind() == insurancev1.IssueKind_ISSUE_KIND_RENEWAL {
		return iso(o.today.Time().AddDate(0, 0, renewalDays+1))
	}
	return o.today.String()
}

// heldOn reports whether there is a card that goes on to a day or further.
func (i *insured) heldOn(day string) bool {
	return i.prefix != "" && i.endedOn == "" && i.validTo >= day
}

// firstCard is the card of a child under 6, which counts from birth. i is nil for a child without a number.
func (r *Registry) firstCard(ctx context.Context, tx *sql.Tx, o *order, i *insured) (*insured, error) {
	ends := childCardEnds(o.birth)
	if o.today.Time().After(ends) {
		return nil, reason.NotEntitled.At("birth_date")
	}
	province := o.req.GetInitialFacilityCode()[:2]
	if i == nil {
		number, err := r.newNumber(ctx, tx, province)
		if err != nil {
			return nil, err
		}
		i = &insured{number: number, personalID: o.personalID}
		i.family, i.middle, i.given = splitName(o.req.GetFullName())
		i.birth, i.sex = o.birth.String(), int64(person.ID(o.personalID).Sex())
	}
	from := o.birth.Time()
	if i.prefix != "" {
		from = o.today.Time() // had a card before, which was ended
	}
	i.give(childUnderSix+"1"+province, from, ends)
	i.fiveYears = iso(from.AddDate(5, 0, 0))
	return i, nil
}

// renew gives a new period of 12 months. It joins on to the old one where that has not ended; after a gap of 90 days
// it begins 30 days on.
func (o *order) renew(i *insured) error {
	if i == nil || i.prefix == "" {
		return reason.PersonNotFound
	}
	switch c := i.category(); {
	case c == army, c == cipher, c == police: // their own offices issue these
		return reason.NotEntitled
	case i.endedCode == string(recalled):
		return reason.NotEntitled
	}
	today, last := o.today.Time(), i.lastDay()
	gap := today.After(last.AddDate(0, 0, gapDays))
	from := last.AddDate(0, 0, 1)
	switch {
	case gap:
		from = today.AddDate(0, 0, waitDays)
	case from.Before(today):
		from = today
	}
	prefix, to := i.prefix, from.AddDate(1, 0, -1)
	switch c := o.req.GetCategory(); {
	case c != "":
		prefix = c + string(joinable[c]) + prefix[3:]
	case i.category() == childUnderSix:
		if to = childCardEnds(o.birth); from.After(to) {
			return reason.NotEntitled.At("category")
		}
	}
	if prefix == i.prefix && !last.Before(today) {
		from = i.beginning(from) // the same card, longer
	}
	i.give(prefix, from, to)
	if gap || i.fiveYears == "" {
		i.fiveYears = iso(from.AddDate(5, 0, 0))
	}
	return nil
}

// beginning is the first day of the card on record, or another where that is none.
func (i *insured) beginning(otherwise time.Time) time.Time {
	if t, err := time.Parse(time.DateOnly, i.validFrom); err == nil {
		return t
	}
	return otherwise
}

// lastDay is the last day on which the card counted or counts.
func (i *insured) lastDay() time.Time {
	day := i.validTo
	if i.endedOn != "" && i.endedOn < day {
		day = i.endedOn
	}
	t, err := time.Parse(time.DateOnly, day)
	if err != nil {
		return time.Time{} // no period on record: as if long ago
	}
	return t
}

// give puts a card in the row. The number of another card than before is kept as the former one.
func (i *insured) give(prefix string, from, to time.Time) {
	if i.prefix != "" && i.prefix != prefix {
		i.formerPrefix = i.prefix
	}
	i.prefix, i.validFrom, i.validTo = prefix, iso(from), iso(to)
	i.endedOn, i.endedCode = "", ""
}

// place takes over the facility and address of the request, where it has them.
func (o *order) place(i *insured) {
	if f := o.req.GetInitialFacilityCode(); f != "" {
		i.facility = f
	}
	if a := o.req.GetAddress(); a != nil {
		i.codeSystem = int64(a.GetCodeSystem())
		i.provinceCode, i.provinceName = a.GetProvinceCode(), a.GetProvinceName()
		i.communeCode, i.communeName, i.detail = a.GetCommuneCode(), a.GetCommuneName(), a.GetDetail()
	}
}

func (r *Registry) save(ctx context.Context, tx *sql.Tx, before, i *insured) error {
	if _, err := r.st.saveInsured.In(ctx, tx).Exec(ctx, i.appendValues(nil)...); err != nil {
		return fmt.Errorf("save card: %w", err)
	}
	if before.prefix == "" || before.prefix == i.prefix {
		return nil
	}
	if _, err := r.st.saveFormer.In(ctx, tx).Exec(ctx, i.number, before.prefix, before.validFrom, iso(before.lastDay())); err != nil {
		return fmt.Errorf("save former card: %w", err)
	}
	if _, err := r.st.dropFormer.In(ctx, tx).Exec(ctx, i.number, i.prefix); err != nil {
		return fmt.Errorf("drop former card: %w", err)
	}
	return nil
}

// newNumber draws an insurance number of a province that nobody has.
func (r *Registry) newNumber(ctx context.Context, tx *sql.Tx, province string) (string, error) {
	taken := r.st.numberTaken.In(ctx, tx)
	for range numberTries {
		number := fmt.Sprintf("%s%08d", province, rand.N(insurerSize))
		var one int
		err := taken.QueryRow(ctx, number).Scan(&one)
		if errors.Is(err, sql.ErrNoRows) {
			return number, nil
		}
		if err != nil {
			return "", fmt.Errorf("draw insurance number: %w", err)
		}
	}
	return "", reason.NumbersExhausted
}

// splitName takes a full name apart: the first word is the family name, the last the given name.
func splitName(full string) (family, middle, given string) {
	words := strings.Fields(full)
	last := len(words) - 1
	if last == 0 {
		return "", "", words[0]
	}
	return words[0], strings.Join(words[1:last], " "), words[last]
}
