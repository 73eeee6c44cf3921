package index

import (
	"context"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
)

// format is the number of the way in which an index is kept. Change it with the way.
const format = 3

// sealed is a block that was written.
type sealed struct {
	number           uint64
	size             int   // positions
	earliest, latest int64 // of the records' times; earliest > latest when there are none
	late             int64 // how much earlier a record's time is than the latest before it, at most
	volumeFirst      int64 // minutes that something is counted in; first > last when nothing is
	volumeLast       int64
	lists            uint64   // field lists that are known by its end
	digest           [32]byte // the journal's chain at its end
}

const headBytes = 4 + 1 + 4 + 8 + 6*8 + 32

// head is the block as its row says it, with a checksum.
func (b *sealed) head() []byte {
	h := make([]byte, 4, headBytes)
	h = append(h, format)
	h = binary.BigEndian.AppendUint32(h, uint32(b.size))
	h = binary.BigEndian.AppendUint64(h, b.number)
	for _, n := range [...]uint64{uint64(b.earliest), uint64(b.latest), uint64(b.volumeFirst), uint64(b.volumeLast), b.lists, uint64(b.late)} {
		h = binary.BigEndian.AppendUint64(h, n)
	}
	h = append(h, b.digest[:]...)
	binary.BigEndian.PutUint32(h, crc32.Checksum(h[4:], castagnoli))
	return h
}

// readHead reads a head.
func readHead(h []byte) (*sealed, error) {
	if len(h) != headBytes || binary.BigEndian.Uint32(h) != crc32.Checksum(h[4:], castagnoli) {
		return nil, errors.New("a block's head does not read")
	}
	if h[4] != format {
		return nil, fmt.Errorf("it is of format %d, this program writes %d", h[4], format)
	}
	at := func(i int) uint64 { return binary.BigEndian.Uint64(h[9+8*i:]) }
	b := &sealed{size: int(binary.BigEndian.Uint32(h[5:])), number: at(0), earliest: int64(at(1)), latest: int64(at(2)),
		volumeFirst: int64(at(3)), volumeLast: int64(at(4)), lists: at(5), late: int64(at(6))}
	copy(b.digest[:], h[headBytes-32:])
	return b, nil
}

// start is the position of the block's first record.
func (b *sealed) start() uint64 { return b.number * uint64(b.size) }

// damage is a page of a block that is missing, or is not what was written.
type damage struct {
	block uint64
	col   column
	err   error
}

// Error says where.
func (d *damage) Error() string {
	return fmt.Sprintf("index block %d, column %d is damaged: %v", d.block, d.col, d.err)
}

// Unwrap returns what is wrong with the page.
func (d *damage) Unwrap() error { return d.err }

// eachPage calls f for the pages of a column that may have something within a span, the last one first. Each page
// must be the one that its successor follows, and the last one the span's last: so none is missed.
func (x *Index) eachPage(ctx context.Context, block uint64, c column, s span, f func(page) error) error {
	end := s.hi
	for follows := ""; ; {
		p, err := x.pageBefore(ctx, block, c, end)
		if err != nil {
			return err
		}
		if (follows == "" && p.next != "" && p.next < s.hi) || (follows != "" && p.next != follows) {
			return &damage{block, c, errors.New("page is missing")}
		}
		if err := f(p); err != nil {
			return &damage{block, c, err}
		}
		if p.first <= s.lo {
			return nil
		}
		follows, end = p.first, p.first
	}
}

// pageBefore reads the last page of a column that begins before a key.
func (x *Index) pageBefore(ctx context.Context, block uint64, c column, key string) (page, error) {
	var first, data []byte
	err := x.pages.Find(ctx, int64(block), int(c), []byte(key)).Scan(&first, &data)
	if errors.Is(err, sql.ErrNoRows) {
		return page{}, &damage{block, c, errors.New("page is missing")}
	}
	if err != nil {
		return page{}, x.suspect(fmt.Errorf("read index: %w", err))
	}
	p, err := readPage(block, c, string(first), data)
	if err != nil {
		return page{}, &damage{block, c, err}
	}
	return p, nil
}

// find adds the ordinals of all values in a span.
func (x *Index) find(ctx context.Context, b *sealed, c column, s span, found set) error {
	return x.eachPage(ctx, b.number, c, s, func(p page) error {
		if c >= firstKeyColumn {
			return p.findPairs(s, found)
		}
		return p.entries(s, func(_ string, ordinals []byte) error { return found.addOrdinals(ordinals) })
	})
}

// notBefore returns the first ordinal of a block whose time is at or after t; the block's size if there is none.
func (x *Index) notBefore(ctx context.Context, b *sealed, t int64) (ordinal int, err error) {
	at := exactly(string(pair{timeBits(t), 0}.append(nil)))
	err = x.eachPage(ctx, b.number, colTime, at, func(p page) error {
		ordinal, err = p.notBefore(t)
		return err
	})
	return ordinal, err
}
