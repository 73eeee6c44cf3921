package person_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
	"github.com/lienthong/lienthong/proto/reason"
	"github.com/lienthong/lienthong/services/person"
)

func TestNumberTellsProvinceSexAndYear(t *testing.T) {
	id, err := person.ParseID("087084000999") // the example of domain.md 1.1
	require.NoError(t, err)
	require.Equal(t, "87", id.Province())
	require.Equal(t, hubv1.Sex_SEX_MALE, id.Sex())
	require.Equal(t, 1984, id.BirthYear())
}

func TestNumberKeepsWhatItWasMadeOf(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		province := rapid.StringMatching(`[0-9]{2}|[1-9][0-9]{2}`).Draw(t, "province")
		sex := rapid.SampledFrom([]hubv1.Sex{hubv1.Sex_SEX_MALE, hubv1.Sex_SEX_FEMALE}).Draw(t, "sex")
		year := rapid.IntRange(1900, 2399).Draw(t, "year")
		id, err := person.NewID(province, sex, year, rapid.IntRange(0, 999_999).Draw(t, "serial"))
		require.NoError(t, err)
		parsed, err := person.ParseID(string(id))
		require.NoError(t, err)
		require.Equal(t, province, parsed.Province())
		require.Equal(t, sex, parsed.Sex())
		require.Equal(t, year, parsed.BirthYear())
	})
}

func TestNumberOutOfRangeIsRefused(t *testing.T) {
	male := hubv1.Sex_SEX_MALE
	for name, make := range map[string]func() (person.ID, error){
		"no province":     func() (person.ID, error) { return person.NewID("", male, 1987, 1) },
		"province letter": func() (person.ID, error) { return person.NewID("4x", male, 1987, 1) },
		"no sex":          func() (person.ID, error) { return person.NewID("42", hubv1.Sex_SEX_UNDETERMINED, 1987, 1) },
		"year too early":  func() (person.ID, error) { return person.NewID("42", male, 1899, 1) },
		"year too late":   func() (person.ID, error) { return person.NewID("42", male, 2400, 1) },
		"serial negative": func() (person.ID, error) { return person.NewID("42", male, 1987, -1) },
		"serial too long": func() (person.ID, error) { return person.NewID("42", male, 1987, 1_000_000) },
		"eleven digits":   func() (person.ID, error) { return person.ParseID("04218700123") },
		"a letter":        func() (person.ID, error) { return person.ParseID("04218700123x") },
		"other digits":    func() (person.ID, error) { return person.ParseID("٠٤٢١٨٧") },
	} {
		_, err := make()
		require.ErrorIs(t, err, reason.IDMalformed, name)
	}
	_, err := person.ParseOldID("18345678")
	require.ErrorIs(t, err, reason.IDMalformed)
	old, err := person.ParseOldID("183456789")
	require.NoError(t, err)
	require.EqualValues(t, "183456789", old)
}

func FuzzParseID(f *testing.F) {
	for _, seed := range []string{"042187001234", "", "04218700123", "04218700123x", "٠٤٢١٨٧"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		id, err := person.ParseID(s)
		if err != nil {
			require.Empty(t, id)
			return
		}
		require.Equal(t, s, string(id))
		again, err := person.NewID(id.Province(), id.Sex(), id.BirthYear(), serial(s))
		require.NoError(t, err)
		require.Equal(t, id, again)
	})
}

func serial(s string) int {
	n := 0
	for _, c := range s[6:] {
		n = n*10 + int(c-'0')
	}
	return n
}

func TestDateOfAnyPrecision(t *testing.T) {
	for s, want := range map[string]person.Date{
		"1987": {Year: 1987}, "1987-04": {Year: 1987, Month: 4}, "1987-04-21": {1987, 4, 21}, "2024-02-29": {2024, 2, 29},
	} {
		d, err := person.ParseDate(s)
		require.NoError(t, err, s)
		require.Equal(t, want, d)
		require.Equal(t, s, d.String())
	}
	for _, s := range []string{"", "87", "0000", "1987-4-2", "1987-00", "1987-13", "1987-04-00", "1987-04-31", "2023-02-29", "1987/04/21", "1987-04-2x", "1987-04-21T"} {
		_, err := person.ParseDate(s)
		require.ErrorIs(t, err, reason.DateMalformed, s)
	}
}

func TestDatesMatchAsFarAsBothAreKnown(t *testing.T) {
	day, month, year := person.Date{1987, 4, 21}, person.Date{Year: 1987, Month: 4}, person.Date{Year: 1987}
	for _, pair := range [][2]person.Date{{day, day}, {day, month}, {day, year}, {month, year}} {
		require.True(t, pair[0].Matches(pair[1]) && pair[1].Matches(pair[0]), pair)
	}
	for _, pair := range [][2]person.Date{
		{day, {1987, 4, 22}}, {day, {Year: 1987, Month: 5}}, {day, {Year: 1986}}, {month, {1987, 5, 21}}, {{}, {}}, {day, {}},
	} {
		require.False(t, pair[0].Matches(pair[1]) || pair[1].Matches(pair[0]), pair)
	}
}

func TestFutureBeginsTomorrowInVietNam(t *testing.T) {
	now := time.Date(2026, 3, 31, 18, 0, 0, 0, time.UTC) // 1 April there
	require.False(t, person.Date{Year: 2026}.After(now))
	require.False(t, person.Date{Year: 2026, Month: 4}.After(now))
	require.False(t, person.Date{2026, 4, 1}.After(now))
	require.True(t, person.Date{2026, 4, 2}.After(now))
	require.True(t, person.Date{Year: 2026, Month: 5}.After(now))
}

func FuzzParseDate(f *testing.F) {
	for _, seed := range []string{"1987-04-21", "1987-04", "1987", "2023-02-29", "----------"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		d, err := person.ParseDate(s)
		if err != nil {
			require.Zero(t, d)
			return
		}
		require.Equal(t, s, d.String())
		require.Equal(t, s, d.Time().Format("2006-01-02")[:len(s)])
		require.True(t, d.Matches(d))
	})
}
