package insurance

import (
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
	"github.com/lienthong/lienthong/proto/reason"
	insurancev1 "github.com/lienthong/lienthong/proto/registry/insurance/v1"
	"github.com/lienthong/lienthong/services/person"
)

func visitOf(change func(*insurancev1.CheckCoverageRequest)) *insurancev1.CheckCoverageRequest {
	req := &insurancev1.CheckCoverageRequest{
		PersonalId: "042187001234", FullName: "NGUYỄN THỊ HÒA", BirthDate: "1987-04-21", FacilityCode: "42010", Date: today,
	}
	if change != nil {
		change(req)
	}
	return req
}

func TestValidCardIsCovered(t *testing.T) {
	r := open(t, file(t), today)
	put(t, r, hoa())
	client := serve(t, r)
	want := &insurancev1.CheckCoverageResponse{
		Result: &hubv1.Result{Code: hubv1.Result_FOUND}, Covered: true, Code: "000",
		MeaningVi: "Thẻ có giá trị sử dụng", MeaningEn: "the card is valid",
		CardNumber: "DN4424221234567", InsuranceNumber: "4221234567", PersonalId: "042187001234",
		Name:      &hubv1.PersonName{Family: "Nguyễn", Middle: "Thị", Given: "Hoà", Full: "Nguyễn Thị Hoà"},
		BirthDate: "1987-04-21", Sex: hubv1.Sex_SEX_FEMALE,
		Address: &hubv1.Address{CodeSystem: hubv1.CodeSystem_CODE_SYSTEM_GSO_2025, ProvinceCode: "42", ProvinceName: "Hà Tĩnh",
			CommuneCode: "18073", CommuneName: "Xã Thạch Hà", Detail: "Thôn Đông, số 12"},
		Category: "DN", CategoryName: "Người lao động trong doanh nghiệp", BenefitLevel: 4, SharePercent: 80,
		ValidFrom: "2026-01-01", ValidTo: "2026-12-31", FiveYearDate: "2024-01-01", LivingAreaCode: "K1",
		InitialFacilityCode: "42010", InsurerCode: "42",
	}
	for name, change := range map[string]func(*insurancev1.CheckCoverageRequest){
		"by personal number":  func(*insurancev1.CheckCoverageRequest) {},
		"today by default":    func(q *insurancev1.CheckCoverageRequest) { q.Date = "" },
		"by insurance number": func(q *insurancev1.CheckCoverageRequest) { q.PersonalId, q.CardNumber = "", "4221234567" },
		"by card number":      func(q *insurancev1.CheckCoverageRequest) { q.PersonalId, q.CardNumber = "", "dn4424221234567" },
		"by both numbers":     func(q *insurancev1.CheckCoverageRequest) { q.CardNumber = "DN4424221234567" },
		"year of birth only":  func(q *insurancev1.CheckCoverageRequest) { q.BirthDate = "1987" },
		"another clinic":      func(q *insurancev1.CheckCoverageRequest) { q.FacilityCode = "42999" },
	} {
		resp, err := client.CheckCoverage(t.Context(), visitOf(change))
		require.NoError(t, err, name)
		require.True(t, proto.Equal(want, resp), "%s: %v", name, resp)
	}
}

func card(number string) func(*insurancev1.CheckCoverageRequest) {
	return func(q *insurancev1.CheckCoverageRequest) { q.PersonalId, q.CardNumber = "", number }
}

func name(full string) func(*insurancev1.CheckCoverageRequest) {
	return func(q *insurancev1.CheckCoverageRequest) { q.FullName = full }
}

func day(date string) func(*insurancev1.CheckCoverageRequest) {
	return func(q *insurancev1.CheckCoverageRequest) { q.Date = date }
}

