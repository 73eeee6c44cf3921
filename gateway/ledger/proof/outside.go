package proof

import (
	"bytes"
	"crypto/hmac"
	"errors"

	cosign "github.com/transparency-dev/formats/note"
	"github.com/transparency-dev/merkle/proof"
	"github.com/transparency-dev/merkle/rfc6962"
)

// The checks of this file need more than the document: keys, an older checkpoint, a receipt.

func (x *examination) signature() finding {
	switch {
	case x.doc == nil:
		return unread
	case x.headErr != nil:
		return failed("the checkpoint cannot be read: %v", "không đọc được điểm kiểm tra: %v", x.headErr)
	}
	x.verdict.Ignored = x.head.signatures
	_, err := x.head.signedBy(x.trust.log)
	switch {
	case errors.Is(err, errUnsigned):
		return failed("the checkpoint is not signed by key %s: this is the key of another log, or the document is of another", "điểm kiểm tra không có chữ ký của khóa %s: khóa thuộc sổ khác, hoặc tài liệu thuộc sổ khác", quote(x.trust.log.Name()))
	case err != nil:
		return failed("the checkpoint was changed after key %s signed it, or is forged", "điểm kiểm tra đã bị sửa sau khi khóa %s ký, hoặc là giả", quote(x.trust.log.Name()))
	}
	x.verdict.Ignored--
	return passed("key %s signed the checkpoint", "khóa %s đã ký điểm kiểm tra", visible(x.trust.log.Name()))
}

func (x *examination) consistency() finding {
	switch {
	case x.doc == nil:
		return unread
	case x.head == nil:
		return noHead
	}
	older, fault := x.older()
	if fault != nil {
		return *fault
	}
	if older == nil && x.opts.Since == nil {
		return unasked
	}
	if x.opts.Since != nil {
		return x.since(older)
	}
	return passed("the tree begins with the %d records of the older checkpoint", "cây bắt đầu bằng đúng %d bản ghi của điểm kiểm tra cũ hơn", older.Size)
}

// older checks the older checkpoint that the document brings, if it does.
func (x *examination) older() (*head, *finding) {
	c := x.doc.Consistency
	if c == nil {
		return nil, nil
	}
	h, err := x.trusted(c.Checkpoint)
	if err != nil {
		f := failed("the document's older checkpoint does not count: %v", "điểm kiểm tra cũ trong tài liệu không có giá trị: %v", err)
		return nil, &f
	}
	if err := proof.VerifyConsistency(rfc6962.DefaultHasher, h.Size, x.head.Size, plain(c.Hashes), h.Hash, x.head.Hash); err != nil {
		f := failed("the tree of %[2]d records does not begin with the %[1]d records of the older checkpoint: the history was rewritten, or the hashes are wrong", "cây %[2]d bản ghi không bắt đầu bằng %[1]d bản ghi của điểm kiểm tra cũ: lịch sử đã bị viết lại, hoặc các mã băm sai", h.Size, x.head.Size)
		return nil, &f
	}
	return h, nil
}

// since compares with the checkpoint that the verifier kept. Older, when not nil, is proven to be what the tree begins
// with.
func (x *examination) since(older *head) finding {
	kept, err := x.trusted(string(x.opts.Since))
	if err != nil {
		return failed("the checkpoint given to compare with does not count: %v", "điểm kiểm tra dùng để đối chiếu không có giá trị: %v", err)
	}
	if kept.Size > x.head.Size {
		return failed("the checkpoint given to compare with has %d records, more than the document's %d: it is the later one", "điểm kiểm tra dùng để đối chiếu có %d bản ghi, nhiều hơn %d của tài liệu: nó mới hơn", kept.Size, x.head.Size)
	}
	if kept.Size == 0 {
		return passed("any history begins with an empty one", "mọi lịch sử đều bắt đầu từ rỗng")
	}
	for _, same := range []*head{x.head, older} {
		if same == nil || same.Size != kept.Size {
			continue
		}
		if !bytes.Equal(same.Hash, kept.Hash) {
			return failed("two checkpoints of %d records were signed and differ: the history was rewritten", "có hai điểm kiểm tra %d bản ghi được ký nhưng khác nhau: lịch sử đã bị viết lại", kept.Size)
		}
		return passed("the tree begins with the %d records of the checkpoint given", "cây bắt đầu bằng đúng %d bản ghi của điểm kiểm tra đã cho", kept.Size)
	}
	return failed("the document does not show that its tree begins with the %d records of the checkpoint given: ask for a proof since that one", "tài liệu không cho thấy cây bắt đầu bằng %d bản ghi của điểm kiểm tra đã cho: hãy xin bằng chứng kể từ điểm đó", kept.Size)
}

