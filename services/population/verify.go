package population

import (
	"context"

	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
	"github.com/lienthong/lienthong/proto/reason"
	populationv1 "github.com/lienthong/lienthong/proto/registry/population/v1"
	"github.com/lienthong/lienthong/services/person"
)

// maxBatch is how many people a call may verify.
const maxBatch = 1_000

// VerifyIdentity says whether number, name and birth date agree.
func (r *Registry) VerifyIdentity(ctx context.Context, req *populationv1.VerifyIdentityRequest) (*populationv1.VerifyIdentityResponse, error) {
	q, err := r.question(req)
	if err != nil {
		return nil, err
	}
	code, differing, err := r.verify(ctx, q)
	if err != nil {
		return nil, err
	}
	return &populationv1.VerifyIdentityResponse{
		Result: result(code), Matched: len(differing) == 0, DifferingFields: differing,
	}, nil
}

// verify says what of a question does not agree with the record.
func (r *Registry) verify(ctx context.Context, q question) (hubv1.Result_Code, []populationv1.IdentityField, error) {
	who, found, err := r.find(ctx, q.id)
	if err != nil {
		return 0, nil, err
	}
	if !found {
		return hubv1.Result_NO_MATCH, []populationv1.IdentityField{populationv1.IdentityField_IDENTITY_FIELD_PERSONAL_ID}, nil
	}
	var differing []populationv1.IdentityField
	if !who.sameName(q.name) {
		differing = append(differing, populationv1.IdentityField_IDENTITY_FIELD_FULL_NAME)
	}
	if !who.sameBirth(q.birth) {
		differing = append(differing, populationv1.IdentityField_IDENTITY_FIELD_BIRTH_DATE)
	}
	if len(differing) > 0 {
		return hubv1.Result_NO_MATCH, differing, nil
	}
	return who.code(), nil, nil
}

// BatchVerify verifies up to maxBatch people.
func (r *Registry) BatchVerify(ctx context.Context, req *populationv1.BatchVerifyRequest) (*populationv1.BatchVerifyResponse, error) {
	people := req.GetPeople()
	switch {
	case len(people) == 0:
		return nil, reason.FieldRequired.At("people")
	case len(people) > maxBatch:
		return nil, reason.BatchTooLarge.At("people")
	}
	resp := &populationv1.BatchVerifyResponse{Items: make([]*populationv1.BatchVerifyItem, len(people))}
	code := hubv1.Result_FOUND
	for i, p := range people {
		item, err := r.verifyItem(ctx, p)
		if err != nil {
			return nil, err
		}
		if item.Fault != "" {
			code = hubv1.Result_PARTIAL
		}
		if item.Matched {
			resp.Matched++
		}
		resp.Items[i] = item
	}
	resp.Result = result(code)
	return resp, nil
}

// verifyItem verifies one of a batch. What is wrong with the question is part of the item.
func (r *Registry) verifyItem(ctx context.Context, req *populationv1.VerifyIdentityRequest) (*populationv1.BatchVerifyItem, error) {
	item := &populationv1.BatchVerifyItem{PersonalId: req.GetPersonalId()}
	q, err := r.question(req)
	if err != nil {
		fault := reason.Of(err)
		item.Result, item.Fault, item.FaultField = result(hubv1.Result_NO_MATCH), string(fault.Reason), fault.Field
		return item, nil
	}
	code, differing, err := r.verify(ctx, q)
	if err != nil {
		return nil, err
	}
	item.Result, item.Matched, item.DifferingFields = result(code), len(differing) == 0, differing
	return item, nil
}

// ResolveIdentifier says whose an old number is.
func (r *Registry) ResolveIdentifier(ctx context.Context, req *populationv1.ResolveIdentifierRequest) (*populationv1.ResolveIdentifierResponse, error) {
	old, err := oldID(req.GetOldId())
	if err != nil {
		return nil, err
	}
	q, err := r.someProof(req.GetFullName(), req.GetBirthDate())
	if err != nil {
		return nil, err
	}
	all, err := r.holders(ctx, old, q)
	if err != nil {
		return nil, err
	}
	switch len(all) {
	case 0:
		return &populationv1.ResolveIdentifierResponse{Result: result(hubv1.Result_NO_MATCH)}, nil
	case 1:
		return &populationv1.ResolveIdentifierResponse{Result: result(all[0].code()), PersonalId: string(all[0].id)}, nil
	}
	return &populationv1.ResolveIdentifierResponse{Result: result(hubv1.Result_MULTIPLE)}, nil
}

func oldID(s string) (person.OldID, error) {
	if s == "" {
		return "", reason.FieldRequired.At("old_id")
	}
	old, err := person.ParseOldID(s)
	if err != nil {
		return "", reason.IDMalformed.At("old_id")
	}
	return old, nil
}

// holder is somebody who holds an old number.
type holder struct {
	id person.ID
	identity
}

// holders lists who holds an old number and agrees with what else is asked.
func (r *Registry) holders(ctx context.Context, old person.OldID, q question) ([]holder, error) {
	rows, err := r.ask.holders.Query(ctx, string(old))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []holder
	for rows.Next() {
		var h holder
		if err := rows.Scan(append([]any{&h.id}, h.columns()...)...); err != nil {
			return nil, err
		}
		if h.agrees(q) {
			all = append(all, h)
		}
	}
	return all, rows.Err()
}
