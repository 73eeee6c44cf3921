package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/lienthong/lienthong/gateway/ledger"
	"github.com/lienthong/lienthong/gateway/ledger/index"
)

// ledgerReindex makes the index again from the journal.
type ledgerReindex struct {
	ledgerPlace
}

// Help is shown below the command's usage.
func (ledgerReindex) Help() string {
	return `The index is what searches read; all that is in it comes from the journal. The hub must be stopped. The new index takes
the old one's place when it is whole.`
}

// Run makes it.
func (c *ledgerReindex) Run(ctx context.Context, top *cli) error {
	path, err := c.find(top)
	if err != nil {
		return err
	}
	if err := stopped(path.Journal()); err != nil {
		return err
	}
	source, err := ledger.OpenStored(path)
	if err != nil {
		return err
	}
	began := time.Now()
	shown := newProgress(top, "making the index", "records")
	err = index.Rebuild(ctx, index.Config{Path: path.Index(), Source: source, Log: top.logger()}, func(done, total uint64) {
		shown.at(int64(done), int64(total))
	})
	shown.end()
	if ctx.Err() != nil {
		return errors.New("stopped; the index is as it was")
	}
	if err != nil {
		return err
	}
	took := time.Since(began)
	if top.JSON {
		return printJSON(map[string]any{"records": source.Durable(), "seconds": took.Seconds()})
	}
	_, err = fmt.Fprintf(stdout, "%d records in %v\n", source.Durable(), took.Round(time.Millisecond))
	return err
}
