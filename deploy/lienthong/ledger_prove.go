package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
	"github.com/lienthong/lienthong/proto/reason"
)

// proveEvery is how long prove lets pass before it asks again for a proof that is not there yet.
const proveEvery = 500 * time.Millisecond

// ledgerProve prints a proof.
type ledgerProve struct {
	which
	Wait time.Duration `help:"How long to wait for the checkpoint that covers an entry that was just made (default: ${default})." default:"3s" placeholder:"DURATION"`

	storedFlag
	ledgerFlags
}

// Help is shown below the command's usage.
func (ledgerProve) Help() string {
	return `The proof is a JSON document that holds the record, its place in the log and a signed checkpoint. Anybody checks it with
the log's public key alone, without a hub:

  lienthong ledger prove ID > proof.json
  lienthong ledger verify proof.json --key DIR/ledger/log.pub`
}

// Run prints the proof.
func (c *ledgerProve) Run(ctx context.Context, top *cli) error {
	exchange, at, err := c.parse()
	if err != nil {
		return err
	}
	if c.Stored != "" {
		return c.stored(ctx, top, exchange, at)
	}
	l, err := c.open(top)
	if err != nil {
		return err
	}
	defer func() { _ = l.Close() }()
	found, err := c.prove(ctx, l, &hubv1.ProveRequest{ExchangeId: exchange, Position: at})
	if err != nil {
		return err
	}
	if _, err := stdout.Write(found.GetProof()); err != nil {
		return fmt.Errorf("write proof: %w", err)
	}
	return nil
}

// stored proves an entry of a ledger's directory.
func (c *ledgerProve) stored(ctx context.Context, top *cli, exchange, at string) error {
	s, err := openStoredLedger(c.Stored)
	if err != nil {
		return err
	}
	found, err := s.find(ctx, top, exchange, at)
	if err != nil {
		return err
	}
	document, err := s.prove(ctx, found)
	if err != nil {
		return err
	}
	if _, err := stdout.Write(document); err != nil {
		return fmt.Errorf("write proof: %w", err)
	}
	return nil
}

// prove asks until the next checkpoint has covered the entry.
func (c *ledgerProve) prove(ctx context.Context, l *ledgerHub, question *hubv1.ProveRequest) (*hubv1.ProveResponse, error) {
	for until := time.Now().Add(c.Wait); ; {
		found, err := asked(ctx, l, l.Prove, question)
		if err == nil || !notYet(err) || time.Now().Add(proveEvery).After(until) {
			return found, err
		}
		select {
		case <-time.After(proveEvery):
		case <-ctx.Done():
			return nil, errors.New("stopped before the entry could be proven")
		}
	}
}

// notYet reports whether a refusal says that there is an entry which cannot be proven at this moment.
func notYet(err error) bool {
	e := (*errRefused)(nil)
	return errors.As(err, &e) && e.Reason == string(reason.NotYetProven)
}
