package proof

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
)

// section is a part of what is told of a record. Its text is safe to look at, see visible, but not escaped for HTML.
type section struct {
	title phrase
	rows  []row
}

// row is one thing that is told. A row without value is not kept.
type row struct{ label, value phrase }

// add keeps a value that is the same in both languages.
func (s *section) add(en, vi, value string) { s.say(en, vi, phrase{value, value}) }

func (s *section) say(en, vi string, value phrase) {
	if value.en != "" {
		s.rows = append(s.rows, row{phrase{en, vi}, phrase{visible(value.en), visible(value.vi)}})
	}
}

// list keeps the names of a list of fields, with blanks after the commas so that lines can be broken.
func (s *section) list(en, vi, fields string) { s.add(en, vi, strings.ReplaceAll(fields, ",", ", ")) }

func (s *section) number(en, vi string, n int64) {
	if n != 0 {
		s.add(en, vi, fmt.Sprint(n))
	}
}

// tell says what happened, by the document's record.
func tell(v *Verdict) section {
	var s section
	r := v.Record
	switch {
	case r.GetExchange() != nil:
		s.title = phrase{"The exchange", "Lần trao đổi dữ liệu"}
		s.exchange(r.GetExchange(), v.Document.Fields)
	case r.GetIntent() != nil:
		s.title = phrase{"A registry was about to be asked to change something", "Cơ sở dữ liệu sắp được yêu cầu thay đổi"}
		s.intent(r.GetIntent())
	case r.GetChange() != nil:
		s.title = phrase{"A change of the hub's rules or of its ledger", "Thay đổi quy tắc của nền tảng hoặc của sổ"}
		if r.GetChange().GetReason() != "" {
			s.title = phrase{"Somebody was refused, and nothing was changed", "Yêu cầu bị từ chối, không có thay đổi nào"}
		}
		s.change(r.GetChange())
	case r.GetAccess() != nil:
		s.title = phrase{"Somebody read the ledger", "Lượt tra cứu sổ nhật ký"}
		s.access(r.GetAccess())
	case r.GetNotice() != nil:
		s.title = phrase{"What the ledger said of itself", "Thông báo của sổ"}
		s.add("Notice", "Nội dung", compactJSON(r.GetNotice()))
	default:
		return section{}
	}
	s.add("Recorded", "Thời điểm ghi nhật ký", when(r.GetTime()))
	return s
}

func (s *section) exchange(e *hubv1.Exchange, f Fields) {
	s.add("Exchange", "Mã yêu cầu", id(e.GetId()))
	s.say("Outcome", "Kết quả xử lý", outcomes.of(int32(e.GetOutcome()), e.GetOutcome().String()))
	s.add("Reason", "Lý do", e.GetReason())
	if e.GetInDoubt() {
		s.say("In doubt", "Chưa rõ", phrase{"nobody knows whether the registry changed anything", "không rõ cơ sở dữ liệu đã thay đổi hay chưa"})
	}
	s.add("Asked by (consumer)", "Cơ quan khai thác dữ liệu", party(e.GetConsumerAgency(), e.GetConsumerSystem()))
	s.add("Answered by (provider)", "Cơ quan cung cấp dữ liệu", e.GetProviderAgency())
	s.add("Jurisdiction", "Phạm vi trả lời", e.GetJurisdiction())
	s.add("Asked at", "Thời điểm nhận yêu cầu", when(e.GetReceived()))
	s.add("Purpose", "Mục đích sử dụng", e.GetPurpose())
	s.add("Legal basis", "Căn cứ pháp lý", e.GetLegalBasis())
	s.add("Case", "Mã số hồ sơ", e.GetCase())
	s.add("Officer", "Cán bộ, công chức", e.GetOfficer())
	s.add("Consent", "Sự đồng ý của chủ thể dữ liệu", e.GetConsent())
	s.add("Method", "Dịch vụ truy vấn", e.GetMethod())
	s.say("Agreement", "Thỏa thuận chia sẻ dữ liệu", versioned(e.GetAgreement(), e.GetAgreementVersion()))
	if e.GetResult() != nil {
		s.say("Result", "Kết quả tra cứu", results.of(int32(e.GetResult().GetCode()), e.GetResult().GetCode().String()))
	}
	s.list("Fields released (names only)", "Trường dữ liệu đã cung cấp (chỉ tên trường)", f.Released)
	s.list("Fields withheld", "Trường dữ liệu không cung cấp", f.Withheld)
	s.number("People found", "Số người tìm thấy", int64(e.GetMatched()))
	s.number("People not found", "Số người không tìm thấy", int64(e.GetMissed()))
	s.number("Data subjects recorded", "Số chủ thể dữ liệu được ghi nhận", int64(len(e.GetSubjectHashes())))
	s.number("Bytes of the request", "Số byte của yêu cầu", int64(e.GetRequestBytes()))
	s.number("Bytes of the answer", "Số byte của câu trả lời", int64(e.GetAnswerBytes()))
	s.add("Consumer's certificate", "Số sê-ri chứng thư của bên khai thác", e.GetCertificate())
	s.add("List of members", "Phiên bản danh sách thành viên", e.GetMembersVersion())
	s.add("Contract of the service", "Mã băm hợp đồng dịch vụ", hex.EncodeToString(e.GetContractDigest()))
	s.add("Trace", "Mã vết kiểm tra", hex.EncodeToString(e.GetTraceId()))
}

