package hubtest_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/types/dynamicpb"

	"github.com/lienthong/lienthong/deploy/hubtest"
	"github.com/lienthong/lienthong/gateway/agreement"
	"github.com/lienthong/lienthong/gateway/client"
	"github.com/lienthong/lienthong/gateway/member"
	"github.com/lienthong/lienthong/gateway/member/authority"
	"github.com/lienthong/lienthong/gateway/state"
	"github.com/lienthong/lienthong/proto/contract"
	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
	"github.com/lienthong/lienthong/proto/peer"
)

// rule is what the table below says of a method. A method that is not in it fails the test: whoever adds one says here
// what may be asked of it.
type rule struct {
	needs string // "c" case, "o" officer, by the contract
	write bool
	field string // of the answer, that agreements here release
}

// ruled is the independent table: written by hand from the contracts' documents, not read from their labels.
var ruled = map[string]rule{
	population + "VerifyIdentity":    {"", false, "matched"},
	population + "BatchVerify":       {"", false, "matched"},
	population + "GetPerson":         {"co", false, "person.birth_date"},
	population + "GetResidence":      {"c", false, "permanent_since"},
	population + "ConfirmResidence":  {"", false, "result.code"},
	population + "GetHousehold":      {"co", false, "residence_file_number"},
	population + "ConfirmHousehold":  {"", false, "result.code"},
	population + "ResolveIdentifier": {"", false, "personal_id"},
	population + "IssueNumber":       {"co", true, "personal_id"},
	population + "CancelNumber":      {"co", true, "cancelled_at"},
}

// situation is how a consumer stands to all registries: what was done about its agreements, and what then comes of a
// question that is well-formed otherwise.
type situation struct {
	name string
	yaml string // more of the agreement
	then func(ctx context.Context, s *standing) error
	want string // reason of a question for the agreed purpose; "": it is answered
	any  string // reason of every question, whatever the purpose; "": by the rules of purposes
}

// standing is a consumer whose situation is made.
type standing struct {
	hub        *hubtest.Hub
	agency     string
	agreements map[string][]string // ids by provider
	steward    func(provider string) hubv1.AgreementServiceClient
	operator   hubv1.AgreementServiceClient
}

// each does something to every agreement, as its provider's steward.
func (s *standing) each(ctx context.Context, do func(ctx context.Context, c hubv1.AgreementServiceClient, id string) error) error {
	for provider, ids := range s.agreements {
		for _, id := range ids {
			if err := do(ctx, s.steward(provider), id); err != nil {
				return fmt.Errorf("%s: %w", id, err)
			}
		}
	}
	return nil
}

func suspendAll(ctx context.Context, s *standing) error {
	return s.each(ctx, func(ctx context.Context, c hubv1.AgreementServiceClient, id string) error {
		_, err := c.SuspendAgreement(ctx, &hubv1.SuspendAgreementRequest{Id: id, Reason: "matrix"})
		return err
	})
}

func terminateAll(ctx context.Context, s *standing) error {
	return s.each(ctx, func(ctx context.Context, c hubv1.AgreementServiceClient, id string) error {
		_, err := c.TerminateAgreement(ctx, &hubv1.TerminateAgreementRequest{Id: id, Reason: "matrix"})
		return err
	})
}

func resumeAll(ctx context.Context, s *standing) error {
	return s.each(ctx, func(ctx context.Context, c hubv1.AgreementServiceClient, id string) error {
		_, err := c.ResumeAgreement(ctx, &hubv1.ResumeAgreementRequest{Id: id, Reason: "matrix"})
		return err
	})
}

func stopConsumer(system string) func(context.Context, *standing) error {
	return func(ctx context.Context, s *standing) error {
		for provider := range s.agreements {
			_, err := s.steward(provider).SuspendConsumer(ctx, &hubv1.SuspendConsumerRequest{Agency: s.agency, System: system, Violation: "matrix"})
			if err != nil {
				return err
			}
		}
		return nil
	}
}

