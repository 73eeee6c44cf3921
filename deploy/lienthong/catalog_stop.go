package main

import (
	"context"
	"errors"
	"time"

	"github.com/lienthong/lienthong/gateway/catalog"
	"github.com/lienthong/lienthong/gateway/state"
)

type catalogStop struct {
	Service      string `arg:"" help:"Full name of the service."`
	From         string `help:"When it begins: 2026-12-10, \"2026-12-10 22:00\" in Hà Nội, or RFC 3339 (default with --force-majeure: now)." placeholder:"TIME"`
	Until        string `required:"" help:"When it is expected to answer again, in the same way; a day means its end." placeholder:"TIME"`
	Jurisdiction string `help:"Only there: vn, or a province code (default: everywhere)." placeholder:"CODE"`
	Text         string `help:"What is done, for people." placeholder:"TEXT"`
	ForceMajeure bool   `help:"Nobody could foresee it (R15): no notice is needed, and --text is."`
	Yes          bool   `help:"Do it. Without this, only say what would be announced."`
}

// Help is shown below the command's usage.
func (catalogStop) Help() string {
	return `A planned stop is announced 7 working days ahead (R14). While it lasts, calls are refused with SERVICE_PLANNED_STOP and the
expected return.

  lienthong catalog stop registry.land.v1.LandService --from "2026-12-12 22:00" --until "2026-12-13 04:00" --text "new disks" --yes
  lienthong catalog stop registry.land.v1.LandService --until 2026-12-01 --jurisdiction 42 --force-majeure --text flood --yes
  lienthong catalog cancel-stop 7 --yes`
}

// stop is what the flags say.
func (c *catalogStop) stop(now time.Time) (s catalog.Stop, err error) {
	s = catalog.Stop{Jurisdiction: c.Jurisdiction, From: now, Announced: now, Unforeseen: c.ForceMajeure, Text: c.Text}
	switch {
	case c.From != "":
		if s.From, err = moment(c.From, now, false); err != nil {
			return s, usage("--from: %w", err)
		}
	case !c.ForceMajeure:
		return s, usage("--from is missing: say when the stop begins")
	}
	if s.Until, err = moment(c.Until, now, true); err != nil {
		return s, usage("--until: %w", err)
	}
	return s, nil
}

// Run announces the stop, or says what it would announce.
func (c *catalogStop) Run(ctx context.Context, top *cli) (err error) {
	if err := serviceName(c.Service); err != nil {
		return err
	}
	stop, err := c.stop(time.Now())
	if err != nil {
		return err
	}
	db, err := top.openState(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	var number int64
	made, err := changeCatalog(ctx, db, c.Yes, func(tx *state.Tx) (err error) {
		number, err = catalog.PlanStop(ctx, tx, c.Service, stop)
		return err
	})
	if err != nil {
		return err
	}
	if c.Yes {
		stop.Number = number // what was only tried has none
	}
	if err := printStop(top, c.Service, stop); err != nil {
		return err
	}
	if !c.Yes {
		return usage("nothing was announced yet; add --yes to announce what is listed")
	}
	return top.changed(ctx, db, made)
}

// stopOf is a stop with its service, in JSON.
type stopOf struct {
	Service string `json:"service"`
	plannedStop
}

func printStop(top *cli, service string, s catalog.Stop) error {
	if top.JSON {
		return printJSON(stopOf{service, entryOfPlanned(s)})
	}
	return printPlanned([]plannedStop{entryOfPlanned(s)})
}

type catalogCancelStop struct {
	Number int64 `arg:"" help:"Number of the stop; see: lienthong catalog show SERVICE."`
	Yes    bool  `help:"Do it. Without this, only say which stop it would be."`
}

// Run cancels the stop, or says which.
func (c *catalogCancelStop) Run(ctx context.Context, top *cli) (err error) {
	db, err := top.openState(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	var service string
	var stop catalog.Stop
	made, err := changeCatalog(ctx, db, c.Yes, func(tx *state.Tx) error {
		all, err := catalog.Read(ctx, tx, nil)
		if err != nil {
			return err
		}
		for _, s := range all.Services() {
			for _, one := range s.Stops {
				if one.Number == c.Number {
					service, stop = s.Name, one
				}
			}
		}
		return catalog.CancelStop(ctx, tx, c.Number)
	})
	if err != nil {
		return err
	}
	if err := printStop(top, service, stop); err != nil {
		return err
	}
	if !c.Yes {
		return usage("nothing was cancelled yet; add --yes to cancel the stop of %s that is listed", service)
	}
	return top.changed(ctx, db, made)
}