func (s *section) intent(i *hubv1.Intent) {
	s.add("Exchange", "Mã yêu cầu", id(i.GetExchangeId()))
	s.add("Asked by (consumer)", "Cơ quan khai thác dữ liệu", party(i.GetConsumerAgency(), i.GetConsumerSystem()))
	s.add("Registry of (provider)", "Cơ quan cung cấp dữ liệu", i.GetProviderAgency())
	s.add("Jurisdiction", "Phạm vi trả lời", i.GetJurisdiction())
	s.add("Asked at", "Thời điểm nhận yêu cầu", when(i.GetReceived()))
	s.add("Purpose", "Mục đích sử dụng", i.GetPurpose())
	s.add("Case", "Mã số hồ sơ", i.GetCase())
	s.add("Officer", "Cán bộ, công chức", i.GetOfficer())
	s.add("Method", "Dịch vụ truy vấn", i.GetMethod())
	s.say("Agreement", "Thỏa thuận chia sẻ dữ liệu", versioned(i.GetAgreement(), i.GetAgreementVersion()))
	s.number("Data subjects recorded", "Số chủ thể dữ liệu được ghi nhận", int64(len(i.GetSubjectHashes())))
}

func (s *section) change(c *hubv1.Change) {
	s.add("Kind", "Loại thay đổi", c.GetKind().String())
	s.say("Object", "Đối tượng", versioned(c.GetObject(), c.GetVersion()))
	s.add("Done by", "Bên thực hiện", party(c.GetAgency(), c.GetSystem()))
	s.add("Certificate", "Số sê-ri chứng thư", c.GetCertificate())
	s.add("Officer", "Cán bộ, công chức", c.GetOfficer())
	s.add("What was done", "Nội dung", c.GetText())
	s.add("Refused because", "Lý do từ chối", c.GetReason())
	s.add("Approved by", "Bên phê duyệt", strings.Join(c.GetApprovals(), ", "))
	s.add("SHA-256 of what is in force", "SHA-256 của bản có hiệu lực", hex.EncodeToString(c.GetDigest()))
}

func (s *section) access(a *hubv1.Access) {
	s.add("Reading", "Mã lượt tra cứu", id(a.GetId()))
	s.add("Read by", "Bên tra cứu", party(a.GetAgency(), a.GetSystem()))
	s.add("Officer", "Cán bộ, công chức", a.GetOfficer())
	s.add("As", "Vai trò", a.GetRole().String())
	s.add("Asked at", "Thời điểm nhận yêu cầu", when(a.GetReceived()))
	s.add("Method", "Dịch vụ truy vấn", a.GetMethod())
	s.add("Filter", "Điều kiện", a.GetFilter())
	s.add("Entries given", "Số mục đã xem", fmt.Sprint(a.GetEntries()))
	s.add("Refused because", "Lý do từ chối", a.GetReason())
	s.add("Certificate", "Số sê-ri chứng thư", a.GetCertificate())
}

func party(agency, system string) string {
	if system == "" {
		return agency
	}
	return agency + "/" + system
}

func versioned(name string, version int64) phrase {
	if name == "" || version == 0 {
		return phrase{name, name}
	}
	return phrase{fmt.Sprintf("%s, version %d", name, version), fmt.Sprintf("%s, phiên bản %d", name, version)}
}

// id writes an exchange's id as everywhere else, and as it is when it is none.
func id(b []byte) string {
	if u, err := uuid.FromBytes(b); err == nil {
		return u.String()
	}
	return hex.EncodeToString(b)
}

// hanoi is Asia/Ho_Chi_Minh, which has had no other offset since 1975.
var hanoi = time.FixedZone("Asia/Ho_Chi_Minh", 7*60*60)

// when writes a time for people in Việt Nam and for everybody else; "" for none.
func when(t *timestamppb.Timestamp) string {
	if t.CheckValid() != nil {
		return ""
	}
	return clock(t.AsTime())
}

func clock(t time.Time) string {
	return t.In(hanoi).Format("02/01/2006 15:04:05.000") + " (Asia/Ho_Chi_Minh) = " + t.UTC().Format("2006-01-02T15:04:05.000Z") + " (UTC)"
}

// compactJSON writes a message's JSON without the blanks that protobuf puts where it pleases.
func compactJSON(m proto.Message) string {
	text, err := protojson.Marshal(m)
	if err != nil {
		return ""
	}
	var out bytes.Buffer
	if json.Compact(&out, text) != nil {
		return ""
	}
	return out.String()
}
