package insurance

import (
	"context"
	"encoding/base64"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
	"github.com/lienthong/lienthong/proto/reason"
	insurancev1 "github.com/lienthong/lienthong/proto/registry/insurance/v1"
	"github.com/lienthong/lienthong/services/person"
)

func listOf(change func(*insurancev1.ListContributionsRequest)) *insurancev1.ListContributionsRequest {
	req := &insurancev1.ListContributionsRequest{PersonalId: "042187001234", FullName: "Nguyễn Thị Hoà", BirthDate: "1987-04-21"}
	if change != nil {
		change(req)
	}
	return req
}

// putPeriods gives a number n periods of two months each from January 2010; the last runs on if open.
func putPeriods(t testing.TB, r *Registry, number string, n int, open bool) {
	for i := range n {
		first := month(2010, 1) + int64(2*i)
		last := first + 1
		if open && i == n-1 {
			last = 0
		}
		_, err := r.db.Write.ExecContext(t.Context(), `INSERT INTO contribution (insurance_number, seq, type, first_month, last_month, unit_code, wage_base)
			VALUES ($1, $2, 1, $3, $4, '0123456789DNA03', 7500000)`, number, i+1, first, last)
		require.NoError(t, err)
	}
}

func TestContributionsComeOldestFirstWithTheirTotal(t *testing.T) {
	r := open(t, file(t), today)
	put(t, r, hoa())
	putPeriods(t, r, "4221234567", 3, true)
	putPeriods(t, r, "4299999999", 5, false)
	for _, change := range []func(*insurancev1.ListContributionsRequest){nil,
		func(q *insurancev1.ListContributionsRequest) { q.PersonalId, q.InsuranceNumber = "", "4221234567" },
		func(q *insurancev1.ListContributionsRequest) { q.InsuranceNumber = "4221234567" },
	} {
		resp, err := serve(t, r).ListContributions(t.Context(), listOf(change))
		require.NoError(t, err)
		require.Equal(t, hubv1.Result_FOUND, resp.GetResult().GetCode())
		require.Equal(t, "4221234567", resp.GetInsuranceNumber())
		require.Equal(t, "042187001234", resp.GetPersonalId())
		require.Len(t, resp.GetContributions(), 3)
		require.Empty(t, resp.GetNextPageToken())
		first, last := resp.GetContributions()[0], resp.GetContributions()[2]
		require.Equal(t, []string{"2010-01", "2010-02"}, []string{first.GetFromMonth(), first.GetToMonth()})
		require.EqualValues(t, 2, first.GetMonths())
		require.Equal(t, "0123456789DNA03", first.GetUnitCode())
		require.EqualValues(t, 7_500_000, first.GetWageBase())
		require.Equal(t, []string{"2010-05", ""}, []string{last.GetFromMonth(), last.GetToMonth()})
		require.EqualValues(t, 199, last.GetMonths(), "from May 2010 to November 2026")
		require.EqualValues(t, 203, resp.GetTotalMonths())
	}
}

func TestPagesTogetherAreTheWholeList(t *testing.T) {
	r := open(t, file(t), today)
	put(t, r, hoa())
	putPeriods(t, r, "4221234567", 45, false)
	rapid.Check(t, func(t *rapid.T) {
		req := listOf(nil)
		var months []string
		for {
			req.PageSize = rapid.Uint32Range(0, 100).Draw(t, "size")
			resp, err := r.ListContributions(context.Background(), req)
			require.NoError(t, err)
			require.EqualValues(t, 90, resp.GetTotalMonths())
			size := int(req.PageSize)
			if size == 0 {
				size = 20
			}
			require.Len(t, resp.GetContributions(), min(size, 45-len(months)))
			for _, c := range resp.GetContributions() {
				months = append(months, c.GetFromMonth())
			}
			if req.PageToken = resp.GetNextPageToken(); req.PageToken == "" {
				break
			}
		}
		require.Len(t, months, 45)
		require.IsIncreasing(t, months)
	})
}

