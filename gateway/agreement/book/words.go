package book

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/lienthong/lienthong/proto/reason"
)

// maxText is how long what people give as a reason may be, in characters.
const maxText = 1000

// numberLike is a run of digits, which may be a person's number if it is as long as one.
var numberLike = regexp.MustCompile(`[0-9]+`)

// CleanText is what somebody said, fit for the ledger, which keeps it for ever: one line of at most 1,000 characters,
// in which nobody's number stands. It fails with FIELD_INVALID.
func CleanText(text, field string) (string, error) {
	text = strings.TrimSpace(text)
	if !utf8.ValidString(text) || utf8.RuneCountInString(text) > maxText || strings.ContainsFunc(text, unfit) {
		return "", reason.FieldInvalid.At(field)
	}
	for _, digits := range numberLike.FindAllString(text, -1) {
		switch len(digits) {
		case 9, 10, 12, 13: // 13: the digits of a card's number
			return "", reason.FieldInvalid.At(field)
		}
	}
	return text, nil
}

// unfit reports whether a rune does not belong in a line of text.
func unfit(r rune) bool { return unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp) }
