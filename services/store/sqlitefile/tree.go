package sqlitefile

import "encoding/binary"

// Types of pages.
const (
	innerIndex = 2
	innerTable = 5
	leafIndex  = 10
	leafTable  = 13
)

// page is a page of a tree that is being made: cells grow from its end, pointers to them from its head.
type page struct {
	b     []byte
	head  int // length of the page's header
	cells int
	top   int   // where the last cell begins
	tops  []int // of the cells before it, to take cells back
}

const minCell = 4 // a smaller cell takes this much

func newPage(f *File, kind byte) *page {
	p := &page{b: make([]byte, f.size), head: 8}
	if kind == innerIndex || kind == innerTable {
		p.head = 12
	}
	p.reset(f, kind)
	return p
}

func (p *page) reset(f *File, kind byte) {
	clear(p.b)
	p.b[0], p.cells, p.top, p.tops = kind, 0, f.usable, p.tops[:0]
}

// fits reports whether a cell of n bytes may be added.
func (p *page) fits(n int) bool { return p.head+2*(p.cells+1)+max(n, minCell) <= p.top }

// add makes room for a cell of n bytes, which the caller fills.
func (p *page) add(n int) []byte {
	p.tops = append(p.tops, p.top)
	p.top -= max(n, minCell)
	binary.BigEndian.PutUint16(p.b[p.head+2*p.cells:], uint16(p.top))
	p.cells++
	return p.b[p.top : p.top+n]
}

// takeBack removes the last cell.
func (p *page) takeBack() {
	p.cells--
	last := p.tops[p.cells]
	clear(p.b[p.top:last])
	p.top, p.tops = last, p.tops[:p.cells]
	binary.BigEndian.PutUint16(p.b[p.head+2*p.cells:], 0)
}

// done completes the page's header.
func (p *page) done() []byte {
	binary.BigEndian.PutUint16(p.b[3:], uint16(p.cells))
	binary.BigEndian.PutUint16(p.b[5:], uint16(p.top)) // 65536 is written as 0
	return p.b
}

// child is a page of a tree and the key between it and the next: a row id, or a cell of an index that is only there.
type child struct {
	page uint32
	key  []byte
}

// raise builds the inner pages of a tree over its leaves, and puts the last into the root.
func (f *File) raise(root uint32, kind byte, children []child) error {
	p := newPage(f, kind)
	for {
		var above []child
		for i := 0; i < len(children); {
			p.reset(f, kind)
			right := f.fillInner(p, children, i)
			binary.BigEndian.PutUint32(p.b[8:], children[right].page)
			if i == 0 && right == len(children)-1 {
				return f.replace(root, p.done())
			}
			number, err := f.append(p.done())
			if err != nil {
				return err
			}
			above = append(above, child{number, children[right].key})
			i = right + 1
		}
		children = above
	}
}

// fillInner puts children from i on into an inner page and returns which is its rightmost. It leaves none or at least
// two for the next page: an inner page has a key.
func (f *File) fillInner(p *page, children []child, i int) (right int) {
	for right = i; right < len(children)-1 && p.fits(4+len(children[right].key)); right++ {
		c := children[right]
		cell := p.add(4 + len(c.key))
		binary.BigEndian.PutUint32(cell, c.page)
		copy(cell[4:], c.key)
	}
	if right == len(children)-2 {
		p.takeBack()
		right--
	}
	return right
}
