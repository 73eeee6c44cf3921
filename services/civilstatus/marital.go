package civilstatus

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"google.golang.org/protobuf/proto"

	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
	"github.com/lienthong/lienthong/proto/reason"
	civilstatusv1 "github.com/lienthong/lienthong/proto/registry/civilstatus/v1"
	"github.com/lienthong/lienthong/services/person"
)

const (
	monthsValid  = 6   // of a confirmation (NĐ 123/2015, Art. 23)
	maxTextBytes = 600 // 200 characters of Vietnamese
)

// ConfirmMaritalStatus confirms a person's marital status for one purpose.
func (r *Registry) ConfirmMaritalStatus(ctx context.Context, req *civilstatusv1.ConfirmMaritalStatusRequest) (*civilstatusv1.ConfirmMaritalStatusResponse, error) {
	q, err := r.identity(req.GetPersonalId(), req.GetFullName(), req.GetBirthDate())
	if err != nil {
		return nil, err
	}
	if err := checkPurpose(req); err != nil {
		return nil, err
	}
	c, err := r.catalogue.Load().scanCitizen(q.id, r.read.citizen.Find(ctx, string(q.id)))
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return nil, failed(ctx, err)
	}
	switch {
	case c == nil || !q.matches(c.nameKey, c.birthText):
		return maritalAnswer(hubv1.Result_NO_MATCH), nil
	case c.diedOn != "":
		return maritalAnswer(hubv1.Result_DECEASED), nil
	case !c.maritalKnown:
		return maritalAnswer(hubv1.Result_MISSING), nil
	}
	return confirmation(c, req, r.today()), nil
}

func checkPurpose(req *civilstatusv1.ConfirmMaritalStatusRequest) error {
	_, known := civilstatusv1.MaritalPurpose_name[int32(req.GetPurpose())]
	other := req.GetPurpose() == civilstatusv1.MaritalPurpose_MARITAL_PURPOSE_OTHER
	switch {
	case req.GetPurpose() == civilstatusv1.MaritalPurpose_MARITAL_PURPOSE_UNSPECIFIED:
		return reason.FieldRequired.At("purpose")
	case !known:
		return reason.CodeUnknown.At("purpose")
	case other && req.GetPurposeText() == "":
		return reason.FieldRequired.At("purpose_text")
	case len(req.GetPurposeText()) > maxTextBytes:
		return reason.FieldInvalid.At("purpose_text")
	}
	return nil
}

func maritalAnswer(code hubv1.Result_Code) *civilstatusv1.ConfirmMaritalStatusResponse {
	return &civilstatusv1.ConfirmMaritalStatusResponse{Result: &hubv1.Result{Code: code}}
}

// confirmation is what is confirmed of a living person on a day.
func confirmation(c *citizen, req *civilstatusv1.ConfirmMaritalStatusRequest, today person.Date) *civilstatusv1.ConfirmMaritalStatusResponse {
	resp := maritalAnswer(hubv1.Result_FOUND)
	resp.Person = c.party
	resp.Status = c.marital
	resp.FreeToMarry = proto.Bool(!c.married() && c.ofAge(today))
	resp.Since = c.maritalSince
	resp.Purpose = req.GetPurpose()
	resp.PurposeText = req.GetPurposeText()
	resp.IssuedOn = today.String()
	resp.ValidUntil = monthsAfter(today, monthsValid).String()
	return resp
}

// monthsAfter is the same day some months later, or the last of that month if it has no such day.
func monthsAfter(d person.Date, months int) person.Date {
	first := time.Date(d.Year, time.Month(d.Month+months), 1, 0, 0, 0, 0, time.UTC)
	last := first.AddDate(0, 1, -1).Day()
	return person.Date{Year: first.Year(), Month: int(first.Month()), Day: min(d.Day, last)}
}
