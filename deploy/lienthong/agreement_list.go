package main

import (
	"context"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
)

// agreementList lists agreements.
type agreementList struct {
	Consumer string   `help:"Only those of this consumer agency." placeholder:"AGENCY"`
	Provider string   `help:"Only those of this provider." placeholder:"AGENCY"`
	Service  string   `help:"Only those about this service: its full name." placeholder:"SERVICE"`
	State    []string `help:"Only those in one of these states: draft, proposed, active, suspended, terminated, refused, superseded or expired." placeholder:"STATE"`

	agreementFlags
}

// Help is shown below the command's usage.
func (agreementList) Help() string {
	return `Of each agreement, the version that decides is shown, or else the newest. One sees those to which one's agency is party;
operators and auditors see all.

  lienthong agreement list --state proposed --provider G01 --as G01/steward
  lienthong agreement list --json | jq -r '.[] | select(.state == "suspended") | .agreement.id'`
}

// Run lists all pages.
func (c *agreementList) Run(ctx context.Context, top *cli) error {
	states, err := statesOf(c.State)
	if err != nil {
		return err
	}
	a, err := c.open(top)
	if err != nil {
		return err
	}
	defer func() { _ = a.Close() }()
	var all []*hubv1.AgreementVersion
	q := &hubv1.ListAgreementsRequest{Consumer: c.Consumer, Provider: c.Provider, Service: c.Service, States: states}
	for more := true; more; {
		page, err := settle(ctx, a, a.ListAgreements, q)
		if err != nil {
			return err
		}
		all = append(all, page.GetAgreements()...)
		if more = page.GetMore() && len(page.GetAgreements()) > 0; more {
			q.After = all[len(all)-1].GetAgreement().GetId()
		}
	}
	return printAgreements(top, all)
}

// statesOf reads the names of states.
func statesOf(names []string) ([]hubv1.AgreementState, error) {
	var states []hubv1.AgreementState
	for _, name := range names {
		n, ok := hubv1.AgreementState_value["AGREEMENT_STATE_"+strings.ToUpper(name)]
		if !ok || n == 0 {
			return nil, usage("--state %q; expected draft, proposed, active, suspended, terminated, refused, superseded or expired", name)
		}
		states = append(states, hubv1.AgreementState(n))
	}
	return states, nil
}

func printAgreements(top *cli, all []*hubv1.AgreementVersion) error {
	entries := []map[string]any{}
	var rows [][]string
	for _, v := range all {
		entries = append(entries, plain(v.ProtoReflect()))
		d := v.GetAgreement()
		rows = append(rows, []string{
			d.GetId(), fmt.Sprint(d.GetVersion()), word(v.GetState()), consumerOf(d), d.GetProvider(), shortService(d.GetService()),
			v.GetFrom().AsTime().In(ict).Format("2006-01-02"), d.GetValidTo(), d.GetTitle(),
		})
	}
	if top.JSON {
		return printJSON(entries)
	}
	return printTable([]string{"AGREEMENT", "VERSION", "STATE", "CONSUMER", "PROVIDER", "SERVICE", "FROM", "TO", "TITLE"}, rows)
}

func consumerOf(d *hubv1.Agreement) string {
	return d.GetConsumer().GetAgency() + "/" + strings.Join(d.GetConsumer().GetSystems(), ",")
}

// agreementShow shows one agreement.
type agreementShow struct {
	ID string `arg:"" name:"id" help:"The agreement."`

	agreementFlags
}

// shownAgreement is an agreement in JSON.
type shownAgreement struct {
	Versions []map[string]any `json:"versions"`
	Events   []map[string]any `json:"events"`
}

// Run shows it.
func (c *agreementShow) Run(ctx context.Context, top *cli) error {
	a, err := c.open(top)
	if err != nil {
		return err
	}
	defer func() { _ = a.Close() }()
	found, err := settle(ctx, a, a.GetAgreement, &hubv1.GetAgreementRequest{Id: c.ID})
	if err != nil {
		return err
	}
	if top.JSON {
		out := shownAgreement{[]map[string]any{}, []map[string]any{}}
		for _, v := range found.GetVersions() {
			out.Versions = append(out.Versions, plain(v.ProtoReflect()))
		}
		for _, e := range found.GetEvents() {
			out.Events = append(out.Events, plain(e.ProtoReflect()))
		}
		return printJSON(out)
	}
	return printAgreement(found)
}

