package civilstatus

import (
	"bytes"
	"encoding/binary"
	"errors"

	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
	civilstatusv1 "github.com/lienthong/lienthong/proto/registry/civilstatus/v1"
)

// A page is an entry or a file as the database keeps it: the fields one after another in a fixed order, numbers as
// varints, texts behind their length. What follows from the rest, such as the name of a commune, costs one byte. So a
// page is a third of the message, and to read it takes one allocation for all its texts.
//
// codec writes or reads pages: the functions that describe a record are the same for both.
type codec struct {
	names   *catalogue
	reading bool
	b       []byte // written so far
	s       string // left to read
	err     error
}

var errPage = errors.New("a page is not as it was written")

// pageBytes is room for most pages.
const pageBytes = 512

// write is the page of a record.
func (c *catalogue) write(describe func(*codec)) []byte {
	k := codec{names: c, b: make([]byte, 0, pageBytes)}
	describe(&k)
	return bytes.Clone(k.b)
}

// read reads a page.
func (c *catalogue) read(page string, describe func(*codec)) error {
	k := codec{names: c, s: page, reading: true}
	describe(&k)
	if k.err == nil && k.s != "" {
		return errPage
	}
	return k.err
}

func (c *codec) uvarint() uint64 {
	var v uint64
	for i := 0; i < len(c.s) && i < binary.MaxVarintLen64; i++ {
		v |= uint64(c.s[i]&0x7f) << (7 * i)
		if c.s[i] < 0x80 {
			c.s = c.s[i+1:]
			return v
		}
	}
	c.s, c.err = "", errPage
	return 0
}

// text is any text.
func (c *codec) text(s *string) {
	if !c.reading {
		c.b = append(binary.AppendUvarint(c.b, uint64(len(*s))), *s...)
		return
	}
	c.take(s, c.uvarint())
}

// textOr is a text that usually follows from the rest.
func (c *codec) textOr(s *string, usual string) {
	switch {
	case c.reading:
		if n := c.uvarint(); n > 0 {
			c.take(s, n-1)
		} else {
			*s = usual
		}
	case *s == usual:
		c.b = append(c.b, 0)
	default:
		c.b = append(binary.AppendUvarint(c.b, uint64(len(*s))+1), *s...)
	}
}

func (c *codec) take(s *string, n uint64) {
	if n > uint64(len(c.s)) {
		c.s, c.err = "", errPage
		return
	}
	*s, c.s = c.s[:n], c.s[n:]
}

// number is an integer or a code of an enumeration; a negative one takes ten bytes.
func number[T ~int32](c *codec, n *T) {
	if c.reading {
		*n = T(c.uvarint())
		return
	}
	c.b = binary.AppendUvarint(c.b, uint64(*n))
}

// there reports whether a part of a record is there, and makes it when it is read.
func there[T any](c *codec, part **T) bool {
	if c.reading {
		if c.uvarint() == 0 {
			return false
		}
		*part = new(T)
		return true
	}
	if *part == nil {
		c.b = append(c.b, 0)
		return false
	}
	c.b = append(c.b, 1)
	return true
}

func (c *codec) name(at **hubv1.PersonName) {
	if !there(c, at) {
		return
	}
	n := *at
	c.text(&n.Family)
	c.text(&n.Middle)
	c.text(&n.Given)
	c.textOr(&n.Full, fullName(n))
}

// fullName is a name as it is written in full.
func fullName(n *hubv1.PersonName) string {
	if n.Middle == "" {
		return n.Family + " " + n.Given
	}
	return n.Family + " " + n.Middle + " " + n.Given
}

func (c *codec) address(at **hubv1.Address) {
	if !there(c, at) {
		return
	}
	a := *at
	number(c, &a.CodeSystem)
	c.text(&a.CommuneCode)
	usual := c.names.communes[communeKey{a.CodeSystem, a.CommuneCode}]
	c.textOr(&a.CommuneName, usual.name)
	c.textOr(&a.ProvinceCode, usual.province)
	c.textOr(&a.ProvinceName, usual.provinceName)
	c.text(&a.Detail)
}

func (c *codec) head(at **civilstatusv1.RecordHead) {
	if !there(c, at) {
		return
	}
	h := *at
	c.text(&h.Number)
	c.text(&h.Book)
	number(c, &h.Page)
	c.text(&h.RegisteredOn)
	number(c, &h.Kind)
	c.text(&h.AgencyCode)
	c.textOr(&h.AgencyName, c.names.agency(h))
	c.text(&h.Signer)
	c.textOr(&h.SignerTitle, "Chủ tịch")
	c.text(&h.Clerk)
	c.text(&h.Note)
}

func (c *codec) party(at **civilstatusv1.Party) {
	if !there(c, at) {
		return
	}
	p := *at
	c.text(&p.PersonalId)
	c.name(&p.Name)
	c.text(&p.BirthDate)
	number(c, &p.Sex)
	c.ethnic(&p.EthnicCode, &p.EthnicName)
	c.textOr(&p.Nationality, "VN")
	number(c, &p.ResidenceKind)
	c.address(&p.Residence)
	number(c, &p.PaperKind)
	c.textOr(&p.PaperNumber, p.PersonalId)
}

func (c *codec) ethnic(code, name *string) {
	c.text(code)
	c.textOr(name, c.names.ethnic[*code])
}

// requester is usually one of those that an entry names.
func (c *codec) requester(at **civilstatusv1.Requester, usual *civilstatusv1.Party) {
	if !there(c, at) {
		return
	}
	q := *at
	c.textOr(&q.FullName, usual.GetName().GetFull())
	c.text(&q.Relation)
	c.textOr(&q.PersonalId, usual.GetPersonalId())
}

// birth describes a birth entry, but for the date in words: see addWords.
func (c *codec) birth(r *civilstatusv1.BirthRecord) {
	c.head(&r.Head)
	c.text(&r.PersonalId)
	c.name(&r.Name)
	number(c, &r.Sex)
	c.text(&r.BirthDate)
	c.address(&r.Birthplace)
	c.address(&r.Hometown)
	c.ethnic(&r.EthnicCode, &r.EthnicName)
	c.textOr(&r.Nationality, "VN")
	number(c, &r.BirthKind)
	c.party(&r.Mother)
	c.party(&r.Father)
	usual := r.Father
	if usual == nil {
		usual = r.Mother
	}
	c.requester(&r.Requester, usual)
}

// marriage describes a marriage entry as it was written; what became of it is in the row.
func (c *codec) marriage(r *civilstatusv1.MarriageRecord) {
	c.head(&r.Head)
	c.party(&r.Husband)
	c.party(&r.Wife)
	number(c, &r.State)
	c.text(&r.EndedOn)
}

func (c *codec) death(r *civilstatusv1.DeathRecord) {
	c.head(&r.Head)
	c.party(&r.Deceased)
	c.text(&r.DiedOn)
	c.text(&r.DiedAt)
	c.address(&r.Place)
	c.text(&r.Cause)
	number(c, &r.Document)
	c.text(&r.DocumentNumber)
	c.requester(&r.Requester, nil)
}
