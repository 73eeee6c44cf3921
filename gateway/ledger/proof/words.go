package proof

import hubv1 "github.com/lienthong/lienthong/proto/hub/v1"

// words are what the values of an enumeration are called.
type words map[int32]phrase

// of returns a value's words with its coded name; the name alone where there are no words for it.
func (w words) of(value int32, name string) phrase {
	p, ok := w[value]
	if !ok {
		return phrase{name, name}
	}
	return phrase{p.en + " (" + name + ")", p.vi + " (" + name + ")"}
}

var outcomes = words{
	int32(hubv1.Exchange_OUTCOME_ANSWERED):  {"answered", "đã trả lời"},
	int32(hubv1.Exchange_OUTCOME_REFUSED):   {"refused", "đã từ chối"},
	int32(hubv1.Exchange_OUTCOME_FAILED):    {"failed", "lỗi"},
	int32(hubv1.Exchange_OUTCOME_TIMED_OUT): {"timed out", "quá thời hạn"},
	int32(hubv1.Exchange_OUTCOME_CANCELLED): {"cancelled by the consumer", "cơ quan khai thác đã hủy"},
}

var results = words{
	int32(hubv1.Result_FOUND):    {"found", "tìm thấy"},
	int32(hubv1.Result_NO_MATCH): {"no match", "không khớp"},
	int32(hubv1.Result_MULTIPLE): {"several records match", "nhiều bản ghi khớp"},
	int32(hubv1.Result_DECEASED): {"the person is deceased", "người đã chết"},
	int32(hubv1.Result_MISSING):  {"not digitised", "chưa số hóa"},
	int32(hubv1.Result_WRONG):    {"known to be wrong", "dữ liệu có sai sót"},
	int32(hubv1.Result_PARTIAL):  {"part of it found", "tìm thấy một phần"},
}

// checkTitles are what the checks are called.
var checkTitles = map[string]phrase{
	CheckForm:        {"Form of the document", "Hình thức tài liệu"},
	CheckSignature:   {"Signature of the checkpoint", "Chữ ký của điểm kiểm tra"},
	CheckOrigin:      {"Same ledger", "Cùng một sổ"},
	CheckInclusion:   {"Position in the log", "Vị trí trong sổ"},
	CheckDigest:      {"Digest of the record", "Mã băm của bản ghi"},
	CheckRecord:      {"Reading the record", "Giải mã bản ghi"},
	CheckView:        {"Readable copy", "Bản sao để đọc"},
	CheckFields:      {"Field lists", "Danh sách trường dữ liệu"},
	CheckConsistency: {"Consistency with an older checkpoint", "Nhất quán với điểm kiểm tra cũ hơn"},
	CheckWitnesses:   {"Cosignatures of witnesses", "Chữ ký của bên chứng kiến"},
	CheckRequest:     {"Bytes of the request", "Byte của yêu cầu"},
	CheckAnswer:      {"Bytes of the answer", "Byte của câu trả lời"},
}

var states = map[State]phrase{
	Passed:  {"holds", "đạt"},
	Failed:  {"FAILS", "KHÔNG ĐẠT"},
	NotMade: {"not checked", "không kiểm tra"},
}

// Title is what the check is called, in "vi" or, for any other language, in English.
func (c *Check) Title(lang string) string { return checkTitles[c.Name].in(lang) }
