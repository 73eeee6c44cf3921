package nation

// Name is a person's name as a registry has it: family name, middle name, given name, and how it is spelt.
type Name struct {
	family, middle, given uint16
	spelling              uint16
}

// FamilyName is the family name (họ).
func (n Name) FamilyName() string { return "" }

// MiddleName is the middle name (chữ đệm), or "".
func (n Name) MiddleName() string { return "" }

// GivenName is the given name (tên).
func (n Name) GivenName() string { return "" }

// String is the full name in mixed case, NFC: "Nguyễn Thị Hòa".
func (n Name) String() string { return "" }
