package index

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"strings"
)

// A column of a block is a sorted list of entries, cut into pages. A page is known by its first entry's key (the
// column's first page by none), and says where the next one begins (the last one by none):
//
//	CRC-32C (4 bytes, big endian) | length of next (varint) | next | body
//
// The checksum covers block, column and first key as well. So whoever finds the last page that begins at or before a
// key has either the right page, and knows that all there is of the key's neighbourhood is in it, or notices.

// pageBytes is how long a page becomes, unless one entry is longer: as much as fits a page of the file.
const pageBytes = 3900

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

var errPage = errors.New("page does not read")

// page is a page that was checked.
type page struct {
	first, next string
	body        []byte
}

func appendPage(b []byte, block uint64, c column, p page) []byte {
	start := len(b)
	b = append(b, 0, 0, 0, 0)
	b = binary.AppendUvarint(b, uint64(len(p.next)))
	b = append(b, p.next...)
	b = append(b, p.body...)
	binary.BigEndian.PutUint32(b[start:], pageSum(block, c, p.first, b[start+4:]))
	return b
}

func readPage(block uint64, c column, first string, b []byte) (page, error) {
	if len(b) < 5 || pageSum(block, c, first, b[4:]) != binary.BigEndian.Uint32(b) {
		return page{}, errPage
	}
	b = b[4:]
	size, n := binary.Uvarint(b)
	if n <= 0 || size > uint64(len(b)-n) {
		return page{}, errPage
	}
	b = b[n:]
	return page{first: first, next: string(b[:size]), body: b[size:]}, nil
}

func pageSum(block uint64, c column, first string, rest []byte) uint32 {
	head := make([]byte, 0, 64)
	head = binary.BigEndian.AppendUint64(head, block)
	head = append(head, byte(c), byte(len(first)))
	head = append(head, first...)
	return crc32.Update(crc32.Checksum(head, castagnoli), castagnoli, rest)
}

// pager cuts a column's entries into pages.
type pager struct {
	block uint64
	col   column
	write func(c column, first string, data []byte) error

	first string // of the page in the making
	body  []byte
	data  []byte
}

// room begins a new page at key if the one in the making has no room for so many bytes more.
func (p *pager) room(key string, bytes int) error {
	if len(p.body) == 0 || len(p.body)+bytes <= pageBytes {
		return nil
	}
	return p.flush(key)
}

// flush writes the page in the making; the next one begins at key.
func (p *pager) flush(next string) error {
	p.data = appendPage(p.data[:0], p.block, p.col, page{p.first, next, p.body})
	err := p.write(p.col, p.first, p.data)
	p.first, p.body = next, p.body[:0]
	return err
}

// entry adds a key with a value. Keys come in order.
func (p *pager) entry(key string, value []byte) error {
	if err := p.room(key, len(key)+len(value)+4); err != nil {
		return err
	}
	p.body = binary.AppendUvarint(p.body, uint64(len(key)))
	p.body = append(p.body, key...)
	p.body = binary.AppendUvarint(p.body, uint64(len(value)))
	p.body = append(p.body, value...)
	return nil
}

// entries calls f for the entries of a page within a span.
func (p page) entries(s span, f func(key string, value []byte) error) error {
	for b := p.body; len(b) > 0; {
		var key, value []byte
		var err error
		if key, b, err = cutBytes(b); err != nil {
			return err
		}
		if value, b, err = cutBytes(b); err != nil {
			return err
		}
		if strings.Compare(string(key), s.hi) >= 0 {
			return nil
		}
		if string(key) >= s.lo {
			if err := f(string(key), value); err != nil {
				return err
			}
		}
	}
	return nil
}

// cutBytes cuts bytes with their length off the front.
func cutBytes(b []byte) (cut, rest []byte, err error) {
	size, n := binary.Uvarint(b)
	if n <= 0 || size > uint64(len(b)-n) {
		return nil, nil, errPage
	}
	b = b[n:]
	return b[:size], b[size:], nil
}
