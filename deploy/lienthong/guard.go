package main

import (
	"context"
	"errors"
	"strconv"
	"time"

	"github.com/lienthong/lienthong/gateway/guard"
	"github.com/lienthong/lienthong/gateway/state"
)

// guardCommand is about the guard against guessing numbers.
type guardCommand struct {
	List    guardList    `cmd:"" help:"List who was stopped for guessing numbers."`
	Release guardRelease `cmd:"" help:"Let somebody ask again who was stopped."`
	Decoy   guardDecoy   `cmd:"" help:"Keep persons whom nobody has reason to ask for: whoever does raises an alarm."`
}

// Help is shown below the command's usage.
func (guardCommand) Help() string {
	return `Who asks for numbers at random is mostly told that nobody has them. An officer who missed more than 20 people within a
minute, and over 30 % of all, may not ask for that purpose any more until released. The whole agency may not, for that
purpose, when three of its officers were stopped within a minute, when calls that name no officer pass that limit, or when
its officers together missed more than 200 people and over 30 %.

  lienthong guard list
  lienthong guard release H27 CT-TT canbo.motcua --yes`
}

// stopEntry is a stop in JSON.
type stopEntry struct {
	Agency  string    `json:"agency"`
	Purpose string    `json:"purpose"`
	Officer string    `json:"officer"` // "*": nobody of the agency may ask
	Since   time.Time `json:"since"`
	Misses  uint64    `json:"misses"`
	Matches uint64    `json:"matches"`
	Why     guard.Why `json:"why"`
}

// everybody stands for all officers of an agency.
const everybody = "*"

func entryOfStop(s guard.Stop) stopEntry {
	e := stopEntry{s.Agency, s.Purpose, s.Officer, s.Since, s.Misses, s.Matches, s.Why}
	if e.Officer == "" {
		e.Officer = everybody
	}
	return e
}

func printStops(top *cli, stops []guard.Stop) error {
	entries := []stopEntry{}
	var rows [][]string
	for _, s := range stops {
		e := entryOfStop(s)
		entries = append(entries, e)
		rows = append(rows, []string{
			e.Agency, e.Purpose, e.Officer, clock(e.Since), strconv.FormatUint(e.Misses, 10), strconv.FormatUint(e.Matches, 10), string(e.Why),
		})
	}
	if top.JSON {
		return printJSON(entries)
	}
	return printTable([]string{"AGENCY", "PURPOSE", "OFFICER", "SINCE", "MISSES", "MATCHES", "WHY"}, rows)
}

type guardList struct{}

// Help is shown below the command's usage.
func (guardList) Help() string {
	return `MISSES and MATCHES are people who were not found and found in the minute before the stop. OFFICER is * where the whole
agency was stopped for the purpose. WHY is guessing (an officer), officers (three were stopped), unnamed (calls that name no
officer) or total (all officers together). With --json, a list of all that.`
}

// Run lists.
func (c *guardList) Run(ctx context.Context, top *cli) (err error) {
	db, err := top.openState(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	stops, err := guard.List(ctx, db)
	if err != nil {
		return err
	}
	return printStops(top, stops)
}

type guardRelease struct {
	Agency  string `arg:"" help:"Code of the agency."`
	Purpose string `arg:"" help:"Code of the purpose."`
	Officer string `arg:"" optional:"" help:"The officer (default: the stop of the whole agency)."`
	Yes     bool   `help:"Do it. Without this, only say who would be released."`
}

// Help is shown below the command's usage.
func (guardRelease) Help() string {
	return `Find out first what happened: lienthong ledger search --consumer AGENCY --since 1h. Who is released begins anew: what was
counted before is forgotten. Officers who were stopped by themselves stay stopped when the agency is released.`
}

// Run releases, or says whom it would release.
func (c *guardRelease) Run(ctx context.Context, top *cli) (err error) {
	db, err := top.openState(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	stops, err := guard.List(ctx, db)
	if err != nil {
		return err
	}
	stop, ok := c.among(stops)
	if !ok {
		return usage("%w", guard.ErrNotStopped)
	}
	if err := printStops(top, []guard.Stop{stop}); err != nil {
		return err
	}
	if !c.Yes {
		return usage("nobody was released yet; add --yes to release what is listed")
	}
	made, err := db.Change(ctx, machine, func(tx *state.Tx) error {
		return guard.Release(ctx, tx, stop.Agency, stop.Purpose, stop.Officer)
	})
	if errors.Is(err, guard.ErrNotStopped) {
		return usage("%w", err)
	}
	if err != nil {
		return err
	}
	return top.changed(ctx, db, made)
}

// among finds the stop that is meant. The list shows the whole agency as everybody, so that is understood too.
func (c *guardRelease) among(stops []guard.Stop) (found guard.Stop, ok bool) {
	for _, s := range stops {
		if s.Agency != c.Agency || s.Purpose != c.Purpose {
			continue
		}
		if s.Officer == c.Officer {
			return s, true
		}
		if c.Officer == everybody && s.Officer == "" {
			found, ok = s, true
		}
	}
	return found, ok
}
