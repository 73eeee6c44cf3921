package person

import (
	"time"

	"github.com/lienthong/lienthong/proto/reason"
)

// Date is a day, or as much of it as is known: many older people's birth is known to the year or month only.
// 0 means unknown; a day is never known without its month. The zero Date is a date of which nothing is known.
type Date struct{ Year, Month, Day int }

// Zone is Viet Nam's time, in which a day begins and ends.
var Zone = time.FixedZone("ICT", 7*60*60)

// ParseDate reads "1987-04-21", "1987-04" or "1987". Anything else, and a day that no calendar has, is
// reason.DateMalformed.
func ParseDate(s string) (Date, error) {
	var d Date
	ok := true
	switch len(s) {
	case len("1987-04-21"):
		d.Day, ok = number(s[8:], ok && s[7] == '-')
		fallthrough
	case len("1987-04"):
		d.Month, ok = number(s[5:7], ok && s[4] == '-')
		fallthrough
	case len("1987"):
		d.Year, ok = number(s[:4], ok)
	default:
		ok = false
	}
	if !ok || !d.real(len(s)) {
		return Date{}, reason.DateMalformed
	}
	return d, nil
}

// DateOf is the day in Viet Nam at a time.
func DateOf(t time.Time) Date {
	y, m, d := t.In(Zone).Date()
	return Date{y, int(m), d}
}

// real reports whether a date written in length characters exists.
func (d Date) real(length int) bool {
	switch {
	case d.Year < 1,
		length >= 7 && (d.Month < 1 || d.Month > 12),
		length >= 10 && (d.Day < 1 || d.Day > daysIn(d.Year, d.Month)):
		return false
	}
	return true
}

func daysIn(year, month int) int {
	return time.Date(year, time.Month(month)+1, 0, 0, 0, 0, 0, time.UTC).Day()
}

func number(s string, ok bool) (int, bool) {
	n := 0
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return 0, false
		}
		n = n*10 + int(s[i]-'0')
	}
	return n, ok
}

// String writes the date as ParseDate reads it, to the precision that is known; "" for the zero Date.
func (d Date) String() string {
	if d.Year == 0 {
		return ""
	}
	b := make([]byte, 0, len("1987-04-21"))
	b = append(b, byte('0'+d.Year/1000%10), byte('0'+d.Year/100%10), byte('0'+d.Year/10%10), byte('0'+d.Year%10))
	for _, part := range [...]int{d.Month, d.Day} {
		if part == 0 {
			break
		}
		b = append(b, '-', byte('0'+part/10%10), byte('0'+part%10))
	}
	return string(b)
}

// Matches reports whether two dates agree as far as both are known. A date of which nothing is known matches none.
func (d Date) Matches(o Date) bool {
	if d.Year == 0 || d.Year != o.Year {
		return false
	}
	if d.Month == 0 || o.Month == 0 {
		return true
	}
	if d.Month != o.Month {
		return false
	}
	return d.Day == 0 || o.Day == 0 || d.Day == o.Day
}

// Time is the beginning, UTC, of the earliest day that the date can be.
func (d Date) Time() time.Time {
	return time.Date(d.Year, time.Month(max(d.Month, 1)), max(d.Day, 1), 0, 0, 0, 0, time.UTC)
}

// After reports whether even the earliest day that the date can be lies after the day in Viet Nam at t.
func (d Date) After(t time.Time) bool {
	return d.Time().After(DateOf(t).Time())
}
