package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"github.com/lienthong/lienthong/gateway/state"
)

// recordedWithin is how long a command waits until the hub has recorded what it changed.
const recordedWithin = 2 * time.Second

// openState opens the state of a hub that there is; it does not make one by accident. The caller closes it.
func (c *cli) openState(ctx context.Context) (*state.DB, error) {
	if _, err := os.Stat(c.dir().State()); errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("no hub in %s; one is made by: lienthong up --dir %s", c.Dir, c.Dir)
	}
	return c.dir().OpenState(ctx)
}

// changed tells the hub that runs from the directory of a change, if one runs, and says where its record stands. The
// change holds whether a hub runs or not: it is recorded when one does.
func (c *cli) changed(ctx context.Context, db *state.DB, made state.Made) error {
	if made.Revision == 0 {
		return c.note("nothing was changed: it is so already")
	}
	ctx, cancel := context.WithTimeout(ctx, recordedWithin)
	defer cancel()
	ringErr := c.dir().Ring(ctx, made.Revision)
	if errors.Is(ringErr, fs.ErrNotExist) {
		return c.note("changed; gateways that run see it within two seconds, and record it")
	}
	for _, number := range made.Numbers {
		position, err := awaitPosition(ctx, db, number)
		if err != nil {
			return c.note(fmt.Sprintf("changed; the hub has not recorded it yet (%v)", errors.Join(err, ringErr)))
		}
		if err := c.note("recorded " + position); err != nil {
			return err
		}
	}
	return nil
}

// note says something beside the answer: on stderr, so that stdout is the answer alone.
func (c *cli) note(text string) error {
	if c.JSON {
		return nil
	}
	_, err := fmt.Fprintln(stderr, text)
	return err
}

// awaitPosition waits until a change stands in a ledger.
func awaitPosition(ctx context.Context, db *state.DB, number int64) (string, error) {
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		position, err := db.Position(ctx, number)
		if err != nil || position != "" {
			return position, err
		}
		select {
		case <-ctx.Done():
			return "", ctx.Err()
		case <-tick.C:
		}
	}
}
