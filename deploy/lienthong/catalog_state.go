package main

import (
	"context"
	"errors"
	"strconv"

	"github.com/lienthong/lienthong/gateway/catalog"
	"github.com/lienthong/lienthong/gateway/state"
)

type catalogState struct {
	Service     string `arg:"" help:"Full name of the service."`
	To          string `arg:"" name:"state" help:"test, assessed, official or suspended."`
	SafetyLevel int    `help:"Safety level of its system, 1 to 5 (default: as it was)." placeholder:"N"`
	Assessed    string `help:"Day of its security assessment (default: as it was)." placeholder:"DAY"`
	Yes         bool   `help:"Do it. Without this, only say what would be done."`
}

// Help is shown below the command's usage.
func (catalogState) Help() string {
	return `A service goes from test to assessed, when its security was assessed, and from there to official, which needs safety level 3
at least (R18, R19). An official service can be suspended; the next call is refused with SERVICE_NOT_OFFICIAL.

  lienthong catalog state registry.land.v1.LandService assessed --assessed 2026-11-02 --safety-level 3 --yes
  lienthong catalog state registry.land.v1.LandService official --yes`
}

// catalogStateOf reads the name of a state.
func catalogStateOf(text string) (catalog.State, error) {
	switch s := catalog.State(text); s {
	case catalog.Test, catalog.Assessed, catalog.Official, catalog.Suspended:
		return s, nil
	}
	return "", usage("state %q; expected %s, %s, %s or %s", text, catalog.Test, catalog.Assessed, catalog.Official, catalog.Suspended)
}

// stateEntry is a change of a service's state in JSON.
type stateEntry struct {
	Service string   `json:"service"`
	From    standing `json:"from"`
	To      standing `json:"to"`
	Done    bool     `json:"done"`
}

// standing is how far a service has come.
type standing struct {
	State       catalog.State `json:"state"`
	SafetyLevel int           `json:"safety_level"`
	Assessed    string        `json:"assessed,omitempty"`
}

func standingOf(c *catalog.Catalog, service string) standing {
	s, ok := c.Service(service)
	if !ok {
		return standing{}
	}
	return standing{s.State, s.SafetyLevel, s.Assessed}
}

// Run moves the service, or says where it would go.
func (c *catalogState) Run(ctx context.Context, top *cli) (err error) {
	if err := serviceName(c.Service); err != nil {
		return err
	}
	to, err := catalogStateOf(c.To)
	if err != nil {
		return err
	}
	db, err := top.openState(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	var e stateEntry
	made, err := changeCatalog(ctx, db, c.Yes, func(tx *state.Tx) error {
		before, err := catalog.Read(ctx, tx, nil)
		if err != nil {
			return err
		}
		if err := catalog.SetState(ctx, tx, c.Service, to, c.SafetyLevel, c.Assessed); err != nil {
			return err
		}
		after, err := catalog.Read(ctx, tx, before)
		e = stateEntry{Service: c.Service, From: standingOf(before, c.Service), To: standingOf(after, c.Service), Done: c.Yes}
		return err
	})
	if err != nil {
		return err
	}
	if err := e.print(top); err != nil {
		return err
	}
	switch {
	case c.Yes:
		return top.changed(ctx, db, made)
	case e.From == e.To:
		return top.note("it is so already")
	}
	return usage("nothing was changed yet; add --yes to do what is listed")
}

func (e *stateEntry) print(top *cli) error {
	if top.JSON {
		return printJSON(e)
	}
	row := func(when string, s standing) []string {
		return []string{e.Service, when, string(s.State), strconv.Itoa(s.SafetyLevel), s.Assessed}
	}
	return printTable([]string{"SERVICE", "WHEN", "STATE", "SAFETY", "ASSESSED"}, [][]string{row("was", e.From), row("then", e.To)})
}