func TestCoverageCodes(t *testing.T) {
	ended := func(on, why string) insured {
		return but(func(i *insured) { i.endedOn, i.endedCode = on, why })
	}
	dead := but(func(i *insured) { i.deceased, i.endedOn, i.endedCode = 1, "2026-05-01", "120" })
	of := func(prefix string) insured { return but(func(i *insured) { i.prefix = prefix }) }
	const found, noMatch = hubv1.Result_FOUND, hubv1.Result_NO_MATCH
	for claim, c := range map[string]struct {
		row     insured
		ask     func(*insurancev1.CheckCoverageRequest)
		code    string
		covered bool
		result  hubv1.Result_Code
	}{
		"first day counts":              {hoa(), day("2026-01-01"), "000", true, found},
		"day before does not":           {hoa(), day("2025-12-31"), "010", false, found},
		"year that is over":             {but(func(i *insured) { i.validTo = "2026-11-21" }), nil, "010", false, found},
		"last day counts":               {but(func(i *insured) { i.validTo = today }), nil, "000", true, found},
		"army":                          {of("QN542"), nil, "001", true, found},
		"cipher":                        {of("CY542"), nil, "001", true, found},
		"police":                        {of("CA542"), nil, "002", true, found},
		"unknown number":                {hoa(), card("4299999999"), "050", false, noMatch},
		"unknown person":                {hoa(), func(q *insurancev1.CheckCoverageRequest) { q.PersonalId = "042187009999" }, "050", false, noMatch},
		"no card number at all":         {hoa(), card("4444424221234567"[:15]), "051", false, noMatch},
		"benefit level 7":               {hoa(), card("DN7424221234567"), "051", false, noMatch},
		"another category":              {hoa(), card("GD4424221234567"), "051", false, noMatch},
		"another province":              {hoa(), card("DN4404221234567"), "052", false, noMatch},
		"another level":                 {hoa(), card("DN1424221234567"), "053", false, noMatch},
		"another name":                  {hoa(), name("Trần Văn Nam"), "060", false, noMatch},
		"another name hides the number": {hoa(), func(q *insurancev1.CheckCoverageRequest) { card("DN1424221234567")(q); q.FullName = "Trần Văn Nam" }, "060", false, noMatch},
		"another tone":                  {hoa(), name("Nguyễn Thị Hoa"), "061", false, noMatch},
		"same initials":                 {hoa(), name("Ngô Thanh Hằng"), "061", false, noMatch},
		"one syllable more":             {hoa(), name("Nguyễn Thị Hoà An"), "060", false, noMatch},
		"another birth date":            {hoa(), func(q *insurancev1.CheckCoverageRequest) { q.BirthDate = "1987-04-22" }, "070", false, noMatch},
		"another province's clinic":     {hoa(), func(q *insurancev1.CheckCoverageRequest) { q.FacilityCode = "01013" }, "090", true, found},
		"recalled":                      {ended("2026-03-31", "110"), nil, "110", false, found},
		"reduced":                       {ended("2026-03-31", "120"), nil, "120", false, found},
		"moved out":                     {ended("2026-03-31", "121"), nil, "121", false, found},
		"moved within":                  {ended("2026-03-31", "122"), nil, "122", false, found},
		"same unit":                     {ended("2026-03-31", "123"), nil, "123", false, found},
		"left":                          {ended("2026-03-31", "124"), nil, "124", false, found},
		"last day before the recall":    {ended("2026-03-31", "110"), day("2026-03-31"), "000", true, found},
		"dead":                          {dead, nil, "120", false, hubv1.Result_DECEASED},
		"day before the death":          {dead, day("2026-04-30"), "000", true, found},
		"two people's numbers":          {hoa(), func(q *insurancev1.CheckCoverageRequest) { q.PersonalId, q.CardNumber = "042187009999", "4221234567" }, "205", false, noMatch},
		"known adult without card":      {of(""), nil, "050", false, noMatch},
	} {
		t.Run(claim, func(t *testing.T) {
			r := open(t, file(t), today)
			put(t, r, c.row)
			resp, err := r.CheckCoverage(t.Context(), visitOf(c.ask))
			require.NoError(t, err)
			require.Equal(t, c.code, resp.GetCode())
			require.Equal(t, c.covered, resp.GetCovered())
			require.Equal(t, c.result, resp.GetResult().GetCode())
			require.NotEmpty(t, resp.GetMeaningVi())
			require.NotEmpty(t, resp.GetMeaningEn())
			if c.result != found {
				requireNothingOfTheRecord(t, resp)
			}
		})
	}
}

// requireNothingOfTheRecord asserts that only what the code says is set.
func requireNothingOfTheRecord(t *testing.T, resp *insurancev1.CheckCoverageResponse) {
	c := code(resp.GetCode())
	rest := proto.CloneOf(resp)
	rest.Result, rest.Code, rest.MeaningVi, rest.MeaningEn, rest.Covered = nil, "", "", "", false
	require.Zero(t, proto.Size(rest), "%s: %v", c, rest)
}

