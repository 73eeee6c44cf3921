package nation

// Shares of family names are Lê Trung Hoa's (2005). Given and middle names are common ones, in the order of frequency.

// weighted is an entry of a table with its weight.
type weighted struct {
	text   string
	weight int
}

// families are the common family names of the north; see southern for what differs in the south.
var families = []weighted{{"Nguyễn", 384}, {"Trần", 121}, {"Lê", 95}, {"Phạm", 70}, {"Hoàng", 51}, {"Phan", 45},
	{"Vũ", 39}, {"Trương", 22}, {"Đặng", 21}, {"Bùi", 20}, {"Đỗ", 14}, {"Hồ", 13}, {"Ngô", 13}, {"Hà", 12}, {"Dương", 10},
	{"Trịnh", 10}, {"Đinh", 9}, {"Lâm", 7}, {"Đoàn", 7}, {"Cao", 7}, {"Lương", 7}, {"Mai", 6}, {"Đào", 6}, {"Lưu", 6},
	{"Thái", 5}, {"Lý", 5}, {"Phùng", 4}, {"Vương", 4}, {"Chu", 4}, {"Tạ", 4}}

// southern are the southern forms of family names, used from old province 48 on.
var southern = map[string]string{"Hoàng": "Huỳnh", "Vũ": "Võ"}

// clans are the family names of ethnic groups other than the Kinh, by group code; groups not listed share the
// names of a neighbour (see neighbours).
var clans = map[uint8][]string{
	2:  {"Nông", "Hoàng", "Bế", "Ma", "Vi", "Lý", "Chu"},
	3:  {"Lò", "Lường", "Quàng", "Tòng", "Cà", "Lù"},
	4:  {"Lý", "Trần", "Lâm", "Quách", "Vương", "Lưu", "Mã", "Tăng"},
	5:  {"Thạch", "Sơn", "Kim", "Danh", "Lâm", "Châu"},
	6:  {"Bùi", "Đinh", "Quách", "Bạch", "Hà"},
	7:  {"Nông", "Chu", "Vi", "Hoàng", "Lương", "Triệu"},
	8:  {"Giàng", "Vừ", "Thào", "Lầu", "Lý", "Sùng", "Mùa", "Vàng", "Cư", "Hàng"},
	9:  {"Bàn", "Triệu", "Đặng", "Lý", "Phàn"},
	10: {"Rơ Châm", "Siu", "Ksor", "Nay", "Kpă"},
	12: {"Niê", "Mlô", "Ê Ban", "Kbuôr", "Nay"},
	17: {"Chế", "Đàng", "Ông", "Ma", "Trà"},
	23: {"Hồ"},
}

// neighbours name the group in clans whose family names another group uses; 1 is the Kinh.
var neighbours = [55]uint8{11: 4, 13: 10, 14: 12, 15: 2, 16: 12, 18: 9, 19: 23, 20: 12, 21: 12, 22: 12, 24: 1, 25: 8, 26: 23,
	27: 10, 28: 12, 29: 3, 30: 23, 31: 23, 32: 1, 33: 3, 34: 3, 35: 8, 36: 12, 37: 3, 38: 9, 39: 3, 40: 8, 41: 8, 42: 3,
	43: 7, 44: 1, 45: 3, 46: 9, 47: 9, 48: 3, 49: 8, 50: 8, 51: 9, 52: 10, 53: 3, 54: 10}

// maleMiddle and femaleMiddle are middle names; the first of each was the rule before 1990 and is rare after 2005.
var maleMiddle = []string{"Văn", "Hữu", "Đức", "Công", "Thanh", "Minh", "Quốc", "Gia", "Bảo", "Xuân", "Ngọc", "Quang",
	"Tuấn", "Anh", "Hoàng", "Duy", "Đình", "Trọng"}

var femaleMiddle = []string{"Thị", "Ngọc", "Thị Thu", "Thị Thanh", "Diệu", "Mỹ", "Kim", "Khánh", "Bảo", "Thanh", "Phương",
	"Thùy", "Thị Ngọc", "Thị Hồng", "Thị Kim", "Minh", "Quỳnh", "Hà"}

