package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/lienthong/lienthong/gateway/catalog"
	"github.com/lienthong/lienthong/gateway/state"
)

// catalogCommand is about which services there are, and whether they may be asked.
type catalogCommand struct {
	Publish    catalogPublish    `cmd:"" help:"Publish a service's contract, or its next version."`
	List       catalogList       `cmd:"" help:"List the services of the catalog."`
	Show       catalogShow       `cmd:"" help:"Show one service: its state, methods and fields, stops, and who has agreements about it."`
	State      catalogState      `cmd:"" help:"Move a service from test to assessed, official or suspended."`
	Stop       catalogStop       `cmd:"" help:"Announce that a service will not answer for a while."`
	CancelStop catalogCancelStop `cmd:"" help:"Take an announced stop back, or end one that has begun."`
	Items      catalogItems      `cmd:"" help:"List which registry is the one source of which item of data."`
}

// Help is shown below the command's usage.
func (catalogCommand) Help() string {
	return `A service is known by its descriptors alone: no code of it is linked, and the hub is not restarted. It is asked when it is
official, and when an agreement lets somebody ask it.

  buf build -o descriptors.binpb
  lienthong catalog publish -f descriptors.binpb --owner H27.14 --jurisdiction 42
  lienthong catalog state vn.hatinh.tax.v1.TaxService assessed --assessed 2026-11-02 --safety-level 3 --yes
  lienthong catalog state vn.hatinh.tax.v1.TaxService official --yes
  lienthong catalog show vn.hatinh.tax.v1.TaxService

Each of these acts on the hub's state, whether a hub runs or not; one that runs has it in force at once.`
}

// serviceName refuses what cannot be a service's name, before it is looked for or shown.
func serviceName(name string) error {
	if !protoreflect.FullName(name).IsValid() {
		return usage("%q is no service's full name; expected one such as registry.land.v1.LandService; see: lienthong catalog list", name)
	}
	return nil
}

// errTried undoes a change that was only tried.
var errTried = errors.New("only tried")

// changeCatalog makes one change of the catalog, as who has the hub's machine. Without yes it is tried and undone, so
// that what it would do, and what is wrong with it, is known. What is wrong with the change is wrong with the command.
func changeCatalog(ctx context.Context, db *state.DB, yes bool, do func(*state.Tx) error) (state.Made, error) {
	made, err := db.Change(ctx, machine, func(tx *state.Tx) error {
		if err := do(tx); err != nil {
			return usage("%w", err)
		}
		if !yes {
			return errTried
		}
		return nil
	})
	if errors.Is(err, errTried) {
		return made, nil
	}
	return made, err
}

// readCatalog reads which services there are.
func readCatalog(ctx context.Context, db *state.DB) (c *catalog.Catalog, err error) {
	err = db.InReadTx(ctx, func(tx *sql.Tx) (err error) {
		c, err = catalog.Read(ctx, tx, nil)
		return err
	})
	return c, err
}

// catalogEntry is a service of the catalog in JSON.
type catalogEntry struct {
	Service     string          `json:"service"`
	TitleVI     string          `json:"title_vi"`
	TitleEN     string          `json:"title_en"`
	Owner       string          `json:"owner"`
	State       catalog.State   `json:"state"`
	SafetyLevel int             `json:"safety_level"` // 0: not determined
	Assessed    string          `json:"assessed,omitempty"`
	Providers   []answererEntry `json:"providers"`
	MethodCount int             `json:"method_count"`
	Stops       []plannedStop   `json:"stops"` // those that are not over
}

type answererEntry struct {
	Jurisdiction string `json:"jurisdiction"`
	Provider     string `json:"provider"`
}

// plannedStop is an announced stop in JSON.
type plannedStop struct {
	Number       int64     `json:"number,omitempty"` // none before it is announced
	Jurisdiction string    `json:"jurisdiction"`     // "*": all
	From         time.Time `json:"from"`
	Until        time.Time `json:"until"`
	Announced    time.Time `json:"announced"`
	Unforeseen   bool      `json:"force_majeure"`
	Text         string    `json:"text,omitempty"`
}

// everywhere stands for all jurisdictions of a service.
const everywhere = "*"

func entryOfService(s *catalog.Service, now time.Time) catalogEntry {
	e := catalogEntry{
		Service: s.Name, TitleVI: s.Title.GetVi(), TitleEN: s.Title.GetEn(), Owner: s.Owner, State: s.State, SafetyLevel: s.SafetyLevel,
		Assessed: s.Assessed, Providers: []answererEntry{}, MethodCount: len(s.Methods), Stops: []plannedStop{},
	}
	for _, where := range slices.Sorted(maps.Keys(s.Providers)) {
		e.Providers = append(e.Providers, answererEntry{where, s.Providers[where].String()})
	}
	for _, stop := range s.Stops {
		if now.Before(stop.Until) {
			e.Stops = append(e.Stops, entryOfPlanned(stop))
		}
	}
	return e
}

func entryOfPlanned(s catalog.Stop) plannedStop {
	e := plannedStop{s.Number, s.Jurisdiction, s.From, s.Until, s.Announced, s.Unforeseen, s.Text}
	if e.Jurisdiction == "" {
		e.Jurisdiction = everywhere
	}
	return e
}

// printPlanned prints stops in a table.
func printPlanned(stops []plannedStop) error {
	var rows [][]string
	for _, s := range stops {
		number, kind := "", "planned"
		if s.Number > 0 {
			number = strconv.FormatInt(s.Number, 10)
		}
		if s.Unforeseen {
			kind = "force majeure"
		}
		rows = append(rows, []string{number, s.Jurisdiction, minute(s.From), minute(s.Until), kind, s.Text})
	}
	return printTable([]string{"STOP", "JURISDICTION", "FROM (+07:00)", "RETURN", "KIND", "TEXT"}, rows)
}

// minute shows a moment as people here read it, without seconds.
func minute(t time.Time) string { return t.In(ict).Format("2006-01-02 15:04") }

func (e *catalogEntry) level() string {
	if e.SafetyLevel == 0 {
		return ""
	}
	return strconv.Itoa(e.SafetyLevel)
}

// providers are who answers, in a word or a number.
func (e *catalogEntry) providers() string {
	if len(e.Providers) > 3 {
		return fmt.Sprintf("%d jurisdictions", len(e.Providers))
	}
	var all []string
	for _, p := range e.Providers {
		all = append(all, p.Jurisdiction+" "+p.Provider)
	}
	return strings.Join(all, ", ")
}

// soon is how far ahead the list shows stops.
const soon = 30 * 24 * time.Hour

// stop says when it is stopped next, if soon.
func (e *catalogEntry) stop(now time.Time) string {
	for _, s := range e.Stops {
		switch {
		case !now.Before(s.From):
			return "stopped until " + minute(s.Until)
		case s.From.Before(now.Add(soon)):
			return "from " + minute(s.From)
		}
	}
	return ""
}
