package main

import (
	"context"
	"fmt"
	"strings"

	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
)

// consumerCommand is about consumers that a provider has stopped.
type consumerCommand struct {
	Suspend consumerSuspend `cmd:"" help:"Stop a consumer at one provider: all agreements between the two refuse the next call."`
	Resume  consumerResume  `cmd:"" help:"Lift that."`
	List    consumerList    `cmd:"" help:"List consumers that are suspended, why, and by when it must be mended."`
}

// Help is shown below the command's usage.
func (consumerCommand) Help() string {
	return `A provider may stop one consumer at once, for a violation or an unsafe link (384-QĐ/TW, Điều 15). What is not mended within
30 days ends the agreements between the two.

  lienthong consumer suspend H27/one-stop --violation "asks without a dossier" --as G01/steward --officer an --yes
  lienthong consumer list
  lienthong consumer resume H27/one-stop --reason "officers were trained" --as G01/steward --officer an`
}

// consumerFlags name a consumer and a provider.
type consumerFlags struct {
	Who      string `arg:"" name:"consumer" help:"AGENCY for all its systems, or AGENCY/SYSTEM."`
	Provider string `help:"Provider for which it is done (default: the agency of --as)." placeholder:"AGENCY"`

	agreementFlags
}

// parts are the consumer's agency and system; the latter may be empty.
func (f *consumerFlags) parts() (agency, system string, err error) {
	agency, system, slash := strings.Cut(f.Who, "/")
	if agency == "" || slash && system == "" || strings.Contains(system, "/") {
		return "", "", usage("%q is neither AGENCY nor AGENCY/SYSTEM", f.Who)
	}
	return agency, system, nil
}

// consumerSuspend suspends a consumer.
type consumerSuspend struct {
	consumerFlags
	Violation string `required:"" help:"What it did and what to mend: one line, which the ledger keeps for ever; never a person's number." placeholder:"TEXT"`
	yesFlag
}

// Run suspends, or says what would be refused.
func (c *consumerSuspend) Run(ctx context.Context, top *cli) error {
	agency, system, err := c.parts()
	if err != nil {
		return err
	}
	a, err := c.open(top)
	if err != nil {
		return err
	}
	defer func() { _ = a.Close() }()
	if !c.Yes {
		return c.preview(ctx, top, a, agency)
	}
	done, err := settle(ctx, a, a.SuspendConsumer, &hubv1.SuspendConsumerRequest{Provider: c.Provider, Agency: agency, System: system, Violation: c.Violation})
	if err != nil {
		return err
	}
	return printSuspensions(top, []*hubv1.Suspension{done.GetSuspension()})
}

// preview lists the agreements that would refuse.
func (c *consumerSuspend) preview(ctx context.Context, top *cli, a *agreementHub, agency string) error {
	provider := c.Provider
	if provider == "" {
		provider, _, _ = strings.Cut(c.As, "/")
	}
	found, err := settle(ctx, a, a.ListAgreements, &hubv1.ListAgreementsRequest{
		Consumer: agency, Provider: provider, States: []hubv1.AgreementState{hubv1.AgreementState_AGREEMENT_STATE_ACTIVE},
	})
	if err != nil {
		return err
	}
	if err := printAgreements(top, found.GetAgreements()); err != nil {
		return err
	}
	return usage("nothing was suspended yet; add --yes, and calls of %s under what is listed are refused", c.Who)
}

// consumerResume lifts a suspension.
type consumerResume struct {
	consumerFlags
	Reason string `help:"What was mended: one line, which the ledger keeps for ever." placeholder:"TEXT"`
}

// Run lifts it.
func (c *consumerResume) Run(ctx context.Context, top *cli) error {
	agency, system, err := c.parts()
	if err != nil {
		return err
	}
	a, err := c.open(top)
	if err != nil {
		return err
	}
	defer func() { _ = a.Close() }()
	if _, err := settle(ctx, a, a.ResumeConsumer, &hubv1.ResumeConsumerRequest{Provider: c.Provider, Agency: agency, System: system, Reason: c.Reason}); err != nil {
		return err
	}
	if top.JSON {
		return printJSON(map[string]any{"resumed": c.Who})
	}
	_, err = fmt.Fprintf(stdout, "resumed %s; agreements that ended meanwhile stay ended\n", c.Who)
	return err
}

// consumerList lists suspensions.
type consumerList struct {
	agreementFlags
}

// Run lists them.
func (c *consumerList) Run(ctx context.Context, top *cli) error {
	a, err := c.open(top)
	if err != nil {
		return err
	}
	defer func() { _ = a.Close() }()
	found, err := settle(ctx, a, a.ListSuspensions, &hubv1.ListSuspensionsRequest{})
	if err != nil {
		return err
	}
	return printSuspensions(top, found.GetSuspensions())
}

func printSuspensions(top *cli, all []*hubv1.Suspension) error {
	entries := []map[string]any{}
	var rows [][]string
	for _, s := range all {
		entries = append(entries, plain(s.ProtoReflect()))
		rows = append(rows, []string{
			s.GetProvider(), strings.TrimSuffix(s.GetAgency()+"/"+s.GetSystem(), "/"), clock(s.GetSince().AsTime()), clock(s.GetDeadline().AsTime()),
			s.GetBy(), s.GetViolation(),
		})
	}
	if top.JSON {
		return printJSON(entries)
	}
	return printTable([]string{"PROVIDER", "CONSUMER", "SINCE (+07:00)", "TO MEND BY", "WHO", "VIOLATION"}, rows)
}
