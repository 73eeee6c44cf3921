package proof

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"

	"github.com/transparency-dev/merkle/proof"
	"github.com/transparency-dev/merkle/rfc6962"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
	"github.com/lienthong/lienthong/proto/journal"
)

// examination is one document under examination. What could not be read is nil, and why is beside it.
type examination struct {
	opts    Options
	trust   trust
	verdict *Verdict

	doc     *Document
	docErr  error
	head    *head
	headErr error
	rec     *hubv1.LedgerRecord
	recErr  error
}

var (
	unread  = notMade("the document cannot be read", "không đọc được tài liệu")
	noHead  = notMade("the checkpoint cannot be read", "không đọc được điểm kiểm tra")
	noThing = notMade("the record cannot be decoded", "không giải mã được bản ghi")
	unasked = notMade("not asked for", "không yêu cầu kiểm tra")
)

// read takes the document apart. Nothing is believed yet.
func (x *examination) read(text []byte) {
	if x.doc, x.docErr = decode(text); x.docErr != nil {
		x.doc = nil
		return
	}
	x.verdict.Document = x.doc
	x.head, x.headErr = readHead(x.doc.Checkpoint)
	x.rec, x.recErr = decodeRecord(x.doc.Record)
	x.verdict.Record = x.rec
}

func (x *examination) form() finding {
	if x.docErr != nil {
		return failed("this is no whole proof.json: %v", "đây không phải là proof.json nguyên vẹn: %v", x.docErr)
	}
	return passed("the document is complete and of version %s", "tài liệu đầy đủ, phiên bản %s", Version)
}

func (x *examination) origin() finding {
	switch {
	case x.doc == nil:
		return unread
	case x.rec == nil:
		return noThing
	case x.head == nil:
		return noHead
	case x.rec.GetOrigin() != x.doc.Origin:
		return failed("the record is of ledger %s, the document says %s", "bản ghi thuộc sổ %s, tài liệu ghi %s", quote(x.rec.GetOrigin()), quote(x.doc.Origin))
	case x.head.Origin != LogPrefix+x.doc.Origin:
		return failed("the checkpoint is of log %s, the record's ledger has log %s", "điểm kiểm tra thuộc sổ %s, bản ghi thuộc sổ %s", quote(x.head.Origin), quote(LogPrefix+x.doc.Origin))
	case x.trust.log != nil && x.trust.log.Name() != x.head.Origin: // whoever has it could speak for other ledgers; nil in Build
		return failed("key %s is not the key of log %s", "khóa %s không phải khóa của sổ %s", quote(x.trust.log.Name()), quote(x.head.Origin))
	}
	return passed("checkpoint and record are of ledger %s", "điểm kiểm tra và bản ghi cùng thuộc sổ %s", visible(x.doc.Origin))
}

func (x *examination) inclusion() finding {
	switch {
	case x.doc == nil:
		return unread
	case x.head == nil:
		return noHead
	}
	in := x.doc.Inclusion
	switch {
	case in.Index != x.doc.Seq:
		return failed("the leaf is at %d, the record at %d", "lá ở vị trí %d, bản ghi ở vị trí %d", in.Index, x.doc.Seq)
	case in.Size != x.head.Size:
		return failed("the hashes are for a tree of %d leaves, the checkpoint's has %d", "các mã băm dành cho cây %d lá, cây của điểm kiểm tra có %d lá", in.Size, x.head.Size)
	}
	leaf := rfc6962.DefaultHasher.HashLeaf(x.doc.Digest)
	if err := proof.VerifyInclusion(rfc6962.DefaultHasher, in.Index, in.Size, leaf, plain(in.Hashes), x.head.Hash); err != nil {
		return failed("the digest is not in the checkpoint's tree at position %d: the hashes do not lead to its root", "mã băm của bản ghi không có trong cây tại vị trí %d: các mã băm không dẫn tới gốc cây", in.Index)
	}
	return passed("the digest stands at position %d of the checkpoint's %d records", "mã băm của bản ghi ở vị trí %d trong %d bản ghi của điểm kiểm tra", in.Index, in.Size)
}

func (x *examination) digest() finding {
	if x.doc == nil {
		return unread
	}
	d := journal.Sum(journal.Salt(x.doc.Salt), x.doc.Seq, journal.Digest(x.doc.Prev), x.doc.Record)
	if !bytes.Equal(d[:], x.doc.Digest) {
		return failed("the record, its salt, its position and the digest before it give another digest than the document's", "bản ghi, muối, vị trí và mã băm trước đó cho ra mã băm khác với tài liệu")
	}
	return passed("the digest is that of the record's %d bytes at position %d", "mã băm đúng là của %d byte bản ghi tại vị trí %d", len(x.doc.Record), x.doc.Seq)
}

func (x *examination) record() finding {
	switch {
	case x.doc == nil:
		return unread
	case x.recErr != nil:
		return failed("%v", "không giải mã được bản ghi: %v", x.recErr)
	}
	return passed("the record can be read whole", "bản ghi đọc được trọn vẹn")
}

func (x *examination) view() finding {
	switch {
	case x.doc == nil:
		return unread
	case x.rec == nil:
		return noThing
	}
	shown := new(hubv1.LedgerRecord)
	if err := protojson.Unmarshal(x.doc.View, shown); err != nil {
		return failed("record_view is not a record's JSON", "record_view không phải là JSON của bản ghi")
	}
	if !proto.Equal(shown, x.rec) {
		return failed("record_view says something else than the record", "record_view khác với nội dung bản ghi")
	}
	return passed("record_view says what the record says", "record_view đúng với nội dung bản ghi")
}

func (x *examination) fields() finding {
	switch {
	case x.doc == nil:
		return unread
	case x.rec == nil:
		return noThing
	}
	e := x.rec.GetExchange() // nil for other records, which name no lists
	for _, list := range []struct {
		name, text string
		digest     []byte
	}{
		{"released", x.doc.Fields.Released, e.GetReleasedDigest()},
		{"withheld", x.doc.Fields.Withheld, e.GetWithheldDigest()},
	} {
		if !isNamed(list.text, list.digest) {
			return failed("the list of %s fields has SHA-256 %x, the record names %s", "danh sách trường «%s» có SHA-256 %x, bản ghi nêu %s", list.name, sha256.Sum256([]byte(list.text)), named(list.digest))
		}
	}
	return passed("the field lists are those that the record names", "các danh sách trường dữ liệu đúng như bản ghi nêu")
}

// isNamed reports whether a record's digest is that of a list. No digest names the empty list.
func isNamed(list string, digest []byte) bool {
	if len(digest) == 0 {
		return list == ""
	}
	h := sha256.Sum256([]byte(list))
	return bytes.Equal(h[:], digest)
}

func named(digest []byte) string {
	if len(digest) == 0 {
		return "-"
	}
	return hex.EncodeToString(digest[:min(len(digest), sha256.Size)])
}
