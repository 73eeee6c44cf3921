package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"

	"github.com/lienthong/lienthong/gateway/guard"
	"github.com/lienthong/lienthong/gateway/state"
	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
)

// guardDecoy keeps decoys.
type guardDecoy struct {
	Add    decoyAdd    `cmd:"" help:"Make persons decoys; their numbers are read from stdin."`
	Remove decoyRemove `cmd:"" help:"Make persons decoys no more; their numbers are read from stdin."`
	Count  decoyCount  `cmd:"" help:"Say how many decoys there are."`
}

// Help is shown below the command's usage.
func (guardDecoy) Help() string {
	return `A decoy is a person whom nobody has reason to ask for, such as one who was made up. Whoever asks for it, or is told of it,
raises an alarm, and it is recorded in the ledger. The hub keeps hashes only, so decoys cannot be listed: keep your own list.

Numbers are lines on stdin: 12 digits are a personal number, 9 an old one, 10 a social-insurance number, 15 characters a
health-insurance card. On a terminal one is asked for and not shown.

  lienthong guard decoy add < decoys.txt`
}

// mostNumbers is how many numbers are read at a time.
const mostNumbers = 10_000

type decoyAdd struct {
	Kind string `help:"What numbers they are: personal, old, insurance or card (default: by their form)." placeholder:"KIND"`
}

// Run adds.
func (c *decoyAdd) Run(ctx context.Context, top *cli) error {
	return changeDecoys(ctx, top, c.Kind, "added", guard.AddDecoys)
}

type decoyRemove struct {
	Kind string `help:"What numbers they are: personal, old, insurance or card (default: by their form)." placeholder:"KIND"`
}

// Run removes.
func (c *decoyRemove) Run(ctx context.Context, top *cli) error {
	return changeDecoys(ctx, top, c.Kind, "removed", guard.RemoveDecoys)
}

// decoysDone is what a change of decoys came to, in JSON.
type decoysDone struct {
	Numbers int   `json:"numbers"` // that were read
	Changed int64 `json:"changed"` // that were no decoys before, or are none any more
	Decoys  int64 `json:"decoys"`  // that there are now
}

type decoyChange func(ctx context.Context, tx *state.Tx, key []byte, people []*hubv1.DataSubject) (int64, error)

func changeDecoys(ctx context.Context, top *cli, kind, done string, change decoyChange) (err error) {
	db, err := top.openState(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	people, err := readSubjects(ctx, kind)
	if err != nil {
		return err
	}
	key, err := guard.DecoyKey(ctx, db)
	if err != nil {
		return err
	}
	result := decoysDone{Numbers: len(people)}
	made, err := db.Change(ctx, machine, func(tx *state.Tx) (err error) {
		result.Changed, err = change(ctx, tx, key, people)
		return err
	})
	if err != nil {
		return err
	}
	if result.Decoys, err = guard.CountDecoys(ctx, db); err != nil {
		return err
	}
	if top.JSON {
		err = printJSON(result)
	} else {
		_, err = fmt.Fprintf(stdout, "%d of %d %s; there are %d decoys\n", result.Changed, result.Numbers, done, result.Decoys)
	}
	return errors.Join(err, top.changed(ctx, db, made))
}

type decoyCount struct{}

// Run counts.
func (c *decoyCount) Run(ctx context.Context, top *cli) (err error) {
	db, err := top.openState(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	n, err := guard.CountDecoys(ctx, db)
	if err != nil {
		return err
	}
	if top.JSON {
		return printJSON(map[string]int64{"decoys": n})
	}
	_, err = fmt.Fprintln(stdout, n)
	return err
}

// readSubjects reads persons' numbers from stdin, one a line, or a single one from a terminal. All are read or none.
func readSubjects(ctx context.Context, kind string) ([]*hubv1.DataSubject, error) {
	if term.IsTerminal(int(os.Stdin.Fd())) {
		s, err := readSubject(ctx, kind)
		return []*hubv1.DataSubject{s}, err
	}
	type read struct {
		people []*hubv1.DataSubject
		err    error
	}
	done := make(chan read, 1)
	go func() {
		people, err := subjectsOf(os.Stdin, kind)
		done <- read{people, err}
	}()
	select {
	case <-ctx.Done():
		return nil, errors.New("stopped before the numbers were read; nothing was changed")
	case r := <-done:
		return r.people, r.err
	}
}

// subjectsOf reads numbers, one a line. What is wrong with one is said by its line, never by the number.
func subjectsOf(in io.Reader, kind string) (people []*hubv1.DataSubject, err error) {
	lines := bufio.NewScanner(in)
	for n := 1; lines.Scan(); n++ {
		if strings.TrimSpace(lines.Text()) == "" {
			continue
		}
		s, err := subjectOf(lines.Text(), kind)
		if err != nil {
			return nil, usage("line %d on stdin: %w; nothing was changed", n, err)
		}
		if people = append(people, s); len(people) > mostNumbers {
			return nil, usage("more than %d numbers on stdin; give them in parts, nothing was changed", mostNumbers)
		}
	}
	if err := lines.Err(); err != nil {
		return nil, usage("read numbers from stdin: %w; nothing was changed", err)
	}
	if len(people) == 0 {
		return nil, usage("no number on stdin; pipe them in, one a line, or type one at the prompt of a terminal")
	}
	return people, nil
}
