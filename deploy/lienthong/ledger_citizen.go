package main

import (
	"context"
	"fmt"
	"os"
	"strings"

	"google.golang.org/grpc/metadata"

	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
)

// ledgerCitizen lists who asked about one person.
type ledgerCitizen struct {
	Kind      string `help:"What number it is: personal, old, insurance or card (default: by its form)." placeholder:"KIND"`
	TokenFile string `help:"Read as the citizen: a file with a token of theirs, or '-' for stdin. No number is needed." placeholder:"FILE"`
	Limit     uint32 `help:"How many at most, or in one page with --all: 1 to 500 (default: ${default})." default:"50" placeholder:"N"`
	Cursor    string `help:"Where the page before ended, as it said." placeholder:"CURSOR"`
	All       bool   `help:"All pages. With --json, an entry a line."`

	ledgerFlags
}

// Help is shown below the command's usage.
func (ledgerCitizen) Help() string {
	return `The number is one line on stdin: 12 digits are a personal number, 9 an old one, 10 a social-insurance number, 15
characters a health-insurance card. On a terminal it is asked for and not shown.

  lienthong ledger citizen
  lienthong ledger citizen --token-file token.txt --as G22/dvc-portal

Each line can be proven: lienthong ledger prove EXCHANGE > proof.json`
}

// Run lists.
func (c *ledgerCitizen) Run(ctx context.Context, top *cli) error {
	if c.Limit < 1 || c.Limit > 500 {
		return usage("--limit is %d; choose 1 to 500", c.Limit)
	}
	ctx, subject, err := c.whose(ctx)
	if err != nil {
		return err
	}
	l, err := c.open(top)
	if err != nil {
		return err
	}
	defer func() { _ = l.Close() }()
	pages := pager{top: top, all: c.All, header: citizenHeader, row: citizenRow}
	return pages.print(c.Cursor, func(cursor string) (page, error) {
		return asked(ctx, l, l.ListCitizen, &hubv1.ListCitizenRequest{Subject: subject, Limit: c.Limit, Cursor: cursor})
	})
}

// whose says whose list it is: the person's of the number on stdin, or the token's, which goes with ctx.
func (c *ledgerCitizen) whose(ctx context.Context) (context.Context, *hubv1.DataSubject, error) {
	if c.TokenFile == "" {
		subject, err := readSubject(ctx, c.Kind)
		return ctx, subject, err
	}
	if c.Kind != "" {
		return nil, nil, usage("--kind belongs to a number; the token says itself whose it is")
	}
	var token string
	var err error
	if c.TokenFile == "-" {
		token, err = readSecret(ctx)
	} else {
		var data []byte
		data, err = os.ReadFile(c.TokenFile)
		token = string(data)
	}
	if err != nil {
		return nil, nil, usage("--token-file: %w", err)
	}
	if token = strings.TrimSpace(token); token == "" || strings.ContainsFunc(token, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return nil, nil, usage("--token-file: there is no token in it; one is made by: lienthong ledger token")
	}
	return metadata.AppendToOutgoingContext(ctx, "lt-citizen", token), nil, nil
}

var citizenHeader = []string{"WHEN (+07:00)", "WHO", "OFFICER", "PURPOSE", "CASE", "WHAT", "OUTCOME", "EXCHANGE", "FIELDS"} // the longest last

// citizenRow is an entry as the person it is about reads it.
func citizenRow(e *hubv1.LedgerEntry) []string {
	r := e.GetRecord()
	x := r.GetExchange()
	if x == nil { // an intent, or that somebody looked at this list
		who, what, purpose, outcome, _ := happened(r)
		return []string{clock(r.GetTime().AsTime()), who, r.GetAccess().GetOfficer() + r.GetIntent().GetOfficer(), purpose, r.GetIntent().GetCase(), what, outcome, position(e), ""}
	}
	fields := fieldsInShort(x.GetReleased())
	if fields == "" {
		fields = "none"
	}
	return []string{
		clock(x.GetReceived().AsTime()), x.GetConsumerAgency() + "/" + x.GetConsumerSystem(), x.GetOfficer(), x.GetPurpose(), x.GetCase(),
		fmt.Sprintf("%s %s", x.GetProviderAgency(), shortMethod(x.GetMethod())), ended(x), exchangeOf(r), fields,
	}
}
