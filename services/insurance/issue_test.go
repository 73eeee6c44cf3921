package insurance

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"
	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
	"github.com/lienthong/lienthong/proto/reason"
	insurancev1 "github.com/lienthong/lienthong/proto/registry/insurance/v1"
	"github.com/lienthong/lienthong/services/person"
)

const child, renewal = insurancev1.IssueKind_ISSUE_KIND_CHILD_UNDER_SIX, insurancev1.IssueKind_ISSUE_KIND_RENEWAL

func childOf(change func(*insurancev1.IssueCardRequest)) *insurancev1.IssueCardRequest {
	req := &insurancev1.IssueCardRequest{
		RequestId: "LTKS-2026-000123", Kind: child, PersonalId: "042326001234", FullName: "Nguyễn Minh An",
		BirthDate: "2026-10-20", BirthRegistrationNumber: "123/2026", BirthRegistrationDate: "2026-11-02", InitialFacilityCode: "42010",
		Address: &hubv1.Address{CodeSystem: hubv1.CodeSystem_CODE_SYSTEM_GSO_2025, ProvinceCode: "42", ProvinceName: "Hà Tĩnh", CommuneCode: "18073", CommuneName: "Xã Thạch Hà"},
	}
	if change != nil {
		change(req)
	}
	return req
}

func renewalOf(change func(*insurancev1.IssueCardRequest)) *insurancev1.IssueCardRequest {
	req := &insurancev1.IssueCardRequest{RequestId: "GH-1", Kind: renewal, PersonalId: "042187001234", FullName: "Nguyễn Thị Hoà", BirthDate: "1987-04-21"}
	if change != nil {
		change(req)
	}
	return req
}

func TestChildGetsACardThatTheClinicSees(t *testing.T) {
	path := file(t)
	r := open(t, path, today)
	issued, err := serve(t, r).IssueCard(t.Context(), childOf(nil))
	require.NoError(t, err)
	card := issued.GetCard()
	require.Equal(t, hubv1.Result_FOUND, issued.GetResult().GetCode())
	require.Regexp(t, `^TE14242[0-9]{8}$`, card.GetCardNumber())
	require.Equal(t, card.GetCardNumber()[5:], card.GetInsuranceNumber())
	require.Equal(t, []string{"2026-10-20", "2032-10-20", "2031-10-20"}, []string{card.GetValidFrom(), card.GetValidTo(), card.GetFiveYearDate()})
	require.EqualValues(t, 100, card.GetSharePercent())
	require.Equal(t, hubv1.Sex_SEX_FEMALE, card.GetSex(), "as the number tells")
	require.True(t, proto.Equal(&hubv1.PersonName{Family: "Nguyễn", Middle: "Minh", Given: "An", Full: "Nguyễn Minh An"}, card.GetName()))
	require.Equal(t, insurancev1.CardState_CARD_STATE_VALID, card.GetState())
	require.Equal(t, "18073", card.GetAddress().GetCommuneCode())
	require.NoError(t, r.db.Close())

	r = open(t, path, today)
	again, err := r.IssueCard(t.Context(), childOf(nil))
	require.NoError(t, err)
	require.True(t, proto.Equal(issued, again), "the same request has the same card, also after a restart")
	got, err := r.GetCard(t.Context(), &insurancev1.GetCardRequest{CardNumber: card.GetCardNumber(), FullName: "NGUYỄN MINH AN", BirthDate: "2026-10-20"})
	require.NoError(t, err)
	require.True(t, proto.Equal(card, got.GetCard()))
	seen, err := r.CheckCoverage(t.Context(), &insurancev1.CheckCoverageRequest{PersonalId: "042326001234", FullName: "nguyễn minh an", BirthDate: "2026-10-20", FacilityCode: "42001"})
	require.NoError(t, err)
	require.Equal(t, "000", seen.GetCode())
}

func TestRequestIDIsForOneRequest(t *testing.T) {
	r := open(t, file(t), today)
	_, err := r.IssueCard(t.Context(), childOf(nil))
	require.NoError(t, err)
	for _, change := range []func(*insurancev1.IssueCardRequest){
		func(q *insurancev1.IssueCardRequest) { q.PersonalId = "042326009999" },
		func(q *insurancev1.IssueCardRequest) { q.InitialFacilityCode = "42011" },
		func(q *insurancev1.IssueCardRequest) { q.Address.Detail = "Thôn Đông" },
		func(q *insurancev1.IssueCardRequest) { q.Address = nil },
		func(q *insurancev1.IssueCardRequest) {
			q.Address.CommuneName, q.Address.Detail = "Xã Thạch", " Hà" // the same letters, divided otherwise
		},
	} {
		_, err := r.IssueCard(t.Context(), childOf(change))
		requireReason(t, reason.IdempotencyConflict, "request_id", err)
	}
	_, err = r.IssueCard(t.Context(), childOf(func(q *insurancev1.IssueCardRequest) { q.RequestId = "another" }))
	requireReason(t, reason.AlreadyRegistered, "", err)
}

