package civilstatus_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
	"github.com/lienthong/lienthong/proto/reason"
	civilstatusv1 "github.com/lienthong/lienthong/proto/registry/civilstatus/v1"
	"github.com/lienthong/lienthong/services/nation"
)

func TestMarriageIsEnteredAndSeenAtOnce(t *testing.T) {
	w := newWorld(t)
	husband, wife := w.bachelor(), w.maid()
	made, err := w.RegisterMarriage(t.Context(), w.wedding(husband, wife))
	require.NoError(t, err)
	require.Equal(t, hubv1.Result_FOUND, made.Result.Code)
	head := made.Record.Head
	require.Equal(t, w.commune().CodeText(), head.AgencyCode)
	require.Regexp(t, `^\d{2,}/2026$`, head.Number)
	require.Equal(t, "01/2026", head.Book)
	require.Equal(t, "2026-11-01", head.RegisteredOn)
	require.Contains(t, head.AgencyName, "Hà Tĩnh")
	for _, spouse := range []int32{husband, wife} {
		found, err := w.GetMarriage(t.Context(), marriageOf(w.key(spouse)))
		require.NoError(t, err)
		require.True(t, proto.Equal(made.Record, found.Record))
		status := w.marital(w.key(spouse))
		require.Equal(t, civilstatusv1.MaritalStatus_MARITAL_STATUS_MARRIED, status.Status)
		require.Equal(t, "2026-11-01", status.Since)
		require.False(t, status.GetFreeToMarry())
	}
}

func TestNumbersOfABookFollowEachOther(t *testing.T) {
	w := newWorld(t)
	var last int
	for i := range 3 {
		made, err := w.RegisterMarriage(t.Context(), w.wedding(w.bachelor(), w.maid()))
		require.NoError(t, err)
		var n, year int
		_, err = fmt.Sscanf(made.Record.Head.Number, "%d/%d", &n, &year)
		require.NoError(t, err)
		if i > 0 {
			require.Equal(t, last+1, n)
		}
		last = n
		_, err = w.RegisterMarriage(t.Context(), w.wedding(w.wife(), w.wife()))
		require.Error(t, err, "a refused registration takes no number")
	}
	w.setNow(time.Date(2027, 1, 4, 3, 0, 0, 0, time.UTC))
	made, err := w.RegisterMarriage(t.Context(), w.wedding(w.bachelor(), w.maid()))
	require.NoError(t, err)
	require.Equal(t, "01/2027", made.Record.Head.Number)
}

