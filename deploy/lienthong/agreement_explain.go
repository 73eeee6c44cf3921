package main

import (
	"context"
	"fmt"
	"strings"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/dynamicpb"

	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
)

// agreementExplain says what would become of a question.
type agreementExplain struct {
	Fields []string `arg:"" optional:"" name:"field=value" help:"Request fields, as lienthong query takes them; may be left out. They are not recorded."`

	Method   string `required:"" help:"What would be asked: SERVICE/METHOD." placeholder:"METHOD"`
	Purpose  string `help:"Coded purpose (lt-purpose)." placeholder:"CODE"`
	Case     string `help:"Number of the dossier (lt-case)." placeholder:"NUMBER"`
	Officer  string `help:"Account name of the officer who would ask (lt-officer)." placeholder:"NAME"`
	Only     string `help:"Ask only for these fields of the answer, joined by commas (lt-fields)." placeholder:"FIELDS"`
	Consent  string `help:"Reference to the citizen's consent (lt-consent)." placeholder:"REFERENCE"`
	Consumer string `help:"Who would ask, if not the one of --as; others than operators, auditors and the provider's steward may only name systems of their own agency." placeholder:"AGENCY/SYSTEM"`

	hubFlags `group:"Which hub, and as whom"`
}

// Help is shown below the command's usage.
func (agreementExplain) Help() string {
	return `Examples:

  lienthong agreement explain --as H27/one-stop --method registry.population.v1.PopulationService/GetResidence \
      --purpose CT-TT --case H27-261122-0001 personal_id=040094997317
  lienthong agreement explain --as G06/operator-a --consumer G24/claims --method … --purpose …

The exit code is 0 if the question would be carried to the registry, 1 if it would be refused.`
}

// Run explains.
func (c *agreementExplain) Run(ctx context.Context, top *cli) error {
	service, method, ok := strings.Cut(strings.TrimPrefix(c.Method, "/"), "/")
	if !ok || service == "" || method == "" || strings.Contains(method, "/") {
		return usage("--method %q is not SERVICE/METHOD; see: lienthong services", c.Method)
	}
	a, err := (&agreementFlags{hubFlags: c.hubFlags}).open(top)
	if err != nil {
		return err
	}
	defer func() { _ = a.Close() }()
	q := &hubv1.ExplainRequest{
		Consumer: c.Consumer, Method: service + "/" + method, Purpose: c.Purpose, Case: c.Case, Officer: c.Officer, Fields: c.Only, Consent: c.Consent,
	}
	if len(c.Fields) > 0 {
		if q.Request, err = c.request(ctx, a, service, method); err != nil {
			return err
		}
	}
	found, err := settle(ctx, a, a.Explain, q)
	if err != nil {
		return err
	}
	if top.JSON {
		err = printJSON(plain(found.ProtoReflect()))
	} else {
		err = printExplained(found)
	}
	if err == nil && !found.GetAllowed() {
		err = fmt.Errorf("it would be refused: %s", found.GetReason())
	}
	return err
}

// request makes the request of the arguments.
func (c *agreementExplain) request(ctx context.Context, a *agreementHub, service, method string) ([]byte, error) {
	within, cancel := c.within(ctx)
	defer cancel()
	desc, err := a.describe(within, service, method)
	if err != nil {
		return nil, err
	}
	if desc == nil {
		return nil, nil // the hub says that it has no such method
	}
	m := dynamicpb.NewMessage(desc.Input())
	if err := setFields(m, c.Fields); err != nil {
		return nil, usage("%w; the fields are listed by: lienthong services %s", err, service)
	}
	raw, err := proto.Marshal(m)
	if err != nil {
		return nil, fmt.Errorf("write request: %w", err)
	}
	return append([]byte{}, raw...), nil
}

func printExplained(x *hubv1.ExplainResponse) error {
	verdict := "would be carried to the registry"
	if !x.GetAllowed() {
		verdict = "would be refused: " + x.GetReason() + ": " + x.GetMessage()
	}
	rows := [][]string{{"verdict", verdict}}
	if x.GetField() != "" {
		rows = append(rows, []string{"at fault", x.GetField()})
	}
	if x.GetAgreement() != "" {
		rows = append(rows, []string{"agreement", fmt.Sprintf("%s v%d", x.GetAgreement(), x.GetVersion())}, []string{"legal basis", x.GetLegalBasis()})
	}
	if x.GetAnswerCondition() != "" {
		rows = append(rows, []string{"answer condition", x.GetAnswerCondition() + "  (decided at the registry)"})
	}
	rows = append(rows, []string{"revision", fmt.Sprint(x.GetRevision())})
	if err := printTable([]string{"PART", "VALUE"}, rows); err != nil {
		return err
	}
	rows = nil
	for _, s := range x.GetSteps() {
		passed := "yes"
		if !s.GetPassed() {
			passed = "NO"
		}
		rows = append(rows, []string{s.GetName(), passed, s.GetFinding()})
	}
	fmt.Fprintln(stdout)
	if err := printTable([]string{"STEP", "PASSED", "FINDING"}, rows); err != nil || len(x.GetFields()) == 0 {
		return err
	}
	rows = nil
	for _, f := range x.GetFields() {
		released := "released"
		if !f.GetReleased() {
			released = "withheld"
		}
		rows = append(rows, []string{f.GetPath(), f.GetClass(), released, f.GetWhy()})
	}
	fmt.Fprintln(stdout)
	return printTable([]string{"FIELD", "CLASS", "", "WHY"}, rows)
}
