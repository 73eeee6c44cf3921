package agreement_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/dynamicpb"
	"pgregory.net/rapid"

	"github.com/lienthong/lienthong/gateway/agreement"
	"github.com/lienthong/lienthong/gateway/agreement/agreementtest"
	"github.com/lienthong/lienthong/gateway/catalog"
	"github.com/lienthong/lienthong/gateway/catalog/catalogtest"
	"github.com/lienthong/lienthong/proto/contract"
	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
	"github.com/lienthong/lienthong/proto/mask"
	"github.com/lienthong/lienthong/proto/peer"
	"github.com/lienthong/lienthong/proto/reason"
)

// Short names of states.
const (
	draft      = hubv1.AgreementState_AGREEMENT_STATE_DRAFT
	proposed   = hubv1.AgreementState_AGREEMENT_STATE_PROPOSED
	active     = hubv1.AgreementState_AGREEMENT_STATE_ACTIVE
	suspended  = hubv1.AgreementState_AGREEMENT_STATE_SUSPENDED
	terminated = hubv1.AgreementState_AGREEMENT_STATE_TERMINATED
	refused    = hubv1.AgreementState_AGREEMENT_STATE_REFUSED
	superseded = hubv1.AgreementState_AGREEMENT_STATE_SUPERSEDED
)

// doc reads a document.
func doc(t testing.TB, text string) *hubv1.Agreement {
	d, err := agreement.Parse("sample.yaml", []byte(text))
	require.NoError(t, err)
	return d.Doc
}

// in is the changed sample in a state, with a version of its own.
func in(t testing.TB, version int64, state hubv1.AgreementState, pairs ...string) agreement.Version {
	d := doc(t, edit(t, pairs...))
	d.Version = version
	return agreementtest.Version(d, state)
}

// compiled is a fixture of versions.
func compiled(t testing.TB, suspensions []agreement.Suspension, versions ...agreement.Version) fixture {
	c := catalogtest.Load(t)
	s, err := agreement.Compile(versions, suspensions, c, nil)
	require.NoError(t, err)
	require.Empty(t, s.Broken())
	return fixture{s, c}
}

func TestEachStateRefusesForItsOwnReason(t *testing.T) {
	past := []string{"2026-12-31", "2026-03-31"}
	future := []string{"2026-12-31", "2027-12-31", "2026-01-01", "2027-01-01"}
	for name, c := range map[string]struct {
		versions []agreement.Version
		want     reason.Reason
		version  int64
	}{
		"active":                          {[]agreement.Version{in(t, 1, active)}, "", 1},
		"draft":                           {[]agreement.Version{in(t, 1, draft)}, reason.NoAgreement, 0},
		"refused":                         {[]agreement.Version{in(t, 1, refused)}, reason.NoAgreement, 0},
		"superseded":                      {[]agreement.Version{in(t, 1, superseded)}, reason.NoAgreement, 0},
		"proposed":                        {[]agreement.Version{in(t, 1, proposed)}, reason.AgreementProposed, 1},
		"suspended":                       {[]agreement.Version{in(t, 1, suspended)}, reason.AgreementSuspended, 1},
		"terminated":                      {[]agreement.Version{in(t, 1, terminated)}, reason.AgreementTerminated, 1},
		"expired":                         {[]agreement.Version{in(t, 1, active, past...)}, reason.AgreementExpired, 1},
		"not yet":                         {[]agreement.Version{in(t, 1, active, future...)}, reason.AgreementNotYet, 1},
		"active, and the next proposed":   {[]agreement.Version{in(t, 1, active), in(t, 2, proposed)}, "", 1},
		"expired, and the next proposed":  {[]agreement.Version{in(t, 1, active, past...), in(t, 2, proposed)}, reason.AgreementProposed, 2},
		"suspended, the next proposed":    {[]agreement.Version{in(t, 1, suspended), in(t, 2, proposed)}, reason.AgreementSuspended, 1},
		"terminated, then agreed anew":    {[]agreement.Version{in(t, 1, terminated), in(t, 2, active)}, "", 2},
		"terminated, the next not begun":  {[]agreement.Version{in(t, 1, terminated), in(t, 2, active, future...)}, reason.AgreementNotYet, 2},
		"suspended until it is over":      {[]agreement.Version{in(t, 1, suspended, past...)}, reason.AgreementExpired, 1},
		"proposed until it is over":       {[]agreement.Version{in(t, 1, proposed, past...)}, reason.AgreementExpired, 1},
		"an emergency that is over":       {[]agreement.Version{in(t, 1, active, "provider: G01", "provider: G01\nground: {kind: emergency, decision: 1/QĐ-TTg, expires: 2026-06-30}")}, reason.AgreementExpired, 1},
		"an emergency on its last day":    {[]agreement.Version{in(t, 1, active, "provider: G01", "provider: G01\nground: {kind: emergency, decision: 1/QĐ-TTg, expires: 2026-07-01}")}, "", 1},
		"in another jurisdiction":         {[]agreement.Version{in(t, 1, active, "provider: G01", "provider: H27\njurisdictions: ['42']")}, reason.NoAgreement, 0},
		"a consent that is not named":     {[]agreement.Version{in(t, 1, active, "provider: G01", "provider: G01\nground: {kind: consent}")}, reason.ConsentRequired, 1},
		"a condition that does not hold":  {[]agreement.Version{in(t, 1, active, "provider: G01", "provider: G01\ncondition: caller.province == '08'")}, reason.ConditionNotMet, 1},
		"a condition that holds":          {[]agreement.Version{in(t, 1, active, "provider: G01", "provider: G01\ncondition: caller.province == '42' && caller.purpose == 'HT-KS'")}, "", 1},
		"a condition nobody could decide": {[]agreement.Version{in(t, 1, active, "provider: G01", "provider: G01\ncondition: 1 / size(caller.system) > 0 && int(caller.officer) > 0")}, reason.ConditionNotMet, 1},
	} {
		t.Run(name, func(t *testing.T) {
			f := compiled(t, nil, c.versions...)
			q := f.query(t)
			q.Province, q.Jurisdiction = "42", "vn"
			g, err := f.Admit(q)
			e := f.Explain(q)
			if c.want == "" {
				require.NoError(t, err)
				require.Equal(t, c.version, g.Version)
				require.True(t, e.GetAllowed())
				return
			}
			require.ErrorIs(t, err, c.want)
			var no *agreement.Refusal
			require.ErrorAs(t, err, &no)
			require.Equal(t, c.version, no.Version)
			require.False(t, e.GetAllowed())
			require.Equal(t, string(c.want), e.GetReason())
			last := e.GetSteps()[len(e.GetSteps())-1]
			require.False(t, last.GetPassed())
			require.Contains(t, last.GetFinding(), string(c.want))
		})
	}
}

