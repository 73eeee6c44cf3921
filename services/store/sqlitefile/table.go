package sqlitefile

import (
	"encoding/binary"
	"fmt"
)

// Table is a table that is being written. Close ends it.
type Table struct {
	f      *File
	root   uint32
	leaf   *page
	last   int64 // row id
	leaves []child
	record []byte
}

// Table begins the table whose root is a page that is empty until now.
func (f *File) Table(root uint32) *Table {
	return &Table{f: f, root: root, leaf: newPage(f, leafTable)}
}

// Add adds a row. Row ids are above 0 and ascend.
func (t *Table) Add(id int64, row *Row) error {
	if id <= t.last {
		return fmt.Errorf("row id %d is not above %d, the one before", id, t.last)
	}
	if err := row.check(); err != nil {
		return err
	}
	size := row.size()
	t.record = appendVarint(t.record[:0], uint64(size))
	t.record = appendVarint(t.record, uint64(id))
	before := len(t.record)
	t.record = row.append(t.record)
	cell := t.record
	if local := t.f.local(size, t.f.usable-35); local < size {
		chain, err := t.f.appendChain(cell[before+local:])
		if err != nil {
			return err
		}
		cell = binary.BigEndian.AppendUint32(cell[:before+local], chain)
	}
	if !t.leaf.fits(len(cell)) {
		if err := t.flush(); err != nil {
			return err
		}
	}
	copy(t.leaf.add(len(cell)), cell)
	t.last = id
	return nil
}

// local is how much of a payload stays in its cell, if that may be at most so much.
func (f *File) local(size, most int) int {
	if size <= most {
		return size
	}
	least := (f.usable-12)*32/255 - 23
	if n := least + (size-least)%(f.usable-4); n <= most {
		return n
	}
	return least
}

func (t *Table) flush() error {
	number, err := t.f.append(t.leaf.done())
	t.leaves = append(t.leaves, child{number, appendVarint(nil, uint64(t.last))})
	t.leaf.reset(t.f, leafTable)
	return err
}

// Close writes what is left of the table.
func (t *Table) Close() error {
	if len(t.leaves) == 0 {
		return t.f.replace(t.root, t.leaf.done())
	}
	if err := t.flush(); err != nil {
		return err
	}
	return t.f.raise(t.root, innerTable, t.leaves)
}
