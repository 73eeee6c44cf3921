// Package person gives every registry one meaning of who somebody is: personal numbers, dates that may be known
// to the year or month only, and names that are spelled in several ways.
//
// What does not belong here: looking people up, and anything that needs a database or the network.
package person

import (
	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
	"github.com/lienthong/lienthong/proto/reason"
)

// ID is a personal identification number (số định danh cá nhân): 12 digits PPP C YY NNNNNN. PPP is "0" and the
// province (one of the old 63, or a new one) where the birth was registered, or a country; C tells century and
// sex; YY is the year of birth; NNNNNN is random. There is no check digit. (NĐ 137/2015, TT 59/2021.)
//
// Sex and year are those on record when the number was issued: they may have been corrected since.
type ID string

// OldID is an identity card number of 9 digits (số CMND). It is no key: some were issued twice.
type OldID string

const (
	idLength    = 12
	oldIDLength = 9
	firstYear   = 1900
	lastYear    = 2399
	serials     = 1_000_000
)

// ParseID reads a personal number. It fails with reason.IDMalformed unless s is exactly 12 ASCII digits. An
// unknown province is no error: country codes are not published.
func ParseID(s string) (ID, error) {
	if len(s) != idLength || !digits(s) {
		return "", reason.IDMalformed
	}
	return ID(s), nil
}

// ParseOldID reads an old number. It fails with reason.IDMalformed unless s is exactly 9 ASCII digits.
func ParseOldID(s string) (OldID, error) {
	if len(s) != oldIDLength || !digits(s) {
		return "", reason.IDMalformed
	}
	return OldID(s), nil
}

// NewID makes the number of somebody whose birth was registered in a province: a 2-digit code ("42") or a 3-digit
// prefix ("042"). Sex is male or female, year 1900 to 2399, serial 0 to 999,999. Anything else is
// reason.IDMalformed.
func NewID(province string, sex hubv1.Sex, year, serial int) (ID, error) {
	if len(province) == 2 {
		province = "0" + province
	}
	male := sex == hubv1.Sex_SEX_MALE
	switch {
	case len(province) != 3 || !digits(province),
		!male && sex != hubv1.Sex_SEX_FEMALE,
		year < firstYear || year > lastYear,
		serial < 0 || serial >= serials:
		return "", reason.IDMalformed
	}
	century := (year - firstYear) / 100 * 2
	if !male {
		century++
	}
	b := make([]byte, 0, idLength)
	b = append(b, province...)
	b = append(b, byte('0'+century), byte('0'+year/10%10), byte('0'+year%10))
	for unit := serials / 10; unit > 0; unit /= 10 {
		b = append(b, byte('0'+serial/unit%10))
	}
	return ID(b), nil
}

// Province is the code of the province that registered the birth, 2 digits ("42"), or the 3-digit code of a
// country. Empty for the zero ID.
func (id ID) Province() string {
	if len(id) != idLength {
		return ""
	}
	if id[0] == '0' {
		return string(id[1:3])
	}
	return string(id[:3])
}

// Sex is the sex that the number tells.
func (id ID) Sex() hubv1.Sex {
	switch {
	case len(id) != idLength:
		return hubv1.Sex_SEX_UNSPECIFIED
	case (id[3]-'0')%2 == 0:
		return hubv1.Sex_SEX_MALE
	}
	return hubv1.Sex_SEX_FEMALE
}

// BirthYear is the year of birth that the number tells, 1900 to 2399; 0 for the zero ID.
func (id ID) BirthYear() int {
	if len(id) != idLength {
		return 0
	}
	return firstYear + int(id[3]-'0')/2*100 + int(id[4]-'0')*10 + int(id[5]-'0')
}

func digits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}
