package nation

import (
	"strconv"
	"time"
)

// Number is a 12-digit personal number.
type Number uint64

// String is the number with its leading zeros, or "" for 0.
func (n Number) String() string { return digits(uint64(n), 12) }

// OldNumber is a 9-digit number (CMND). It is an alias, not a key: two people may hold the same one.
type OldNumber uint32

// String is the number with its leading zeros, or "" for 0.
func (n OldNumber) String() string { return digits(uint64(n), 9) }

// Insurance is a 10-digit social insurance number (mã số BHXH).
type Insurance uint64

// String is the number with its leading zeros, or "" for 0.
func (n Insurance) String() string { return digits(uint64(n), 10) }

// TaxCode is a 10-digit enterprise code (mã số doanh nghiệp) with a right check digit.
type TaxCode uint64

// String is the code with its leading zeros, or "" for 0.
func (n TaxCode) String() string { return digits(uint64(n), 10) }

// Phone is a 10-digit mobile number.
type Phone uint32

// String is the number with its leading zero, or "" for 0.
func (n Phone) String() string { return digits(uint64(n), 10) }

// Date is a calendar day as the number YYYYMMDD; an unknown day or month is 00. Zero means not known at all.
// Among full dates the order of numbers is the order of days.
type Date uint32

// NewDate puts a date together; month or day 0 means not known.
func NewDate(year, month, day int) Date { return Date(year*10000 + month*100 + day) }

// DateOf is the calendar day of t in t's location.
func DateOf(t time.Time) Date { return NewDate(t.Year(), int(t.Month()), t.Day()) }

// Year is the year, 0 if not known.
func (d Date) Year() int { return int(d / 10000) }

// Month is the month, 0 if not known.
func (d Date) Month() int { return int(d / 100 % 100) }

// Day is the day of the month, 0 if not known.
func (d Date) Day() int { return int(d % 100) }

// Full says whether year, month and day are known.
func (d Date) Full() bool { return d.Month() != 0 && d.Day() != 0 }

// Time is midnight UTC of the earliest day the date may mean.
func (d Date) Time() time.Time {
	return time.Date(d.Year(), time.Month(max(d.Month(), 1)), max(d.Day(), 1), 0, 0, 0, 0, time.UTC)
}

// String is ISO 8601 in the date's precision: 1987-04-21, 1987-04, 1987, or "" for an unknown date.
func (d Date) String() string {
	if d == 0 {
		return ""
	}
	b := make([]byte, 0, 10)
	b = appendDigits(b, uint64(d.Year()), 4)
	if d.Month() != 0 {
		b = appendDigits(append(b, '-'), uint64(d.Month()), 2)
		if d.Day() != 0 {
			b = appendDigits(append(b, '-'), uint64(d.Day()), 2)
		}
	}
	return string(b)
}

// Moment is an instant in Unix seconds, to the minute; 0 means none.
type Moment int64

// Time is the instant in UTC.
func (m Moment) Time() time.Time { return time.Unix(int64(m), 0).UTC() }

// String is RFC 3339 in UTC, or "" for none.
func (m Moment) String() string {
	if m == 0 {
		return ""
	}
	return m.Time().Format(time.RFC3339)
}

// digits is v in at least width digits, or "" for 0.
func digits(v uint64, width int) string {
	if v == 0 {
		return ""
	}
	return pad(v, width)
}

// pad is v in at least width digits.
func pad(v uint64, width int) string {
	return string(appendDigits(make([]byte, 0, 16), v, width))
}

func appendDigits(b []byte, v uint64, width int) []byte {
	var buf [20]byte
	s := strconv.AppendUint(buf[:0], v, 10)
	for i := len(s); i < width; i++ {
		b = append(b, '0')
	}
	return append(b, s...)
}
