package nation

// RegistrationKind is how an event came into the civil-status book (loaiDangKy).
type RegistrationKind uint8

// Kinds of registration.
const (
	OnTime       RegistrationKind = 1
	Reregistered RegistrationKind = 2
	ForeignNote  RegistrationKind = 3
	Late         RegistrationKind = 4
)

// Entry is where and when an event was entered in a civil-status book.
type Entry struct {
	Place       Place // the commune that keeps the book, in the code system of that day; see Place.Agency
	Date        Date  // day of registration
	Number      uint16
	Kind        RegistrationKind
	Undigitised bool // still only on paper: the civil-status registry must answer MISSING
}

// NumberText is the entry's number as written: number/year, such as "117/2019".
func (e *Entry) NumberText() string {
	return pad(uint64(e.Number), 2) + "/" + pad(uint64(e.Date.Year()), 4)
}

// Book is the book's number as written, such as "02/2019": a new book begins after 200 entries.
func (e *Entry) Book() string {
	return pad(uint64(1+e.Number/200), 2) + "/" + pad(uint64(e.Date.Year()), 4)
}

// Page is the page of the book, from 1.
func (e *Entry) Page() int { return int(e.Number)%200 + 1 }

// Birth is the civil-status record of a birth: the name and date as the book has them.
type Birth struct {
	Entry
	Name     Name
	Date     Date // of birth; the day of registration is Entry.Date
	NoFather bool // the entry names no father
}

// Ending is how a marriage ended.
type Ending uint8

// Ways in which a marriage ends; 0 means that it has not.
const (
	NotEnded       Ending = 0
	EndedByDivorce Ending = 1
	EndedByDeath   Ending = 2
)

// Marriage is the civil-status record of a marriage.
type Marriage struct {
	Entry
	Husband, Wife int32
	Decision      uint16 // number of the court's divorce decision in its year; 0 if none
	End           Ending
	EndDate       Date // day of divorce or death; 0 if not ended
}

// DecisionText is the divorce decision as written, such as "41/2019/QĐST-HNGĐ", or "".
func (m *Marriage) DecisionText() string {
	if m.End != EndedByDivorce {
		return ""
	}
	return pad(uint64(m.Decision), 2) + "/" + pad(uint64(m.EndDate.Year()), 4) + "/QĐST-HNGĐ"
}

// Court is the court that decided the divorce, or "".
func (m *Marriage) Court() string {
	if m.End != EndedByDivorce {
		return ""
	}
	return "Tòa án nhân dân " + m.Place.ProvinceName()
}

// Death is the civil-status record of a death.
type Death struct {
	Entry
	Person   int32
	When     Date
	Minute   uint16 // minute of the day, local time
	Where    Place
	Cause    Cause
	Document uint8 // kind of paper the entry rests on, 0–7; 1 is a notice of death
}

// Cause is a coded cause of death.
type Cause uint8

// String is the cause in Vietnamese, as the book has it.
func (c Cause) String() string { return causes[int(c)%len(causes)] }

var causes = [...]string{"Già yếu", "Bệnh tim mạch", "Đột quỵ", "Ung thư", "Bệnh phổi", "Tai nạn giao thông",
	"Đái tháo đường", "Suy thận", "Tai nạn lao động", "Bệnh hiểm nghèo"}
