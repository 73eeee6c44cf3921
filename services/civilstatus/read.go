package civilstatus

import (
	"context"

	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
	"github.com/lienthong/lienthong/proto/reason"
	civilstatusv1 "github.com/lienthong/lienthong/proto/registry/civilstatus/v1"
	"github.com/lienthong/lienthong/services/person"
)

// GetBirth returns a birth entry.
func (r *Registry) GetBirth(ctx context.Context, req *civilstatusv1.GetBirthRequest) (*civilstatusv1.GetBirthResponse, error) {
	record := &civilstatusv1.BirthRecord{}
	h, err := r.entry(ctx, req, lookUps{r.read.birthOf, r.read.birthAt}, record, func(c *codec) { c.birth(record) })
	if err != nil {
		return nil, err
	}
	resp := &civilstatusv1.GetBirthResponse{Result: &hubv1.Result{Code: h.code}}
	if h.page != "" {
		addWords(record)
		resp.Record = record
	}
	return resp, nil
}

// GetMarriage returns a marriage entry, with what became of the marriage.
func (r *Registry) GetMarriage(ctx context.Context, req *civilstatusv1.GetMarriageRequest) (*civilstatusv1.GetMarriageResponse, error) {
	record := &civilstatusv1.MarriageRecord{}
	h, err := r.entry(ctx, req, lookUps{r.read.marriageOf, r.read.marriageAt}, record, func(c *codec) { c.marriage(record) })
	if err != nil {
		return nil, err
	}
	resp := &civilstatusv1.GetMarriageResponse{Result: &hubv1.Result{Code: h.code}}
	if h.page != "" {
		record.State, record.EndedOn = civilstatusv1.MarriageState(h.state), h.endedOn
		resp.Record = record
	}
	return resp, nil
}

// GetDeath returns a death entry.
func (r *Registry) GetDeath(ctx context.Context, req *civilstatusv1.GetDeathRequest) (*civilstatusv1.GetDeathResponse, error) {
	record := &civilstatusv1.DeathRecord{}
	h, err := r.entry(ctx, req, lookUps{r.read.deathOf, r.read.deathAt}, record, func(c *codec) { c.death(record) })
	if err != nil {
		return nil, err
	}
	resp := &civilstatusv1.GetDeathResponse{Result: &hubv1.Result{Code: h.code}}
	if h.page != "" {
		resp.Record = record
	}
	return resp, nil
}

// headed is an entry of any book.
type headed interface {
	GetHead() *civilstatusv1.RecordHead
}

// entry reads the question, finds the entry and puts its page into record, as describe says. An entry in another book than was asked
// for is NO_MATCH.
func (r *Registry) entry(ctx context.Context, req lookUp, statements lookUps, record headed, describe func(*codec)) (hit, error) {
	q, err := r.question(req)
	if err != nil {
		return hit{}, err
	}
	h, err := statements.find(ctx, q)
	if err != nil {
		return hit{}, failed(ctx, err)
	}
	if h.page == "" {
		return h, nil
	}
	if err := r.catalogue.Load().read(h.page, describe); err != nil {
		return hit{}, failed(ctx, err)
	}
	if q.book != "" && q.book != record.GetHead().GetBook() {
		return hit{code: hubv1.Result_NO_MATCH}, nil
	}
	return h, nil
}

// failed is err as it leaves: a failure that callers tell apart as it is, a cancelled call as that, and anything
// else as the registry's own failure, its cause kept inside.
func failed(ctx context.Context, err error) error {
	if cause := ctx.Err(); cause != nil {
		return reason.Of(cause)
	}
	f := reason.Of(err)
	if f.Reason == reason.Internal {
		return reason.RegistryFailed.Because(err)
	}
	return f
}

// addWords writes the birth date in words, as certificates do. Pages do not hold it.
func addWords(b *civilstatusv1.BirthRecord) {
	if d, err := person.ParseDate(b.BirthDate); err == nil {
		b.BirthDateWords = inWords(d)
	}
}
