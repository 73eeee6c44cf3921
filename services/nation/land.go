package nation

// LandUse is a land-use code of the cadastre.
type LandUse uint8

// Land-use codes that the generator uses.
const (
	LandONT LandUse = iota + 1 // rural residential
	LandODT                    // urban residential
	LandLUC                    // paddy, two crops or more
	LandBHK                    // other annual crops
	LandNHK                    // upland annual crops
	LandCLN                    // perennial crops
	LandRSX                    // production forest
	LandNTS                    // aquaculture
	LandSKC                    // non-farm production
	LandTMD                    // trade and services
)

var landUseCodes = [...]string{"", "ONT", "ODT", "LUC", "BHK", "NHK", "CLN", "RSX", "NTS", "SKC", "TMD"}

var landUseNames = [...]string{"", "Đất ở tại nông thôn", "Đất ở tại đô thị", "Đất chuyên trồng lúa nước",
	"Đất bằng trồng cây hằng năm khác", "Đất nương rẫy trồng cây hằng năm khác", "Đất trồng cây lâu năm",
	"Đất rừng sản xuất", "Đất nuôi trồng thủy sản", "Đất cơ sở sản xuất phi nông nghiệp", "Đất thương mại, dịch vụ"}

// String is the three-letter code, such as ONT.
func (u LandUse) String() string { return landUseCodes[u] }

// Name is the use in Vietnamese.
func (u LandUse) Name() string { return landUseNames[u] }

// Origin is how the right to use a parcel arose.
type Origin uint8

var origins = [...]string{"Công nhận QSDĐ như giao đất có thu tiền sử dụng đất",
	"Công nhận QSDĐ như giao đất không thu tiền sử dụng đất", "Nhà nước giao đất có thu tiền sử dụng đất",
	"Nhà nước giao đất không thu tiền sử dụng đất", "Nhận chuyển nhượng đất được công nhận QSDĐ",
	"Nhận thừa kế đất được công nhận QSDĐ", "Nhận tặng cho đất được công nhận QSDĐ"}

// String is the origin in Vietnamese, as printed on certificates.
func (o Origin) String() string { return origins[int(o)%len(origins)] }

// Parcel is a plot of land. (Place.Commune, Sheet, Plot) is unique.
type Parcel struct {
	Place       Place  // GSO-2025 codes; Place.Province names the jurisdiction
	OldCommune  uint32 // GSO-2004 code under which the parcel was first recorded
	Certificate int32
	Area        uint32 // tenths of a square metre
	Term        Date   // end of the right; 0 means lâu dài (for long)
	Sheet       uint16
	Plot        uint16
	Use         LandUse
	Origin      Origin
	Missing     bool // in a commune without a land database: the land registry must answer MISSING
}

// Certificate is a land-use right certificate. Its parcels are Parcels[First : First+Parcels], all in one
// commune; its owners are Owners[FirstOwner : FirstOwner+Owners].
type Certificate struct {
	First      int32
	FirstOwner int32
	Serial     uint32 // digits of the serial number (số phát hành)
	BookNumber uint32
	Issued     Date
	Parcels    uint8
	Owners     uint8
	Letters    [2]byte // letters of the serial number
	Book       uint8   // prefix of the book number
	New        bool    // issued on the form of 1 January 2025, with a QR code and an 8-digit serial
}

// SerialText is the serial number as printed: "AA 01695788", or with six digits on older forms.
func (c *Certificate) SerialText() string {
	width := 6
	if c.New {
		width = 8
	}
	return string(c.Letters[:]) + " " + pad(uint64(c.Serial), width)
}

// BookText is the number in the office's book (số vào sổ), such as "CS 01234".
func (c *Certificate) BookText() string {
	return [...]string{"CH", "CS", "CN"}[int(c.Book)%3] + " " + pad(uint64(c.BookNumber), 5)
}

// Owner is a name on a certificate as the land book has it. Name, Birth, Number and OldNumber may differ from the
// person's where Damages says so.
type Owner struct {
	Person    int32
	Number    Number    // 12-digit number; 0 if the book has only the old number
	OldNumber OldNumber // 9-digit number; 0 unless Number is 0
	Name      Name
	Birth     Date
}

// Mortgage is a mortgage of a parcel, registered to the minute.
type Mortgage struct {
	Parcel     int32
	Contract   uint32
	Registered Moment
	Removed    Moment // 0 while in force
	bank       uint8
}

// Bank is the name of an illustrative lender.
func (m *Mortgage) Bank() string { return banks[int(m.bank)%len(banks)] }

// ContractText is the contract's number as written, such as "004211/2023/HĐTC".
func (m *Mortgage) ContractText() string {
	return pad(uint64(m.Contract), 6) + "/" + pad(uint64(m.Registered.Time().Year()), 4) + "/HĐTC"
}

var banks = [...]string{"Ngân hàng Minh họa Sông Hồng", "Ngân hàng Minh họa Trường Sơn", "Ngân hàng Minh họa Cửu Long",
	"Quỹ tín dụng Minh họa Lam Giang", "Ngân hàng Minh họa Biển Đông", "Ngân hàng Minh họa Tây Nguyên"}

// RestrictionKind is what limits the use of a parcel besides a mortgage.
type RestrictionKind uint8

// Kinds of restriction.
const (
	Seizure  RestrictionKind = 1 // kê biên by the enforcement office
	Dispute  RestrictionKind = 2 // notice of a dispute
	Planning RestrictionKind = 3 // lies in a published plan
)

// Restriction is a seizure, dispute notice or planning restriction of a parcel.
type Restriction struct {
	Parcel   int32
	Decision uint32
	From     Moment
	Until    Moment // 0 while in force
	Kind     RestrictionKind
}

// DecisionText is the decision's number as written, such as "212/QĐ-THADS".
func (r *Restriction) DecisionText() string {
	return pad(uint64(r.Decision), 3) + [...]string{"", "/QĐ-THADS", "/TB-UBND", "/QĐ-QH"}[r.Kind]
}
