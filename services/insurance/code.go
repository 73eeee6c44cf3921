package insurance

import hubv1 "github.com/lienthong/lienthong/proto/hub/v1"

// code is what the portal of Viet Nam Social Security answers to a clinic: 3 digits.
type code string

// The codes that this registry answers. The others of the portal (sign-in, officer, server failure) are reasons of
// the hub.
const (
	valid                 code = "000"
	armyCard              code = "001"
	policeCard            code = "002"
	endedReplaced         code = "003"
	validReplaced         code = "004"
	expired               code = "010"
	noCard                code = "050"
	wrongForm             code = "051"
	wrongProvince         code = "052"
	wrongLevel            code = "053"
	wrongName             code = "060"
	wrongNameSameInitials code = "061"
	wrongBirth            code = "070"
	wrongFacility         code = "090"
	recalled              code = "110"
	reduced               code = "120"
	reducedMovedOut       code = "121"
	reducedMovedWithin    code = "122"
	reducedSameUnit       code = "123"
	reducedLeft           code = "124"
	childWithoutCard      code = "130"
	wrongParameters       code = "205"
)

// meaning is what a code says: in words, to the fund, and to the hub.
type meaning struct {
	vi, en  string
	covered bool
	result  hubv1.Result_Code
}

var meanings = map[code]meaning{
	valid:                 {"Thẻ có giá trị sử dụng", "the card is valid", true, hubv1.Result_FOUND},
	armyCard:              {"Thẻ do BHXH Bộ Quốc phòng quản lý", "army card, valid; its own office keeps it", true, hubv1.Result_FOUND},
	policeCard:            {"Thẻ do BHXH Công an nhân dân quản lý", "police card, valid; its own office keeps it", true, hubv1.Result_FOUND},
	endedReplaced:         {"Thẻ cũ hết giá trị sử dụng, đã được cấp thẻ mới", "the old card has ended, a new one was issued", true, hubv1.Result_FOUND},
	validReplaced:         {"Thẻ cũ còn giá trị sử dụng, đã được cấp thẻ mới", "the old card still counts, a new one was issued", true, hubv1.Result_FOUND},
	expired:               {"Thẻ hết giá trị sử dụng", "the card does not count on this day", false, hubv1.Result_FOUND},
	noCard:                {"Không thấy thông tin thẻ BHYT", "no such card", false, hubv1.Result_NO_MATCH},
	wrongForm:             {"Mã thẻ không đúng", "wrong card number", false, hubv1.Result_NO_MATCH},
	wrongProvince:         {"Mã tỉnh cấp thẻ (ký tự thứ 4, 5) không đúng", "wrong province (characters 4 and 5)", false, hubv1.Result_NO_MATCH},
	wrongLevel:            {"Mã quyền lợi (ký tự thứ 3) không đúng", "wrong benefit level (character 3)", false, hubv1.Result_NO_MATCH},
	wrongName:             {"Thẻ sai họ tên", "wrong name", false, hubv1.Result_NO_MATCH},
	wrongNameSameInitials: {"Thẻ sai họ tên (đúng ký tự đầu)", "wrong name, same initials", false, hubv1.Result_NO_MATCH},
	wrongBirth:            {"Thẻ sai ngày sinh", "wrong birth date", false, hubv1.Result_NO_MATCH},
	wrongFacility:         {"Thẻ sai nơi đăng ký KCB ban đầu", "not in the province of the initial facility", true, hubv1.Result_FOUND},
	recalled:              {"Thẻ đã thu hồi", "the card was recalled", false, hubv1.Result_FOUND},
	reduced:               {"Thẻ đã báo giảm", "the card was reduced", false, hubv1.Result_FOUND},
	reducedMovedOut:       {"Thẻ đã báo giảm: chuyển ngoại tỉnh", "reduced: moved to another province", false, hubv1.Result_FOUND},
	reducedMovedWithin:    {"Thẻ đã báo giảm: chuyển nội tỉnh", "reduced: moved within the province", false, hubv1.Result_FOUND},
	reducedSameUnit:       {"Thẻ đã báo giảm: thu hồi do tăng lại cùng đơn vị", "reduced: recalled, insured again by the same unit", false, hubv1.Result_FOUND},
	reducedLeft:           {"Thẻ đã báo giảm: ngừng tham gia", "reduced: no longer insured", false, hubv1.Result_FOUND},
	childWithoutCard:      {"Trẻ em dưới 6 tuổi chưa có thẻ", "child under 6 without a card yet", true, hubv1.Result_MISSING},
	wrongParameters:       {"Sai tham số", "the two numbers name different people", false, hubv1.Result_NO_MATCH},
}

func resultOf(c hubv1.Result_Code) *hubv1.Result { return &hubv1.Result{Code: c} }