func TestChildWithoutACardIsTreatedOnItsBirthCertificate(t *testing.T) {
	r := open(t, file(t), today)
	put(t, r, but(func(i *insured) {
		i.number, i.personalID, i.birth, i.prefix, i.validFrom, i.validTo = "4299999999", "042224000001", "2024-02-01", "", "", ""
	}))
	ask := func(id, birth, day string) *insurancev1.CheckCoverageResponse {
		resp, err := r.CheckCoverage(t.Context(), visitOf(func(q *insurancev1.CheckCoverageRequest) {
			q.PersonalId, q.BirthDate, q.Date = id, birth, day
		}))
		require.NoError(t, err)
		return resp
	}
	for _, id := range []string{"042224000001", "042224000002"} { // on record without a card, and not on record
		resp := ask(id, "2024-02-01", today)
		require.Equal(t, "130", resp.GetCode())
		require.Equal(t, hubv1.Result_MISSING, resp.GetResult().GetCode(), "paper may be asked for")
		require.True(t, resp.GetCovered())
		require.EqualValues(t, 1, resp.GetBenefitLevel())
		require.EqualValues(t, 100, resp.GetSharePercent())
		require.Nil(t, resp.GetName())
	}
	require.Equal(t, "070", ask("042224000001", "2024-02-02", today).GetCode(), "on record, another date")
	require.Equal(t, "050", ask("042224000002", "2023-02-01", today).GetCode(), "the number tells another year")
	require.Equal(t, "050", ask("042224000002", "2024-02-01", "2024-01-31").GetCode(), "not born yet")
	require.Equal(t, "130", ask("042220000002", "2020-11-22", today).GetCode(), "on the day of 72 months")
	require.Equal(t, "050", ask("042220000002", "2020-11-21", today).GetCode(), "over 72 months and past 30 September")
	require.Equal(t, "130", ask("042220000002", "2020-01-02", "2026-09-30").GetCode(), "over 6, until 30 September")
}

func TestReplacedCardLeadsToTheNewOne(t *testing.T) {
	r := open(t, file(t), today)
	put(t, r, but(func(i *insured) { i.prefix, i.formerPrefix, i.validFrom = "HS442", "TE142", "2026-10-01" }))
	putFormer(t, r, "4221234567", "TE142", "2020-08-01", "2026-09-30")
	putFormer(t, r, "4221234567", "DT242", "2026-01-01", "2026-12-31")
	ask := func(card, day string) *insurancev1.CheckCoverageResponse {
		resp, err := r.CheckCoverage(t.Context(), visitOf(func(q *insurancev1.CheckCoverageRequest) {
			q.PersonalId, q.CardNumber, q.Date = "", card, day
		}))
		require.NoError(t, err)
		require.Equal(t, hubv1.Result_FOUND, resp.GetResult().GetCode())
		return resp
	}
	resp := ask("TE1424221234567", today)
	require.Equal(t, "003", resp.GetCode())
	require.True(t, resp.GetCovered())
	require.Equal(t, []string{"TE1424221234567", "2020-08-01", "2026-09-30"}, []string{resp.GetCardNumber(), resp.GetValidFrom(), resp.GetValidTo()})
	require.Equal(t, []string{"HS4424221234567", "2026-10-01", "2026-12-31"}, []string{resp.GetNewCardNumber(), resp.GetNewValidFrom(), resp.GetNewValidTo()})
	require.EqualValues(t, 80, resp.GetSharePercent(), "what the card that counts pays")

	resp = ask("DT2424221234567", today)
	require.Equal(t, "004", resp.GetCode())
	require.Equal(t, "DT2424221234567", resp.GetCardNumber())
	require.Equal(t, "HS4424221234567", resp.GetNewCardNumber())
	require.EqualValues(t, 100, resp.GetSharePercent())

	resp = ask("4221234567", "2026-09-30")
	require.Equal(t, "000", resp.GetCode(), "the card before still counted on that day")
	require.Equal(t, "TE1424221234567", resp.GetCardNumber())
	require.Equal(t, "010", ask("4221234567", "2020-07-31").GetCode())
	require.Equal(t, "000", ask("HS4424221234567", today).GetCode())
}

func TestOfTwoNumbersTheOneThatPaysMoreDecides(t *testing.T) {
	r := open(t, file(t), today)
	put(t, r, hoa(),
		but(func(i *insured) { i.number, i.prefix = "4200000001", "CN342" }),
		but(func(i *insured) { i.number, i.prefix, i.validTo = "4200000002", "CC142", "2026-01-31" }),
		but(func(i *insured) { i.number, i.given = "4200000003", "Hương" }))
	resp, err := r.CheckCoverage(t.Context(), visitOf(nil))
	require.NoError(t, err)
	require.Equal(t, "CN3424200000001", resp.GetCardNumber())
	require.EqualValues(t, 95, resp.GetSharePercent())
	resp, err = r.CheckCoverage(t.Context(), visitOf(func(q *insurancev1.CheckCoverageRequest) { q.FullName = "Nguyễn Thị Hương" }))
	require.NoError(t, err)
	require.Equal(t, "DN4424200000003", resp.GetCardNumber(), "only one of them matches")
}