func TestManyAtOnceMakeOneCard(t *testing.T) {
	r := open(t, file(t), today)
	var group errgroup.Group
	cards := make([]string, 8)
	for i := range cards {
		group.Go(func() error {
			resp, err := r.IssueCard(t.Context(), childOf(func(q *insurancev1.IssueCardRequest) { q.RequestId = fmt.Sprintf("r%d", i%2) }))
			if err == nil {
				cards[i] = resp.GetCard().GetCardNumber()
			}
			return nil
		})
	}
	require.NoError(t, group.Wait())
	numbers := map[string]int{}
	for _, c := range cards {
		numbers[c]++
	}
	require.Equal(t, 4, numbers[""], "of two request ids one is refused: %v", numbers)
	require.Len(t, numbers, 2)
	var rows int
	require.NoError(t, r.db.Read.QueryRow(`SELECT COUNT(*) FROM insured`).Scan(&rows))
	require.Equal(t, 1, rows)
}

func TestRefusedRequestLeavesNothing(t *testing.T) {
	r := open(t, file(t), today)
	put(t, r, hoa())
	_, err := r.IssueCard(t.Context(), renewalOf(nil))
	requireReason(t, reason.AlreadyRegistered, "", err)
	var rows int
	require.NoError(t, r.db.Read.QueryRow(`SELECT COUNT(*) FROM issued`).Scan(&rows))
	require.Zero(t, rows)
	put(t, r, but(func(i *insured) { i.validTo = "2026-11-30" }))
	_, err = r.IssueCard(t.Context(), renewalOf(nil))
	require.NoError(t, err, "the same request may be done once it is allowed")
}