func TestForbiddenMarriageIsRefused(t *testing.T) {
	w := newWorld(t)
	bachelor, maid, wife := w.bachelor(), w.maid(), w.wife()
	husband := w.nation.People[wife].Spouse
	boy := w.pick("a boy of 19", func(i int32, p *nation.Person) bool {
		return p.Living() && p.Sex == nation.Male && w.age(i) == 19 && p.Spouse == nation.None
	})
	girl := w.pick("a girl of 17", func(i int32, p *nation.Person) bool {
		return p.Living() && p.Sex == nation.Female && w.age(i) == 17
	})
	dead := w.pick("a dead man", func(_ int32, p *nation.Person) bool { return !p.Living() && p.Sex == nation.Male })
	for name, c := range map[string]struct {
		req   *civilstatusv1.RegisterMarriageRequest
		want  reason.Reason
		field string
	}{
		"a wife":           {w.wedding(bachelor, wife), reason.AlreadyMarried, "wife"},
		"a husband":        {w.wedding(husband, maid), reason.AlreadyMarried, "husband"},
		"a boy of 19":      {w.wedding(boy, maid), reason.UnderAge, "husband"},
		"a girl of 17":     {w.wedding(bachelor, girl), reason.UnderAge, "wife"},
		"a dead man":       {w.wedding(dead, maid), reason.PersonDeceased, "husband"},
		"two men":          {w.wedding(bachelor, w.bachelor()), reason.FieldInvalid, "wife.personal_id"},
		"two women":        {w.wedding(maid, w.maid()), reason.FieldInvalid, "husband.personal_id"},
		"with themselves":  {w.wedding(bachelor, bachelor), reason.FieldInvalid, "wife.personal_id"},
		"unknown number":   {change(w.wedding(bachelor, maid), func(r *civilstatusv1.RegisterMarriageRequest) { r.Wife.PersonalId = "042199999999" }), reason.PersonNotFound, "wife"},
		"other name":       {change(w.wedding(bachelor, maid), func(r *civilstatusv1.RegisterMarriageRequest) { r.Wife.FullName += " Anh" }), reason.PersonNotFound, "wife"},
		"other birth":      {change(w.wedding(bachelor, maid), func(r *civilstatusv1.RegisterMarriageRequest) { r.Wife.BirthDate = "1911" }), reason.PersonNotFound, "wife"},
		"no wife":          {change(w.wedding(bachelor, maid), func(r *civilstatusv1.RegisterMarriageRequest) { r.Wife = nil }), reason.FieldRequired, "wife.personal_id"},
		"malformed number": {change(w.wedding(bachelor, maid), func(r *civilstatusv1.RegisterMarriageRequest) { r.Husband.PersonalId = "0421" }), reason.IDMalformed, "husband.personal_id"},
		"no office":        {change(w.wedding(bachelor, maid), func(r *civilstatusv1.RegisterMarriageRequest) { r.Office = nil }), reason.FieldRequired, "office.agency_code"},
		"unknown office":   {change(w.wedding(bachelor, maid), func(r *civilstatusv1.RegisterMarriageRequest) { r.Office.AgencyCode = "99999" }), reason.CodeUnknown, "office.agency_code"},
		"nobody signs":     {change(w.wedding(bachelor, maid), func(r *civilstatusv1.RegisterMarriageRequest) { r.Office.Signer = " " }), reason.FieldRequired, "office.signer"},
		"no request id":    {change(w.wedding(bachelor, maid), func(r *civilstatusv1.RegisterMarriageRequest) { r.RequestId = "" }), reason.FieldRequired, "request_id"},
		"bad request id":   {change(w.wedding(bachelor, maid), func(r *civilstatusv1.RegisterMarriageRequest) { r.RequestId = "one two three" }), reason.FieldInvalid, "request_id"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := w.RegisterMarriage(t.Context(), c.req)
			refused(t, err, c.want, c.field)
		})
	}
	_, err := w.RegisterMarriage(t.Context(), w.wedding(bachelor, maid))
	require.NoError(t, err, "none of the refused left anything")
}

// change changes a request and returns it.
func change[M proto.Message](m M, how func(M)) M {
	how(m)
	return m
}

func TestRelativesWithinThreeGenerationsMayNotMarry(t *testing.T) {
	w := newWorld(t)
	free := func(i int32) bool {
		p := &w.nation.People[i]
		return p.Living() && p.Marital != nation.Married
	}
	pair := func(related func(a, b *nation.Person) bool) (man, woman int32) {
		for i := range w.nation.People {
			a := &w.nation.People[i]
			if a.Sex != nation.Male || !free(int32(i)) || w.age(int32(i)) < 20 {
				continue
			}
			for j := range w.nation.People {
				b := &w.nation.People[j]
				if b.Sex == nation.Female && free(int32(j)) && w.age(int32(j)) >= 18 && related(a, b) {
					return int32(i), int32(j)
				}
			}
		}
		require.FailNow(t, "no such pair")
		return
	}
	for name, related := range map[string]func(a, b *nation.Person) bool{
		"brother and sister": func(a, b *nation.Person) bool { return a.Mother != nation.None && a.Mother == b.Mother },
		"son and mother":     func(a, b *nation.Person) bool { return a.Mother != nation.None && &w.nation.People[a.Mother] == b },
	} {
		man, woman := pair(related)
		_, err := w.RegisterMarriage(t.Context(), w.wedding(man, woman))
		require.Error(t, err, name)
		refused(t, err, reason.KinTooClose, "")
	}
}

