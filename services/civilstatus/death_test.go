package civilstatus_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
	"github.com/lienthong/lienthong/proto/reason"
	civilstatusv1 "github.com/lienthong/lienthong/proto/registry/civilstatus/v1"
	"github.com/lienthong/lienthong/services/nation"
)

type dying = civilstatusv1.RegisterDeathRequest

func TestDeathIsEnteredAndLocksTheRecord(t *testing.T) {
	w := newWorld(t)
	wife := w.wife()
	husband := w.nation.People[wife].Spouse
	made, err := w.RegisterDeath(t.Context(), w.funeral(husband))
	require.NoError(t, err)
	require.Equal(t, civilstatusv1.RegistrationKind_REGISTRATION_KIND_ON_TIME, made.Record.Head.Kind)

	found, err := w.GetDeath(t.Context(), deathOf(w.key(husband)))
	require.NoError(t, err)
	require.True(t, proto.Equal(made.Record, found.Record))
	require.Equal(t, hubv1.Result_DECEASED, w.marital(w.key(husband)).Result.Code)

	_, err = w.RegisterMarriage(t.Context(), w.wedding(husband, w.maid()))
	refused(t, err, reason.PersonDeceased, "husband")
	_, err = w.RegisterDeath(t.Context(), w.funeral(husband))
	refused(t, err, reason.AlreadyRegistered, "deceased")
}

func TestDeathEndsTheMarriageAndWidowsTheOther(t *testing.T) {
	w := newWorld(t)
	wife := w.wife()
	_, err := w.RegisterDeath(t.Context(), w.funeral(w.nation.People[wife].Spouse))
	require.NoError(t, err)
	of, err := w.GetMarriage(t.Context(), marriageOf(w.key(w.nation.People[wife].Spouse)))
	require.NoError(t, err)
	require.Equal(t, hubv1.Result_DECEASED, of.Result.Code)
	require.NotNil(t, of.Record, "what is locked can still be read")
	status := w.marital(w.key(wife))
	require.Equal(t, civilstatusv1.MaritalStatus_MARITAL_STATUS_WIDOWED, status.Status)
	require.Equal(t, "2026-11-01", status.Since)
	require.True(t, status.GetFreeToMarry())
	ended, err := w.GetMarriage(t.Context(), marriageOf(w.key(wife)))
	require.NoError(t, err)
	require.Equal(t, civilstatusv1.MarriageState_MARRIAGE_STATE_ENDED_BY_DEATH, ended.Record.State)
	require.Equal(t, "2026-11-01", ended.Record.EndedOn)
	_, err = w.RegisterMarriage(t.Context(), w.wedding(w.bachelor(), wife))
	require.NoError(t, err, "a widow may marry again")
}

func TestDeathAfterFifteenDaysIsLate(t *testing.T) {
	w := newWorld(t)
	for diedOn, want := range map[string]civilstatusv1.RegistrationKind{
		"2026-10-17": civilstatusv1.RegistrationKind_REGISTRATION_KIND_ON_TIME,
		"2026-10-16": civilstatusv1.RegistrationKind_REGISTRATION_KIND_LATE,
		"2026":       civilstatusv1.RegistrationKind_REGISTRATION_KIND_LATE,
	} {
		made, err := w.RegisterDeath(t.Context(), change(w.funeral(w.bachelor()), func(r *dying) { r.DiedOn = diedOn }))
		require.NoError(t, err)
		require.Equal(t, want, made.Record.Head.Kind, diedOn)
	}
}