// situations are those of the matrix.
var situations = []situation{
	{name: "active"},
	{name: "resumed", then: func(ctx context.Context, s *standing) error {
		if err := suspendAll(ctx, s); err != nil {
			return err
		}
		return resumeAll(ctx, s)
	}},
	{name: "suspended", then: suspendAll, want: "AGREEMENT_SUSPENDED"},
	{name: "terminated", then: terminateAll, want: "AGREEMENT_TERMINATED"},
	{name: "suspended, then terminated", then: func(ctx context.Context, s *standing) error {
		if err := suspendAll(ctx, s); err != nil {
			return err
		}
		return terminateAll(ctx, s)
	}, want: "AGREEMENT_TERMINATED"},
	{name: "proposed", yaml: "proposed", want: "AGREEMENT_PROPOSED"},
	{name: "drafted", yaml: "drafted", any: "NO_AGREEMENT"},
	{name: "refused", yaml: "refused", any: "NO_AGREEMENT"},
	{name: "nothing", yaml: "nothing", any: "NO_AGREEMENT"},
	{name: "not begun", yaml: "valid_from: 2090-01-01\nvalid_to: 2090-12-31\n", want: "AGREEMENT_NOT_YET_VALID"},
	{name: "consumer stopped", then: stopConsumer(""), any: "CONSUMER_SUSPENDED"},
	{name: "system stopped", then: stopConsumer("sys"), any: "CONSUMER_SUSPENDED"},
	{name: "another system stopped", then: stopConsumer("other")},
	{name: "condition holds", yaml: "condition: caller.system == 'sys' && caller.province == ''\n"},
	{name: "condition does not hold", yaml: "condition: caller.province == '42'\n", want: "CONDITION_NOT_MET"},
	{name: "condition of the case", yaml: "condition: caller.case.startsWith('M-')\n", want: "by the case"},
	{name: "case for all", yaml: "case_required: true\n", want: "case for all"},
	{name: "officer for all", yaml: "officer_required: true\n", want: "officer for all"},
	{name: "neither", yaml: "case_required: false\nofficer_required: false\n", want: "neither"},
	{name: "consent", yaml: "ground: {kind: consent}\n", want: "CONSENT_REQUIRED"},
	{name: "agency closed", then: func(ctx context.Context, s *standing) error {
		_, err := s.hub.State().Change(ctx, state.Actor{}, func(tx *state.Tx) error { return member.CloseAgency(ctx, tx, s.agency, "", "") })
		return err
	}, any: "AGENCY_CLOSED"},
	{name: "system suspended", then: func(ctx context.Context, s *standing) error {
		_, err := s.hub.State().Change(ctx, state.Actor{}, func(tx *state.Tx) error {
			return member.SetSystem(ctx, tx, member.System{ID: peer.ID{Agency: s.agency, System: "sys"}, Roles: member.Consumer, Status: member.Suspended})
		})
		return err
	}, any: "SYSTEM_SUSPENDED"},
	{name: "no consumer", then: func(ctx context.Context, s *standing) error {
		_, err := s.hub.State().Change(ctx, state.Actor{}, func(tx *state.Tx) error {
			return member.SetSystem(ctx, tx, member.System{ID: peer.ID{Agency: s.agency, System: "sys"}, Roles: member.Auditor, Status: member.Active})
		})
		return err
	}, want: "NOT_A_CONSUMER"},
}

// asking is how a question is put.
type asking struct {
	purpose    string // "agreed", "other" or ""
	hasCase    bool
	hasOfficer bool
	fields     string // "", "agreed", "withheld", "unknown"
}

func askings() (all []asking) {
	for _, purpose := range []string{"agreed", "other", ""} {
		for _, words := range [][2]bool{{true, true}, {true, false}, {false, true}} {
			for _, fields := range []string{"", "agreed", "withheld", "unknown"} {
				all = append(all, asking{purpose, words[0], words[1], fields})
			}
		}
	}
	return all
}

