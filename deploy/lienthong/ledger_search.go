package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
)

// ledgerSearch finds entries.
type ledgerSearch struct {
	filterFlags `group:"Which entries"`

	Limit  uint32 `help:"How many at most, or in one page with --all: 1 to 500 (default: ${default})." default:"50" placeholder:"N"`
	Cursor string `help:"Where the page before ended, as it said." placeholder:"CURSOR"`
	All    bool   `help:"All pages. With --json, an entry a line." xor:"how"`
	Follow bool   `help:"Show entries as they come, until Ctrl-C. With --json, an entry a line." xor:"how"`

	storedFlag
	ledgerFlags
}

// ledgerPage is a page of entries in JSON.
type ledgerPage struct {
	Entries []ledgerEntry `json:"entries"`
	Next    string        `json:"next_cursor,omitempty"`
	Missing []string      `json:"missing_origins,omitempty"`
}

// Run searches, or follows.
func (c *ledgerSearch) Run(ctx context.Context, top *cli) error {
	if c.Limit < 1 || c.Limit > 500 {
		return usage("--limit is %d; choose 1 to 500", c.Limit)
	}
	if c.Follow && (c.Cursor != "" || c.Since != "" || c.Until != "") {
		return usage("--follow begins now; leave --since, --until and --cursor out")
	}
	filter, err := c.filter(ctx, time.Now())
	if err != nil {
		return err
	}
	if c.Stored != "" {
		return c.stored(ctx, top, filter)
	}
	l, err := c.open(top)
	if err != nil {
		return err
	}
	defer func() { _ = l.Close() }()
	if c.Follow {
		return c.follow(ctx, top, l, filter)
	}
	pages := pager{top: top, all: c.All}
	return pages.print(c.Cursor, func(cursor string) (page, error) {
		return asked(ctx, l, l.Search, &hubv1.SearchRequest{Filter: filter, Limit: c.Limit, Cursor: cursor})
	})
}

// stored searches a ledger's directory.
func (c *ledgerSearch) stored(ctx context.Context, top *cli, filter *hubv1.Filter) error {
	if c.Follow || c.All || c.Cursor != "" || filter.GetSubject() != nil {
		return usage("--ledger goes without --follow, --all, --cursor and --subject: a hub that runs with that ledger knows how to look for people")
	}
	s, err := openStoredLedger(c.Stored)
	if err != nil {
		return err
	}
	found, err := s.search(ctx, top, filter, int(c.Limit))
	if err != nil {
		return err
	}
	pages := pager{top: top}
	return pages.print("", func(string) (page, error) { return &hubv1.SearchResponse{Entries: found}, nil })
}

// page is one page of entries, of a search or of a citizen's list.
type page interface {
	GetEntries() []*hubv1.LedgerEntry
	GetNextCursor() string
	GetMissingOrigins() []string
}

// pager prints one page, or all.
type pager struct {
	top    *cli
	all    bool
	header []string
	row    func(*hubv1.LedgerEntry) []string // nil: entryRow below entryHeader
}

// print asks for pages and prints each as it comes.
func (p *pager) print(cursor string, next func(cursor string) (page, error)) error {
	if p.row == nil {
		p.header, p.row = entryHeader, entryRow
	}
	for {
		found, err := next(cursor)
		if err != nil {
			return err
		}
		warnMissing(found.GetMissingOrigins())
		if err := p.one(found); err != nil {
			return err
		}
		if cursor = found.GetNextCursor(); cursor == "" || !p.all {
			return nil
		}
	}
}

func (p *pager) one(found page) error {
	switch {
	case p.top.JSON && p.all:
		return printLines(found.GetEntries()...)
	case p.top.JSON:
		return printJSON(ledgerPage{plainEntries(found.GetEntries()), found.GetNextCursor(), found.GetMissingOrigins()})
	}
	var rows [][]string
	for _, e := range found.GetEntries() {
		rows = append(rows, p.row(e))
	}
	if len(rows) == 0 {
		fmt.Fprintln(stderr, "lienthong: nothing was found")
		return nil
	}
	if err := printTable(p.header, rows); err != nil {
		return err
	}
	if next := found.GetNextCursor(); next != "" && !p.all {
		fmt.Fprintf(stdout, "\nthere are older ones: add --cursor %s, or --all\n", next)
	}
	return nil
}

// printLines writes entries as lines of JSON.
func printLines(entries ...*hubv1.LedgerEntry) error {
	e := json.NewEncoder(stdout)
	e.SetEscapeHTML(false)
	for _, entry := range entries {
		if err := e.Encode(plainEntry(entry)); err != nil {
			return fmt.Errorf("write JSON: %w", err)
		}
	}
	return nil
}

// follow prints entries as they come, until the process is told to stop.
func (c *ledgerSearch) follow(ctx context.Context, top *cli, l *ledgerHub, filter *hubv1.Filter) error {
	stream, err := l.Follow(l.words(ctx), &hubv1.FollowRequest{Filter: filter})
	if err != nil {
		return unlessStopped(ctx, l.failed(ctx, err, nil))
	}
	if !top.JSON {
		fmt.Fprintln(stderr, "lienthong: following; stop with Ctrl-C")
	}
	lines := lines{widths: []int{23, 18, 22, 9, 24, 8, 36}}
	for {
		came, err := stream.Recv()
		switch {
		case ctx.Err() != nil:
			return nil
		case errors.Is(err, io.EOF):
			return errors.New("the gateway stopped; follow again when it is back")
		case err != nil:
			return l.broke(ctx, err, stream)
		case top.JSON:
			err = printLines(came.GetEntry())
		default:
			err = lines.print(entryHeader, entryRow(came.GetEntry()))
		}
		if err != nil {
			return err
		}
	}
}
