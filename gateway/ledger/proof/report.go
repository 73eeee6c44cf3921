package proof

import (
	"encoding/hex"
	"fmt"
)

// standing says where the record stands and by what that was checked. It shows what was checked alone: signature lines
// that nobody asked about could name anybody.
func standing(v *Verdict, h *head) section {
	s := section{title: phrase{"Where it stands", "Vị trí trong sổ"}}
	if d := v.Document; d != nil {
		s.add("Position (lt-ledger)", "Vị trí (lt-ledger)", fmt.Sprintf("%s:%d", d.Origin, d.Seq))
		s.add("Digest of the record", "Mã băm của bản ghi", hex.EncodeToString(d.Digest))
	}
	if h != nil {
		s.add("Checkpoint", "Điểm kiểm tra", h.Origin)
		s.add("Records under it", "Số bản ghi của điểm kiểm tra", fmt.Sprint(h.Size))
		s.add("Root of its tree", "Gốc của cây", hex.EncodeToString(h.Hash))
	}
	for _, c := range v.Cosigned {
		s.add("Cosigned by", "Bên chứng kiến đã ký", c.Witness+", "+clock(c.Time))
	}
	if v.Ignored > 0 {
		s.add("Signatures by keys not given", "Số chữ ký của khóa không được cung cấp", fmt.Sprint(v.Ignored))
	}
	s.add("Log's key", "Khóa công khai của sổ", v.LogKey)
	s.add("Its fingerprint (SHA-256)", "Dấu vân tay của khóa (SHA-256)", Fingerprint(v.LogKey))
	s.add("SHA-256 of proof.json", "SHA-256 của proof.json", hex.EncodeToString(v.SHA256[:]))
	s.add("Checked at", "Thời điểm kiểm tra", clock(v.Made))
	return s
}

// sections are all that is told beside the checks.
func sections(v *Verdict) []section {
	var h *head
	if v.Document != nil {
		h, _ = readHead(v.Document.Checkpoint) // what is wrong with it is among the checks
	}
	var all []section
	if s := tell(v); len(s.rows) > 0 {
		all = append(all, s)
	}
	return append(all, standing(v, h))
}

var (
	title    = phrase{"Proof of an entry in the exchange ledger", "Xác nhận lịch sử khai thác dữ liệu"}
	platform = phrase{"National data integration and sharing platform", "Nền tảng tích hợp, chia sẻ dữ liệu quốc gia"}
	holds    = phrase{"THE PROOF HOLDS", "BẰNG CHỨNG HỢP LỆ"}
	broken   = phrase{"THE PROOF DOES NOT HOLD", "BẰNG CHỨNG KHÔNG HỢP LỆ"}
	doubt    = phrase{
		"What follows is only what the document claims. Do not rely on it.",
		"Nội dung dưới đây chỉ là điều tài liệu tự nêu, không được dùng làm căn cứ.",
	}
	checksTitle = phrase{"What was checked", "Nội dung kiểm tra"}
	againTitle  = phrase{"How to check it again", "Cách kiểm tra lại"}
	again       = []phrase{
		{
			"The file proof.json is the proof; this page only shows it. Whoever has the file and the log's key can check it, without a network and without asking anybody:",
			"Tệp proof.json mới là bằng chứng; trang này chỉ trình bày. Ai có tệp và khóa công khai của sổ đều tự kiểm tra được, không cần mạng và không cần hỏi ai:",
		},
		{
			"Compare the fingerprint of the key with the one that the platform's operator published, not with this page: whoever forges a page can forge a key.",
			"Hãy đối chiếu dấu vân tay của khóa với giá trị do đơn vị vận hành nền tảng công bố, không chỉ với trang này: người làm giả trang cũng có thể làm giả khóa.",
		},
		{
			"With the receipt that came with the answer (lt-receipt) the same command also shows, by --answer FILE, that the bytes of FILE were the answer.",
			"Với biên nhận kèm câu trả lời (lt-receipt), cùng lệnh này với --answer FILE cho thấy các byte của FILE đúng là câu trả lời.",
		},
	}
)

// command is how a proof is checked by hand.
const command = "lienthong ledger verify proof.json --key log.pub"

// headline says in a few words whether the proof holds.
func headline(v *Verdict, lang string) string {
	if f := v.Failure(); f != nil {
		return broken.in(lang) + ": " + f.Title(lang)
	}
	return holds.in(lang)
}
