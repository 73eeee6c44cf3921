package land

import (
	"strings"
	"unicode/utf8"

	"github.com/lienthong/lienthong/proto/reason"
)

// Serial is the number printed on a certificate (số phát hành), as printed: 2 letters, a space, 8 digits or, on
// forms before 2025, 6. Example: "AA 01695788".
type Serial string

const (
	serialDigits    = 8
	oldSerialDigits = 6
)

// ParseSerial reads a serial number; case and spaces do not matter. It fails with reason.FieldRequired for nothing
// and with reason.FieldInvalid for anything else that is no serial number, both at certificate_serial.
func ParseSerial(s string) (Serial, error) {
	const field = "certificate_serial"
	if strings.TrimSpace(s) == "" {
		return "", reason.FieldRequired.At(field)
	}
	b := make([]byte, 0, 16)
	letters, digits := 0, 0
	for _, c := range s {
		upper, ok := serialLetter(c)
		switch {
		case c == ' ':
		case ok && letters < 2 && digits == 0:
			b = utf8.AppendRune(b, upper)
			if letters++; letters == 2 {
				b = append(b, ' ')
			}
		case c >= '0' && c <= '9' && letters == 2 && digits < serialDigits:
			b = append(b, byte(c))
			digits++
		default:
			return "", reason.FieldInvalid.At(field)
		}
	}
	if digits != serialDigits && digits != oldSerialDigits {
		return "", reason.FieldInvalid.At(field)
	}
	return Serial(b), nil
}

// serialLetter returns the capital of a letter that certificates are numbered with: A to Z, and Đ.
func serialLetter(c rune) (rune, bool) {
	switch {
	case c >= 'a' && c <= 'z':
		return c - 'a' + 'A', true
	case c == 'đ' || c == 'Đ':
		return 'Đ', true
	}
	return c, c >= 'A' && c <= 'Z'
}
