package civilstatus

import (
	"strings"

	"github.com/lienthong/lienthong/services/person"
)

var digitWords = [10]string{"không", "một", "hai", "ba", "bốn", "năm", "sáu", "bảy", "tám", "chín"}

var monthWords = [13]string{"", "một", "hai", "ba", "tư", "năm", "sáu", "bảy", "tám", "chín", "mười", "mười một", "mười hai"}

// inWords is a date as certificates write it: "Ngày mùng hai, tháng ba, năm hai nghìn không trăm hai mươi tư". What
// is not known of it is left out.
func inWords(d person.Date) string {
	var b strings.Builder
	if d.Day != 0 {
		b.WriteString("ngày ")
		if d.Day <= 10 {
			b.WriteString("mùng ")
		}
		b.WriteString(belowHundred(d.Day) + ", ")
	}
	if d.Month != 0 {
		b.WriteString("tháng " + monthWords[d.Month] + ", ")
	}
	b.WriteString("năm " + yearWords(d.Year))
	s := b.String()
	return strings.ToUpper(s[:1]) + s[1:]
}

// yearWords reads a year of four digits.
func yearWords(year int) string {
	words := digitWords[year/1000%10] + " nghìn"
	rest := year % 1000
	if rest == 0 {
		return words
	}
	words += " " + digitWords[rest/100] + " trăm"
	switch rest %= 100; {
	case rest == 0:
		return words
	case rest < 10:
		return words + " linh " + digitWords[rest]
	}
	return words + " " + belowHundred(rest)
}

// belowHundred reads 1 to 99.
func belowHundred(n int) string {
	tens, units := n/10, n%10
	switch {
	case n < 10:
		return digitWords[n]
	case n == 10:
		return "mười"
	case tens == 1 && units == 5:
		return "mười lăm"
	case tens == 1:
		return "mười " + digitWords[units]
	}
	words := digitWords[tens] + " mươi"
	switch units {
	case 0:
		return words
	case 1:
		return words + " mốt"
	case 4:
		return words + " tư"
	case 5:
		return words + " lăm"
	}
	return words + " " + digitWords[units]
}
