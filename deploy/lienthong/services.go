package main

import (
	"context"
	"fmt"
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/lienthong/lienthong/gateway/client"
	"github.com/lienthong/lienthong/proto/contract"
)

// servicesCommand lists what can be asked.
type servicesCommand struct {
	Service string `arg:"" optional:"" help:"Show this service's methods with the fields of request and answer."`

	hubFlags `group:"Which hub, and as whom"`
}

// serviceEntry is a service in JSON.
type serviceEntry struct {
	Service string        `json:"service"`
	TitleVI string        `json:"title_vi"`
	TitleEN string        `json:"title_en"`
	Methods []methodEntry `json:"methods"`
}

type methodEntry struct {
	Method  string       `json:"method"`
	TitleVI string       `json:"title_vi"`
	TitleEN string       `json:"title_en"`
	Effect  string       `json:"effect"`
	Case    bool         `json:"case_required,omitempty"`
	Officer bool         `json:"officer_required,omitempty"`
	Request []fieldEntry `json:"request,omitempty"`
	Answer  []fieldEntry `json:"answer,omitempty"`
}

type fieldEntry struct {
	Path    string   `json:"path"`
	Class   string   `json:"class"`
	TitleVI string   `json:"title_vi"`
	TitleEN string   `json:"title_en"`
	Example []string `json:"examples,omitempty"`
}

// Run lists from the hub's own reflection, so it shows what that hub has.
func (c *servicesCommand) Run(ctx context.Context, top *cli) error {
	h, err := c.dial(top)
	if err != nil {
		return err
	}
	defer func() { _ = h.Close() }()
	ctx, cancel := c.within(ctx)
	defer cancel()
	names := []string{c.Service}
	if c.Service == "" {
		if names, err = client.Services(ctx, h); err != nil {
			return h.refused(err, client.Receipt{})
		}
	}
	var entries []serviceEntry
	for _, name := range names {
		desc, err := client.Describe(ctx, h, name)
		if err != nil {
			if client.RefusalOf(err).Code == "Unknown" { // an answer, not a failure of asking
				return err
			}
			return h.refused(err, client.Receipt{})
		}
		entries = append(entries, entryOf(desc, c.Service != ""))
	}
	if top.JSON {
		return printJSON(entries)
	}
	for _, e := range entries {
		if err := c.print(e); err != nil {
			return err
		}
	}
	return nil
}

func entryOf(desc protoreflect.ServiceDescriptor, whole bool) serviceEntry {
	title := contract.Service(desc).GetTitle()
	entry := serviceEntry{Service: string(desc.FullName()), TitleVI: title.GetVi(), TitleEN: title.GetEn()}
	for i := range desc.Methods().Len() {
		md := desc.Methods().Get(i)
		policy := contract.Method(md)
		m := methodEntry{
			Method:  string(desc.FullName()) + "/" + string(md.Name()),
			TitleVI: policy.GetTitle().GetVi(), TitleEN: policy.GetTitle().GetEn(),
			Effect:  strings.ToLower(strings.TrimPrefix(policy.GetEffect().String(), "EFFECT_")),
			Case:    policy.GetCaseRequired(),
			Officer: policy.GetOfficerRequired(),
		}
		if whole {
			m.Request, m.Answer = fieldsOf(md.Input()), fieldsOf(md.Output())
		}
		entry.Methods = append(entry.Methods, m)
	}
	return entry
}

func fieldsOf(md protoreflect.MessageDescriptor) []fieldEntry {
	var entries []fieldEntry
	for _, leaf := range contract.Leaves(md) {
		label := contract.Field(leaf.Field)
		entries = append(entries, fieldEntry{
			Path:    leaf.Path,
			Class:   strings.ToLower(strings.TrimPrefix(leaf.Class.String(), "DATA_CLASS_")),
			TitleVI: label.GetTitle().GetVi(), TitleEN: label.GetTitle().GetEn(),
			Example: label.GetExamples(),
		})
	}
	return entries
}

func (c *servicesCommand) print(e serviceEntry) error {
	fmt.Fprintf(stdout, "%s   %s (%s)\n", e.Service, e.TitleVI, e.TitleEN)
	var rows [][]string
	for _, m := range e.Methods {
		rows = append(rows, []string{"  " + m.Method, m.Effect, m.needs(), m.TitleVI, m.TitleEN})
	}
	if c.Service == "" {
		err := printTable([]string{"  METHOD", "EFFECT", "NEEDS", "TIÊU ĐỀ", "TITLE"}, rows)
		fmt.Fprintln(stdout)
		return err
	}
	for i, m := range e.Methods {
		fmt.Fprintf(stdout, "\n%s\n", strings.Join(rows[i][1:], "  "))
		var fields [][]string
		for _, f := range m.Request {
			fields = append(fields, []string{"  ask", f.Path, f.Class, f.TitleVI, strings.Join(f.Example, " | ")})
		}
		for _, f := range m.Answer {
			fields = append(fields, []string{"  get", f.Path, f.Class, f.TitleVI, strings.Join(f.Example, " | ")})
		}
		if err := printTable([]string{"  " + m.Method, "FIELD", "CLASS", "TIÊU ĐỀ", "EXAMPLE"}, fields); err != nil {
			return err
		}
	}
	return nil
}

func (m methodEntry) needs() string {
	needs := "purpose"
	if m.Case {
		needs += ", case"
	}
	if m.Officer {
		needs += ", officer"
	}
	return needs
}
