package index

import "encoding/binary"

// A page of times holds those of consecutive positions: the first ordinal and time, then how much later each was. It
// is known by its first time and ordinal. Times of a block never decrease.

// timeBits makes times sort as unsigned numbers.
func timeBits(t int64) uint64 { return uint64(t) ^ 1<<63 }

// times writes the column of times.
func (p *pager) times(all []int64) error {
	var last int64
	for i, t := range all {
		if len(p.body) > 0 && len(p.body)+binary.MaxVarintLen64 > pageBytes {
			if err := p.flush(string(pair{timeBits(t), uint16(i)}.append(nil))); err != nil {
				return err
			}
		}
		if len(p.body) == 0 {
			p.body = binary.AppendUvarint(p.body, uint64(i))
			p.body = binary.AppendUvarint(p.body, timeBits(t))
		} else {
			p.body = binary.AppendUvarint(p.body, uint64(t)-uint64(last))
		}
		last = t
	}
	return p.flush("")
}

// notBefore returns the first ordinal of the page whose time is at or after t, or the ordinal after its last.
func (p page) notBefore(t int64) (int, error) {
	o, n := binary.Uvarint(p.body)
	if n <= 0 || o > maxBlockSize {
		return 0, errPage
	}
	b := p.body[n:]
	at, n := binary.Uvarint(b)
	for n > 0 {
		if at >= timeBits(t) {
			return int(o), nil
		}
		o++
		if b = b[n:]; len(b) == 0 {
			return int(o), nil
		}
		var later uint64
		later, n = binary.Uvarint(b)
		at += later
	}
	return 0, errPage
}
