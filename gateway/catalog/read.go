package catalog

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/lienthong/lienthong/proto/peer"
)

// queryer is what rows are read with.
type queryer interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// Read makes the catalog as a transaction sees it. Services that have not changed since before (nil at first) stay the
// same *Service.
func Read(ctx context.Context, tx queryer, before *Catalog) (*Catalog, error) {
	entries, err := readServices(ctx, tx)
	if err != nil {
		return nil, fmt.Errorf("read catalog: %w", err)
	}
	items, err := readItems(ctx, tx)
	if err != nil {
		return nil, fmt.Errorf("read catalog: %w", err)
	}
	c, err := New(entries, items, before)
	if err != nil {
		return nil, fmt.Errorf("read catalog: %w", err)
	}
	return c, nil
}

func readServices(ctx context.Context, tx queryer) ([]Entry, error) {
	var entries []Entry
	at := map[string]int{}
	err := each(ctx, tx, `SELECT name, owner, state, safety_level, assessed, files, revision FROM service ORDER BY name`, func(rows *sql.Rows) error {
		e := Entry{Providers: map[string]peer.ID{}}
		if err := rows.Scan(&e.Name, &e.Owner, &e.State, &e.SafetyLevel, &e.Assessed, &e.Files, &e.Revision); err != nil {
			return err
		}
		at[e.Name] = len(entries)
		entries = append(entries, e)
		return nil
	})
	if err != nil {
		return nil, err
	}
	err = each(ctx, tx, `SELECT service, jurisdiction, agency, system FROM service_provider`, func(rows *sql.Rows) error {
		var service, where string
		var id peer.ID
		if err := rows.Scan(&service, &where, &id.Agency, &id.System); err != nil {
			return err
		}
		if i, ok := at[service]; ok {
			entries[i].Providers[where] = id
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	err = each(ctx, tx, `SELECT number, service, jurisdiction, from_ms, until_ms, announced_ms, unforeseen, text FROM service_stop ORDER BY from_ms, number`, func(rows *sql.Rows) error {
		var service string
		var s Stop
		var from, until, announced int64
		if err := rows.Scan(&s.Number, &service, &s.Jurisdiction, &from, &until, &announced, &s.Unforeseen, &s.Text); err != nil {
			return err
		}
		s.From, s.Until, s.Announced = time.UnixMilli(from).UTC(), time.UnixMilli(until).UTC(), time.UnixMilli(announced).UTC()
		if i, ok := at[service]; ok {
			entries[i].Stops = append(entries[i].Stops, s)
		}
		return nil
	})
	return entries, err
}

func readItems(ctx context.Context, tx queryer) (items []Item, err error) {
	err = each(ctx, tx, `SELECT item, service, field, copy FROM service_item`, func(rows *sql.Rows) error {
		var i Item
		if err := rows.Scan(&i.Name, &i.Service, &i.Field, &i.Copy); err != nil {
			return err
		}
		items = append(items, i)
		return nil
	})
	sortItems(items)
	return items, err
}

// each calls take for every row.
func each(ctx context.Context, tx queryer, query string, take func(*sql.Rows) error, args ...any) error {
	rows, err := tx.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := take(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

// scanOne reads a row that need not be there.
func scanOne(row *sql.Row, into ...any) (found bool, err error) {
	err = row.Scan(into...)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	return err == nil, err
}
