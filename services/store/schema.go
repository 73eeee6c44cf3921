package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// tableSchema is a table as it lies in its file.
type tableSchema struct {
	root    uint32
	columns []columnSchema
	rowID   int // which column is the row id, or -1
	indices []indexSchema
}

type columnSchema struct {
	name    string
	value   int // which of a row's values it takes
	kind    columnKind
	notNull bool
}

type columnKind string

const (
	integerColumn columnKind = "INTEGER"
	textColumn    columnKind = "TEXT"
	blobColumn    columnKind = "BLOB"
)

type indexSchema struct {
	name    string
	root    uint32
	unique  bool
	columns []int // of the table
	where   []condition
}

var (
	identifier = regexp.MustCompile(`^[a-z][a-z0-9_]*$`)
	sqlComment = regexp.MustCompile(`--[^\n]*`)
	// notSupported is what a table that is filled must not have: SQLite does it when a row is inserted.
	notSupported = regexp.MustCompile(`\b(CHECK|GENERATED|COLLATE|REFERENCES|WITHOUT|STRICT)\b`)
)

// readSchema reads how a table that is to be filled is built. It fails if the table has anything that Fill cannot do.
func readSchema(ctx context.Context, conn *sql.DB, t Table) (tableSchema, error) {
	s := tableSchema{rowID: -1}
	if !identifier.MatchString(t.Name) {
		return s, errors.New("that is no table name")
	}
	var text string
	err := conn.QueryRowContext(ctx, `SELECT rootpage, sql FROM sqlite_schema WHERE type = 'table' AND name = $1`, t.Name).Scan(&s.root, &text)
	if err != nil {
		return s, fmt.Errorf("find table: %w", err)
	}
	var triggers int
	if err := conn.QueryRowContext(ctx, `SELECT COUNT(*) FROM sqlite_schema WHERE type = 'trigger' AND tbl_name = $1`, t.Name).Scan(&triggers); err != nil || triggers > 0 {
		return s, errors.Join(errors.New("a table with triggers cannot be filled"), err)
	}
	if word := notSupported.FindString(sqlComment.ReplaceAllString(text, "")); word != "" {
		return s, fmt.Errorf("a table with %s cannot be filled", word)
	}
	if err := s.readColumns(ctx, conn, t); err != nil {
		return s, err
	}
	return s, s.readIndices(ctx, conn, t.Name)
}

func (s *tableSchema) readColumns(ctx context.Context, conn *sql.DB, t Table) error {
	rows, err := conn.QueryContext(ctx, `SELECT cid, name, type, "notnull", pk FROM pragma_table_info($1) ORDER BY cid`, t.Name)
	if err != nil {
		return err
	}
	defer rows.Close()
	keys := 0
	for rows.Next() {
		var c columnSchema
		var at, key int
		if err := rows.Scan(&at, &c.name, &c.kind, &c.notNull, &key); err != nil {
			return err
		}
		if c.value = slices.Index(t.Columns, c.name); c.value < 0 {
			return fmt.Errorf("no values for column %s", c.name)
		}
		if c.kind != integerColumn && c.kind != textColumn && c.kind != blobColumn {
			return fmt.Errorf("column %s is neither INTEGER, TEXT nor BLOB", c.name)
		}
		if key > 0 {
			keys++
		}
		if key > 0 && c.kind == integerColumn {
			s.rowID = at
		}
		s.columns = append(s.columns, c)
	}
	if keys > 1 {
		s.rowID = -1
	}
	if len(s.columns) != len(t.Columns) {
		return fmt.Errorf("%d columns are named, the table has %d", len(t.Columns), len(s.columns))
	}
	return rows.Err()
}

func (s *tableSchema) readIndices(ctx context.Context, conn *sql.DB, table string) error {
	rows, err := conn.QueryContext(ctx, `SELECT i.name, s.rootpage, i."unique", COALESCE(s.sql, ''), x.cid, x."desc", x.coll
		FROM pragma_index_list($1) i JOIN sqlite_schema s ON s.name = i.name JOIN pragma_index_xinfo(i.name) x
		WHERE x.key = 1 ORDER BY i.seq, x.seqno`, table)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var x indexSchema
		var text, collation string
		var column int
		var descends bool
		if err := rows.Scan(&x.name, &x.root, &x.unique, &text, &column, &descends, &collation); err != nil {
			return err
		}
		if column < 0 || descends || collation != "BINARY" {
			return fmt.Errorf("index %s is not of plain columns", x.name)
		}
		if n := len(s.indices); n == 0 || s.indices[n-1].root != x.root {
			s.indices = append(s.indices, x)
		}
		last := &s.indices[len(s.indices)-1]
		last.columns = append(last.columns, column)
		if _, where, partial := strings.Cut(text, " WHERE "); partial && last.where == nil {
			if last.where, err = s.readConditions(where); err != nil {
				return fmt.Errorf("index %s: %w", x.name, err)
			}
		}
	}
	return rows.Err()
}

// condition is one of those that a row in a partial index fulfils: column IS NOT NULL, column = value, or column <> value.
type condition struct {
	column   int
	notNull  bool
	unequal  bool
	expected any // string or int64
}

var conditionText = regexp.MustCompile(`^(\w+) (?:(IS NOT NULL)|(=|<>) (?:'([^']*)'|(-?\d+)))$`)

// readConditions reads the WHERE of an index.
func (s *tableSchema) readConditions(where string) ([]condition, error) {
	var all []condition
	for part := range strings.SplitSeq(where, " AND ") {
		m := conditionText.FindStringSubmatch(strings.TrimSpace(part))
		if m == nil {
			return nil, fmt.Errorf("only comparisons with a constant can be filled, not %q", part)
		}
		c := condition{notNull: m[2] != "", unequal: m[3] == "<>", expected: m[4]}
		if m[5] != "" {
			n, err := strconv.ParseInt(m[5], 10, 64)
			if err != nil {
				return nil, err
			}
			c.expected = n
		}
		c.column = slices.IndexFunc(s.columns, func(of columnSchema) bool { return of.name == m[1] })
		if c.column < 0 {
			return nil, fmt.Errorf("no column %s", m[1])
		}
		all = append(all, c)
	}
	return all, nil
}

// holds reports whether a value, of the column's kind, fulfils the condition. A comparison with NULL never does.
func (c condition) holds(value any) bool {
	switch v := value.(type) {
	case nil:
		return false
	case int:
		value = int64(v)
	}
	return c.notNull || (value == c.expected) != c.unequal
}
