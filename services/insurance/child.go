package insurance

import (
	"time"

	"github.com/lienthong/lienthong/services/person"
)

// childCardEnds is the last day of the card of a child under 6: the day on which the child is 72 months old, or
// 30 September of that year if that is later, so that the card reaches the school year. (NĐ 146/2018, Art. 13;
// NĐ 188/2025, Art. 37.) A birth date that is known in part counts as the earliest day that it can be.
func childCardEnds(birth person.Date) time.Time {
	ends := birth.Time().AddDate(6, 0, 0)
	school := time.Date(ends.Year(), time.September, 30, 0, 0, 0, 0, time.UTC)
	if ends.Before(school) {
		return school
	}
	return ends
}

// underSix reports whether, on an ISO day, somebody born then has been born and still has the right to a child's card.
func underSix(birth person.Date, day string) bool {
	return birth.Year != 0 && day >= iso(birth.Time()) && day <= iso(childCardEnds(birth))
}

func iso(t time.Time) string { return t.Format(time.DateOnly) }