func TestSameRequestGivesTheSameEntryAgain(t *testing.T) {
	w := newWorld(t)
	req := w.wedding(w.bachelor(), w.maid())
	first, err := w.RegisterMarriage(t.Context(), req)
	require.NoError(t, err)
	_, err = w.RegisterDeath(t.Context(), change(w.funeral(w.bachelor()), func(r *civilstatusv1.RegisterDeathRequest) { r.Deceased = req.Husband }))
	require.NoError(t, err)
	w.setNow(w.clock().AddDate(1, 0, 0))
	again, err := w.RegisterMarriage(t.Context(), req)
	require.NoError(t, err)
	require.True(t, proto.Equal(first, again), "a year later, and though one has died since")
}

func TestRequestIDForAnotherRequestIsAConflict(t *testing.T) {
	w := newWorld(t)
	req := w.wedding(w.bachelor(), w.maid())
	_, err := w.RegisterMarriage(t.Context(), req)
	require.NoError(t, err)
	other := w.wedding(w.bachelor(), w.maid())
	other.RequestId = req.RequestId
	_, err = w.RegisterMarriage(t.Context(), other)
	refused(t, err, reason.IdempotencyConflict, "request_id")
	_, err = w.RegisterDeath(t.Context(), change(w.funeral(w.bachelor()), func(r *civilstatusv1.RegisterDeathRequest) { r.RequestId = req.RequestId }))
	refused(t, err, reason.IdempotencyConflict, "request_id")
}

func TestRefusedRequestMayBeSentAgainWithItsID(t *testing.T) {
	w := newWorld(t)
	req := w.wedding(w.bachelor(), w.maid())
	signer := req.Office.Signer
	req.Office.Signer = ""
	_, err := w.RegisterMarriage(t.Context(), req)
	refused(t, err, reason.FieldRequired, "office.signer")
	req.Office.Signer = signer
	_, err = w.RegisterMarriage(t.Context(), req)
	require.NoError(t, err)
}

func TestManyConcurrentMarriagesOfOneManLeaveOne(t *testing.T) {
	w := newWorld(t)
	man := w.bachelor()
	const suitors = 24
	requests := make([]*civilstatusv1.RegisterMarriageRequest, suitors)
	for i := range requests {
		requests[i] = w.wedding(man, w.maid())
	}
	errs := make([]error, suitors)
	var wait sync.WaitGroup
	for i := range requests {
		wait.Go(func() { _, errs[i] = w.RegisterMarriage(t.Context(), requests[i]) })
	}
	wait.Wait()
	made := 0
	for _, err := range errs {
		if err == nil {
			made++
			continue
		}
		refused(t, err, reason.AlreadyMarried, "")
	}
	require.Equal(t, 1, made)
	married := 0
	for i := range requests {
		if w.marital(requests[i].Wife).Status == civilstatusv1.MaritalStatus_MARITAL_STATUS_MARRIED {
			require.NoError(t, errs[i])
			married++
		}
	}
	require.Equal(t, 1, married)
}

func TestConcurrentAttemptsOfOneRequestGiveOneEntry(t *testing.T) {
	w := newWorld(t)
	req := w.wedding(w.bachelor(), w.maid())
	records := make([]*civilstatusv1.MarriageRecord, 16)
	var wait sync.WaitGroup
	for i := range records {
		wait.Go(func() {
			if resp, err := w.RegisterMarriage(t.Context(), req); err == nil {
				records[i] = resp.Record
			}
		})
	}
	wait.Wait()
	for _, r := range records {
		require.NotNil(t, r)
		require.True(t, proto.Equal(records[0], r))
	}
}

func TestRegistrationSurvivesReopening(t *testing.T) {
	w := newWorld(t)
	req := w.wedding(w.bachelor(), w.maid())
	first, err := w.RegisterMarriage(t.Context(), req)
	require.NoError(t, err)
	reopened := w.open()
	filled, err := reopened.Filled(t.Context())
	require.NoError(t, err)
	require.True(t, filled)
	require.NoError(t, reopened.Fill(t.Context(), w.nation), "a filled database is left as it is")
	found, err := reopened.GetMarriage(t.Context(), marriageOf(req.Husband))
	require.NoError(t, err)
	require.True(t, proto.Equal(first.Record, found.Record))
	again, err := reopened.RegisterMarriage(t.Context(), req)
	require.NoError(t, err)
	require.True(t, proto.Equal(first.Record, again.Record))
}
