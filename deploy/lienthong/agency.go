package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/lienthong/lienthong/deploy/parts"
	"github.com/lienthong/lienthong/gateway/member"
	"github.com/lienthong/lienthong/gateway/state"
	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
)

// agencyCommand is about the agencies whose systems may be members. It acts on the hub's state, whether a hub runs or
// not.
type agencyCommand struct {
	Add     agencyAdd     `cmd:"" help:"Make an agency known."`
	Set     agencySet     `cmd:"" help:"Change what is said of an agency."`
	Close   agencyClose   `cmd:"" help:"Close an agency: calls of its systems are refused."`
	Replace agencyReplace `cmd:"" help:"Close an agency whose place another one takes."`
	Reopen  agencyReopen  `cmd:"" help:"Take the closing of an agency back."`
	List    agencyList    `cmd:"" help:"List agencies."`
	Show    agencyShow    `cmd:"" help:"Show one agency, its systems, and what was changed."`
}

// agencyEntry is an agency in JSON.
type agencyEntry struct {
	Code        string           `json:"code"`
	NameVI      string           `json:"name_vi"`
	NameEN      string           `json:"name_en,omitempty"`
	Province    string           `json:"province,omitempty"`
	State       string           `json:"state"` // "open", "closed" or "coming"
	ValidFrom   string           `json:"valid_from,omitempty"`
	ClosedFrom  string           `json:"closed_from,omitempty"`
	Successor   string           `json:"successor,omitempty"`
	SafetyLevel int              `json:"safety_level"`
	Assessed    string           `json:"assessed,omitempty"`
	Officers    string           `json:"officers"`
	CaseForm    string           `json:"case_form,omitempty"`
	Accounts    int              `json:"accounts"` // enrolled officers
	Systems     []systemEntry    `json:"systems,omitempty"`
	Authorities []authorityEntry `json:"authorities,omitempty"`
	History     []changeEntry    `json:"history,omitempty"`
}

// systemEntry is a system in JSON.
type systemEntry struct {
	ID     string   `json:"id"`
	Title  string   `json:"title,omitempty"`
	Roles  []string `json:"roles"`
	Status string   `json:"status"`
}

// changeEntry is a change in JSON.
type changeEntry struct {
	Made   time.Time `json:"made"`
	By     string    `json:"by"`
	Text   string    `json:"text"`
	Ledger string    `json:"ledger,omitempty"` // where it stands; empty until it was recorded
}

func agencyOf(a member.Agency) agencyEntry {
	e := agencyEntry{
		Code: a.Code, NameVI: a.NameVI, NameEN: a.NameEN, Province: a.Province, ValidFrom: a.ValidFrom, ClosedFrom: a.ClosedFrom,
		Successor: a.Successor, SafetyLevel: a.SafetyLevel, Assessed: a.Assessed, Officers: string(a.Officers), CaseForm: a.CaseForm, State: "open",
	}
	today := member.Today(time.Now())
	switch {
	case a.OpenOn(today):
	case today < a.ValidFrom:
		e.State = "coming"
	default:
		e.State = "closed"
	}
	return e
}

// members reads who the members are.
func members(ctx context.Context, db *state.DB) (d *member.Directory, err error) {
	err = db.InReadTx(ctx, func(tx *sql.Tx) (err error) {
		d, err = member.Read(ctx, tx, nil)
		return err
	})
	return d, err
}

// machine is who has the hub's machine: it shows no certificate.
var machine = state.Actor{ID: parts.GatewayID}

