package population

import (
	"context"
	"database/sql"

	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
	"github.com/lienthong/lienthong/proto/reason"
	populationv1 "github.com/lienthong/lienthong/proto/registry/population/v1"
	"github.com/lienthong/lienthong/services/person"
)

// maxEntryNumberBytes is more than the number of an entry in a book has.
const maxEntryNumberBytes = 32

// CancelNumber cancels the number of somebody whose death is being registered.
func (r *Registry) CancelNumber(ctx context.Context, req *populationv1.CancelNumberRequest) (*populationv1.CancelNumberResponse, error) {
	if err := checkRequestID(req.GetRequestId()); err != nil {
		return nil, err
	}
	q, err := r.question(req)
	if err != nil {
		return nil, err
	}
	if req.GetDeathDate() == "" {
		return nil, reason.FieldRequired.At("death_date")
	}
	death, err := r.pastDate(req.GetDeathDate(), "death_date")
	if err != nil {
		return nil, err
	}
	if len(req.GetDeathEntryNumber()) > maxEntryNumberBytes {
		return nil, reason.FieldInvalid.At("death_entry_number")
	}
	answer, err := r.once(ctx, write{
		method: "CancelNumber", id: req.GetRequestId(), req: req, note: req.GetDeathEntryNumber(),
		do: func(ctx context.Context, tx *sql.Tx) (person.ID, error) { return q.id, r.cancel(ctx, tx, q, death) },
	})
	if err != nil {
		return nil, err
	}
	return &populationv1.CancelNumberResponse{
		Result: result(hubv1.Result_DECEASED), PersonalId: string(answer.id), CancelledAt: answer.at,
	}, nil
}

// cancel marks the record as that of a dead person, and the spouse as widowed.
func (r *Registry) cancel(ctx context.Context, tx *sql.Tx, q question, death person.Date) error {
	var who identity
	found, err := one(r.ask.mortal.In(ctx, tx).QueryRow(ctx, string(q.id)).Scan(who.columns()...))
	switch {
	case err != nil:
		return err
	case !found || !who.agrees(q):
		return reason.PersonNotFound.At("personal_id")
	case who.death != "":
		return reason.AlreadyRegistered.At("personal_id")
	}
	born, err := person.ParseDate(who.birth)
	if err != nil || !death.Matches(born) && death.Time().Before(born.Time()) {
		return reason.FieldInvalid.At("death_date")
	}
	if _, err := r.ask.cancel.In(ctx, tx).Exec(ctx, string(q.id), death.String()); err != nil {
		return err
	}
	_, err = r.ask.widow.In(ctx, tx).Exec(ctx, string(q.id))
	return err
}
