package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
)

// agreementWaiting shows how providers deal with proposals.
type agreementWaiting struct {
	agreementFlags
}

// providerEntry is how a provider deals with proposals, in JSON.
type providerEntry struct {
	Provider        string           `json:"provider"`
	Waiting         int32            `json:"waiting"`
	Oldest          *time.Time       `json:"oldest,omitempty"`
	Approved        int32            `json:"approved"`
	Refused         int32            `json:"refused"`
	RefusedByGround map[string]int32 `json:"refused_by_ground"`
}

func proposalsEntry(p *hubv1.ProviderProposals) providerEntry {
	e := providerEntry{p.GetProvider(), p.GetWaiting(), nil, p.GetApproved(), p.GetRefused(), p.GetRefusedByGround()}
	if p.GetOldest() != nil {
		at := p.GetOldest().AsTime()
		e.Oldest = &at
	}
	return e
}

// Run shows it.
func (c *agreementWaiting) Run(ctx context.Context, top *cli) error {
	a, err := c.open(top)
	if err != nil {
		return err
	}
	defer func() { _ = a.Close() }()
	found, err := settle(ctx, a, a.ListProposals, &hubv1.ListProposalsRequest{})
	if err != nil {
		return err
	}
	entries := []providerEntry{}
	var rows [][]string
	for _, p := range found.GetProviders() {
		entries = append(entries, proposalsEntry(p))
		oldest, grounds := "", []string{}
		if p.GetOldest() != nil {
			oldest = clock(p.GetOldest().AsTime())
		}
		for _, g := range slices.Sorted(maps.Keys(p.GetRefusedByGround())) {
			grounds = append(grounds, fmt.Sprintf("%s %d", strings.ToLower(strings.ReplaceAll(g, "_", "-")), p.GetRefusedByGround()[g]))
		}
		rows = append(rows, []string{
			p.GetProvider(), fmt.Sprint(p.GetWaiting()), oldest, fmt.Sprint(p.GetApproved()), fmt.Sprint(p.GetRefused()), strings.Join(grounds, ", "),
		})
	}
	if top.JSON {
		return printJSON(entries)
	}
	return printTable([]string{"PROVIDER", "WAITING", "SINCE (+07:00)", "APPROVED", "REFUSED", "GROUNDS"}, rows)
}

// agreementOverdue lists answers whose time is over.
type agreementOverdue struct {
	agreementFlags
}

// Run lists them.
func (c *agreementOverdue) Run(ctx context.Context, top *cli) error {
	a, err := c.open(top)
	if err != nil {
		return err
	}
	defer func() { _ = a.Close() }()
	found, err := settle(ctx, a, a.ListOverdue, &hubv1.ListOverdueRequest{})
	if err != nil {
		return err
	}
	entries := []map[string]any{}
	var rows [][]string
	for _, o := range found.GetOverdue() {
		entries = append(entries, plain(o.ProtoReflect()))
		rows = append(rows, []string{o.GetAgreement(), o.GetConsumer(), o.GetProvider(), o.GetKeepUntil(), fmt.Sprint(o.GetAnswers())})
	}
	if top.JSON {
		return printJSON(entries)
	}
	return printTable([]string{"AGREEMENT", "CONSUMER", "PROVIDER", "KEPT UNTIL", "ANSWERS"}, rows)
}

// agreementDestroyed confirms destruction.
type agreementDestroyed struct {
	agreementID
	Through string `required:"" help:"All that had to be destroyed up to this day." placeholder:"2026-12-31"`
	Text    string `help:"How it was done, in words." placeholder:"TEXT"`

	Officer  string `help:"Account name of the officer for whom it is done (lt-officer)." placeholder:"NAME"`
	hubFlags `group:"Which hub, and as whom"`
}

// Help is shown below the command's usage.
func (agreementDestroyed) Help() string {
	return `Answers under an agreement with a data life come with lt-keep-until, the last day on which they may be kept. The consumer
destroys them and confirms that; what nobody has confirmed is listed to the provider (lienthong agreement overdue).

  lienthong agreement destroyed H27-G01-population --through 2026-12-31 --text "wiped by the archive's job" --as H27/one-stop`
}

// Run confirms.
func (c *agreementDestroyed) Run(ctx context.Context, top *cli) error {
	if _, err := time.Parse(time.DateOnly, c.Through); err != nil {
		return usage("--through %q is no day; expected one such as 2026-12-31", c.Through)
	}
	a, err := (&agreementFlags{Officer: c.Officer, hubFlags: c.hubFlags}).open(top)
	if err != nil {
		return err
	}
	defer func() { _ = a.Close() }()
	done, err := settle(ctx, a, a.ConfirmDestruction, &hubv1.ConfirmDestructionRequest{Agreement: c.ID, Through: c.Through, Text: c.Text})
	if err != nil {
		return err
	}
	if top.JSON {
		return printJSON(map[string]any{"answers": done.GetAnswers()})
	}
	_, err = fmt.Fprintf(stdout, "confirmed: %d answers\n", done.GetAnswers())
	return err
}
