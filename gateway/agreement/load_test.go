package agreement_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lienthong/lienthong/gateway/agreement"
	"github.com/lienthong/lienthong/gateway/agreement/agreementtest"
	"github.com/lienthong/lienthong/gateway/catalog/catalogtest"
	"github.com/lienthong/lienthong/proto/peer"
)

func TestAnAgreementIsReadAsWritten(t *testing.T) {
	f := load(t, sample)
	require.Len(t, f.All(), 1)
	a := f.All()[0]
	require.Equal(t, "H27-G01-01", a.ID)
	require.EqualValues(t, 3, a.Version)
	require.Equal(t, "G01", a.Provider)
	require.Equal(t, catalogtest.Service, a.Service.Name)
	require.Equal(t, agreement.Purpose{
		Code: "HT-KS", Title: "Đăng ký khai sinh", LegalBasis: "Luật Hộ tịch 60/2014/QH13", Procedures: []string{"1.001193"},
	}, a.Purposes[0])
	require.Equal(t, []string{
		"person.birth_date", "person.name.family", "person.name.full", "person.name.given", "person.name.middle", "person.personal_id",
	}, a.Methods[0].Fields)
	require.True(t, a.From.Equal(time.Date(2025, 12, 31, 17, 0, 0, 0, time.UTC)), "midnight in Hà Nội")
	require.True(t, a.Until.Equal(time.Date(2026, 12, 31, 17, 0, 0, 0, time.UTC)), "the last day belongs to it")
	require.Equal(t, []peer.ID{desk, {Agency: "H27", System: "reception"}}, f.Systems())
}