func TestASuspendedConsumerIsRefusedAtThatProviderAlone(t *testing.T) {
	for name, c := range map[string]struct {
		stop agreement.Suspension
		want reason.Reason
	}{
		"the agency":       {agreement.Suspension{Provider: "G01", Agency: "H27"}, reason.ConsumerSuspended},
		"the system":       {agreement.Suspension{Provider: "G01", Agency: "H27", System: "one-stop"}, reason.ConsumerSuspended},
		"another system":   {agreement.Suspension{Provider: "G01", Agency: "H27", System: "reception"}, ""},
		"another agency":   {agreement.Suspension{Provider: "G01", Agency: "H28"}, ""},
		"another provider": {agreement.Suspension{Provider: "H27", Agency: "H27"}, ""},
	} {
		f := compiled(t, []agreement.Suspension{c.stop}, in(t, 1, active))
		_, err := f.Admit(f.query(t))
		if c.want == "" {
			require.NoError(t, err, name)
		} else {
			require.ErrorIs(t, err, c.want, name)
		}
	}
}

func TestAVersionThatDoesNotFitTheCatalogDecidesNothingAndStopsNoOther(t *testing.T) {
	good, bad := in(t, 1, active), in(t, 1, active, "H27-G01-01", "H27-G01-02", "one-stop, reception", "archive")
	bad.Doc.Methods[0].Fields = []string{"person.shoe_size"}
	s, err := agreement.Compile([]agreement.Version{good, bad}, nil, catalogtest.Load(t), nil)
	require.NoError(t, err)
	require.Len(t, s.All(), 1)
	require.Len(t, s.Broken(), 1)
	require.ErrorContains(t, s.Broken()[0], "H27-G01-02 version 1 decides nothing")
}

// agreements draws some versions of some agreements; none overlap, for each has systems of its own.
func agreements(t *rapid.T, base string) []agreement.Version {
	var all []agreement.Version
	for i := range rapid.IntRange(0, 6).Draw(t, "agreements") {
		text := strings.Replace(base, "one-stop, reception", fmt.Sprintf("s%d", i), 1)
		d, err := agreement.Parse("x.yaml", []byte(strings.Replace(text, "H27-G01-01", fmt.Sprintf("X-%d", i), 1)))
		require.NoError(t, err)
		d.Doc.Version = rapid.Int64Range(1, 3).Draw(t, "version")
		v := agreementtest.Version(d.Doc, rapid.SampledFrom([]hubv1.AgreementState{draft, proposed, active, suspended, terminated}).Draw(t, "state"))
		v.Edition = rapid.Int64Range(1, 3).Draw(t, "edition")*10 + int64(v.State)
		all = append(all, v)
	}
	return all
}