// expected is what the table says of a question: the reason of its refusal, or nothing.
func (s *situation) expected(r rule, left bool, a asking) string {
	switch {
	case s.any == "AGENCY_CLOSED", s.any == "SYSTEM_SUSPENDED", s.any == "NO_AGREEMENT", s.any == "CONSUMER_SUSPENDED":
		return s.any
	case left:
		return "METHOD_NOT_AGREED"
	case a.purpose == "":
		return "PURPOSE_REQUIRED"
	case a.purpose == "other":
		return "PURPOSE_NOT_AGREED"
	}
	if strings.HasPrefix(s.want, "AGREEMENT_") {
		return s.want
	}
	needsCase, needsOfficer := strings.Contains(r.needs, "c"), strings.Contains(r.needs, "o")
	switch s.want {
	case "case for all":
		needsCase = true
	case "officer for all":
		needsOfficer = true
	case "neither":
		needsCase, needsOfficer = false, false
	}
	switch {
	case needsCase && !a.hasCase:
		return "CASE_REQUIRED"
	case needsOfficer && !a.hasOfficer:
		return "OFFICER_REQUIRED"
	case s.want == "CONSENT_REQUIRED":
		return s.want
	case a.fields == "unknown":
		return "FIELD_UNKNOWN"
	case a.fields == "withheld":
		return "FIELDS_NOT_AGREED"
	case s.want == "CONDITION_NOT_MET", s.want == "NOT_A_CONSUMER":
		return s.want
	case s.want == "by the case" && !a.hasCase:
		return "CONDITION_NOT_MET"
	}
	return ""
}

// TestTheAuthorisationMatrix asks every method in every situation in every way, and compares what comes with the table.
func TestTheAuthorisationMatrix(t *testing.T) {
	t.Parallel()
	hub := small(t)
	var all []string
	methods := serviceOf(t, strings.TrimSuffix(population, "/")).Methods()
	for i := range methods.Len() {
		all = append(all, population+string(methods.Get(i).Name()))
	}
	slices.Sort(all)
	require.Equal(t, all, slices.Sorted(maps.Keys(ruled)), "a method without a rule: say in the table what may be asked of it")

	left := population + "ConfirmHousehold" // no agreement has it
	var cells, answered atomic.Int64
	var wait sync.WaitGroup
	limit := make(chan struct{}, 4)
	for i := range situations {
		conn := prepare(t, hub, &situations[i], fmt.Sprintf("Y%02d", i), all, left)
		wait.Go(func() {
			limit <- struct{}{}
			defer func() { <-limit }()
			for _, method := range all {
				for _, a := range askings() {
					if a.fields == "withheld" && withheldField(t, method) == "" {
						continue
					}
					got, want := put(t, conn, method, a), situations[i].expected(ruled[method], method == left, a)
					if got != want {
						t.Errorf("%s: %s %+v: got %q, the table says %q", situations[i].name, method, a, got, want)
						return
					}
					cells.Add(1)
					if got == "" {
						answered.Add(1)
					}
				}
			}
		})
	}
	wait.Wait()
	require.GreaterOrEqual(t, cells.Load(), int64(5000))
	require.Greater(t, answered.Load(), int64(250))
	t.Logf("%d cells, %d answered, 0 differences", cells.Load(), answered.Load())
}

// put asks, and returns the reason of a refusal.
func put(t *testing.T, conn *grpc.ClientConn, method string, a asking) string {
	words := client.Words{Purpose: map[string]string{"agreed": "HT-KS", "other": "HT-KT"}[a.purpose]}
	if a.hasCase {
		words.Case = "M-1"
	}
	if a.hasOfficer {
		words.Officer = "an"
	}
	switch a.fields {
	case "agreed":
		words.Fields = ruled[method].field
	case "withheld":
		words.Fields = withheldField(t, method)
	case "unknown":
		words.Fields = "no.such"
	}
	desc := methodOf(t, method)
	in := dynamicpb.NewMessage(desc.Input())
	if err := protojson.Unmarshal([]byte("{}"), in); err != nil {
		t.Error(err)
	}
	err := conn.Invoke(client.With(within(t), words), "/"+method, in, dynamicpb.NewMessage(desc.Output()))
	if err == nil {
		return ""
	}
	return client.RefusalOf(err).Reason
}

