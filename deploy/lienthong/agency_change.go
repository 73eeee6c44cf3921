package main

import (
	"context"
	"errors"

	"github.com/lienthong/lienthong/gateway/member"
	"github.com/lienthong/lienthong/gateway/state"
	"github.com/lienthong/lienthong/proto/peer"
)

// agencyWords are what is said of an agency.
type agencyWords struct {
	Name        *string `help:"Its name, Vietnamese." placeholder:"NAME"`
	NameEN      *string `name:"name-en" help:"Its name in English." placeholder:"NAME"`
	Province    *string `help:"Code of its province, such as 42; none for those of the whole country." placeholder:"CODE"`
	ValidFrom   *string `help:"First day of its code." placeholder:"DAY"`
	SafetyLevel *int    `help:"Safety level of its information systems, 1 to 5; below 3 nothing of it may connect." placeholder:"LEVEL"`
	Assessed    *string `help:"Day on which the level was determined." placeholder:"DAY"`
	Officers    *string `help:"For whom its systems may ask: enrolled, for those that it has enrolled, or any." enum:"enrolled,any" placeholder:"MODE"`
	CaseForm    *string `help:"Regular expression (RE2) that the whole of its case numbers matches; empty: any will do." placeholder:"RE2"`
}

// put puts what was said into an agency.
func (w *agencyWords) put(a *member.Agency) {
	for _, s := range []struct {
		from *string
		to   *string
	}{
		{w.Name, &a.NameVI}, {w.NameEN, &a.NameEN}, {w.Province, &a.Province}, {w.ValidFrom, &a.ValidFrom}, {w.Assessed, &a.Assessed},
		{w.Officers, (*string)(&a.Officers)}, {w.CaseForm, &a.CaseForm},
	} {
		if s.from != nil {
			*s.to = *s.from
		}
	}
	if w.SafetyLevel != nil {
		a.SafetyLevel = *w.SafetyLevel
	}
}

type agencyAdd struct {
	Code string `arg:"" help:"Its code: G22, H27.08, or COM. and a tax code."`

	agencyWords
}

// Run adds.
func (c *agencyAdd) Run(ctx context.Context, top *cli) error {
	if c.Name == nil {
		return usage("say how the agency is called: --name NAME")
	}
	a := member.Agency{Code: c.Code}
	c.put(&a)
	return top.changeAgency(ctx, c.Code, true, "", func(ctx context.Context, tx *state.Tx) error { return member.AddAgency(ctx, tx, a) })
}

type agencySet struct {
	Code string `arg:"" help:"Code of the agency."`

	agencyWords
}

// Run changes.
func (c *agencySet) Run(ctx context.Context, top *cli) error {
	if c.agencyWords == (agencyWords{}) {
		return usage("say what is to be changed; see: lienthong agency set --help")
	}
	return top.changeAgency(ctx, c.Code, true, "", func(ctx context.Context, tx *state.Tx) error {
		a, err := member.FindAgency(ctx, tx.Tx, c.Code)
		if err != nil {
			return err
		}
		c.put(&a)
		return member.SetAgency(ctx, tx, a)
	})
}

// errPreview undoes a change that was only made to see whether it could be.
var errPreview = errors.New("only a preview")

// ifYes makes a change if it is confirmed. If not, it makes sure that it could be made, says what it would do, and
// undoes it.
func (c *cli) ifYes(ctx context.Context, yes bool, what string, do func(context.Context, *state.Tx) error) error {
	if yes {
		return c.changeMembers(ctx, do)
	}
	err := c.changeMembers(ctx, func(ctx context.Context, tx *state.Tx) error {
		if err := do(ctx, tx); err != nil {
			return err
		}
		return errPreview
	})
	if errors.Is(err, errPreview) {
		return usage("nothing was changed yet; with --yes, %s", what)
	}
	return err
}

// changeAgency is ifYes that answers with the agency as it is from now on, for programs.
func (c *cli) changeAgency(ctx context.Context, code string, yes bool, what string, do func(context.Context, *state.Tx) error) error {
	if err := c.ifYes(ctx, yes, what, do); err != nil || !c.JSON {
		return err
	}
	show := agencyShow{Code: code}
	return show.Run(ctx, c)
}

type agencyClose struct {
	Code      string `arg:"" help:"Code of the agency."`
	From      string `help:"First day on which it is closed (default: today)." placeholder:"DAY"`
	Successor string `help:"Code of the agency that takes its place." placeholder:"CODE"`
	Yes       bool   `help:"Do it. Without this, only say what would be done."`
}

// Run closes.
func (c *agencyClose) Run(ctx context.Context, top *cli) error {
	what := "agency " + c.Code + " is closed from " + orToday(c.From) + " on, and calls of its systems are refused"
	return top.changeAgency(ctx, c.Code, c.Yes, what, func(ctx context.Context, tx *state.Tx) error {
		return member.CloseAgency(ctx, tx, c.Code, c.From, c.Successor)
	})
}

func orToday(day string) string {
	if day == "" {
		return "today"
	}
	return day
}

type agencyReplace struct {
	Code string `arg:"" name:"old" help:"Code of the agency that is closed."`
	New  string `arg:"" help:"Code of the one that takes its place; it is added if it is not known, with --name."`
	From string `help:"First day of the new one, on which the old one is closed (default: today)." placeholder:"DAY"`
	Yes  bool   `help:"Do it. Without this, only say what would be done."`

	agencyWords
}

// Run replaces.
func (c *agencyReplace) Run(ctx context.Context, top *cli) error {
	if !peer.ValidAgency(c.New) {
		return usage("%q is no agency code", c.New)
	}
	next := member.Agency{Code: c.New}
	c.put(&next)
	what := "agency " + c.Code + " is closed from " + orToday(c.From) + " on; " + c.New + " takes its place, and needs identities and agreements of its own"
	return top.changeAgency(ctx, c.Code, c.Yes, what, func(ctx context.Context, tx *state.Tx) error {
		return member.ReplaceAgency(ctx, tx, c.Code, next, c.From)
	})
}

type agencyReopen struct {
	Code string `arg:"" help:"Code of the agency."`
	Yes  bool   `help:"Do it. Without this, only say what would be done."`
}

// Run reopens.
func (c *agencyReopen) Run(ctx context.Context, top *cli) error {
	return top.changeAgency(ctx, c.Code, c.Yes, "the closing of agency "+c.Code+" is taken back, and its systems may ask again", func(ctx context.Context, tx *state.Tx) error {
		return member.ReopenAgency(ctx, tx, c.Code)
	})
}
