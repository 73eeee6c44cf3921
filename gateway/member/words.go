package member

import (
	"context"
	"fmt"
	"regexp"
	"regexp/syntax"
	"strings"
	"unicode"
	"unicode/utf8"

	"google.golang.org/grpc/metadata"

	"github.com/lienthong/lienthong/proto/reason"
)

// WordOfficer is the metadata in which a system names the officer for whom it acts: the account's name.
const WordOfficer = "lt-officer"

// Bounds on what operators and agencies may write.
const (
	maxName     = 200 // runes of a name
	maxCaseForm = 256 // bytes of the form of case numbers
	maxSteps    = 500 // of the program that such a form is compiled to: matching stays on the quick path
)

// Refusals of words. They are made once: the refusing of a call allocates nothing.
var (
	errOfficer = reason.OfficerUnknown.At(WordOfficer)
	errCase    = reason.CaseInvalid.At("lt-case")
)

// CheckWords judges the officer and the case that a system of an agency names; empty ones pass. It fails with
// OFFICER_UNKNOWN or CASE_INVALID, and IDENTITY_UNKNOWN for an agency that is not known. It does not allocate.
func (d *Directory) CheckWords(agency, officer, caseNumber string) error {
	a := d.agency(agency)
	if a == nil {
		return reason.IdentityUnknown
	}
	if officer != "" && a.Officers == Any && isPersonNumber(officer) {
		return errOfficer
	}
	if officer != "" && a.Officers != Any {
		if _, enrolled := a.officers[officer]; !enrolled {
			return errOfficer
		}
	}
	if caseNumber != "" && a.form != nil && !a.form.MatchString(caseNumber) {
		return errCase
	}
	return nil
}

// OfficerOf is the officer for whom a call about the hub's rules is made; "" if none is named. It fails with
// METADATA_INVALID for what is no account's name, and for two.
func OfficerOf(ctx context.Context) (string, error) {
	md, _ := metadata.FromIncomingContext(ctx)
	given := md[WordOfficer]
	if len(given) == 0 {
		return "", nil
	}
	if word := given[0]; len(given) == 1 && (word == "" || CheckAccount(word) == nil) {
		return word, nil
	}
	return "", reason.MetadataInvalid.At(WordOfficer)
}

// caseForm compiles the form of case numbers; nil if it is empty. It must match the whole of a number.
func caseForm(text string) (*regexp.Regexp, error) {
	if text == "" {
		return nil, nil
	}
	if len(text) > maxCaseForm {
		return nil, fmt.Errorf("the form of case numbers is over %d bytes", maxCaseForm)
	}
	parsed, err := syntax.Parse(text, syntax.Perl) // by itself, so that what is put around it stays around it
	if err != nil {
		return nil, fmt.Errorf("the form of case numbers: %w", err)
	}
	program, err := syntax.Compile(parsed.Simplify())
	if err != nil {
		return nil, fmt.Errorf("the form of case numbers: %w", err)
	}
	if len(program.Inst) > maxSteps {
		return nil, fmt.Errorf("the form of case numbers has %d steps, over %d; repeat less", len(program.Inst), maxSteps)
	}
	return regexp.Compile(`\A(?:` + text + `)\z`)
}

// checkName refuses names that would not look like what they are: control characters, turned directions, blanks around.
func checkName(what, name string) error {
	switch {
	case !utf8.ValidString(name):
		return fmt.Errorf("%s is not UTF-8", what)
	case utf8.RuneCountInString(name) > maxName:
		return fmt.Errorf("%s is over %d characters", what, maxName)
	case strings.TrimSpace(name) != name:
		return fmt.Errorf("%s %q has blanks around it", what, name)
	case strings.ContainsFunc(name, unseen):
		return fmt.Errorf("%s %q has characters that nobody sees", what, name)
	}
	return nil
}

// CheckReason refuses what is no reason in words, as it may stand in records; empty is fine.
func CheckReason(text string) error {
	for _, digits := range digitRuns.FindAllString(text, -1) {
		if isPersonNumber(digits) {
			return fmt.Errorf("the reason has %d digits in a row, which look like the number of a person; the ledger keeps it for ever", len(digits))
		}
	}
	return checkName("reason", text)
}

var digitRuns = regexp.MustCompile(`[0-9]+`)

func unseen(r rune) bool {
	return r == utf8.RuneError || unicode.In(r, unicode.Cc, unicode.Cf, unicode.Co, unicode.Zl, unicode.Zp)
}

// accountForm is that of account names of officers.
var accountForm = regexp.MustCompile(`^[A-Za-z0-9._-]{1,64}$`)

// CheckAccount refuses what is no account name, and numbers of people: those do not belong into records.
func CheckAccount(account string) error {
	switch {
	case !accountForm.MatchString(account):
		return fmt.Errorf("%q is no account name: 1 to 64 letters, digits, dots, dashes and underscores", account)
	case isPersonNumber(account):
		return fmt.Errorf("an account of %d digits looks like the number of a person; name it otherwise", len(account))
	}
	return nil
}

// isPersonNumber reports whether a word looks like the number of a person: of 9, 10 or 12 digits.
func isPersonNumber(word string) bool {
	if n := len(word); n != 9 && n != 10 && n != 12 {
		return false
	}
	for i := range len(word) {
		if word[i] < '0' || word[i] > '9' {
			return false
		}
	}
	return true
}
