package civilstatus

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/lienthong/lienthong/services/person"
)

func TestDateInWordsIsAsOnCertificates(t *testing.T) {
	for want, d := range map[string]person.Date{
		"Ngày mùng hai, tháng ba, năm hai nghìn không trăm hai mươi tư":     {Year: 2024, Month: 3, Day: 2},
		"Ngày hai mươi mốt, tháng tư, năm một nghìn chín trăm tám mươi bảy": {Year: 1987, Month: 4, Day: 21},
		"Ngày mùng mười, tháng mười hai, năm hai nghìn":                     {Year: 2000, Month: 12, Day: 10},
		"Ngày mười lăm, tháng năm, năm hai nghìn không trăm linh năm":       {Year: 2005, Month: 5, Day: 15},
		"Ngày ba mươi, tháng mười một, năm hai nghìn không trăm hai mươi":   {Year: 2020, Month: 11, Day: 30},
		"Ngày hai mươi lăm, tháng một, năm một nghìn chín trăm":             {Year: 1900, Month: 1, Day: 25},
		"Ngày mười một, tháng mười, năm hai nghìn không trăm ba mươi lăm":   {Year: 2035, Month: 10, Day: 11},
		"Tháng tư, năm một nghìn chín trăm năm mươi tư":                     {Year: 1954, Month: 4},
		"Năm một nghìn chín trăm linh bốn":                                  {Year: 1904},
	} {
		require.Equal(t, want, inWords(d))
	}
}

func TestMonthsAfterStaysInTheMonth(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := person.DateOf(person.Date{Year: 2000, Month: 1, Day: 1}.Time().AddDate(0, 0, rapid.IntRange(0, 40_000).Draw(t, "days")))
		months := rapid.IntRange(0, 60).Draw(t, "months")
		after := monthsAfter(d, months)
		require.Equal(t, d.Year*12+d.Month+months, after.Year*12+after.Month)
		_, err := person.ParseDate(after.String())
		require.NoError(t, err)
		require.LessOrEqual(t, after.Day, d.Day)
		require.True(t, after.Day == d.Day || after.Day >= 28)
	})
}

func FuzzReadNumber(f *testing.F) {
	for _, seed := range []string{"1/2024", "01/2024", "0/2024", "12", "12/24", "٣/2024", "-1/2024", "+1/2024", "99999999999/2024"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		number, ok := readNumber(s)
		if !ok {
			require.Empty(t, number)
			return
		}
		again, ok := readNumber(number)
		require.True(t, ok)
		require.Equal(t, number, again, "a number as written is read as it is")
	})
}
