package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/lienthong/lienthong/gateway/agreement/book"
	"github.com/lienthong/lienthong/gateway/catalog"
	"github.com/lienthong/lienthong/gateway/member"
	"github.com/lienthong/lienthong/gateway/state"
	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
)

type catalogShow struct {
	Service string `arg:"" help:"Full name of the service."`
}

// shownService is a service of the catalog in JSON, with all that is known of it.
type shownService struct {
	catalogEntry
	Methods    []methodEntry    `json:"methods"`
	Agreements []agreementEntry `json:"agreements"`
	History    []changeEntry    `json:"history"`
}

// agreementEntry is an agreement about a service in JSON: the version that decides, or else the newest.
type agreementEntry struct {
	ID       string   `json:"id"`
	Version  int64    `json:"version"`
	Consumer string   `json:"consumer"`
	Provider string   `json:"provider"`
	State    string   `json:"state"`
	Methods  []string `json:"methods"`
	Purposes []string `json:"purposes"`
	Until    string   `json:"until"` // last day
}

// Help is shown below the command's usage.
func (catalogShow) Help() string {
	return `CLASS is how sensitive a field is: public, basic, or sensitive, which an agreement has to name by itself. Of each agreement
the version that decides is shown, or else the newest.`
}

// Run shows.
func (c *catalogShow) Run(ctx context.Context, top *cli) (err error) {
	if err := serviceName(c.Service); err != nil {
		return err
	}
	db, err := top.openState(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	e, err := c.read(ctx, db, time.Now())
	if err != nil {
		return err
	}
	if top.JSON {
		return printJSON(e)
	}
	return e.print()
}

// read gathers what is known of the service: the catalog and the agreements as of one moment.
func (c *catalogShow) read(ctx context.Context, db *state.DB, now time.Time) (*shownService, error) {
	e := &shownService{Agreements: []agreementEntry{}, History: []changeEntry{}}
	err := db.InReadTx(ctx, func(tx *sql.Tx) error {
		all, err := catalog.Read(ctx, tx, nil)
		if err != nil {
			return err
		}
		s, known := all.Service(c.Service)
		if !known {
			return usage("%s: %w", c.Service, catalog.ErrUnknown)
		}
		e.catalogEntry, e.Methods = entryOfService(s, now), entryOf(s.Desc, true).Methods
		e.Agreements, err = agreementsAbout(ctx, tx, c.Service, now)
		return err
	})
	if err != nil {
		return nil, err
	}
	history, err := db.History(ctx, hubv1.Change_KIND_CATALOG, c.Service, shownChanges)
	if err != nil {
		return nil, err
	}
	for _, h := range history {
		e.History = append(e.History, changeEntry{Made: h.GetMade().AsTime(), By: h.GetAgency() + "/" + h.GetSystem(), Text: h.GetText(), Ledger: h.Position})
	}
	return e, nil
}

// agreementsAbout lists the agreements about a service, as an operator sees them.
func agreementsAbout(ctx context.Context, tx *sql.Tx, service string, now time.Time) ([]agreementEntry, error) {
	found, _, err := book.List(ctx, tx, book.Who{Roles: member.Operator}, machine.ID.Agency, now, book.Filter{Service: service, Limit: math.MaxInt, Size: math.MaxInt})
	if err != nil {
		return nil, err
	}
	entries := []agreementEntry{}
	for _, v := range found {
		d := v.GetAgreement()
		e := agreementEntry{
			ID: d.GetId(), Version: d.GetVersion(), Consumer: consumerOf(d), Provider: d.GetProvider(), State: word(v.GetState()), Until: d.GetValidTo(),
			Methods: []string{}, Purposes: []string{},
		}
		for _, m := range d.GetMethods() {
			e.Methods = append(e.Methods, m.GetName())
		}
		for _, p := range d.GetPurposes() {
			e.Purposes = append(e.Purposes, p.GetCode())
		}
		entries = append(entries, e)
	}
	return entries, nil
}

func (e *shownService) print() error {
	assessed := e.Assessed
	if assessed == "" {
		assessed = "not yet"
	}
	level := e.level()
	if level == "" {
		level = "not determined"
	}
	err := printTable([]string{"FIELD", "VALUE"}, [][]string{
		{"service", e.Service}, {"title", e.TitleVI}, {"title, English", e.TitleEN}, {"owner", e.Owner}, {"state", string(e.State)},
		{"safety level", level}, {"assessed", assessed},
	})
	if err != nil {
		return err
	}
	var rows [][]string
	for _, p := range e.Providers {
		rows = append(rows, []string{p.Jurisdiction, p.Provider})
	}
	fmt.Fprintln(stdout)
	if err := printTable([]string{"JURISDICTION", "PROVIDER"}, rows); err != nil {
		return err
	}
	if len(e.Stops) > 0 {
		fmt.Fprintln(stdout)
		if err := printPlanned(e.Stops); err != nil {
			return err
		}
	}
	if err := e.printMethods(); err != nil {
		return err
	}
	rows = nil
	for _, a := range e.Agreements {
		rows = append(rows, []string{
			a.ID, fmt.Sprint(a.Version), a.State, a.Consumer, a.Provider, strings.Join(a.Methods, ","), strings.Join(a.Purposes, ","), a.Until,
		})
	}
	fmt.Fprintln(stdout)
	if err := printTable([]string{"AGREEMENT", "VERSION", "STATE", "CONSUMER", "PROVIDER", "METHODS", "PURPOSES", "TO"}, rows); err != nil {
		return err
	}
	rows = nil
	for _, h := range e.History {
		rows = append(rows, []string{clock(h.Made), h.By, h.Ledger, h.Text})
	}
	fmt.Fprintln(stdout)
	return printTable([]string{"CHANGED (+07:00)", "BY", "LEDGER", "WHAT"}, rows)
}

func (e *shownService) printMethods() error {
	for _, m := range e.Methods {
		fmt.Fprintln(stdout)
		short := m.Method[strings.LastIndexByte(m.Method, '/')+1:]
		rows := [][]string{{short, m.Effect, m.needs(), m.TitleVI}}
		if err := printTable([]string{"METHOD", "EFFECT", "NEEDS", "TITLE"}, rows); err != nil {
			return err
		}
		rows = nil
		for _, f := range m.Request {
			rows = append(rows, []string{"  ask", f.Path, f.Class, f.TitleVI})
		}
		for _, f := range m.Answer {
			rows = append(rows, []string{"  get", f.Path, f.Class, f.TitleVI})
		}
		if err := printTable([]string{"  ", "FIELD", "CLASS", "TITLE"}, rows); err != nil {
			return err
		}
	}
	return nil
}
