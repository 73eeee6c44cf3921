package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"google.golang.org/protobuf/proto"

	"github.com/lienthong/lienthong/gateway/agreement"
	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
)

// maxProposal is how many bytes go to the hub at once.
const maxProposal = 4<<20 - 4096

// agreementPropose proposes files.
type agreementPropose struct {
	File   []string `short:"f" required:"" help:"Agreements in YAML. May be repeated: all of them are proposed, or none." type:"existingfile" placeholder:"FILE"`
	Draft  bool     `help:"Keep them as drafts, which nobody else need look at: lienthong agreement submit."`
	DryRun bool     `help:"Only say what would be done."`

	agreementFlags
}

// Run proposes.
func (c *agreementPropose) Run(ctx context.Context, top *cli) error {
	var docs documents
	var errs []error
	for _, file := range c.File {
		d, err := agreement.ReadFile(file)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		docs = append(docs, d)
	}
	if err := errors.Join(errs...); err != nil {
		return usage("%w", err)
	}
	a, err := c.open(top)
	if err != nil {
		return err
	}
	defer func() { _ = a.Close() }()
	done, err := docs.propose(ctx, a, c.DryRun, c.Draft)
	if err != nil {
		return err
	}
	return printProposed(top, done)
}

// agreementApply proposes a directory.
type agreementApply struct {
	File string `short:"f" required:"" help:"Directory of agreements in YAML." type:"existingdir" placeholder:"DIR"`
	Yes  bool   `help:"Do it. Without this, only say what would be proposed."`

	agreementFlags
}

// Help is shown below the command's usage.
func (agreementApply) Help() string {
	return `What is as it was is left alone, what differs is proposed as the next version, and still has to be approved. If one file
has a problem nothing is done. An agreement that the directory does not have is left as it is: end it with
lienthong agreement terminate.

  lienthong agreement apply -f agreements/          # says what differs
  lienthong agreement apply -f agreements/ --yes`
}

// Run proposes what differs, or says what does.
func (c *agreementApply) Run(ctx context.Context, top *cli) error {
	read, err := agreement.ReadDir(c.File)
	if err != nil {
		return usage("%w", err)
	}
	if len(read) == 0 {
		return usage("%s has no agreement; expected files that end in .yaml", c.File)
	}
	a, err := c.open(top)
	if err != nil {
		return err
	}
	defer func() { _ = a.Close() }()
	done, err := documents(read).propose(ctx, a, !c.Yes, false)
	if err != nil {
		return err
	}
	if err := printProposed(top, done); err != nil {
		return err
	}
	for _, p := range done {
		if !c.Yes && p.GetWhat() != "unchanged" {
			return usage("nothing was proposed yet; add --yes to propose what is new or changed")
		}
	}
	return nil
}

// documents are agreements that were read from files.
type documents []*agreement.Document

// propose proposes them. Problems are named by file and line.
func (docs documents) propose(ctx context.Context, a *agreementHub, dry, draft bool) ([]*hubv1.ProposedAgreement, error) {
	q := &hubv1.ProposeAgreementsRequest{DryRun: dry, Draft: draft}
	for _, d := range docs {
		q.Agreements = append(q.Agreements, d.Doc)
	}
	if size := proto.Size(q); size > maxProposal {
		return nil, usage("the agreements take %d bytes; at most %d go to the hub at once, so propose them in parts", size, maxProposal)
	}
	done, err := settle(ctx, a, a.ProposeAgreements, q)
	if refused := (*errRefused)(nil); errors.As(err, &refused) {
		for i, problem := range refused.Problems {
			refused.Problems[i] = docs.place(problem)
		}
	}
	return done.GetAgreements(), err
}

// place puts file and line in the place of "DOCUMENT.path".
func (docs documents) place(problem string) string {
	where, text, ok := strings.Cut(problem, ": ")
	number, path, _ := strings.Cut(where, ".")
	i, err := strconv.Atoi(number)
	if !ok || err != nil || i < 0 || i >= len(docs) {
		return problem
	}
	if path != "" {
		text = path + ": " + text
	}
	return docs[i].Place(path) + ": " + text
}

func printProposed(top *cli, done []*hubv1.ProposedAgreement) error {
	if top.JSON {
		entries := []map[string]any{}
		for _, p := range done {
			entries = append(entries, plain(p.ProtoReflect()))
		}
		return printJSON(entries)
	}
	var rows [][]string
	for _, p := range done {
		first := ""
		if len(p.GetDifferences()) > 0 {
			first = p.GetDifferences()[0]
		}
		rows = append(rows, []string{p.GetId(), strconv.FormatInt(p.GetVersion(), 10), p.GetWhat(), word(p.GetState()), first})
		for _, d := range p.GetDifferences()[min(1, len(p.GetDifferences())):] {
			rows = append(rows, []string{"", "", "", "", d})
		}
	}
	if err := printTable([]string{"AGREEMENT", "VERSION", "WHAT", "STATE", "DIFFERENCES"}, rows); err != nil {
		return err
	}
	count := map[string]int{}
	for _, p := range done {
		count[p.GetWhat()]++
	}
	_, err := fmt.Fprintf(stdout, "\n%d new, %d changed, %d unchanged\n", count["new"], count["changed"], count["unchanged"])
	return err
}