func TestCoverageQuestionIsCheckedFirst(t *testing.T) {
	r := open(t, file(t), today)
	client := serve(t, r)
	for claim, c := range map[string]struct {
		ask   func(*insurancev1.CheckCoverageRequest)
		want  reason.Reason
		field string
	}{
		"no number":          {func(q *insurancev1.CheckCoverageRequest) { q.PersonalId = "" }, reason.FieldRequired, "personal_id"},
		"short number":       {func(q *insurancev1.CheckCoverageRequest) { q.PersonalId = "0421870012" }, reason.IDMalformed, "personal_id"},
		"old number":         {func(q *insurancev1.CheckCoverageRequest) { q.PersonalId = "183456789" }, reason.IDMalformed, "personal_id"},
		"short card number":  {func(q *insurancev1.CheckCoverageRequest) { q.CardNumber = "DN442" }, reason.IDMalformed, "card_number"},
		"letters in the end": {func(q *insurancev1.CheckCoverageRequest) { q.CardNumber = "DN442422123456x" }, reason.IDMalformed, "card_number"},
		"no name":            {func(q *insurancev1.CheckCoverageRequest) { q.FullName = " " }, reason.FieldRequired, "full_name"},
		"endless name":       {func(q *insurancev1.CheckCoverageRequest) { q.FullName = string(make([]byte, 201)) }, reason.FieldInvalid, "full_name"},
		"no birth date":      {func(q *insurancev1.CheckCoverageRequest) { q.BirthDate = "" }, reason.FieldRequired, "birth_date"},
		"no such birth date": {func(q *insurancev1.CheckCoverageRequest) { q.BirthDate = "1987-02-30" }, reason.DateMalformed, "birth_date"},
		"birth to come":      {func(q *insurancev1.CheckCoverageRequest) { q.BirthDate = "2026-11-23" }, reason.DateInFuture, "birth_date"},
		"no facility":        {func(q *insurancev1.CheckCoverageRequest) { q.FacilityCode = "" }, reason.FieldRequired, "facility_code"},
		"no such facility":   {func(q *insurancev1.CheckCoverageRequest) { q.FacilityCode = "4201" }, reason.FieldInvalid, "facility_code"},
		"province 00":        {func(q *insurancev1.CheckCoverageRequest) { q.FacilityCode = "00123" }, reason.FieldInvalid, "facility_code"},
		"no such day":        {func(q *insurancev1.CheckCoverageRequest) { q.Date = "tomorrow" }, reason.DateMalformed, "date"},
		"a month for a day":  {func(q *insurancev1.CheckCoverageRequest) { q.Date = "2026-10" }, reason.DateMalformed, "date"},
		"day to come":        {func(q *insurancev1.CheckCoverageRequest) { q.Date = "2026-11-23" }, reason.DateInFuture, "date"},
	} {
		_, err := client.CheckCoverage(t.Context(), visitOf(c.ask))
		t.Log(claim)
		requireReason(t, c.want, c.field, err)
		require.NotContains(t, err.Error(), "042187001234")
	}
}

func TestEveryCodeHasWordsAndAResult(t *testing.T) {
	for c, m := range meanings {
		require.Regexp(t, `^[0-9]{3}$`, string(c))
		require.NotEmpty(t, m.vi+m.en)
		require.NotEqual(t, hubv1.Result_CODE_UNSPECIFIED, m.result)
		require.False(t, m.covered && m.result == hubv1.Result_NO_MATCH, c)
	}
}

func TestInitialsAreComparedSyllableBySyllable(t *testing.T) {
	word := rapid.StringMatching(`[abcđhnt][aeiou]{0,3}`)
	rapid.Check(t, func(t *rapid.T) {
		a := rapid.SliceOfN(word, 1, 5).Draw(t, "a")
		b := rapid.SliceOfN(word, 1, 5).Draw(t, "b")
		want := len(a) == len(b)
		keyA, keyB := "", ""
		for i := range a {
			keyA += " " + a[i]
			want = want && i < len(b) && []rune(a[i])[0] == []rune(b[i])[0]
		}
		for i := range b {
			keyB += " " + b[i]
		}
		require.Equal(t, want, sameInitials(person.NameKey(keyA), person.NameKey(keyB)))
	})
}

func FuzzParseCardNumber(f *testing.F) {
	for _, seed := range []string{"DN4424221234567", "4221234567", "", "dn4424221234567", "4444424221234567", "ĐN442422123456", "ıN442422123456"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		prefix, number, odd, err := parseCardNumber(s)
		if err != nil {
			require.ErrorIs(t, err, reason.IDMalformed)
			require.Empty(t, prefix+number)
			return
		}
		require.Regexp(t, `^[0-9]{10}$`, number)
		require.Equal(t, s[len(s)-10:], number)
		if prefix != "" && !odd {
			require.Regexp(t, `^[A-Z]{2}[1-5][0-9]{2}$`, prefix)
		}
	})
}