var maleGiven = []string{"Hùng", "Dũng", "Tuấn", "Minh", "Hải", "Long", "Nam", "Sơn", "Thắng", "Cường", "Đức", "Hoàng",
	"Anh", "Quân", "Huy", "Khánh", "Phúc", "Thành", "Trung", "Tùng", "Bình", "Hòa", "Hiếu", "Kiên", "Lâm", "Linh", "Lộc",
	"Mạnh", "Nghĩa", "Phong", "Phú", "Phương", "Quang", "Quốc", "Tài", "Tâm", "Tân", "Thái", "Thịnh", "Thiện", "Thuận",
	"Tiến", "Toàn", "Toản", "Trường", "Vinh", "Việt", "Vũ", "An", "Bảo", "Chiến", "Công", "Đạt", "Đông", "Duy", "Giang",
	"Hậu", "Hoan", "Hưng", "Khang", "Khoa", "Khôi", "Luân", "Nhân", "Ninh", "Quyết", "Thức", "Tín", "Trí", "Tú", "Tuyên",
	"Uy", "Văn", "Xuân", "Đại", "Đăng", "Hào", "Hiển", "Khải", "Lập", "Lợi", "Lực", "Nguyên", "Nhật", "Phát", "Sáng", "Tuệ",
	"Thạch", "Thế", "Thông", "Trọng", "Tường", "Vương", "Quý", "Định", "Hạnh", "Thủy", "Thụy", "Hóa", "Thọ"}

var femaleGiven = []string{"Hoa", "Lan", "Hương", "Hằng", "Hà", "Linh", "Mai", "Trang", "Thảo", "Thủy", "Thúy", "Hòa", "Hạnh",
	"Hiền", "Hồng", "Huệ", "Huyền", "Nga", "Ngọc", "Nhung", "Oanh", "Phương", "Phượng", "Quỳnh", "Tâm", "Thanh", "Thu",
	"Trinh", "Tuyết", "Vân", "Xuân", "Yến", "Anh", "Ánh", "Bích", "Châu", "Chi", "Cúc", "Diễm", "Diệp", "Diệu", "Dung",
	"Duyên", "Đào", "Giang", "Hảo", "Hậu", "Hoài", "Khánh", "Kiều", "Lệ", "Liên", "Liễu", "Loan", "Ly", "Lý", "Mến", "Minh",
	"My", "Mỹ", "Na", "Ngân", "Nguyệt", "Nhi", "Như", "Nhã", "Phúc", "Quyên", "Sen", "Sương", "Tình", "Thắm", "Thoa", "Thơ",
	"Thơm", "Thục", "Thương", "Thùy", "Tiên", "Trà", "Trâm", "Trân", "Trúc", "Tú", "Tuyền", "Uyên", "Vi", "Vy", "Ý", "An",
	"Bình", "Chinh", "Đoan", "Gấm", "Hợi", "Khuê", "Lài", "Lụa", "Tươi", "Lành"}

// youngMale and youngFemale are fashionable for those born since 2005.
var youngMale = []string{"Minh", "Khang", "Bảo", "Huy", "Khôi", "Phúc", "Anh", "Khoa", "Đăng", "Nhật", "Phát", "Quân", "Nam",
	"An", "Kiệt", "Hoàng", "Thịnh", "Long", "Duy", "Nguyên", "Trí", "Lâm", "Kiên", "Bách", "Tùng", "Hòa"}

var youngFemale = []string{"Anh", "Ngân", "Trâm", "Vy", "Thảo", "Nhi", "Ngọc", "Chi", "Trang", "Linh", "My", "Hân", "Thư", "Như",
	"Quỳnh", "Châu", "An", "Khánh", "Hà", "Uyên", "Yến", "Mai", "Diệp", "Vân", "San", "Thùy"}

// mountainMale and mountainFemale are given names among the peoples of the northern mountains.
var mountainMale = []string{"Páo", "Dơ", "Lử", "Tủa", "Sính", "Vừ", "Pó", "Chía", "Dế", "Lềnh", "Chá", "Tráng", "Sếnh", "Phử"}

var mountainFemale = []string{"Mỷ", "Dợ", "Máy", "Sua", "Chứ", "Dua", "Pàng", "Mảy", "Ghến", "Xuấn", "Pla", "Chở", "Say", "Mẩy"}

// highlandMale and highlandFemale are given names among the peoples of the central highlands.
var highlandMale = []string{"Y Bhăm", "Y Thuân", "Y Khôi", "Y Đoan", "Y Ngọc", "Y Bliên", "Y Wan", "Y Dhăm", "Y Jút", "Y Lem"}

var highlandFemale = []string{"H'Lan", "H'Bia", "H'Ngọc", "H'Duyên", "H'Mai", "H'Linh", "H'Yar", "H'Bích", "H'Nga", "H'Rem"}
