package store

import (
	"context"
	"errors"
	"fmt"
	"iter"

	"github.com/lienthong/lienthong/services/store/sqlitefile"
)

// rowsBetweenLooks is how many rows are written between looks whether the caller is still there.
const rowsBetweenLooks = 1 << 10

// write writes a table and its indices.
func (s *tableSchema) write(ctx context.Context, f *sqlitefile.File, rows iter.Seq[[]any]) error {
	indices := make([]*sqlitefile.Index, len(s.indices))
	for i := range indices {
		indices[i] = sqlitefile.NewIndex(s.indices[i].unique)
	}
	table := f.Table(s.root)
	id := int64(0)
	var room sqlitefile.Row
	for row := range rows {
		if len(row) != len(s.columns) {
			return fmt.Errorf("a row has %d values for %d columns", len(row), len(s.columns))
		}
		if id%rowsBetweenLooks == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		var err error
		if id, err = s.rowNumber(row, id); err != nil {
			return err
		}
		if err := s.addRow(table, &room, row, id); err != nil {
			return err
		}
		for i := range indices {
			if err := s.addKey(indices[i], &s.indices[i], row, id); err != nil {
				return fmt.Errorf("index %s: %w", s.indices[i].name, err)
			}
		}
	}
	if err := table.Close(); err != nil {
		return err
	}
	for i, x := range indices {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := f.Index(s.indices[i].root, x); err != nil {
			return fmt.Errorf("index %s: %w", s.indices[i].name, err)
		}
		indices[i] = nil // its memory may go
	}
	return ctx.Err()
}

// rowNumber is the row id of a row: the column that is it, or the next.
func (s *tableSchema) rowNumber(row []any, last int64) (int64, error) {
	if s.rowID < 0 {
		return last + 1, nil
	}
	switch v := row[s.columns[s.rowID].value].(type) {
	case int:
		return int64(v), nil
	case int64:
		return v, nil
	}
	return 0, errors.New("a row has no number as its key")
}

func (s *tableSchema) addRow(table *sqlitefile.Table, room *sqlitefile.Row, row []any, id int64) error {
	room.Reset()
	for i := range s.columns {
		c := &s.columns[i]
		if i == s.rowID {
			room.Null() // it is the row's key
			continue
		}
		ok := true
		switch v := row[c.value].(type) {
		case nil:
			room.Null()
			ok = !c.notNull
		case int:
			room.Int(int64(v))
			ok = c.kind == integerColumn
		case int64:
			room.Int(v)
			ok = c.kind == integerColumn
		case string:
			room.Text(v)
			ok = c.kind == textColumn
		case []byte:
			if v == nil {
				room.Null()
				ok = !c.notNull
				break
			}
			room.Blob(v)
			ok = c.kind == blobColumn
		default:
			ok = false
		}
		if !ok {
			return fmt.Errorf("column %d of %s NOT NULL %t has a %T", i+1, c.kind, c.notNull, row[c.value])
		}
	}
	return table.Add(id, room)
}

// addKey adds the key of a row to an index, unless the index leaves the row out.
func (s *tableSchema) addKey(keys *sqlitefile.Index, x *indexSchema, row []any, id int64) error {
	for _, c := range x.where {
		if !c.holds(row[s.columns[c.column].value]) {
			return nil
		}
	}
	for _, column := range x.columns {
		switch v := row[s.columns[column].value].(type) {
		case nil:
			keys.Null()
		case int:
			keys.Int(int64(v))
		case int64:
			keys.Int(v)
		case string:
			if err := keys.Text(v); err != nil {
				return err
			}
		default:
			return fmt.Errorf("a %T cannot be in an index", v)
		}
	}
	return keys.Add(id)
}
