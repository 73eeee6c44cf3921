package civilstatus_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
	"github.com/lienthong/lienthong/proto/reason"
	civilstatusv1 "github.com/lienthong/lienthong/proto/registry/civilstatus/v1"
	"github.com/lienthong/lienthong/services/nation"
)

func TestConfirmationIsForOnePurposeAndSixMonths(t *testing.T) {
	w := newWorld(t)
	w.setNow(time.Date(2026, 8, 31, 18, 0, 0, 0, time.UTC)) // 1 September in Viet Nam
	key := w.key(w.bachelor())
	resp, err := w.ConfirmMaritalStatus(t.Context(), &civilstatusv1.ConfirmMaritalStatusRequest{PersonalId: key.PersonalId,
		FullName: key.FullName, BirthDate: key.BirthDate, Purpose: 5, PurposeText: "Vay vốn ngân hàng"})
	require.NoError(t, err)
	require.Equal(t, hubv1.Result_FOUND, resp.Result.Code)
	require.Equal(t, civilstatusv1.MaritalPurpose_MARITAL_PURPOSE_OTHER, resp.Purpose)
	require.Equal(t, "Vay vốn ngân hàng", resp.PurposeText)
	require.Equal(t, "2026-09-01", resp.IssuedOn)
	require.Equal(t, "2027-03-01", resp.ValidUntil)
	w.setNow(time.Date(2026, 8, 31, 1, 0, 0, 0, time.UTC))
	require.Equal(t, "2027-02-28", w.marital(key).ValidUntil, "February has no 31st")
}

func TestFreeToMarryMeansUnmarriedAndOfAge(t *testing.T) {
	w := newWorld(t)
	for name, c := range map[string]struct {
		who  int32
		free bool
	}{
		"bachelor": {w.bachelor(), true},
		"wife":     {w.wife(), false},
		"boy of 19": {w.pick("a boy of 19", func(i int32, p *nation.Person) bool {
			return p.Living() && p.Sex == nation.Male && w.age(i) == 19 && p.Marital == nation.NeverMarried
		}), false},
		"girl of 17": {w.pick("a girl of 17", func(i int32, p *nation.Person) bool {
			return p.Living() && p.Sex == nation.Female && w.age(i) == 17
		}), false},
		"girl of 18 or 19": {w.pick("a girl of 18", func(i int32, p *nation.Person) bool {
			return p.Living() && p.Sex == nation.Female && (w.age(i) == 18 || w.age(i) == 19) && p.Marital == nation.NeverMarried
		}), true},
	} {
		resp := w.marital(w.key(c.who))
		require.Equal(t, hubv1.Result_FOUND, resp.Result.Code, name)
		require.NotNil(t, resp.FreeToMarry, name)
		require.Equal(t, c.free, resp.GetFreeToMarry(), name)
	}
}

func TestConfirmationNeedsAPurpose(t *testing.T) {
	w := newWorld(t)
	key := w.key(w.bachelor())
	for name, c := range map[string]struct {
		purpose civilstatusv1.MaritalPurpose
		text    string
		want    reason.Reason
		field   string
	}{
		"none":            {0, "", reason.FieldRequired, "purpose"},
		"6":               {6, "", reason.CodeUnknown, "purpose"},
		"other, not said": {5, "", reason.FieldRequired, "purpose_text"},
		"a novel":         {5, strings.Repeat("a", 601), reason.FieldInvalid, "purpose_text"},
	} {
		_, err := w.ConfirmMaritalStatus(t.Context(), &civilstatusv1.ConfirmMaritalStatusRequest{PersonalId: key.PersonalId,
			FullName: key.FullName, BirthDate: key.BirthDate, Purpose: c.purpose, PurposeText: c.text})
		require.Error(t, err, name)
		refused(t, err, c.want, c.field)
	}
}
