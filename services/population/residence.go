package population

import (
	"context"
	"strings"

	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
	"github.com/lienthong/lienthong/proto/reason"
	populationv1 "github.com/lienthong/lienthong/proto/registry/population/v1"
	"github.com/lienthong/lienthong/services/person"
)

const (
	since2025  = hubv1.CodeSystem_CODE_SYSTEM_GSO_2025
	before2025 = hubv1.CodeSystem_CODE_SYSTEM_GSO_2004
)

// residence is where somebody lives, as residenceColumns have it. Units are codes, in the codes since 2025 but for
// permanentOld.
type residence struct {
	permanent, permanentOld, permanentDetail, permanentSince string
	temporary, temporaryDetail, temporaryUntil               string
	death                                                    string
}

// unitSeparator keeps the parts of a residence apart: ASCII's own, which no address has.
const unitSeparator = "\x1f"

// residence reads where the holder of a number lives.
func (r *Registry) residence(ctx context.Context, id person.ID) (home residence, found bool, err error) {
	var joined string
	if found, err = one(r.ask.residence.Find(ctx, string(id), unitSeparator).Scan(&joined)); !found {
		return home, false, err
	}
	for _, part := range []*string{
		&home.permanent, &home.permanentOld, &home.permanentDetail, &home.permanentSince,
		&home.temporary, &home.temporaryDetail, &home.temporaryUntil, &home.death,
	} {
		*part, joined, _ = strings.Cut(joined, unitSeparator)
	}
	return home, true, nil
}

// GetResidence returns where a person lives.
func (r *Registry) GetResidence(ctx context.Context, req *populationv1.GetResidenceRequest) (*populationv1.GetResidenceResponse, error) {
	id, err := personalID(req.GetPersonalId(), "personal_id")
	if err != nil {
		return nil, err
	}
	agrees, err := r.someAgree(ctx, id, req)
	if err != nil {
		return nil, err
	}
	home, found, err := r.residence(ctx, id)
	if err != nil {
		return nil, err
	}
	if !found || !agrees {
		return &populationv1.GetResidenceResponse{Result: result(hubv1.Result_NO_MATCH)}, nil
	}
	return r.residenceAnswer(id, &home), nil
}

// someAgree checks the name and the birth date, if they were given.
func (r *Registry) someAgree(ctx context.Context, id person.ID, req *populationv1.GetResidenceRequest) (bool, error) {
	if req.GetFullName() == "" && req.GetBirthDate() == "" {
		return true, nil
	}
	q, err := r.someProof(req.GetFullName(), req.GetBirthDate())
	if err != nil {
		return false, err
	}
	who, found, err := r.find(ctx, id)
	return found && who.agrees(q), err
}

func (r *Registry) residenceAnswer(id person.ID, home *residence) *populationv1.GetResidenceResponse {
	c := r.catalogue.Load()
	resp := &populationv1.GetResidenceResponse{
		PersonalId:            string(id),
		Permanent:             c.address(since2025, home.permanent, home.permanentDetail),
		PermanentAsRegistered: c.address(before2025, home.permanentOld, home.permanentDetail),
		PermanentSince:        home.permanentSince,
	}
	if home.death != "" {
		resp.Result = result(hubv1.Result_DECEASED)
		return resp
	}
	resp.Temporary = c.address(since2025, home.temporary, home.temporaryDetail)
	resp.TemporaryUntil = home.temporaryUntil
	resp.Current = resp.Temporary
	if resp.Current == nil {
		resp.Current = resp.Permanent
	}
	resp.Result = result(hubv1.Result_FOUND)
	if resp.Current == nil {
		resp.Result = result(hubv1.Result_PARTIAL)
	}
	return resp
}

// ConfirmResidence says whether a person lives in a province or commune.
func (r *Registry) ConfirmResidence(ctx context.Context, req *populationv1.ConfirmResidenceRequest) (*populationv1.ConfirmResidenceResponse, error) {
	q, err := r.question(req)
	if err != nil {
		return nil, err
	}
	asked, err := r.area(req)
	if err != nil {
		return nil, err
	}
	who, found, err := r.find(ctx, q.id)
	if err != nil {
		return nil, err
	}
	if !found || !who.agrees(q) {
		return &populationv1.ConfirmResidenceResponse{Result: result(hubv1.Result_NO_MATCH)}, nil
	}
	home, _, err := r.residence(ctx, q.id)
	if err != nil {
		return nil, err
	}
	if who.death != "" {
		return &populationv1.ConfirmResidenceResponse{Result: result(hubv1.Result_DECEASED)}, nil
	}
	code := home.unit(asked.system, req.GetKind())
	if code == "" && !home.surelyNone(req.GetKind()) {
		return &populationv1.ConfirmResidenceResponse{Result: result(hubv1.Result_PARTIAL)}, nil
	}
	return &populationv1.ConfirmResidenceResponse{
		Result: result(hubv1.Result_FOUND), Confirmed: code != "" && asked.holds(r.catalogue.Load(), code),
	}, nil
}

// area is a province or a commune.
type area struct {
	system            hubv1.CodeSystem
	province, commune string
}

// area reads where a person is said to live.
func (r *Registry) area(req *populationv1.ConfirmResidenceRequest) (area, error) {
	a := area{req.GetCodeSystem(), req.GetProvinceCode(), req.GetCommuneCode()}
	if a.system == hubv1.CodeSystem_CODE_SYSTEM_UNSPECIFIED {
		a.system = since2025
	}
	c := r.catalogue.Load()
	switch {
	case a.system != since2025 && a.system != before2025:
		return a, reason.FieldInvalid.At("code_system")
	case populationv1.ResidenceKind_name[int32(req.GetKind())] == "":
		return a, reason.FieldInvalid.At("kind")
	case a.province == "" && a.commune == "":
		return a, reason.FieldRequired.At("province_code")
	case a.province != "" && (len(a.province) != provinceDigits || !c.has(a.system, a.province)):
		return a, reason.CodeUnknown.At("province_code")
	case a.commune == "":
		return a, nil
	case len(a.commune) != communeDigits || !c.has(a.system, a.commune),
		a.province != "" && c.province(a.system, a.commune) != a.province:
		return a, reason.CodeUnknown.At("commune_code")
	}
	return a, nil
}

// holds reports whether a unit is the area or lies in it.
func (a area) holds(c *catalogue, code string) bool {
	if a.commune != "" {
		return code == a.commune
	}
	return code == a.province || c.province(a.system, code) == a.province
}

// unit is the code of a residence in a code system, "" when the record has none.
func (home *residence) unit(system hubv1.CodeSystem, kind populationv1.ResidenceKind) string {
	temporary := kind == populationv1.ResidenceKind_RESIDENCE_KIND_TEMPORARY ||
		kind == populationv1.ResidenceKind_RESIDENCE_KIND_CURRENT && home.temporary != ""
	switch {
	case temporary && system == since2025:
		return home.temporary
	case temporary:
		return "" // temporary residences are registered anew: none is in old codes
	case system == since2025:
		return home.permanent
	}
	return home.permanentOld
}

// surelyNone reports whether the record says that there is no such residence, rather than not saying which.
func (home *residence) surelyNone(kind populationv1.ResidenceKind) bool {
	return kind == populationv1.ResidenceKind_RESIDENCE_KIND_TEMPORARY && home.temporary == ""
}