func TestABadAgreementIsRefusedWithFileAndLine(t *testing.T) {
	for name, c := range map[string]struct {
		edit []string
		want string
	}{
		"unknown key":            {[]string{"provider: G01", "provider: G01\nquotas: 5"}, "a.yaml:8: unknown key quotas; expected one of: id, version"},
		"unknown service":        {[]string{"PeopleService", "OtherService"}, "a.yaml:8: service sample.v1.OtherService is not in the catalog; expected one of: sample.v1.PeopleService"},
		"unknown method":         {[]string{"name: GetPerson", "name: GetPeople"}, "a.yaml:20: sample.v1.PeopleService has no method GetPeople; expected one of: GetPerson, ListParcels, RegisterParcel"},
		"unknown field":          {[]string{"person.birth_date", "person.birthdate"}, `a.yaml:21: GetPerson: field "person.birthdate" of sample.v1.GetPersonResponse: no such field; expected a path such as: person.personal_id`},
		"everything":             {[]string{"person.name", "'*'"}, "a.yaml:21: GetPerson: * is not a field"},
		"no fields":              {[]string{"[parcel_id]", "[]"}, "a.yaml:22: fields of RegisterParcel is empty"},
		"no purposes":            {[]string{sample[index("purposes:"):index("methods:")], ""}, "a.yaml:1: purposes is empty"},
		"key twice":              {[]string{"provider: G01", "provider: G01\nprovider: G01"}, "a.yaml:8: key provider is given twice"},
		"alias":                  {[]string{"provider: G01", "provider: &p G01\ntitle: *p"}, "a.yaml:"},
		"a bound below zero":     {[]string{"provider: G01", "provider: G01\nquota: {per_day: -1}"}, "a.yaml:8: quota.per_day -1; expected 1 to"},
		"a bound in words":       {[]string{"provider: G01", "provider: G01\nquota: {per_day: many}"}, `a.yaml:8: quota.per_day "many"; expected a whole number`},
		"unknown part of quota":  {[]string{"provider: G01", "provider: G01\nquota: {per_week: 1}"}, "a.yaml:8: unknown key per_week in quota; expected one of: per_second, per_day, per_officer_per_day"},
		"frequency without time": {[]string{"provider: G01", "provider: G01\nfrequency: {times: 3}"}, "a.yaml:8: frequency.hours 0; expected 1 to 8784"},
		"data life too long":     {[]string{"provider: G01", "provider: G01\ndata_life_days: 99999"}, "a.yaml:8: data_life_days 99999; expected 1 to 36600"},
		"unknown ground":         {[]string{"provider: G01", "provider: G01\nground: {kind: love}"}, `a.yaml:8: ground.kind "love"; expected one of: duty, consent, emergency`},
		"emergency without end":  {[]string{"provider: G01", "provider: G01\nground: {kind: emergency, decision: 1/QĐ-TTg}"}, "a.yaml:8: ground.expires is missing"},
		"emergency undecided":    {[]string{"provider: G01", "provider: G01\nground: {kind: emergency, expires: 2026-06-30}"}, "a.yaml:8: ground.decision is missing"},
		"emergency long over":    {[]string{"provider: G01", "provider: G01\nground: {kind: emergency, decision: 1/QĐ-TTg, expires: 2025-06-30}"}, "a.yaml:8: ground.expires 2025-06-30 lies before valid_from"},
		"duty with a decision":   {[]string{"provider: G01", "provider: G01\nground: {kind: duty, decision: 1/QĐ-TTg}"}, "a.yaml:8: decision and expires belong to an emergency"},
		"elsewhere":              {[]string{"provider: G01", "provider: G01\njurisdictions: [vn, '08']"}, `a.yaml:8: G01 does not answer for jurisdiction "08"; expected some of: vn`},
		"condition of no type":   {[]string{"provider: G01", "provider: G01\ncondition: request.personal_id"}, "a.yaml:8: condition does not fit GetPerson: the condition is of type string"},
		"condition of another":   {[]string{"provider: G01", "provider: G01\ncondition: request.personal_id == ''"}, "a.yaml:8: condition does not fit RegisterParcel: 1:8: undefined field 'personal_id'"},
		"condition that costs":   {[]string{"provider: G01", "provider: G01\nanswer_condition: answer.parcels.all(x, answer.parcels.all(y, true))", sample[index("  - name: GetPerson"):], "  - name: ListParcels\n    fields: [parcels.area]\n"}, "a.yaml:8: answer_condition does not fit ListParcels: 1:"},
		"condition on a write":   {[]string{"provider: G01", "provider: G01\nanswer_condition: answer.result.code == 1"}, "a.yaml:23: RegisterParcel changes its registry"},
		"hidden characters":      {[]string{"title: Tra cứu dân cư", "title: \"a\\u202Eb\""}, "a.yaml:3: title has characters that do not show"},
		"a title without end":    {[]string{"title: Tra cứu dân cư", "title: " + strings.Repeat("a", 600)}, "a.yaml:3: title is over 500 bytes"},
		"no methods":             {[]string{sample[index("methods:"):], ""}, "a.yaml:1: methods is empty"},
		"no legal basis":         {[]string{"    legal_basis: Luật Hộ tịch 60/2014/QH13\n", ""}, "a.yaml:12: legal_basis of the purpose is missing"},
		"empty legal basis":      {[]string{"Luật Hộ tịch 60/2014/QH13", "''"}, "a.yaml:14: legal_basis of the purpose is missing"},
		"bad purpose code":       {[]string{"HT-KS", "'HT KS'"}, `a.yaml:12: code "HT KS"; expected`},
		"purpose twice":          {[]string{"CT-TT", "HT-KS"}, "a.yaml:16: purpose HT-KS is named twice"},
		"method twice":           {[]string{"RegisterParcel", "GetPerson"}, "a.yaml:22: method GetPerson is named twice"},
		"system twice":           {[]string{"reception", "one-stop"}, "a.yaml:6: system one-stop is named twice"},
		"bad system":             {[]string{"reception", "One Stop"}, `a.yaml:6: "H27/One Stop" is not an agency's system`},
		"no systems":             {[]string{"[one-stop, reception]", "[]"}, "a.yaml:6: consumer.systems is empty"},
		"ends before it begins":  {[]string{"2026-12-31", "2025-12-31"}, "a.yaml:10: valid_to 2025-12-31 lies before valid_from 2026-01-01"},
		"no such day":            {[]string{"2026-12-31", "2026-02-30"}, `a.yaml:10: valid_to "2026-02-30" is not a day; expected one such as 2026-01-01`},
		"no end":                 {[]string{"valid_to: 2026-12-31\n", ""}, "a.yaml:1: valid_to is missing"},
		"not the provider":       {[]string{"provider: G01", "provider: G24"}, "a.yaml:7: G24 does not provide sample.v1.PeopleService"},
		"no id":                  {[]string{"id: H27-G01-01", "id: ''"}, "a.yaml:1: id is missing"},
		"bad id":                 {[]string{"H27-G01-01", "../x"}, `a.yaml:1: id "../x"; expected`},
		"version zero":           {[]string{"version: 3", "version: -1"}, `a.yaml:2: version "-1"; expected a number from 1`},
		"version is no number":   {[]string{"version: 3", "version: 1.0"}, `a.yaml:2: version "1.0"; expected a whole number`},
		"flag is no flag":        {[]string{"provider: G01", "provider: G01\ncase_required: maybe"}, "a.yaml:8: case_required: expected true or false"},
		"field list is no list":  {[]string{"[parcel_id]", "parcel_id"}, "a.yaml:23: "},
		"sensitive by the group": {[]string{"person.personal_id", "person.relatives.illness, person.ethnic_groups"}, `field "person.ethnic_groups"`},
	} {
		t.Run(name, func(t *testing.T) {
			s, err := agreementtest.Load(write(t, edit(t, c.edit...)), catalogtest.Load(t))
			require.ErrorContains(t, err, c.want)
			require.Nil(t, s)
		})
	}
}