func TestImpossibleDeathIsRefused(t *testing.T) {
	w := newWorld(t)
	w.setNow(time.Date(2026, 11, 1, 3, 0, 0, 0, time.UTC)) // 10:00 in Viet Nam
	man := w.bachelor()
	dead := w.dead()
	for name, c := range map[string]struct {
		req   *dying
		want  reason.Reason
		field string
	}{
		"dead already":     {w.funeral(dead), reason.AlreadyRegistered, "deceased"},
		"unknown":          {change(w.funeral(man), func(r *dying) { r.Deceased.PersonalId = "042099999999" }), reason.PersonNotFound, "deceased"},
		"other name":       {change(w.funeral(man), func(r *dying) { r.Deceased.FullName = "Ai" }), reason.PersonNotFound, "deceased"},
		"tomorrow":         {change(w.funeral(man), func(r *dying) { r.DiedOn = "2026-11-02" }), reason.DateInFuture, "died_on"},
		"later today":      {change(w.funeral(man), func(r *dying) { r.DiedAt = "10:01" }), reason.DateInFuture, "died_at"},
		"no such hour":     {change(w.funeral(man), func(r *dying) { r.DiedAt = "25:00" }), reason.FieldInvalid, "died_at"},
		"no such day":      {change(w.funeral(man), func(r *dying) { r.DiedOn = "2026-02-30" }), reason.DateMalformed, "died_on"},
		"no day":           {change(w.funeral(man), func(r *dying) { r.DiedOn = "" }), reason.FieldRequired, "died_on"},
		"before birth":     {change(w.funeral(man), func(r *dying) { r.DiedOn = "1911-01-01" }), reason.FieldInvalid, "died_on"},
		"no paper":         {change(w.funeral(man), func(r *dying) { r.Document = 0 }), reason.FieldRequired, "document"},
		"unknown paper":    {change(w.funeral(man), func(r *dying) { r.Document = 99 }), reason.CodeUnknown, "document"},
		"no place":         {change(w.funeral(man), func(r *dying) { r.Place = nil }), reason.FieldRequired, "place.commune_code"},
		"unknown commune":  {change(w.funeral(man), func(r *dying) { r.Place.CommuneCode = "99999" }), reason.CodeUnknown, "place.commune_code"},
		"other province":   {change(w.funeral(man), func(r *dying) { r.Place.ProvinceCode = "01" }), reason.FieldInvalid, "place.province_code"},
		"requester number": {change(w.funeral(man), func(r *dying) { r.Requester = &civilstatusv1.Requester{PersonalId: "1"} }), reason.IDMalformed, "requester.personal_id"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := w.RegisterDeath(t.Context(), c.req)
			refused(t, err, c.want, c.field)
		})
	}
	made, err := w.RegisterDeath(t.Context(), change(w.funeral(man), func(r *dying) { r.DiedAt = "09:59" }))
	require.NoError(t, err, "none of the refused left anything")
	require.Equal(t, "Hà Tĩnh", made.Record.Place.ProvinceName, "names are completed from the codes")
}

func TestPlaceOfBeforeTheMergerStaysAsWritten(t *testing.T) {
	w := newWorld(t)
	old := &hubv1.Address{CodeSystem: hubv1.CodeSystem_CODE_SYSTEM_GSO_2004, ProvinceCode: "42", CommuneCode: "18073", CommuneName: "Xã Cũ"}
	made, err := w.RegisterDeath(t.Context(), change(w.funeral(w.bachelor()), func(r *dying) { r.Place = old }))
	require.NoError(t, err)
	require.True(t, proto.Equal(old, made.Record.Place))
}

func TestDeathOfTheNationIsKnownThoughOnlyOnPaper(t *testing.T) {
	w := newWorld(t)
	paper := w.pick("dead, on paper", func(_ int32, p *nation.Person) bool { return !p.Living() && w.nation.Deaths[p.Death].Undigitised })
	resp, err := w.GetDeath(t.Context(), deathOf(w.key(paper)))
	require.NoError(t, err)
	require.Equal(t, hubv1.Result_MISSING, resp.Result.Code)
	_, err = w.RegisterDeath(t.Context(), w.funeral(paper))
	refused(t, err, reason.AlreadyRegistered, "deceased")
}
