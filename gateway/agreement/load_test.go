package agreement_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lienthong/lienthong/gateway/agreement"
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
		"unknown key":            {[]string{"provider: G01", "provider: G01\nquota: 5"}, "a.yaml:8: unknown key quota"},
		"unknown service":        {[]string{"PeopleService", "OtherService"}, "a.yaml:8: service sample.v1.OtherService is not in the catalog; expected one of: sample.v1.PeopleService"},
		"unknown method":         {[]string{"name: GetPerson", "name: GetPeople"}, "a.yaml:20: sample.v1.PeopleService has no method GetPeople; expected one of: GetPerson, ListParcels, RegisterParcel"},
		"unknown field":          {[]string{"person.birth_date", "person.birthdate"}, `a.yaml:21: GetPerson: field "person.birthdate" of sample.v1.GetPersonResponse: no such field; expected a path such as: person.personal_id`},
		"everything":             {[]string{"person.name", "'*'"}, "a.yaml:21: GetPerson: * is not a field"},
		"no fields":              {[]string{"[parcel_id]", "[]"}, "a.yaml:22: fields of RegisterParcel is empty"},
		"no purposes":            {[]string{sample[index("purposes:"):index("methods:")], ""}, "a.yaml:1: purposes is empty"},
		"no methods":             {[]string{sample[index("methods:"):], ""}, "a.yaml:1: methods is empty"},
		"no legal basis":         {[]string{"    legal_basis: Luật Hộ tịch 60/2014/QH13\n", ""}, "a.yaml:13: legal_basis of the purpose is missing"},
		"empty legal basis":      {[]string{"Luật Hộ tịch 60/2014/QH13", "''"}, "a.yaml:14: legal_basis of the purpose is missing"},
		"bad purpose code":       {[]string{"HT-KS", "'HT KS'"}, `a.yaml:12: code "HT KS"; expected`},
		"purpose twice":          {[]string{"CT-TT", "HT-KS"}, "a.yaml:16: purpose HT-KS is named twice"},
		"method twice":           {[]string{"RegisterParcel", "GetPerson"}, "a.yaml:22: method GetPerson is named twice"},
		"system twice":           {[]string{"reception", "one-stop"}, "a.yaml:6: system one-stop is named twice"},
		"bad system":             {[]string{"reception", "One Stop"}, `a.yaml:6: "H27/One Stop" is not an agency's system`},
		"no systems":             {[]string{"[one-stop, reception]", "[]"}, "a.yaml:5: consumer.systems is empty"},
		"ends before it begins":  {[]string{"2026-12-31", "2025-12-31"}, "a.yaml:10: valid_to 2025-12-31 lies before valid_from 2026-01-01"},
		"no such day":            {[]string{"2026-12-31", "2026-02-30"}, `a.yaml:10: valid_to "2026-02-30" is not a day; expected one such as 2026-01-01`},
		"no end":                 {[]string{"valid_to: 2026-12-31\n", ""}, "a.yaml:1: valid_to is missing"},
		"not the provider":       {[]string{"provider: G01", "provider: G24"}, "a.yaml:7: G24 does not provide sample.v1.PeopleService"},
		"no id":                  {[]string{"id: H27-G01-01", "id: ''"}, "a.yaml:1: id is missing"},
		"bad id":                 {[]string{"H27-G01-01", "../x"}, `a.yaml:1: id "../x"; expected`},
		"version zero":           {[]string{"version: 3", "version: 0"}, `a.yaml:2: version "0"; expected a number from 1`},
		"version is no number":   {[]string{"version: 3", "version: 1.0"}, `a.yaml:2: version "1.0"; expected a number from 1`},
		"flag is no flag":        {[]string{"provider: G01", "provider: G01\ncase_required: maybe"}, "a.yaml:8: expected true or false"},
		"field list is no list":  {[]string{"[parcel_id]", "parcel_id"}, "a.yaml:23: "},
		"sensitive by the group": {[]string{"person.personal_id", "person.relatives.illness, person.ethnic_groups"}, `field "person.ethnic_groups"`},
	} {
		t.Run(name, func(t *testing.T) {
			s, err := agreement.Load(write(t, edit(t, c.edit...)), catalogtest.Load(t))
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
		"same time":          {[]string{"H27-G01-01", "H27-G01-02"}, "b.yaml:1: H27-G01-02 version 3 overlaps H27-G01-01 version 3 of "},
		"one day":            {[]string{"version: 3", "version: 4", "2026-12-31", "2027-06-30", "2026-01-01", "2026-12-31"}, "b.yaml:1: H27-G01-01 version 4 overlaps"},
		"one system of two":  {[]string{"version: 3", "version: 4", "one-stop, reception", "reception"}, "H27/reception may call sample.v1.PeopleService/GetPerson for purpose CT-TT"},
		"same version twice": {[]string{"2026-01-01", "2027-01-01", "2026-12-31", "2027-12-31"}, "b.yaml:1: version 3 of H27-G01-01 is in "},
		"next year":          {[]string{"version: 3", "version: 4", "2026-01-01", "2027-01-01", "2026-12-31", "2027-12-31"}, ""},
		"other system":       {[]string{"version: 3", "version: 4", "one-stop, reception", "archive"}, ""},
		"other purposes":     {[]string{"version: 3", "version: 4", "HT-KS", "HT-KT", "CT-TT", "CT-XT"}, ""},
		"other provider":     {[]string{"version: 3", "version: 4", "provider: G01", "provider: H27"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := agreement.Load(write(t, sample, edit(t, c.second...)), catalogtest.Load(t))
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
	s, err := agreement.Load(write(t, other, bad), catalogtest.Load(t))
	require.Nil(t, s)
	require.ErrorContains(t, err, "b.yaml:2: ")
	require.ErrorContains(t, err, "b.yaml:7: ", "all that is wrong is said at once")
}

func TestAPolicyIsKeptWhenItsFilesBreak(t *testing.T) {
	dir := t.TempDir()
	put := func(text string) {
		path := filepath.Join(dir, agreement.AgreementsDir, "a.yaml")
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path+"~", []byte(text), 0o600))
		require.NoError(t, os.Rename(path+"~", path))
	}
	require.NoError(t, os.Rename(catalogtest.Dir(t), filepath.Join(dir, agreement.CatalogDir)))
	put(sample)
	w := agreement.Watch(t.Context(), dir)
	t.Cleanup(w.Wait)
	before := w.Load()
	require.NoError(t, w.Err())
	require.Len(t, before.Agreements.All(), 1)

	put("id: [")
	require.Eventually(t, func() bool { return w.Err() != nil }, 10*time.Second, 20*time.Millisecond)
	require.Same(t, before.Agreements, w.Load().Agreements)

	put(edit(t, "version: 3", "version: 4"))
	require.Eventually(t, func() bool { return w.Err() == nil }, 10*time.Second, 20*time.Millisecond)
	require.EqualValues(t, 4, w.Load().Agreements.All()[0].Version)
	require.NotSame(t, before.Catalog, w.Load().Catalog, "catalog and agreements change together")
}

func FuzzLoadNeverPanics(f *testing.F) {
	f.Add(sample)
	f.Add("id: &x H\nversion: *x\nmethods: [{}]\npurposes: [~]\n")
	c := catalogtest.Load(f)
	f.Fuzz(func(t *testing.T, text string) {
		if s, err := agreement.Load(write(t, text), c); err != nil {
			require.Nil(t, s)
		}
	})
}