func TestWhoMayHaveACard(t *testing.T) {
	kid := func(change func(*insured)) insured {
		i := but(func(i *insured) {
			i.number, i.personalID, i.family, i.middle, i.given = "4200000001", "042326001234", "Nguyễn", "Minh", "An"
			i.birth, i.prefix, i.validFrom, i.validTo = "2026-10-20", "TE142", "2026-10-20", "2032-10-31"
		})
		change(&i)
		return i
	}
	type ask = insurancev1.IssueCardRequest
	for claim, c := range map[string]struct {
		row   insured
		req   *ask
		want  reason.Reason
		field string
	}{
		"child with a card":          {kid(func(*insured) {}), childOf(nil), reason.AlreadyRegistered, ""},
		"child under another name":   {kid(func(i *insured) { i.given = "Anh" }), childOf(nil), reason.PersonNotFound, ""},
		"dead child":                 {kid(func(i *insured) { i.deceased = 1 }), childOf(nil), reason.PersonDeceased, ""},
		"dead under another name":    {kid(func(i *insured) { i.deceased, i.given = 1, "Anh" }), childOf(nil), reason.PersonDeceased, ""},
		"child of 6":                 {hoa(), childOf(func(q *ask) { q.PersonalId, q.BirthDate = "042220001234", "2020-09-30" }), reason.NotEntitled, "birth_date"},
		"number of another year":     {hoa(), childOf(func(q *ask) { q.PersonalId = "042325001234" }), reason.NumberDisagrees, "birth_date"},
		"child's date in part":       {hoa(), childOf(func(q *ask) { q.BirthDate = "2026-10" }), reason.DateMalformed, "birth_date"},
		"no birth registration":      {hoa(), childOf(func(q *ask) { q.BirthRegistrationNumber = "" }), reason.FieldRequired, "birth_registration_number"},
		"endless registration":       {hoa(), childOf(func(q *ask) { q.BirthRegistrationNumber = string(make([]byte, 33)) }), reason.FieldInvalid, "birth_registration_number"},
		"no registration date":       {hoa(), childOf(func(q *ask) { q.BirthRegistrationDate = "" }), reason.FieldRequired, "birth_registration_date"},
		"registered before birth":    {hoa(), childOf(func(q *ask) { q.BirthRegistrationDate = "2026-10-19" }), reason.FieldInvalid, "birth_registration_date"},
		"registration to come":       {hoa(), childOf(func(q *ask) { q.BirthRegistrationDate = "2026-11-23" }), reason.DateInFuture, "birth_registration_date"},
		"registration month":         {hoa(), childOf(func(q *ask) { q.BirthRegistrationDate = "2026-11" }), reason.DateMalformed, "birth_registration_date"},
		"no facility":                {hoa(), childOf(func(q *ask) { q.InitialFacilityCode = "" }), reason.FieldRequired, "initial_facility_code"},
		"category for a child":       {hoa(), childOf(func(q *ask) { q.Category = "TE" }), reason.FieldInvalid, "category"},
		"commune of 4 digits":        {hoa(), childOf(func(q *ask) { q.Address.CommuneCode = "1807" }), reason.FieldInvalid, "address.commune_code"},
		"address of no system":       {hoa(), childOf(func(q *ask) { q.Address.CodeSystem = 0 }), reason.FieldInvalid, "address.code_system"},
		"line break in the address":  {hoa(), childOf(func(q *ask) { q.Address.Detail = "a\nb" }), reason.FieldInvalid, "address.detail"},
		"zero byte in the name":      {hoa(), childOf(func(q *ask) { q.FullName = "An\x00" }), reason.FieldInvalid, "full_name"},
		"no request id":              {hoa(), childOf(func(q *ask) { q.RequestId = "" }), reason.FieldRequired, "request_id"},
		"blank in the request id":    {hoa(), childOf(func(q *ask) { q.RequestId = "a b" }), reason.FieldInvalid, "request_id"},
		"no kind":                    {hoa(), childOf(func(q *ask) { q.Kind = 0 }), reason.FieldRequired, "kind"},
		"no such kind":               {hoa(), childOf(func(q *ask) { q.Kind = 9 }), reason.FieldInvalid, "kind"},
		"no personal number":         {hoa(), childOf(func(q *ask) { q.PersonalId = "" }), reason.FieldRequired, "personal_id"},
		"31 days left":               {but(func(i *insured) { i.validTo = "2026-12-23" }), renewalOf(nil), reason.AlreadyRegistered, ""},
		"renewal of nobody":          {kid(func(*insured) {}), renewalOf(nil), reason.PersonNotFound, ""},
		"renewal of no card":         {but(func(i *insured) { i.prefix = "" }), renewalOf(nil), reason.PersonNotFound, ""},
		"renewal under another date": {hoa(), renewalOf(func(q *ask) { q.BirthDate = "1987-04-22" }), reason.PersonNotFound, ""},
		"renewal of the dead":        {but(func(i *insured) { i.deceased = 1 }), renewalOf(nil), reason.PersonDeceased, ""},
		"army":                       {but(func(i *insured) { i.prefix, i.validTo = "QN542", "2026-01-31" }), renewalOf(nil), reason.NotEntitled, ""},
		"recalled":                   {but(func(i *insured) { i.endedOn, i.endedCode = "2026-01-31", "110" }), renewalOf(nil), reason.NotEntitled, ""},
		"category of the poor":       {but(func(i *insured) { i.validTo = "2026-01-31" }), renewalOf(func(q *ask) { q.Category = "HN" }), reason.FieldInvalid, "category"},
		"child's card after 72 months": {but(func(i *insured) { i.prefix, i.birth, i.validTo = "TE142", "2020-09-01", "2026-09-30" }),
			renewalOf(func(q *ask) { q.BirthDate = "2020-09-01" }), reason.NotEntitled, "category"},
	} {
		t.Run(claim, func(t *testing.T) {
			r := open(t, file(t), today)
			put(t, r, c.row)
			_, err := r.IssueCard(t.Context(), c.req)
			requireReason(t, c.want, c.field, err)
		})
	}
}

