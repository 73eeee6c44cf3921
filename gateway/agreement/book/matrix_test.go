package book_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lienthong/lienthong/gateway/agreement/book"
	"github.com/lienthong/lienthong/gateway/member"
	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
	"github.com/lienthong/lienthong/proto/reason"
)

// stage is how an agreement came to where it is.
type stage struct {
	name  string
	state hubv1.AgreementState
	how   []string
	later time.Duration // and then time passes
}

// year is longer than the agreements of the tests last.
const year = 365 * 24 * time.Hour

var stages = []stage{
	{"unknown", none, nil, 0},
	{"draft", draft, []string{"draft"}, 0},
	{"proposed", proposed, []string{"propose"}, 0},
	{"submitted", proposed, []string{"draft", "submit"}, 0},
	{"active", active, []string{"propose", "approve"}, 0},
	{"suspended", suspended, []string{"propose", "approve", "suspend"}, 0},
	{"resumed", active, []string{"propose", "approve", "suspend", "resume"}, 0},
	{"terminated", terminated, []string{"propose", "approve", "terminate"}, 0},
	{"terminated while suspended", terminated, []string{"propose", "approve", "suspend", "terminate"}, 0},
	{"refused", refused, []string{"propose", "refuse"}, 0},
	{"expired", expired, []string{"propose", "approve"}, year},
	{"expired while suspended", expired, []string{"propose", "approve", "suspend"}, year},
	{"waited too long", expired, []string{"propose"}, year},
	{"draft of old", expired, []string{"draft"}, year},
}

// side is somebody with a role, and how near they are to the agreement.
type side struct {
	person
	sees, seesDrafts bool
	may              string // acts, joined by blanks
}

var sides = []side{
	{person{"H27/reception", "lan", member.Consumer}, true, true, "submit terminate"},
	{person{"G24/claims", "lan", member.Consumer}, false, false, ""},
	{person{"G01/steward-b", "ha", member.Steward}, true, false, "approve refuse suspend resume terminate"},
	{person{"G15/steward", "ha", member.Steward}, false, false, ""},
	{person{"H27/steward", "ha", member.Steward}, false, false, ""}, // of the consumer, which provides other things
	{person{"G01/registry", "", member.Provider}, true, false, ""},
	{person{"G15/registry", "", member.Provider}, false, false, ""},
	{person{"G06/operator-b", "dung", member.Operator}, true, true, "submit approve refuse suspend resume terminate"},
	{person{"G20/auditor", "", member.Auditor}, true, true, ""},
	{person{"G22/portal", "", member.Portal}, false, false, ""},
	{person{"G06/gateway", "", member.Gateway}, false, false, ""},
	{person{"G24/all", "my", member.Consumer | member.Steward}, false, false, ""},
	{person{"H27/both", "my", member.Consumer | member.Steward}, true, true, "submit terminate"},
}

// edges says which state an act leads to from where.
var edges = map[string]map[hubv1.AgreementState]hubv1.AgreementState{
	"submit":    {draft: proposed},
	"approve":   {proposed: proposed}, // one approval of two
	"refuse":    {proposed: refused},
	"suspend":   {active: suspended},
	"resume":    {suspended: active},
	"terminate": {active: terminated, suspended: terminated},
}

// expected is what becomes of an act.
func expected(s stage, who side, act string) (reason.Reason, hubv1.AgreementState) {
	next, ok := edges[act][s.state]
	switch {
	case s.state == none || !who.sees:
		return reason.AgreementUnknown, s.state
	case (s.name == "draft" || s.name == "draft of old") && !who.seesDrafts:
		return reason.AgreementUnknown, s.state
	case !has(who.may, act):
		return reason.ActNotAllowed, s.state
	case !ok:
		return reason.StateWrong, s.state
	}
	return "", next
}

func TestWhoMayDoWhatInWhichState(t *testing.T) {
	w := newWorld(t)
	for i, s := range stages {
		standing := fmt.Sprintf("a-%d", i) // acts that fail leave it as it is
		w.reach(standing, s)
		for _, who := range sides {
			for act := range edges {
				id := standing
				want, next := expected(s, who, act)
				if want == "" {
					id = fmt.Sprintf("%s-%s-%s", standing, act, strings.ReplaceAll(who.name, "/", "-"))
					w.reach(id, s)
				}
				w.tried(id, s, who, act, want, next)
			}
		}
	}
}

// reach brings an agreement to a stage.
func (w *world) reach(id string, s stage) {
	w.now = summer
	w.must(id, s.how...)
	w.now = w.now.Add(s.later)
}

// tried does one act, and looks at all that must come of it.
func (w *world) tried(id string, s stage, who side, act string, want reason.Reason, next hubv1.AgreementState) {
	cell := fmt.Sprintf("%s: %s of %s", who.name, act, s.name)
	before := len(w.history(id))
	got, err := w.act(who.person, act, book.Motion{ID: id})
	isRefused(w.t, err, want, cell)
	if err != nil {
		require.Len(w.t, w.history(id), before, "%s: an act that failed is not recorded", cell)
	} else {
		require.Equal(w.t, next, got.GetState(), cell)
		require.Greater(w.t, len(w.history(id)), before, cell)
		newest := w.history(id)[0]
		require.Equal(w.t, []string{who.name, who.officer}, []string{newest.GetAgency() + "/" + newest.GetSystem(), newest.GetOfficer()}, cell)
		require.Equal(w.t, got.GetDigest(), newest.GetDigest(), cell)
	}
	if s.state != none {
		require.Equal(w.t, []hubv1.AgreementState{next}, w.states(id), cell)
	}
}

func TestWhoMayPropose(t *testing.T) {
	w := newWorld(t)
	for i, who := range sides {
		want := reason.ActNotAllowed
		if has("H27/reception G06/operator-b H27/both", who.name) {
			want = ""
		}
		_, err := w.propose(who.person, false, document(fmt.Sprintf("p-%d", i)))
		isRefused(t, err, want, who.name)
	}
}

func has(words, word string) bool {
	for w := range strings.FieldsSeq(words) {
		if w == word {
			return true
		}
	}
	return false
}