// trusted reads a checkpoint and believes it only if the log signed it for the same ledger.
func (x *examination) trusted(signed string) (*head, error) {
	h, err := readHead(signed)
	if err != nil {
		return nil, err
	}
	if _, err := h.signedBy(x.trust.log); err != nil {
		return nil, err
	}
	if h.Origin != x.head.Origin {
		return nil, errors.New("it is of another log")
	}
	return h, nil
}

func (x *examination) witnesses() finding {
	switch {
	case x.doc == nil:
		return unread
	case x.head == nil:
		return noHead
	case len(x.trust.witnesses) == 0:
		return notMade("no witness's key was given", "không có khóa của bên chứng kiến")
	}
	for _, w := range x.trust.witnesses {
		s, err := x.head.signedBy(w)
		if err != nil {
			continue
		}
		at, err := cosign.CoSigV1Timestamp(s)
		if err != nil {
			continue
		}
		x.verdict.Cosigned = append(x.verdict.Cosigned, Cosignature{Witness: w.Name(), Time: at})
		x.verdict.Ignored--
	}
	have := len(x.verdict.Cosigned)
	if have < x.trust.needed {
		return failed("%d of the %d witnesses given cosigned the checkpoint, %d are needed", "%d trong %d bên chứng kiến đã ký xác nhận điểm kiểm tra, cần %d", have, len(x.trust.witnesses), x.trust.needed)
	}
	return passed("%d of the %d witnesses given cosigned the checkpoint, %d are needed", "%d trong %d bên chứng kiến đã ký xác nhận điểm kiểm tra, cần %d", have, len(x.trust.witnesses), x.trust.needed)
}

func (x *examination) request() finding {
	want := x.rec.GetExchange().GetRequestDigest()
	if i := x.rec.GetIntent(); i != nil {
		want = i.GetRequestDigest()
	}
	return x.content(phrase{"the request", "yêu cầu"}, x.opts.Request, want, RequestDigest)
}

func (x *examination) answer() finding {
	return x.content(phrase{"the answer", "câu trả lời"}, x.opts.Answer, x.rec.GetExchange().GetAnswerDigest(), AnswerDigest)
}

// content compares bytes that the verifier has with what the record keeps of them.
func (x *examination) content(what phrase, content, want []byte, sum func(key, content []byte) []byte) finding {
	switch {
	case content == nil:
		return unasked
	case x.doc == nil:
		return unread
	case x.rec == nil:
		return noThing
	case len(want) == 0:
		return finding{Failed, phrase{
			"the record keeps no digest of " + what.en + ": there was none, or nothing of it was released",
			"bản ghi không lưu mã băm của " + what.vi + ": không có, hoặc không có gì được cung cấp",
		}}
	case hmac.Equal(sum(x.trust.receipt, content), want):
		return finding{Passed, phrase{"the bytes given were " + what.en, "các byte đã cho đúng là " + what.vi}}
	}
	f := finding{Failed, phrase{
		"the bytes given were not " + what.en + ", or the receipt is of another exchange",
		"các byte đã cho không phải là " + what.vi + ", hoặc khóa biên nhận thuộc lần trao đổi khác",
	}}
	if looksLikeJSON(content) {
		f.said.en += "; they look like JSON: give the message's own bytes, as query --raw FILE saves them"
		f.said.vi += "; chúng giống JSON: hãy đưa đúng các byte của thông điệp, như query --raw FILE đã lưu"
	}
	return f
}

// looksLikeJSON reports whether somebody saved what was printed and not what was received. A message may begin so too,
// therefore it only adds a hint.
func looksLikeJSON(content []byte) bool {
	t := bytes.TrimSpace(content)
	return len(t) > 1 && t[0] == '{' && t[len(t)-1] == '}'
}