// index returns where in the sample a key stands.
func index(key string) int { return strings.Index(sample, key) }

func TestTwoAgreementsThatCouldDecideOneQuestionAreRefused(t *testing.T) {
	for name, c := range map[string]struct {
		second []string
		want   string // empty: they may stand beside each other
	}{
		"same time":          {[]string{"H27-G01-01", "H27-G01-02"}, "H27-G01-02 version 3 overlaps H27-G01-01 version 3"},
		"one day":            {[]string{"version: 3", "version: 4", "2026-12-31", "2027-06-30", "2026-01-01", "2026-12-31"}, "H27-G01-01 version 4 overlaps"},
		"one system of two":  {[]string{"version: 3", "version: 4", "one-stop, reception", "reception"}, "H27/reception may call sample.v1.PeopleService/GetPerson for purpose CT-TT"},
		"same version twice": {[]string{"2026-01-01", "2027-01-01", "2026-12-31", "2027-12-31"}, "version 3 of H27-G01-01 is given twice"},
		"next year":          {[]string{"version: 3", "version: 4", "2026-01-01", "2027-01-01", "2026-12-31", "2027-12-31"}, ""},
		"other system":       {[]string{"version: 3", "version: 4", "one-stop, reception", "archive"}, ""},
		"other purposes":     {[]string{"version: 3", "version: 4", "HT-KS", "HT-KT", "CT-TT", "CT-XT"}, ""},
		"other provider":     {[]string{"version: 3", "version: 4", "provider: G01", "provider: H27"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := agreementtest.Load(write(t, sample, edit(t, c.second...)), catalogtest.Load(t))
			if c.want == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, c.want)
		})
	}
}

func TestOneBadFileKeepsTheWholeDirectoryOut(t *testing.T) {
	other := edit(t, "H27-G01-01", "H27-G01-02", "one-stop, reception", "archive")
	bad := edit(t, "version: 3", "version: x", "provider: G01", "provider: G99")
	s, err := agreementtest.Load(write(t, other, bad), catalogtest.Load(t))
	require.Nil(t, s)
	require.ErrorContains(t, err, "b.yaml:2: ")
}

func FuzzLoadNeverPanics(f *testing.F) {
	f.Add(sample)
	f.Add("id: &x H\nversion: *x\nmethods: [{}]\npurposes: [~]\n")
	c := catalogtest.Load(f)
	f.Fuzz(func(t *testing.T, text string) {
		if s, err := agreementtest.Load(write(t, text), c); err != nil {
			require.Nil(t, s)
		}
	})
}
