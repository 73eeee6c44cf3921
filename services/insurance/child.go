package insurance

import (
	"time"

	"github.com/lienthong/lienthong/services/person"
)

// childCardEnds is the last day of the card of a child under 6: 30 September of the year in which the child is 72
// months old, so that it reaches the school year; for one born later in the year, the last day of the month in
// which it is 72 months old. (NĐ 146/2018, Art. 13; NĐ 188/2025.) A birth date that is known in part counts as the
// earliest day that it can be.
func childCardEnds(birth person.Date) time.Time {
	year, month := birth.Year+6, time.Month(max(birth.Month, 1))
	if month <= time.September {
		return time.Date(year, time.September, 30, 0, 0, 0, 0, time.UTC)
	}
	return time.Date(year, month+1, 0, 0, 0, 0, 0, time.UTC)
}

// underSix reports whether, on an ISO day, somebody born then has been born and still has the right to a child's card.
func underSix(birth person.Date, day string) bool {
	return birth.Year != 0 && day >= iso(birth.Time()) && day <= iso(childCardEnds(birth))
}

func iso(t time.Time) string { return t.Format(time.DateOnly) }
