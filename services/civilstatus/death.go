package civilstatus

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"time"

	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
	"github.com/lienthong/lienthong/proto/reason"
	civilstatusv1 "github.com/lienthong/lienthong/proto/registry/civilstatus/v1"
	"github.com/lienthong/lienthong/services/person"
)

// deathDays is how many days after a death its registration is still on time (Law 60/2014, Art. 33).
const deathDays = 15

// RegisterDeath enters a death, locks the person's file and ends their marriage.
func (r *Registry) RegisterDeath(ctx context.Context, req *civilstatusv1.RegisterDeathRequest) (*civilstatusv1.RegisterDeathResponse, error) {
	record := &civilstatusv1.DeathRecord{}
	err := r.once(ctx, "RegisterDeath", req, record, func(g *registration) error {
		return g.death(ctx, req, record)
	})
	if err != nil {
		return nil, err
	}
	return &civilstatusv1.RegisterDeathResponse{Result: &hubv1.Result{Code: hubv1.Result_FOUND}, Record: record}, nil
}

func (g *registration) death(ctx context.Context, req *civilstatusv1.RegisterDeathRequest, record *civilstatusv1.DeathRecord) error {
	at, err := g.office(ctx, req.GetOffice())
	if err != nil {
		return err
	}
	deceased, err := g.citizen(ctx, req.GetDeceased(), "deceased")
	if err != nil {
		return err
	}
	if deceased.diedOn != "" {
		return reason.AlreadyRegistered.At("deceased")
	}
	diedOn, err := g.deathFacts(ctx, req, deceased, record)
	if err != nil {
		return err
	}
	if record.Head, err = g.head(ctx, bookOfDeaths, at, req.GetOffice(), g.kindOf(diedOn, deathDays)); err != nil {
		return err
	}
	if err := g.die(ctx, record); err != nil {
		return err
	}
	return g.endMarriage(ctx, deceased, record.DiedOn)
}

// deathFacts checks what the request says of the death, puts it into the record and returns the day.
func (g *registration) deathFacts(ctx context.Context, req *civilstatusv1.RegisterDeathRequest, deceased *citizen, record *civilstatusv1.DeathRecord) (person.Date, error) {
	diedOn, err := g.date(req.GetDiedOn(), "died_on")
	if err != nil {
		return diedOn, err
	}
	if diedOn.Time().Before(deceased.birth.Time()) && !diedOn.Matches(deceased.birth) {
		return diedOn, reason.FieldInvalid.At("died_on")
	}
	if err := g.timeOfDeath(req); err != nil {
		return diedOn, err
	}
	if _, known := civilstatusv1.DeathDocument_name[int32(req.GetDocument())]; !known {
		return diedOn, reason.CodeUnknown.At("document")
	}
	if req.GetDocument() == civilstatusv1.DeathDocument_DEATH_DOCUMENT_UNSPECIFIED {
		return diedOn, reason.FieldRequired.At("document")
	}
	if err := checkTexts([2]string{"cause", req.GetCause()}, [2]string{"document_number", req.GetDocumentNumber()}); err != nil {
		return diedOn, err
	}
	if err := requester(req.GetRequester()); err != nil {
		return diedOn, err
	}
	record.Place, err = g.place(ctx, req.GetPlace(), "place")
	record.Deceased, record.DiedOn, record.DiedAt = deceased.party, diedOn.String(), req.GetDiedAt()
	record.Cause, record.Document, record.DocumentNumber = req.GetCause(), req.GetDocument(), req.GetDocumentNumber()
	record.Requester = req.GetRequester()
	return diedOn, err
}

// timeOfDeath checks the hour, which may be unknown.
func (g *registration) timeOfDeath(req *civilstatusv1.RegisterDeathRequest) error {
	at := req.GetDiedAt()
	if at == "" {
		return nil
	}
	if _, err := time.Parse("15:04", at); err != nil || len(at) != len("15:04") {
		return reason.FieldInvalid.At("died_at")
	}
	if req.GetDiedOn() == g.today.String() && strings.Compare(at, g.clock) > 0 {
		return reason.DateInFuture.At("died_at")
	}
	return nil
}

// die writes the death and locks the file.
func (g *registration) die(ctx context.Context, record *civilstatusv1.DeathRecord) error {
	page := g.names.write(func(c *codec) { c.death(record) })
	id := record.Deceased.PersonalId
	for _, write := range []func() (bool, error){
		func() (bool, error) { return g.exec(ctx, g.write.die, id, record.DiedOn) },
		func() (bool, error) {
			return g.exec(ctx, g.write.addDeath, id, entryKey(record.Head.AgencyCode, record.Head.Number), page)
		},
	} {
		written, err := write()
		if err != nil {
			return err
		}
		if !written {
			return reason.AlreadyRegistered.At("deceased")
		}
	}
	return nil
}

// endMarriage ends the deceased's current marriage, if there is one, and leaves the other spouse widowed.
func (g *registration) endMarriage(ctx context.Context, deceased *citizen, on string) error {
	if !deceased.married() {
		return nil
	}
	var husband, wife string
	err := g.row(ctx, g.write.endMarriage, deceased.marriage, on).Scan(&husband, &wife)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	if err != nil {
		return err
	}
	survivor := husband
	if husband == string(deceased.id) {
		survivor = wife
	}
	_, err = g.exec(ctx, g.write.widow, survivor, on)
	return err
}
