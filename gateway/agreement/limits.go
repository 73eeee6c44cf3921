package agreement

import (
	"time"

	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
)

// Limits bound how much and how often a version lets be asked. 0 is no bound. They are shared and not to be changed; one
// version has one Limits.
type Limits struct {
	Agreement        string
	PerSecond        int64         // calls in a second
	PerDay           int64         // calls in a day, in Hà Nội
	PerOfficerPerDay int64         // calls of one officer in a day
	Times            int           // calls about one data subject …
	Within           time.Duration // … within this time
}

// limitsOf returns nil if the agreement has none.
func limitsOf(doc *hubv1.Agreement) *Limits {
	q, f := doc.GetQuota(), doc.GetFrequency()
	l := Limits{
		Agreement: doc.GetId(), PerSecond: q.GetPerSecond(), PerDay: q.GetPerDay(), PerOfficerPerDay: q.GetPerOfficerPerDay(),
		Times: int(f.GetTimes()), Within: time.Duration(f.GetHours()) * time.Hour,
	}
	if l == (Limits{Agreement: doc.GetId(), Within: l.Within}) {
		return nil
	}
	return &l
}
