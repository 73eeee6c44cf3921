package main

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"

	"github.com/lienthong/lienthong/deploy/parts"
)

// The format of segments, read here without the journal's code: see proto/journal/layout.go.
const (
	segmentHeader = 4096
	batchHeader   = 64
	recordHeader  = 24
	batchMagic    = 0x4C544A01
	trailerSize   = 128
	sector        = 512 // what a disk writes wholly or not at all
)

// piece is a part of a segment file.
type piece struct {
	from, to int64  // bytes
	first    uint64 // sequence numbers
	next     uint64
}

// segment is a segment file, taken apart.
type segment struct {
	path    string
	data    []byte
	first   uint64
	batches []piece
	records []piece
	end     int64 // behind the last batch
	sealed  bool
}

// readSegments takes the segments of a hub's journal apart, in order.
func readSegments(dir parts.Dir) ([]*segment, error) {
	paths, err := filepath.Glob(filepath.Join(dir.Ledger().Journal(), "*.seg"))
	if err != nil {
		return nil, err
	}
	slices.Sort(paths)
	var all []*segment
	for _, path := range paths {
		s, err := readSegment(path)
		if err != nil {
			return nil, err
		}
		all = append(all, s)
	}
	return all, nil
}

func readSegment(path string) (*segment, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	s, err := takeApart(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	s.path = path
	return s, nil
}

func takeApart(data []byte) (*segment, error) {
	if len(data) < segmentHeader || string(data[:6]) != "LTJSEG" {
		return nil, errors.New("this is no segment")
	}
	s := &segment{data: data, first: binary.BigEndian.Uint64(data[56:]), end: segmentHeader}
	s.sealed = string(data[len(data)-8:len(data)-2]) == "LTJEND"
	for {
		b := data[s.end:]
		if len(b) < batchHeader || binary.BigEndian.Uint32(b) != batchMagic {
			return s, nil
		}
		if err := s.batch(b); err != nil {
			return nil, fmt.Errorf("offset %d: %w", s.end, err)
		}
	}
}

// batch takes one batch apart.
func (s *segment) batch(b []byte) error {
	first, count := binary.BigEndian.Uint64(b[8:]), uint64(binary.BigEndian.Uint32(b[24:]))
	length := int64(binary.BigEndian.Uint32(b[28:]))
	if length > int64(len(b)) {
		return fmt.Errorf("a batch of %d bytes goes beyond the file", length)
	}
	at := int64(batchHeader)
	for seq := first; seq < first+count; seq++ {
		n := recordHeader + int64(binary.BigEndian.Uint32(b[at:])&^(1<<31))
		s.records = append(s.records, piece{s.end + at, s.end + at + n, seq, seq + 1})
		at += n
	}
	s.batches = append(s.batches, piece{s.end, s.end + length, first, first + count})
	s.end += length
	return nil
}

// tearTail undoes part of the last batch, as a disk does that lost power while it wrote: each of its sectors is new or
// old, or the last 4 KiB are. It returns how many batches it tore: 1 or, where there is none, 0.
func tearTail(dir parts.Dir, chance *rand.Rand) (int, error) {
	all, err := readSegments(dir)
	if err != nil || len(all) == 0 {
		return 0, err
	}
	s := all[len(all)-1]
	if len(s.batches) == 0 || s.sealed {
		return 0, nil
	}
	last := s.batches[len(s.batches)-1]
	if chance.IntN(3) == 0 {
		clear(s.data[max(last.from, last.to-4096):last.to])
		return 1, os.WriteFile(s.path, s.data, 0o600)
	}
	keep := chance.Int64N((last.to-last.from)/sector + 1) // this one at least is old
	for i, from := int64(0), last.from; from < last.to; i++ {
		to := min(last.to, from/sector*sector+sector)
		if i == keep || chance.IntN(2) == 0 {
			clear(s.data[from:to])
		}
		from = to
	}
	return 1, os.WriteFile(s.path, s.data, 0o600)
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// forge changes a byte of a record and makes its checksum fit: what then gives it away is the chain alone. It reports
// whether it did: a record that is stored masked is left alone.
func forge(data []byte, r piece, at int64) bool {
	b := data[r.from:r.to]
	form := binary.BigEndian.Uint32(b)
	if form>>31 != 0 || at < recordHeader || at >= int64(len(b)) {
		return false
	}
	b[at] ^= 1
	sum := crc32.Update(0, castagnoli, b[recordHeader:])
	sum = crc32.Update(sum, castagnoli, b[8:recordHeader])
	sum = crc32.Update(sum, castagnoli, b[:4])
	sum = crc32.Update(sum, castagnoli, binary.BigEndian.AppendUint64(nil, r.first))
	binary.BigEndian.PutUint32(b[4:], sum)
	return true
}
