package member

import (
	"errors"
	"fmt"
	"regexp"
	"time"

	"github.com/lienthong/lienthong/proto/peer"
)

// Agency is an agency or a company as the hub's operators know it. Days are "2026-01-01", in the time of Hà Nội.
type Agency struct {
	Code        string       // "H27.07", or a company by its tax code, "COM.3000000012"
	NameVI      string       // name for people
	NameEN      string       // the same in English; may be empty
	Province    string       // code of its province, "42"; empty for those of the whole country
	ValidFrom   string       // first day of the code; empty: always
	ClosedFrom  string       // first day on which it is closed; empty: never
	Successor   string       // code of the agency that took its place; may be empty
	SafetyLevel int          // of its information systems, 1 to 5; 0: not determined
	Assessed    string       // day on which the level was determined; empty with level 0
	Officers    OfficersMode // for whom its systems may ask
	CaseForm    string       // RE2 that its case numbers match as a whole; empty: any will do
}

// OfficersMode says for whom the systems of an agency may ask.
type OfficersMode string

// The modes.
const (
	Enrolled OfficersMode = "enrolled" // for accounts that the agency has enrolled
	Any      OfficersMode = "any"      // for whomever they name
)

// SafetyNeeded is the least safety level of who connects (Decision 384-QD/TW, article 13.3).
const SafetyNeeded = 3

// hanoi is the time that days are in: Asia/Ho_Chi_Minh, which has had no other offset since 1975.
var hanoi = time.FixedZone("Asia/Ho_Chi_Minh", 7*60*60)

// Today is the day of a moment.
func Today(now time.Time) string { return now.In(hanoi).Format(time.DateOnly) }

// day reads a day as the moment at which it begins; the zero time if it is empty.
func day(text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	t, err := time.ParseInLocation(time.DateOnly, text, hanoi)
	if err != nil {
		return time.Time{}, fmt.Errorf("%q is not a day; write it like 2026-01-31", text)
	}
	return t, nil
}

// OpenOn reports whether the agency's code is in its time on a day.
func (a *Agency) OpenOn(day string) bool {
	return a.ValidFrom <= day && (a.ClosedFrom == "" || day < a.ClosedFrom)
}

var provinceForm = regexp.MustCompile(`^[0-9]{2}$`)

// check says what is wrong with an agency, the first thing of it.
func (a *Agency) check() error {
	if !peer.ValidAgency(a.Code) {
		return fmt.Errorf("%q is no agency code; write one like G22, H27.07 or COM.3000000012", a.Code)
	}
	if err := a.checkWords(); err != nil {
		return fmt.Errorf("agency %s: %w", a.Code, err)
	}
	if err := a.checkDays(); err != nil {
		return fmt.Errorf("agency %s: %w", a.Code, err)
	}
	return nil
}

func (a *Agency) checkWords() error {
	if a.NameVI == "" {
		return errors.New("it has no name")
	}
	if err := errors.Join(checkName("name", a.NameVI), checkName("name in English", a.NameEN)); err != nil {
		return err
	}
	if a.Province != "" && !provinceForm.MatchString(a.Province) {
		return fmt.Errorf("%q is no code of a province; it has two digits, like 42", a.Province)
	}
	if a.Officers != Enrolled && a.Officers != Any {
		return fmt.Errorf("officers are %q; they are %q or %q", a.Officers, Enrolled, Any)
	}
	_, err := caseForm(a.CaseForm)
	return err
}

func (a *Agency) checkDays() error {
	for _, d := range []string{a.ValidFrom, a.ClosedFrom, a.Assessed} {
		if _, err := day(d); err != nil {
			return err
		}
	}
	switch {
	case a.ClosedFrom != "" && a.ClosedFrom < a.ValidFrom:
		return fmt.Errorf("it would be closed from %s, before it begins on %s", a.ClosedFrom, a.ValidFrom)
	case a.Successor != "" && a.ClosedFrom == "":
		return fmt.Errorf("%s would take its place, but it is not closed", a.Successor)
	case a.Successor != "" && !peer.ValidAgency(a.Successor), a.Successor == a.Code:
		return fmt.Errorf("%q cannot take its place", a.Successor)
	case a.SafetyLevel < 0 || a.SafetyLevel > 5:
		return fmt.Errorf("safety level %d is none; they are 1 to 5", a.SafetyLevel)
	case (a.SafetyLevel == 0) != (a.Assessed == ""):
		return errors.New("safety level and day of assessment are given together")
	}
	return nil
}
