package insurance

import "github.com/lienthong/lienthong/proto/reason"

// A card number is a prefix (2 letters of the category, benefit level, 2 digits of the province of issue) and the
// 10-digit insurance number. Since April 2021 cards show the insurance number only.
const (
	prefixLength = 5
	numberLength = 10
	cardLength   = prefixLength + numberLength
)

// parseCardNumber takes apart what is printed on a card. prefix is empty for an insurance number alone. It fails
// with reason.IDMalformed for what has neither length, and for an insurance number that is not all digits; odd
// says that the rest of a 15-character number is not made as card numbers are.
func parseCardNumber(s string) (prefix, number string, odd bool, err error) {
	switch len(s) {
	case numberLength:
		number = s
	case cardLength:
		prefix, number = upper(s[:prefixLength]), s[prefixLength:]
	default:
		return "", "", false, reason.IDMalformed
	}
	if !digits(number) {
		return "", "", false, reason.IDMalformed
	}
	return prefix, number, prefix != "" && !wellFormed(prefix), nil
}

// upper makes capitals of a to z, and of nothing else: in Unicode, I is also the capital of the Turkish ı.
func upper(s string) string {
	b := []byte(s)
	for i, c := range b {
		if c >= 'a' && c <= 'z' {
			b[i] = c - 'a' + 'A'
		}
	}
	return string(b)
}

func wellFormed(prefix string) bool {
	return letter(prefix[0]) && letter(prefix[1]) && prefix[2] >= '1' && prefix[2] <= '5' && digits(prefix[3:])
}

func letter(c byte) bool { return c >= 'A' && c <= 'Z' }

func digits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}

// cardNumber is the 15-character number of the card, or "" where there is none.
func (i *insured) cardNumber() string {
	if i.prefix == "" {
		return ""
	}
	return i.prefix + i.number
}

func (i *insured) category() string { return i.prefix[:min(2, len(i.prefix))] }

// level is the benefit level of the card, 1 to 5, or 0 where there is no card.
func (i *insured) level() uint32 { return levelOf(i.prefix) }

func levelOf(prefix string) uint32 {
	if len(prefix) != prefixLength || prefix[2] < '1' || prefix[2] > '5' {
		return 0
	}
	return uint32(prefix[2] - '0')
}

// facilityCode checks the 5-digit code of a clinic, whose first two digits are its province.
func facilityCode(s, field string) error {
	switch {
	case s == "":
		return reason.FieldRequired.At(field)
	case len(s) != 5 || !digits(s) || s[:2] == "00":
		return reason.FieldInvalid.At(field)
	}
	return nil
}