// TestWhatIsCompiledAgainIsWhatIsCompiledAnew goes from state to state, each time from the Set before.
func TestWhatIsCompiledAgainIsWhatIsCompiledAnew(t *testing.T) {
	c := catalogtest.Load(t)
	m := catalogtest.Method(t, c, catalogtest.GetPerson)
	rapid.Check(t, func(t *rapid.T) {
		var s *agreement.Set
		for range rapid.IntRange(1, 5).Draw(t, "rounds") {
			versions := agreements(t, sample)
			next, err := agreement.Compile(versions, nil, c, s)
			require.NoError(t, err)
			cold, err := agreement.Compile(versions, nil, c, nil)
			require.NoError(t, err)
			require.Len(t, next.All(), len(cold.All()))
			for i := range 8 {
				q := agreement.Query{
					Consumer: peer.ID{Agency: "H27", System: fmt.Sprintf("s%d", i)}, Method: m, Provider: peer.ID{Agency: "G01"},
					Purpose: "HT-KS", Case: "1", Officer: "a", Now: summer,
				}
				g, err := next.Admit(q)
				want, wantErr := cold.Admit(q)
				require.Equal(t, wantErr == nil, err == nil)
				if err == nil {
					require.Equal(t, want.Version, g.Version)
					require.Equal(t, want.Fields, g.Fields)
				} else {
					require.Equal(t, wantErr.Error(), err.Error())
				}
			}
			s = next
		}
	})
}

func TestExplainSaysWhatAdmitDecides(t *testing.T) {
	f := compiled(t, nil, in(t, 1, active, "provider: G01", "provider: G01\ncase_required: true\nofficer_required: true\ncondition: caller.province == '42'"))
	asked := f.query(t)
	rapid.Check(t, func(t *rapid.T) {
		q := asked
		pick := func(label string, of ...string) string { return rapid.SampledFrom(of).Draw(t, label) }
		q.Purpose = pick("purpose", "HT-KS", "CT-TT", "XX", "")
		q.Case, q.Officer = pick("case", "", "1"), pick("officer", "", "a")
		q.Province = pick("province", "42", "08")
		q.Fields = pick("fields", "", "person.name", "person.religion", "shoe", "person.name,person.religion")
		q.Consumer.System = pick("system", "one-stop", "archive")
		g, err := f.Admit(q)
		e := f.Explain(q)
		require.Equal(t, err == nil, e.GetAllowed())
		var released []string
		for _, field := range e.GetFields() {
			if field.GetReleased() {
				released = append(released, field.GetPath())
			}
		}
		if err != nil {
			require.Equal(t, string(reason.Of(err).Reason), e.GetReason())
			require.Empty(t, released)
			return
		}
		slices.Sort(released)
		require.Equal(t, g.Fields, strings.Join(released, ","))
		require.Len(t, e.GetSteps(), 10)
	})
}

func TestExplainNamesWhyEachFieldIsWithheld(t *testing.T) {
	f := load(t, sample)
	q := f.query(t)
	q.Fields = "person.birth_date,person.religion"
	why := map[string]string{}
	for _, field := range f.Explain(q).GetFields() {
		why[field.GetPath()] = field.GetWhy()
	}
	require.Equal(t, "agreed", why["person.birth_date"])
	require.Equal(t, "sensitive: not named", why["person.religion"])
	require.Equal(t, "not asked for", why["person.name.full"])
	require.Equal(t, "not agreed", why["person.sex"])
	require.Equal(t, "result", why["result.code"])
}

// TestNoUnlistedFieldEverPasses makes 10,000 random agreements and answers with a canary in every field.
func TestNoUnlistedFieldEverPasses(t *testing.T) {
	c := catalogtest.Load(t)
	m := catalogtest.Method(t, c, catalogtest.GetPerson)
	base := doc(t, sample)
	base.Methods = base.Methods[:1]
	var leaves []string
	for _, l := range contract.Leaves(m.Output) {
		if !strings.HasPrefix(l.Path, "result.") {
			leaves = append(leaves, l.Path)
		}
	}
	random := rand.New(rand.NewPCG(1, 2))
	for range 10_000 {
		d := proto.CloneOf(base)
		random.Shuffle(len(leaves), func(i, j int) { leaves[i], leaves[j] = leaves[j], leaves[i] })
		d.Methods[0].Fields = slices.Clone(leaves[:1+random.IntN(len(leaves))])
		s, err := agreement.Compile([]agreement.Version{agreementtest.Version(d, active)}, nil, c, nil)
		require.NoError(t, err)
		g, err := s.Admit(fixture{s, c}.query(t))
		require.NoError(t, err)
		answer, err := proto.Marshal(canaries(m, random))
		require.NoError(t, err)
		released, err := g.Mask.Append(nil, answer)
		require.NoError(t, err)
		out := dynamicpb.NewMessage(m.Output)
		require.NoError(t, proto.Unmarshal(released, out))
		paths := map[string]bool{}
		set(out, "", paths)
		for path := range paths {
			require.True(t, strings.HasPrefix(path, "result.") || slices.Contains(d.Methods[0].Fields, path), "%s leaked", path)
		}
		at, err := mask.Compile(m.Output, strings.Split(g.Fields, ","))
		require.NoError(t, err)
		again, err := at.Append(nil, answer)
		require.NoError(t, err)
		require.Equal(t, released, again, "the mask at the registry and at the gateway")
	}
}