// changeMembers makes one change of the members, as who has the hub's machine, and tells the hub that runs. What is
// wrong with the change is wrong with the command.
func (c *cli) changeMembers(ctx context.Context, do func(context.Context, *state.Tx) error) (err error) {
	db, err := c.openState(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	made, err := db.Change(ctx, machine, func(tx *state.Tx) error {
		if err := do(ctx, tx); err != nil {
			return usage("%w", err)
		}
		return nil
	})
	if err != nil {
		return err
	}
	return c.changed(ctx, db, made)
}

type agencyList struct {
	All bool `help:"Closed ones too."`
}

// Run lists.
func (c *agencyList) Run(ctx context.Context, top *cli) error {
	db, err := top.openState(ctx)
	if err != nil {
		return err
	}
	defer db.Close()
	d, err := members(ctx, db)
	if err != nil {
		return err
	}
	entries := []agencyEntry{}
	var rows [][]string
	for _, a := range d.Agencies() {
		e := agencyOf(a)
		e.Accounts = d.Officers(a.Code)
		if e.State == "closed" && !c.All {
			continue
		}
		entries = append(entries, e)
		rows = append(rows, []string{e.Code, e.NameVI, e.Province, e.State, strconv.Itoa(e.SafetyLevel), e.officers(), e.Successor})
	}
	if top.JSON {
		return printJSON(entries)
	}
	return printTable([]string{"CODE", "NAME", "PROVINCE", "STATE", "SAFETY", "OFFICERS", "SUCCESSOR"}, rows)
}

// officers says for whom the agency's systems may ask.
func (e *agencyEntry) officers() string {
	if e.Officers == string(member.Any) {
		return "any"
	}
	return fmt.Sprintf("%d enrolled", e.Accounts)
}

type agencyShow struct {
	Code string `arg:"" help:"Code of the agency."`
}

// shownChanges is how many changes of an agency are shown.
const shownChanges = 20

// Run shows.
func (c *agencyShow) Run(ctx context.Context, top *cli) error {
	db, err := top.openState(ctx)
	if err != nil {
		return err
	}
	defer db.Close()
	d, err := members(ctx, db)
	if err != nil {
		return err
	}
	a, ok := d.Agency(c.Code)
	if !ok {
		return usage("%q: %w", c.Code, member.ErrAgencyUnknown)
	}
	e := agencyOf(a)
	e.Accounts = d.Officers(a.Code)
	for _, s := range d.Systems(a.Code) {
		e.Systems = append(e.Systems, systemEntry{ID: s.ID.String(), Title: s.Title.VI, Roles: s.Roles.Names(), Status: string(s.Status)})
	}
	for _, ca := range d.GivenTo(a.Code) {
		e.Authorities = append(e.Authorities, authorityOf(ca))
	}
	history, err := db.History(ctx, hubv1.Change_KIND_MEMBER, a.Code, shownChanges)
	if err != nil {
		return err
	}
	for _, h := range history {
		e.History = append(e.History, changeEntry{Made: h.GetMade().AsTime(), By: h.GetAgency() + "/" + h.GetSystem(), Text: h.GetText(), Ledger: h.Position})
	}
	if top.JSON {
		return printJSON(e)
	}
	return e.print()
}

func (e *agencyEntry) print() error {
	var rows [][]string
	for _, row := range [][]string{
		{"code", e.Code}, {"name", e.NameVI}, {"name, English", e.NameEN}, {"province", e.Province}, {"state", e.State}, {"valid from", e.ValidFrom},
		{"closed from", e.ClosedFrom}, {"successor", e.Successor}, {"safety level", strconv.Itoa(e.SafetyLevel)}, {"assessed", e.Assessed},
		{"officers", e.officers()}, {"case numbers", e.CaseForm},
	} {
		if row[1] != "" {
			rows = append(rows, row)
		}
	}
	for _, a := range e.Authorities {
		rows = append(rows, []string{"authority", a.Fingerprint[:16] + "  " + a.Subject})
	}
	if err := printTable([]string{"FIELD", "VALUE"}, rows); err != nil {
		return err
	}
	rows = nil
	for _, s := range e.Systems {
		rows = append(rows, []string{s.ID, fmt.Sprint(s.Roles), s.Status, s.Title})
	}
	fmt.Fprintln(stdout)
	if err := printTable([]string{"SYSTEM", "ROLES", "STATUS", "TITLE"}, rows); err != nil {
		return err
	}
	rows = nil
	for _, h := range e.History {
		rows = append(rows, []string{h.Made.Local().Format(time.DateTime), h.By, h.Ledger, h.Text})
	}
	fmt.Fprintln(stdout)
	return printTable([]string{"CHANGED", "BY", "LEDGER", "WHAT"}, rows)
}
