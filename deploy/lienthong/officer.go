package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/lienthong/lienthong/gateway/client"
	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
)

// officerCommand is about the officers for whom an agency's systems may ask. It asks a running hub, as a system of the
// agency.
type officerCommand struct {
	Enrol   officerEnrol   `cmd:"" help:"Enrol officers of the own agency, by their account names."`
	Disable officerDisable `cmd:"" help:"Disable officers of the own agency: the next call that names one is refused."`
	List    officerList    `cmd:"" help:"List the officers of an agency."`
}

// officerFlags are shared by commands about officers.
type officerFlags struct {
	Officer string `help:"Account name of the officer who does it (lt-officer)." placeholder:"NAME"`

	hubFlags
}

// officers calls do with a client of the service.
func (f *officerFlags) officers(ctx context.Context, top *cli, do func(context.Context, hubv1.OfficerServiceClient) error) error {
	h, err := f.dial(top)
	if err != nil {
		return err
	}
	defer func() { _ = h.Close() }()
	ctx, cancel := f.within(ctx)
	defer cancel()
	if err := do(client.With(ctx, client.Words{Officer: f.Officer}), hubv1.NewOfficerServiceClient(h)); err != nil {
		return h.refused(err, client.Receipt{})
	}
	return nil
}

// officersChanged is what became of a command, in JSON.
type officersChanged struct {
	Enrolled int32 `json:"enrolled,omitempty"`
	Disabled int32 `json:"disabled,omitempty"`
}

func (c officersChanged) say(top *cli, asked int) error {
	if top.JSON {
		return printJSON(c)
	}
	done, count := "enrolled", c.Enrolled
	if c.Disabled > 0 {
		done, count = "disabled", c.Disabled
	}
	_, err := fmt.Fprintf(stdout, "%s: %d of %d; the others were so already\n", done, count, asked)
	return err
}

type officerEnrol struct {
	Accounts []string `arg:"" help:"Account names: letters, digits, dots, dashes and underscores; no names or numbers of people."`

	officerFlags
}

// Run enrols.
func (c *officerEnrol) Run(ctx context.Context, top *cli) error {
	var r *hubv1.EnrolOfficersResponse
	err := c.officers(ctx, top, func(ctx context.Context, s hubv1.OfficerServiceClient) (err error) {
		r, err = s.EnrolOfficers(ctx, &hubv1.EnrolOfficersRequest{Accounts: c.Accounts})
		return err
	})
	if err != nil {
		return err
	}
	return officersChanged{Enrolled: r.GetEnrolled()}.say(top, len(c.Accounts))
}

type officerDisable struct {
	Accounts []string `arg:"" help:"Account names."`
	Reason   string   `help:"Why, in words; it is recorded. No names or numbers of people." placeholder:"TEXT"`
	Yes      bool     `help:"Do it. Without this, only say what would be done."`

	officerFlags
}

// Run disables.
func (c *officerDisable) Run(ctx context.Context, top *cli) error {
	if !c.Yes {
		return usage("nothing was changed yet; with --yes, calls of the agency's systems for %s are refused", strings.Join(c.Accounts, ", "))
	}
	var r *hubv1.DisableOfficersResponse
	err := c.officers(ctx, top, func(ctx context.Context, s hubv1.OfficerServiceClient) (err error) {
		r, err = s.DisableOfficers(ctx, &hubv1.DisableOfficersRequest{Accounts: c.Accounts, Reason: c.Reason})
		return err
	})
	if err != nil {
		return err
	}
	return officersChanged{Disabled: r.GetDisabled()}.say(top, len(c.Accounts))
}

type officerList struct {
	Agency string `help:"The agency (default: the own one; operators and auditors may name another)." placeholder:"CODE"`

	officerFlags
}

// officerEntry is an officer in JSON.
type officerEntry struct {
	Agency   string    `json:"agency"`
	Account  string    `json:"account"`
	Enrolled time.Time `json:"enrolled"`
	Disabled time.Time `json:"disabled,omitzero"`
}

// Run lists.
func (c *officerList) Run(ctx context.Context, top *cli) error {
	var r *hubv1.ListOfficersResponse
	err := c.officers(ctx, top, func(ctx context.Context, s hubv1.OfficerServiceClient) (err error) {
		r, err = s.ListOfficers(ctx, &hubv1.ListOfficersRequest{Agency: c.Agency})
		return err
	})
	if err != nil {
		return err
	}
	entries := []officerEntry{}
	var rows [][]string
	for _, o := range r.GetOfficers() {
		e := officerEntry{Agency: o.GetAgency(), Account: o.GetAccount(), Enrolled: o.GetEnrolled().AsTime()}
		row := []string{e.Agency, e.Account, e.Enrolled.Local().Format(time.DateTime), ""}
		if o.GetDisabled() != nil {
			e.Disabled = o.GetDisabled().AsTime()
			row[3] = e.Disabled.Local().Format(time.DateTime)
		}
		entries, rows = append(entries, e), append(rows, row)
	}
	if top.JSON {
		return printJSON(entries)
	}
	return printTable([]string{"AGENCY", "ACCOUNT", "ENROLLED", "DISABLED"}, rows)
}
