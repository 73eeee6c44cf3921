package main

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
)

// target is a file that edits are made to.
type target struct {
	path string // below the hub's directory
	kind string // "segment", "bundle", "tile", "checkpoint", "state", "head" or "key"
	old  bool   // an older copy of it is there, and is another one
}

// edit is one change of one file, or of two that trade places.
type edit struct {
	how     string
	target  target
	lo, hi  int64  // bytes that are not what they were; to the end of the shorter one if the length changed
	gone    bool   // the file was deleted
	resized bool   // it has another length
	forged  bool   // the checksums of the record fit
	with    string // the other file, if two traded places
}

// String says what was done.
func (e *edit) String() string {
	return fmt.Sprintf("%s of %s, bytes [%d, %d)", e.how, e.target.path, e.lo, e.hi)
}

// editor makes edits below a directory whose files are links to those of pristine.
type editor struct {
	pristine, older, victim string
	targets                 []target
	segments                map[string]*segment // by path
}

// change makes one random edit.
func (d *editor) change(chance *rand.Rand) (*edit, error) {
	for {
		t := d.pick(chance)
		data, err := os.ReadFile(filepath.Join(d.pristine, t.path))
		if err != nil {
			return nil, err
		}
		e := &edit{target: t}
		changed, err := d.apply(e, bytes.Clone(data), chance)
		if err != nil {
			return nil, err
		}
		if !e.gone && bytes.Equal(changed, data) {
			continue // it changed nothing
		}
		e.lo, e.hi = differs(data, changed)
		e.resized = len(data) != len(changed)
		return e, d.write(t.path, changed, e.gone)
	}
}

// pick chooses a kind of file first, so that each kind has its share.
func (d *editor) pick(chance *rand.Rand) target {
	kinds := []string{"segment", "segment", "segment", "bundle", "tile", "tile", "checkpoint", "state", "head", "key"}
	for {
		kind := kinds[chance.IntN(len(kinds))]
		var of []target
		for _, t := range d.targets {
			if t.kind == kind {
				of = append(of, t)
			}
		}
		if len(of) > 0 {
			return of[chance.IntN(len(of))]
		}
	}
}

// apply makes a file's new content. It may be the old one.
func (d *editor) apply(e *edit, data []byte, chance *rand.Rand) ([]byte, error) {
	if s := d.segments[e.target.path]; s != nil && chance.IntN(3) == 0 {
		return s.rearrange(e, data, chance), nil
	}
	at := chance.IntN(len(data))
	switch chance.IntN(8) {
	case 0, 1:
		e.how = "bit flipped"
		data[at] ^= 1 << chance.IntN(8)
	case 2:
		e.how = "byte changed"
		data[at] = byte(chance.IntN(256))
	case 3:
		e.how = "zeroed"
		clear(data[at:min(len(data), at+1+chance.IntN(4096))])
	case 4:
		e.how = "truncated"
		return data[:at], nil
	case 5:
		e.how = "appended to"
		for range 1 + chance.IntN(200) {
			data = append(data, byte(chance.IntN(256)))
		}
	case 6:
		if e.target.old {
			e.how = "replaced by an older copy"
			return os.ReadFile(filepath.Join(d.older, e.target.path))
		}
		e.how, e.gone = "deleted", true
	case 7:
		return d.trade(e, data, chance)
	}
	return data, nil
}

// trade lets two files of a kind trade places.
func (d *editor) trade(e *edit, data []byte, chance *rand.Rand) ([]byte, error) {
	var others []target
	for _, t := range d.targets {
		if t.kind == e.target.kind && t.path != e.target.path {
			others = append(others, t)
		}
	}
	if len(others) == 0 {
		return data, nil
	}
	other := others[chance.IntN(len(others))]
	theirs, err := os.ReadFile(filepath.Join(d.pristine, other.path))
	if err != nil || bytes.Equal(theirs, data) {
		return data, err
	}
	e.how, e.with = "traded with "+other.path, other.path
	return theirs, d.write(other.path, data, false)
}

// rearrange swaps records or batches, or forges a record.
func (s *segment) rearrange(e *edit, data []byte, chance *rand.Rand) []byte {
	pieces := s.records
	e.how = "records swapped"
	switch chance.IntN(3) {
	case 0:
		pieces, e.how = s.batches, "batches swapped"
	case 1:
		if len(s.records) > 0 {
			r := s.records[chance.IntN(len(s.records))]
			e.how, e.forged = "record forged", forge(data, r, recordHeader+chance.Int64N(r.to-r.from-recordHeader))
		}
		return data
	}
	if len(pieces) < 2 {
		return data
	}
	i := chance.IntN(len(pieces) - 1)
	a, b := pieces[i], pieces[i+1]
	if a.to != b.from { // of two batches
		return data
	}
	swapped := append(bytes.Clone(data[b.from:b.to]), data[a.from:a.to]...)
	copy(data[a.from:], swapped)
	return data
}

// write puts content in the place of a link.
func (d *editor) write(path string, data []byte, gone bool) error {
	at := filepath.Join(d.victim, path)
	if err := os.Remove(at); err != nil || gone {
		return err
	}
	return os.WriteFile(at, data, 0o600)
}

// restore undoes an edit.
func (d *editor) restore(e *edit) error {
	for _, path := range []string{e.target.path, e.with} {
		if path == "" {
			continue
		}
		if err := os.RemoveAll(filepath.Join(d.victim, path)); err != nil {
			return err
		}
		if err := os.Link(filepath.Join(d.pristine, path), filepath.Join(d.victim, path)); err != nil {
			return err
		}
	}
	return nil
}

// differs finds the first and the last byte that are not the same.
func differs(a, b []byte) (lo, hi int64) {
	n := min(len(a), len(b))
	i := 0
	for i < n && a[i] == b[i] {
		i++
	}
	if len(a) != len(b) {
		return int64(i), int64(max(len(a), len(b)))
	}
	j := n
	for j > i && a[j-1] == b[j-1] {
		j--
	}
	return int64(i), int64(j)
}

// kindOf tells which kind of file of a ledger this is; empty for one that is none of them.
func kindOf(path string) string {
	switch {
	case strings.HasSuffix(path, ".seg"):
		return "segment"
	case strings.HasPrefix(path, "ledger/log/tile/entries/"):
		return "bundle"
	case strings.HasPrefix(path, "ledger/log/tile/"):
		return "tile"
	case path == "ledger/log/checkpoint":
		return "checkpoint"
	case path == "ledger/log/.state/treeState":
		return "state"
	case path == "ledger.head":
		return "head"
	case path == "ledger/log.pub":
		return "key"
	}
	return ""
}
