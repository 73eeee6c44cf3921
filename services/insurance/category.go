package insurance

// What a benefit level pays, in percent of the cost, for care where the person should have it.
var shares = [...]uint32{1: 100, 2: 100, 3: 95, 4: 80, 5: 100}

// categories are the two letters of a card number: why somebody is insured.
var categories = map[string]string{
	"CC": "Người có công với cách mạng", "TE": "Trẻ em dưới 6 tuổi",

	"CK": "Người có công với cách mạng khác", "CB": "Cựu chiến binh", "KC": "Người tham gia kháng chiến",
	"HN": "Người thuộc hộ gia đình nghèo", "DT": "Người dân tộc thiểu số ở vùng khó khăn",
	"DK": "Người sống ở vùng đặc biệt khó khăn", "XD": "Người sống ở xã đảo, huyện đảo",
	"BT": "Đối tượng bảo trợ xã hội", "TS": "Thân nhân liệt sĩ",

	"HT": "Người hưởng lương hưu, trợ cấp mất sức lao động", "TC": "Thân nhân người có công",
	"CN": "Người thuộc hộ gia đình cận nghèo",

	"DN": "Người lao động trong doanh nghiệp", "HX": "Người lao động trong hợp tác xã",
	"CH": "Người lao động trong cơ quan nhà nước, đoàn thể", "NN": "Người lao động trong tổ chức nước ngoài",
	"TK": "Người lao động trong tổ chức khác", "HC": "Cán bộ, công chức, viên chức",
	"XK": "Người hoạt động không chuyên trách ở cấp xã", "TB": "Người hưởng trợ cấp tai nạn lao động, bệnh nghề nghiệp",
	"NO": "Người nghỉ hưởng trợ cấp ốm đau dài ngày", "CT": "Người từ đủ 80 tuổi hưởng trợ cấp tuất",
	"XB": "Cán bộ xã nghỉ việc hưởng trợ cấp bảo hiểm xã hội", "TN": "Người hưởng trợ cấp thất nghiệp",
	"CS": "Công nhân cao su hưởng trợ cấp", "XN": "Cán bộ xã nghỉ việc hưởng trợ cấp ngân sách",
	"MS": "Người hết thời hạn hưởng trợ cấp mất sức lao động", "HD": "Đại biểu Quốc hội, đại biểu Hội đồng nhân dân",
	"TQ": "Thân nhân quân nhân", "TA": "Thân nhân công an", "TY": "Thân nhân người làm cơ yếu",
	"HG": "Người đã hiến bộ phận cơ thể", "LS": "Người nước ngoài học tập tại Việt Nam",
	"PV": "Người phục vụ người có công", "HS": "Học sinh", "SV": "Sinh viên",
	"GB": "Người thuộc hộ nông, lâm, ngư, diêm nghiệp có mức sống trung bình", "GD": "Người tham gia theo hộ gia đình",

	"QN": "Quân nhân", "CA": "Công an nhân dân", "CY": "Người làm công tác cơ yếu",
}

// Categories that the rules name.
const (
	childUnderSix = "TE"
	childLevel    = 1
	army          = "QN"
	cipher        = "CY"
	police        = "CA"
)

// joinable are the categories that a person joins by own payment, so that a renewal may change to them, and their
// benefit level.
var joinable = map[string]byte{"HS": '4', "SV": '4', "GD": '4'}