// canaries is an answer with something in every field, lists of some length, and fields that nobody knows.
func canaries(m *catalog.Method, random *rand.Rand) *dynamicpb.Message {
	out := dynamicpb.NewMessage(m.Output)
	grow(out, random)
	out.SetUnknown(protoreflect.RawFields{0xfa, 0x7f, 6, 'C', 'A', 'N', 'A', 'R', 'Y'}) // field 2047
	return out
}

func grow(m protoreflect.Message, random *rand.Rand) {
	for i := range m.Descriptor().Fields().Len() {
		f := m.Descriptor().Fields().Get(i)
		switch {
		case f.IsList():
			for range 1 + random.IntN(3) {
				grow(m.Mutable(f).List().AppendMutable().Message(), random)
			}
		case f.Message() != nil:
			grow(m.Mutable(f).Message(), random)
		case f.Kind() == protoreflect.EnumKind:
			m.Set(f, protoreflect.ValueOfEnum(1))
		case f.Kind() == protoreflect.Int64Kind:
			m.Set(f, protoreflect.ValueOfInt64(random.Int64()|1))
		default:
			m.Set(f, protoreflect.ValueOfString("CANARY"))
		}
	}
}

// set lists the leaf paths that are set.
func set(m protoreflect.Message, prefix string, paths map[string]bool) {
	if len(m.GetUnknown()) > 0 {
		paths[prefix+"unknown"] = true
	}
	m.Range(func(f protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		path := prefix + string(f.Name())
		switch {
		case f.IsList():
			for i := range v.List().Len() {
				set(v.List().Get(i).Message(), path+".", paths)
			}
		case f.Message() != nil:
			set(v.Message(), path+".", paths)
		default:
			paths[path] = true
		}
		return true
	})
}

func TestLimitsAndDataLifeComeWithTheGrant(t *testing.T) {
	f := compiled(t, nil, in(t, 1, active, "provider: G01", "provider: G01\nquota: {per_second: 5, per_day: 100, per_officer_per_day: 10}\nfrequency: {times: 3, hours: 24}\ndata_life_days: 30\nanswer_condition: answer.result.code == 1",
		sample[index("  - name: RegisterParcel"):], ""))
	g, err := f.Admit(f.query(t))
	require.NoError(t, err)
	require.Equal(t, &agreement.Limits{Agreement: "H27-G01-01", PerSecond: 5, PerDay: 100, PerOfficerPerDay: 10, Times: 3, Within: 24 * time.Hour}, g.Limits)
	require.Equal(t, 30*24*time.Hour, g.DataLife)
	require.Equal(t, "answer.result.code == 1", g.AnswerCondition)
	again, err := f.Admit(f.query(t))
	require.NoError(t, err)
	require.Same(t, g.Limits, again.Limits)
	plain, err := load(t, sample).Admit(f.query(t))
	require.Error(t, err, "another catalog")
	require.Nil(t, plain)
}

func TestConflictsAreFoundBeforeAnythingIsInForce(t *testing.T) {
	c := catalogtest.Load(t)
	other := func(pairs ...string) *hubv1.Agreement {
		return doc(t, edit(t, append([]string{"H27-G01-01", "H27-G01-02"}, pairs...)...))
	}
	found := agreement.Conflicts([]*hubv1.Agreement{doc(t, sample), other()}, c)
	require.Len(t, found, 1)
	require.Equal(t, 1, found[0].Document)
	require.Contains(t, found[0].Text, "H27-G01-02 overlaps H27-G01-01: by both, H27/one-stop may call sample.v1.PeopleService/GetPerson for purpose CT-TT at one time")
	for _, free := range [][]string{
		{"one-stop, reception", "archive"}, {"HT-KS", "HT-KT", "CT-TT", "CT-XT"}, {"provider: G01", "provider: H27"},
		{"2026-12-31", "2027-12-31", "2026-01-01", "2027-01-01"}, {"agency: H27", "agency: H28"},
	} {
		require.Empty(t, agreement.Conflicts([]*hubv1.Agreement{doc(t, sample), other(free...)}, c), free)
	}
}
