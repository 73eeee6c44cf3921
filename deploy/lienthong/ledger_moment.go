package main

import (
	"fmt"
	"regexp"
	"strconv"
	"time"
)

// ict is the clock that people here read: seven hours ahead of UTC, without summer time.
var ict = time.FixedZone("+07:00", 7*60*60)

// clock shows a moment as people here read it.
func clock(t time.Time) string { return t.In(ict).Format("2006-01-02 15:04:05.000") }

var ago = regexp.MustCompile(`^(\d+)([dw])$`)

// moment reads a point in time: RFC 3339, a date, a date and a time of day, or how long before now ("15m", "36h",
// "7d", "2w"). Without a zone it is ours. A date means the day's beginning, or its end when endOfDay is set.
func moment(text string, now time.Time, endOfDay bool) (time.Time, error) {
	if t, err := time.Parse(time.RFC3339Nano, text); err == nil {
		return t, nil
	}
	if t, err := time.ParseInLocation(time.DateOnly, text, ict); err == nil {
		if endOfDay {
			t = t.AddDate(0, 0, 1)
		}
		return t, nil
	}
	for _, layout := range []string{"2006-01-02T15:04:05.999999999", "2006-01-02 15:04:05.999999999", "2006-01-02T15:04", "2006-01-02 15:04"} {
		if t, err := time.ParseInLocation(layout, text, ict); err == nil {
			return t, nil
		}
	}
	if back, ok := span(text); ok {
		return now.Add(-back), nil
	}
	return time.Time{}, fmt.Errorf("%q is no point in time; write 2026-11-22, 2026-11-22T09:30:00+07:00, or how long ago: 15m, 36h, 7d", text)
}

// span reads a length of time: what Go writes, or days and weeks. It is never negative.
func span(text string) (time.Duration, bool) {
	if d, err := time.ParseDuration(text); err == nil {
		return d, d >= 0
	}
	m := ago.FindStringSubmatch(text)
	if m == nil {
		return 0, false
	}
	n, err := strconv.Atoi(m[1])
	if err != nil || n > 36500 {
		return 0, false
	}
	days := map[string]int{"d": 1, "w": 7}[m[2]]
	return time.Duration(n*days) * 24 * time.Hour, true
}

// age reads how old something must be: "90d", "2y", "12w", "36h". A year is one of the calendar's.
func age(text string, now time.Time) (time.Time, error) {
	if m := regexp.MustCompile(`^(\d{1,3})y$`).FindStringSubmatch(text); m != nil {
		years, _ := strconv.Atoi(m[1]) // three digits at most
		return now.AddDate(-years, 0, 0), nil
	}
	if back, ok := span(text); ok {
		return now.Add(-back), nil
	}
	return time.Time{}, fmt.Errorf("%q is no age; write 90d, 26w or 2y", text)
}
