package nation

// Category is the two letters of a health insurance object, such as TE for a child under 6.
type Category [2]byte

// String is the two letters.
func (c Category) String() string { return string(c[:]) }

// Zone is the living area (maKV) that widens some benefits: 0 none, 1–3 for K1–K3.
type Zone uint8

// String is "K1", "K2", "K3" or "".
func (z Zone) String() string {
	if z == 0 {
		return ""
	}
	return "K" + string('0'+rune(z))
}

// Card is a health insurance card as the insurance registry has it. Name, Birth, Sex, Number and OldNumber may
// differ from the person's where Damages says so.
type Card struct {
	Person    int32     // index, or None if the card's person does not exist (declared as OrphanCard)
	Insurance Insurance // the number on the card
	Number    Number    // 12-digit number on record; 0 if the record still has only the old number
	OldNumber OldNumber // 9-digit number on record; 0 if none
	Name      Name
	Birth     Date
	From      Date
	To        Date
	FiveYears Date   // day from which five continuous years are complete; may lie ahead
	Facility  uint32 // initial clinic (mã ĐKBĐ); see Facility.Code
	Category  Category
	Benefit   uint8 // benefit level 1–5
	Province  uint8 // old GSO code of the issuing province
	Sex       Sex
	Zone      Zone
}

// Code is the 15-character card number: category, benefit level, province, insurance number.
func (c *Card) Code() string {
	b := make([]byte, 0, 15)
	b = append(b, c.Category[0], c.Category[1], '0'+c.Benefit)
	b = appendDigits(b, uint64(c.Province), 2)
	return string(appendDigits(b, uint64(c.Insurance), 10))
}

// FacilityCode is the 5-digit code of the initial clinic.
func (c *Card) FacilityCode() string { return pad(uint64(c.Facility), 5) }

// Share is the percentage that the fund pays at a benefit level.
func Share(benefit uint8) int {
	switch benefit {
	case 1, 2, 5:
		return 100
	case 3:
		return 95
	case 4:
		return 80
	}
	return 0
}

// Employer is an illustrative enterprise or office.
type Employer struct {
	Tax      TaxCode // enterprise code
	Kind     Work    // WorkEnterprise, WorkState, WorkArmy or WorkPolice
	Province uint8   // GSO-2025 code
	name     uint16
	serial   uint16
}

// Contribution is a period of social insurance with one employer at one salary.
type Contribution struct {
	Person    int32
	Employer  int32
	Insurance Insurance // the number under which it was paid: differs for a DuplicateInsurance
	From      Date      // first month; day 0
	To        Date      // last month; day 0, and 0 if it goes on
	Salary    uint32    // monthly, đồng
}

// Work is what a person lives on.
type Work uint8

// What people live on.
const (
	WorkNone       Work = 0 // small child, or nothing known
	WorkPupil      Work = 1
	WorkStudent    Work = 2
	WorkFarm       Work = 3
	WorkFree       Work = 4 // on one's own account
	WorkEnterprise Work = 5
	WorkState      Work = 6
	WorkArmy       Work = 7
	WorkPolice     Work = 8
	WorkRetired    Work = 9  // with a pension
	WorkAged       Work = 10 // without one
	WorkJobless    Work = 11 // draws unemployment benefit
)