func TestPageTokenBelongsToItsQuestion(t *testing.T) {
	r := open(t, file(t), today)
	put(t, r, hoa(), but(func(i *insured) { i.number, i.personalID = "4200000001", "042187005678" }))
	putPeriods(t, r, "4221234567", 3, false)
	putPeriods(t, r, "4200000001", 3, false)
	resp, err := r.ListContributions(t.Context(), listOf(func(q *insurancev1.ListContributionsRequest) { q.PageSize = 1 }))
	require.NoError(t, err)
	token := resp.GetNextPageToken()
	require.NotEmpty(t, token)
	require.NotContains(t, token, "4221234567")
	raw, err := base64.RawURLEncoding.DecodeString(token)
	require.NoError(t, err)
	raw[7]++
	for claim, change := range map[string]func(*insurancev1.ListContributionsRequest){
		"another person":  func(q *insurancev1.ListContributionsRequest) { q.PersonalId = "042187005678" },
		"another number":  func(q *insurancev1.ListContributionsRequest) { q.PersonalId, q.InsuranceNumber = "", "4221234567" },
		"another name":    func(q *insurancev1.ListContributionsRequest) { q.FullName = "Trần Văn Nam" },
		"another date":    func(q *insurancev1.ListContributionsRequest) { q.BirthDate = "1987" },
		"another place":   func(q *insurancev1.ListContributionsRequest) { q.PageToken = base64.RawURLEncoding.EncodeToString(raw) },
		"something":       func(q *insurancev1.ListContributionsRequest) { q.PageToken = "42" },
		"not even base64": func(q *insurancev1.ListContributionsRequest) { q.PageToken = "!" },
		"a line break":    func(q *insurancev1.ListContributionsRequest) { q.PageToken = token[:8] + "\r\n" + token[8:] },
		"one letter more": func(q *insurancev1.ListContributionsRequest) { q.PageToken += "A" },
	} {
		_, err := r.ListContributions(t.Context(), listOf(func(q *insurancev1.ListContributionsRequest) { q.PageToken = token; change(q) }))
		t.Log(claim)
		requireReason(t, reason.PageTokenInvalid, "page_token", err)
	}
	_, err = r.ListContributions(t.Context(), listOf(func(q *insurancev1.ListContributionsRequest) {
		q.PageToken, q.FullName = token, "NGUYỄN THỊ HÒA"
	}))
	require.NoError(t, err, "the same name, spelt otherwise")
}

func TestContributionsAreForWhoKnowsThePerson(t *testing.T) {
	r := open(t, file(t), today)
	put(t, r, hoa(), but(func(i *insured) { i.number, i.personalID, i.deceased = "4200000001", "042187005678", 1 }),
		but(func(i *insured) { i.number, i.personalID = "4200000002", "042187000002" }),
		but(func(i *insured) { i.number, i.personalID = "4200000003", "042187000002" }))
	for claim, c := range map[string]struct {
		ask  func(*insurancev1.ListContributionsRequest)
		want hubv1.Result_Code
	}{
		"another name": {func(q *insurancev1.ListContributionsRequest) { q.FullName = "Trần Văn Nam" }, hubv1.Result_NO_MATCH},
		"another date": {func(q *insurancev1.ListContributionsRequest) { q.BirthDate = "1988" }, hubv1.Result_NO_MATCH},
		"nobody":       {func(q *insurancev1.ListContributionsRequest) { q.PersonalId = "042187009999" }, hubv1.Result_NO_MATCH},
		"two people":   {func(q *insurancev1.ListContributionsRequest) { q.InsuranceNumber = "4200000001" }, hubv1.Result_NO_MATCH},
		"dead":         {func(q *insurancev1.ListContributionsRequest) { q.PersonalId = "042187005678" }, hubv1.Result_DECEASED},
		"two numbers":  {func(q *insurancev1.ListContributionsRequest) { q.PersonalId = "042187000002" }, hubv1.Result_MULTIPLE},
		"one of the two": {func(q *insurancev1.ListContributionsRequest) {
			q.PersonalId, q.InsuranceNumber = "042187000002", "4200000003"
		}, hubv1.Result_FOUND},
		"no contributions": {nil, hubv1.Result_FOUND},
	} {
		resp, err := r.ListContributions(t.Context(), listOf(c.ask))
		require.NoError(t, err, claim)
		require.Equal(t, c.want, resp.GetResult().GetCode(), claim)
		require.Empty(t, resp.GetContributions())
		require.Equal(t, c.want == hubv1.Result_FOUND, resp.GetPersonalId() != "", claim)
	}
	_, err := r.ListContributions(t.Context(), listOf(func(q *insurancev1.ListContributionsRequest) { q.PageSize = 101 }))
	requireReason(t, reason.FieldInvalid, "page_size", err)
	_, err = r.ListContributions(t.Context(), listOf(func(q *insurancev1.ListContributionsRequest) { q.InsuranceNumber = "DN4424221234567" }))
	requireReason(t, reason.IDMalformed, "insurance_number", err)
	_, err = r.ListContributions(t.Context(), listOf(func(q *insurancev1.ListContributionsRequest) { q.PersonalId = "" }))
	requireReason(t, reason.FieldRequired, "personal_id", err)
}

func FuzzPageToken(f *testing.F) {
	q := question{personalID: "042187001234", name: person.NameKey("Nguyễn Thị Hoà"), birth: person.Date{Year: 1987}}
	for _, seed := range []string{"", "x", q.token(20), q.token(20) + "\n", (&question{}).token(20)} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, token string) {
		position, err := q.position(token)
		if err != nil {
			require.ErrorIs(t, err, reason.PageTokenInvalid)
			return
		}
		require.True(t, token == "" || token == q.token(position), "only what was given is taken")
	})
}
