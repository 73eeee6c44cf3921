package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/lienthong/lienthong/gateway/client"
	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
)

// agreementCommand is about who may ask what.
type agreementCommand struct {
	List      agreementList      `cmd:"" help:"List agreements."`
	Show      agreementShow      `cmd:"" help:"Show one, all its versions, and who did what to it."`
	Propose   agreementPropose   `cmd:"" help:"Propose agreements that are written in YAML."`
	Apply     agreementApply     `cmd:"" help:"Propose what differs in a directory of agreements: all of it or nothing."`
	Submit    agreementSubmit    `cmd:"" help:"Propose a draft."`
	Approve   agreementApprove   `cmd:"" help:"Approve a proposal, for its provider or for the hub."`
	Refuse    agreementRefuse    `cmd:"" help:"Refuse a proposal, for a legal reason."`
	Suspend   agreementSuspend   `cmd:"" help:"Suspend an agreement: the next call is refused."`
	Resume    agreementResume    `cmd:"" help:"Put a suspended agreement in force again."`
	Terminate agreementTerminate `cmd:"" help:"End an agreement for good."`
	Explain   agreementExplain   `cmd:"" help:"What would happen to a question, and why, field by field; no registry is asked."`
	Waiting   agreementWaiting   `cmd:"" help:"How providers deal with what they are asked to share."`
	Overdue   agreementOverdue   `cmd:"" help:"Answers that should have been destroyed and of which nobody confirmed it."`
	Destroyed agreementDestroyed `cmd:"" help:"Confirm that answers were destroyed when their time was over."`
}

// Help is shown below the command's usage.
func (agreementCommand) Help() string {
	return `An agreement says which systems may ask which methods of a service, for which purposes, and which fields they get. It is
in force when two people have approved it who did not propose it: a steward of the provider, and an operator of the hub.

  lienthong agreement propose -f H27-G01-population.yaml --as H27/one-stop --officer hoa
  lienthong agreement show H27-G01-population
  lienthong agreement approve H27-G01-population --as G01/steward --officer an --yes
  lienthong agreement approve H27-G01-population --as G06/operator-a --officer binh --yes
  lienthong agreement explain --as H27/one-stop --method registry.population.v1.PopulationService/GetPerson --purpose HT-KS

Who may do what is a table in gateway/README.md. Every change is in the ledger: lienthong ledger search --kind change`
}

// agreementFlags say where agreements are asked for, and as whom.
type agreementFlags struct {
	Officer string `help:"Account name of the officer for whom it is done (lt-officer)." placeholder:"NAME"`

	hubFlags `group:"Which hub, and as whom" set:"as=G06/operator-a"`
}

// agreementHub is the agreements of a hub that is asked.
type agreementHub struct {
	hubv1.AgreementServiceClient
	*hub
	flags *agreementFlags
}

// open opens a connection to the hub that the flags name.
func (f *agreementFlags) open(top *cli) (*agreementHub, error) {
	if strings.ContainsFunc(f.Officer, func(r rune) bool { return r < ' ' || r > '~' }) {
		return nil, usage("--officer %q: write it in ASCII, without accents", f.Officer)
	}
	h, err := f.dial(top)
	if err != nil {
		return nil, err
	}
	return &agreementHub{hubv1.NewAgreementServiceClient(h), h, f}, nil
}

// settle sends one question about agreements and waits for its answer, as long as the flags say.
func settle[Q, A any](ctx context.Context, a *agreementHub, call func(context.Context, *Q, ...grpc.CallOption) (*A, error), question *Q) (*A, error) {
	within, cancel := a.flags.within(client.With(ctx, client.Words{Officer: a.flags.Officer}))
	defer cancel()
	var header, trailer metadata.MD
	answer, err := call(within, question, grpc.Header(&header), grpc.Trailer(&trailer))
	if err != nil {
		return nil, a.failed(ctx, err, metadata.Join(header, trailer))
	}
	return answer, nil
}

// hints are what a command's user can do about a field that is at fault.
var hints = map[string]string{
	"reason": textHint, "violation": textHint, "text": textHint, "ground": "choose one with --ground; see: lienthong agreement refuse --help",
	"version": "look at its newest version: lienthong agreement show ID", "digest": "look at its newest version: lienthong agreement show ID",
	"agency": "see: lienthong agency list", "provider": "see: lienthong agency list", "system": "see: lienthong identity list",
}

const textHint = "one line of at most 1,000 characters, in which no number of a person stands"

// failed is why the hub did not do it, with what can be done about it.
func (a *agreementHub) failed(ctx context.Context, err error, header metadata.MD) error {
	if ctx.Err() != nil {
		return errors.New("stopped before the hub had answered")
	}
	e := a.refused(err, client.ReceiptOf(header))
	switch {
	case e.Code == "Unimplemented":
		e.Message = fmt.Sprintf("the gateway at %s does not keep agreements (%s)", a.address, e.Message)
		e.Hint = "is it of an older version?"
	case e.Hint == "":
		e.Hint = hints[e.Field]
	}
	for _, v := range violations(err) {
		e.Problems = append(e.Problems, v.GetField()+": "+v.GetDescription())
	}
	return e
}

// violations are the problems of documents that an error names.
func violations(err error) []*errdetails.BadRequest_FieldViolation {
	for _, d := range status.Convert(err).Details() {
		if bad, ok := d.(*errdetails.BadRequest); ok {
			return bad.GetFieldViolations()
		}
	}
	return nil
}

// shortService is a service's name without its package.
func shortService(name string) string { return name[strings.LastIndex(name, ".")+1:] }
