package sqlitefile

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"errors"
	"slices"
	"strings"
)

// ErrNotUnique says that two rows have one key in an index that is unique.
var ErrNotUnique = errors.New("two rows have the same key")

// Index collects the keys of an index, until File.Index writes them in order. A row's key is put together value by
// value and ended by Add. Memory: the values and about 30 bytes for each row.
type Index struct {
	keys    []byte // one after another, in a form that sorts as SQLite sorts the values
	entries []entry
	unique  bool
}

// entry is a key. Most are told apart by prefix alone.
type entry struct {
	prefix  uint64
	at, end uint32
}

// Marks before each value of a key, in SQLite's order.
const (
	markNull byte = 1
	markInt  byte = 2
	markText byte = 3
)

const (
	idBytes      = 8
	maxKeysBytes = 1<<32 - 1<<16
	signBit      = 1 << 63
)

// NewIndex makes an index without keys. In a unique one, no two rows may have one key, unless there is a NULL in it.
func NewIndex(unique bool) *Index { return &Index{unique: unique} }

// Null adds NULL to the key.
func (x *Index) Null() { x.keys = append(x.keys, markNull) }

// Int adds an integer to the key.
func (x *Index) Int(v int64) {
	x.keys = binary.BigEndian.AppendUint64(append(x.keys, markInt), uint64(v)^signBit)
}

// Text adds a text to the key. It fails if there is a NUL in it.
func (x *Index) Text(s string) error {
	if strings.IndexByte(s, 0) >= 0 {
		return errors.New("a text of an index has a NUL in it")
	}
	x.keys = append(append(append(x.keys, markText), s...), 0)
	return nil
}

// Add ends a key: that of the row with this id.
func (x *Index) Add(id int64) error {
	at := uint32(0)
	if n := len(x.entries); n > 0 {
		at = x.entries[n-1].end
	}
	x.keys = binary.BigEndian.AppendUint64(x.keys, uint64(id)^signBit)
	if len(x.keys) > maxKeysBytes {
		return errors.New("the index is too large")
	}
	x.entries = append(x.entries, entry{at: at, end: uint32(len(x.keys))})
	return nil
}

func (x *Index) key(e entry) []byte { return x.keys[e.at:e.end] }

// sort puts the entries in order. It fails with ErrNotUnique.
func (x *Index) sort() error {
	x.setPrefixes()
	less := func(a, b entry) int {
		if c := cmp.Compare(a.prefix, b.prefix); c != 0 {
			return c
		}
		return bytes.Compare(x.key(a), x.key(b))
	}
	if !slices.IsSortedFunc(x.entries, less) {
		slices.SortFunc(x.entries, less)
	}
	if !x.unique {
		return nil
	}
	for i := 1; i < len(x.entries); i++ {
		a, b := x.key(x.entries[i-1]), x.key(x.entries[i])
		if bytes.Equal(a[:len(a)-idBytes], b[:len(b)-idBytes]) && !hasNull(a) {
			return ErrNotUnique
		}
	}
	return nil
}

// setPrefixes takes of each key the 8 bytes that follow what all keys begin with.
func (x *Index) setPrefixes() {
	if len(x.entries) == 0 {
		return
	}
	first := x.key(x.entries[0])
	common := len(first)
	for _, e := range x.entries {
		k := x.key(e)
		common = min(common, len(k))
		for i := range common {
			if k[i] != first[i] {
				common = i
				break
			}
		}
	}
	for i := range x.entries {
		var b [8]byte
		copy(b[:], x.key(x.entries[i])[common:])
		x.entries[i].prefix = binary.BigEndian.Uint64(b[:])
	}
}

// Index writes an index into the tree whose root is a page that is empty until now. The index cannot be used again.
func (f *File) Index(root uint32, x *Index) error {
	if err := x.sort(); err != nil {
		return err
	}
	var leaves []child
	var row Row
	var cell []byte
	leaf := newPage(f, leafIndex)
	for i, e := range x.entries {
		var err error
		if cell, err = f.indexCell(cell[:0], &row, x.key(e)); err != nil {
			return err
		}
		if leaf.fits(len(cell)) {
			copy(leaf.add(len(cell)), cell)
			continue
		}
		// The key goes between this leaf and the next. There must be one: else the leaf's last key goes there.
		key, alone := bytes.Clone(cell), []byte(nil)
		if i == len(x.entries)-1 {
			key, alone = bytes.Clone(leaf.b[leaf.top:leaf.tops[leaf.cells-1]]), cell
			leaf.takeBack()
		}
		number, err := f.append(leaf.done())
		if err != nil {
			return err
		}
		leaves = append(leaves, child{number, key})
		leaf.reset(f, leafIndex)
		if alone != nil {
			copy(leaf.add(len(alone)), alone)
		}
	}
	if leaves == nil {
		return f.replace(root, leaf.done())
	}
	number, err := f.append(leaf.done())
	if err != nil {
		return err
	}
	return f.raise(root, innerIndex, append(leaves, child{page: number}))
}

// indexCell appends the cell of a key.
func (f *File) indexCell(cell []byte, row *Row, key []byte) ([]byte, error) {
	row.Reset()
	id := key[len(key)-idBytes:]
	readKey(key[:len(key)-idBytes], row)
	row.Int(int64(binary.BigEndian.Uint64(id) ^ signBit))
	if err := row.check(); err != nil {
		return nil, err
	}
	size := row.size()
	cell = appendVarint(cell, uint64(size))
	before := len(cell)
	cell = row.append(cell)
	local := f.local(size, (f.usable-12)*64/255-23)
	if local == size {
		return cell, nil
	}
	chain, err := f.appendChain(cell[before+local:])
	return binary.BigEndian.AppendUint32(cell[:before+local], chain), err
}

// readKey puts the values of a key into a row.
func readKey(key []byte, row *Row) {
	for len(key) > 0 {
		mark := key[0]
		key = key[1:]
		switch mark {
		case markNull:
			row.Null()
		case markInt:
			row.Int(int64(binary.BigEndian.Uint64(key) ^ signBit))
			key = key[8:]
		case markText:
			end := bytes.IndexByte(key, 0)
			row.types = appendVarint(row.types, uint64(13+2*end))
			row.body = append(row.body, key[:end]...)
			key = key[end+1:]
		}
	}
}

// hasNull reports whether a key has a NULL among its values: such keys may repeat.
func hasNull(key []byte) bool {
	key = key[:len(key)-idBytes]
	for len(key) > 0 {
		switch key[0] {
		case markNull:
			return true
		case markInt:
			key = key[9:]
		case markText:
			key = key[bytes.IndexByte(key, 0)+1:]
		}
	}
	return false
}