// printAgreement prints an agreement for people: the version that decides or else the newest in full, the others in short.
func printAgreement(found *hubv1.GetAgreementResponse) error {
	v := deciding(found.GetVersions())
	if err := printTable([]string{"PART", "VALUE"}, versionRows(v)); err != nil {
		return err
	}
	var rows [][]string
	for _, v := range found.GetVersions() {
		rows = append(rows, []string{
			fmt.Sprint(v.GetAgreement().GetVersion()), word(v.GetState()), clock(v.GetFrom().AsTime()), clock(v.GetUntil().AsTime()),
			v.GetProposedBy(), approvalsOf(v), whyOf(v),
		})
	}
	fmt.Fprintln(stdout)
	if err := printTable([]string{"VERSION", "STATE", "FROM (+07:00)", "UNTIL", "PROPOSED BY", "APPROVED BY", "WHY"}, rows); err != nil {
		return err
	}
	rows = nil
	for _, e := range found.GetEvents() {
		rows = append(rows, []string{clock(e.GetAt().AsTime()), fmt.Sprint(e.GetVersion()), e.GetAct(), e.GetBy(), e.GetOfficer(), e.GetReason(), e.GetLedger()})
	}
	fmt.Fprintln(stdout)
	return printTable([]string{"WHEN (+07:00)", "VERSION", "WHAT", "WHO", "OFFICER", "WHY", "LEDGER"}, rows)
}

// deciding is the version that is in force or suspended, or else the newest.
func deciding(all []*hubv1.AgreementVersion) *hubv1.AgreementVersion {
	for i := len(all) - 1; i >= 0; i-- { // of two, the one that begins first
		switch all[i].GetState() {
		case hubv1.AgreementState_AGREEMENT_STATE_ACTIVE, hubv1.AgreementState_AGREEMENT_STATE_SUSPENDED:
			return all[i]
		}
	}
	return all[0]
}

func approvalsOf(v *hubv1.AgreementVersion) string {
	var all []string
	for _, a := range v.GetApprovals() {
		all = append(all, a.GetBy()+" ("+a.GetOfficer()+")")
	}
	return strings.Join(all, ", ")
}

func whyOf(v *hubv1.AgreementVersion) string {
	if v.GetGround() != 0 {
		return strings.TrimSuffix(word(v.GetGround())+"; "+v.GetReason(), "; ")
	}
	return v.GetReason()
}

// versionRows are what a version says, without what it leaves out.
func versionRows(v *hubv1.AgreementVersion) [][]string {
	d := v.GetAgreement()
	rows := [][]string{
		{"agreement", fmt.Sprintf("%s v%d, %s", d.GetId(), d.GetVersion(), word(v.GetState()))}, {"title", d.GetTitle()},
		{"consumer", consumerOf(d)}, {"provider", d.GetProvider()}, {"service", d.GetService()},
		{"jurisdictions", strings.Join(d.GetJurisdictions(), ", ")}, {"days", d.GetValidFrom() + " to " + d.GetValidTo()},
	}
	for _, p := range d.GetPurposes() {
		text := p.GetCode() + "  " + p.GetTitle() + "  (" + p.GetLegalBasis()
		if len(p.GetProcedures()) > 0 {
			text += "; procedures " + strings.Join(p.GetProcedures(), ", ")
		}
		rows = append(rows, []string{"purpose", text + ")"})
	}
	for _, m := range d.GetMethods() {
		rows = append(rows, []string{"method", m.GetName() + "  " + strings.Join(m.GetFields(), ", ")})
	}
	rows = append(rows, boundRows(d)...)
	rows = append(rows, []string{"digest", hex.EncodeToString(v.GetDigest())})
	return slices.DeleteFunc(rows, func(row []string) bool { return row[1] == "" })
}

// boundRows are under which bounds an agreement lets ask.
func boundRows(d *hubv1.Agreement) [][]string {
	rows := [][]string{{"condition", d.GetCondition()}, {"answer condition", d.GetAnswerCondition()}}
	if d.CaseRequired != nil {
		rows = append(rows, []string{"case required", fmt.Sprint(d.GetCaseRequired())})
	}
	if d.OfficerRequired != nil {
		rows = append(rows, []string{"officer required", fmt.Sprint(d.GetOfficerRequired())})
	}
	for _, q := range []struct {
		of   string
		most int64
	}{{"a second", d.GetQuota().GetPerSecond()}, {"a day", d.GetQuota().GetPerDay()}, {"an officer and day", d.GetQuota().GetPerOfficerPerDay()}} {
		if q.most > 0 {
			rows = append(rows, []string{"quota", fmt.Sprintf("%d calls %s", q.most, q.of)})
		}
	}
	if f := d.GetFrequency(); f.GetTimes() > 0 {
		rows = append(rows, []string{"frequency", fmt.Sprintf("%d times in %d hours about one person", f.GetTimes(), f.GetHours())})
	}
	if g := d.GetGround(); g != nil {
		rows = append(rows, []string{"ground", strings.TrimSpace(strings.Join([]string{word(g.GetKind()), g.GetDecision(), g.GetExpires()}, " "))})
	}
	if d.GetDataLifeDays() > 0 {
		rows = append(rows, []string{"to be destroyed", fmt.Sprintf("after %d days", d.GetDataLifeDays())})
	}
	return rows
}