// withheldField is a field of a method's answer that no agreement here releases; empty if it has none.
func withheldField(t *testing.T, method string) string {
	for _, leaf := range contract.Leaves(methodOf(t, method).Output()) {
		if !strings.HasPrefix(leaf.Path, "result.") && leaf.Path != ruled[method].field {
			return leaf.Path
		}
	}
	return ""
}

// prepare makes a consumer whose agreements are in a situation, and a connection as it.
func prepare(t *testing.T, hub *hubtest.Hub, s *situation, agency string, methods []string, left string) *grpc.ClientConn {
	t.Helper()
	ctx := within(t)
	hub.Change(t, func(ctx context.Context, tx *state.Tx) error {
		return member.AddAgency(ctx, tx, member.Agency{Code: agency, NameVI: s.name, SafetyLevel: 3, Assessed: "2026-01-05", Officers: member.Any})
	})
	for _, system := range []string{"sys", "other"} {
		_, err := hub.Authority.Issue(authority.Order{ID: peer.ID{Agency: agency, System: system}, Roles: member.Consumer})
		require.NoError(t, err)
	}
	id := agency + "-G01"
	text := fmt.Sprintf("id: %s\ntitle: %s\nconsumer: {agency: %s, systems: [sys, other]}\nprovider: G01\nservice: %s\n", id, s.name, agency, strings.TrimSuffix(population, "/"))
	if !strings.Contains(s.yaml, "valid_from") {
		text += "valid_from: 2025-01-01\nvalid_to: 2089-12-31\n"
	}
	if strings.Contains(s.yaml, ":") {
		text += s.yaml
	}
	text += "purposes: [{code: HT-KS, title: Đăng ký khai sinh, legal_basis: Luật Hộ tịch 60/2014/QH13}]\nmethods:\n"
	for _, m := range methods {
		if m != left {
			text += fmt.Sprintf("  - {name: %s, fields: [%s]}\n", strings.TrimPrefix(m, population), strings.Replace(ruled[m].field, "result.code", "result", 1))
		}
	}
	made := &standing{
		hub: hub, agency: agency, agreements: map[string][]string{"G01": {id}},
		operator: hubv1.NewAgreementServiceClient(hub.Dial(t, "G06/operator-a")),
		steward: func(provider string) hubv1.AgreementServiceClient {
			return hubv1.NewAgreementServiceClient(hub.Dial(t, provider+"/steward"))
		},
	}
	ctx = metadata.AppendToOutgoingContext(ctx, "lt-officer", "matrix")
	switch s.yaml {
	case "nothing":
	case "proposed", "drafted", "refused":
		d, err := agreement.Parse(id, []byte(text))
		require.NoError(t, err)
		_, err = made.operator.ProposeAgreements(ctx, &hubv1.ProposeAgreementsRequest{Agreements: []*hubv1.Agreement{d.Doc}, Draft: s.yaml == "drafted"})
		require.NoError(t, err)
		if s.yaml == "refused" {
			_, err = made.steward("G01").RefuseAgreement(ctx, &hubv1.RefuseAgreementRequest{
				Id: id, Ground: hubv1.RefusalGround_REFUSAL_GROUND_FIELDS_EXCESSIVE, Reason: "matrix",
			})
			require.NoError(t, err)
		}
	default:
		hub.Agree(t, text)
	}
	if s.then != nil {
		require.NoError(t, s.then(ctx, made), s.name)
		hub.Change(t, func(_ context.Context, tx *state.Tx) error { // whatever was changed beside the gateway is in force, too
			tx.Record(&hubv1.Change{Kind: hubv1.Change_KIND_MEMBER, Object: agency, Text: "prepared"})
			return nil
		})
	}
	return hub.Dial(t, agency+"/sys")
}