func TestRenewalFollowsTheCardBefore(t *testing.T) {
	for claim, c := range map[string]struct {
		row                         insured
		category                    string
		prefix, from, to, fiveYears string
	}{
		"last 30 days: the card goes on": {but(func(i *insured) { i.validTo = "2026-12-22" }), "", "DN442", "2026-01-01", "2027-12-22", "2024-01-01"},
		"ended yesterday":                {but(func(i *insured) { i.validTo = "2026-11-21" }), "", "DN442", "2026-11-22", "2027-11-21", "2024-01-01"},
		"gap of 90 days":                 {but(func(i *insured) { i.validTo = "2026-08-24" }), "", "DN442", "2026-11-22", "2027-11-21", "2024-01-01"},
		"gap of 91 days":                 {but(func(i *insured) { i.validTo = "2026-08-23" }), "", "DN442", "2026-12-22", "2027-12-21", "2031-12-22"},
		"reduced before its time":        {but(func(i *insured) { i.endedOn, i.endedCode = "2026-11-01", "124" }), "", "DN442", "2026-11-22", "2027-11-21", "2024-01-01"},
		"joins as household":             {but(func(i *insured) { i.validTo = "2026-12-10" }), "GD", "GD442", "2026-12-11", "2027-12-10", "2024-01-01"},
	} {
		t.Run(claim, func(t *testing.T) {
			r := open(t, file(t), today)
			put(t, r, c.row)
			resp, err := r.IssueCard(t.Context(), renewalOf(func(q *insurancev1.IssueCardRequest) { q.Category = c.category }))
			require.NoError(t, err)
			card := resp.GetCard()
			require.Equal(t, []string{c.prefix + "4221234567", c.from, c.to, c.fiveYears},
				[]string{card.GetCardNumber(), card.GetValidFrom(), card.GetValidTo(), card.GetFiveYearDate()})
			require.Empty(t, card.GetEndedOn())
			require.Equal(t, "42010", card.GetInitialFacilityCode())
			_, err = r.IssueCard(t.Context(), renewalOf(func(q *insurancev1.IssueCardRequest) { q.RequestId = "GH-2" }))
			requireReason(t, reason.AlreadyRegistered, "", err)
		})
	}
}

func TestChangeOfCategoryKeepsTheOldCardUntilItsEnd(t *testing.T) {
	r := open(t, file(t), today)
	put(t, r, but(func(i *insured) { i.prefix, i.birth, i.validTo = "TE142", "2020-11-30", "2026-11-30" }))
	resp, err := r.IssueCard(t.Context(), renewalOf(func(q *insurancev1.IssueCardRequest) { q.BirthDate, q.Category = "2020-11-30", "HS" }))
	require.NoError(t, err)
	require.Equal(t, insurancev1.CardState_CARD_STATE_NOT_YET, resp.GetCard().GetState())
	require.Equal(t, "TE1424221234567", resp.GetCard().GetFormerCardNumber())
	ask := func(card, day string) (string, uint32) {
		r.Clock = func() time.Time { d, _ := person.ParseDate(day); return d.Time().Add(5 * time.Hour) }
		resp, err := r.CheckCoverage(t.Context(), &insurancev1.CheckCoverageRequest{CardNumber: card, FullName: "Nguyễn Thị Hoà", BirthDate: "2020-11-30", FacilityCode: "42010"})
		require.NoError(t, err)
		return resp.GetCode(), resp.GetSharePercent()
	}
	for _, c := range []struct {
		card, day, code string
		share           uint32
	}{
		{"4221234567", "2026-11-30", "000", 100},
		{"TE1424221234567", "2026-11-30", "004", 100},
		{"4221234567", "2026-12-01", "000", 80},
		{"TE1424221234567", "2026-12-01", "003", 80},
		{"HS4424221234567", "2026-12-01", "000", 80},
		{"TE1424221234567", "2027-12-01", "010", 80},
	} {
		code, share := ask(c.card, c.day)
		require.Equal(t, c.code, code, "%+v", c)
		require.Equal(t, c.share, share, "%+v", c)
	}
}

func TestChildCardLastsUntilSchool(t *testing.T) {
	for birth, want := range map[string]string{
		"2020-01-01": "2026-09-30", "2020-09-30": "2026-09-30", "2020-10-01": "2026-10-01", "2020-12-31": "2026-12-31",
		"2020-02-29": "2026-09-30", "2020": "2026-09-30", "2020-11": "2026-11-01",
	} {
		d, err := person.ParseDate(birth)
		require.NoError(t, err)
		require.Equal(t, want, iso(childCardEnds(d)), birth)
	}
	rapid.Check(t, func(t *rapid.T) {
		d := person.DateOf(time.Unix(rapid.Int64Range(0, 4e9).Draw(t, "birth"), 0))
		ends := childCardEnds(d)
		require.False(t, ends.Before(d.Time().AddDate(6, 0, 0)), "never less than 72 months")
		require.True(t, ends.Before(d.Time().AddDate(6, 9, 0)), "never more than nine months over")
	})
}
