package contract_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	"github.com/lienthong/lienthong/proto/contract"
	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
	specimenv1 "github.com/lienthong/lienthong/proto/internal/specimen/v1"
)

func marshal(t testing.TB, m proto.Message) []byte {
	t.Helper()
	b, err := proto.Marshal(m)
	require.NoError(t, err)
	return b
}

func count(t *testing.T, m proto.Message) contract.Tally {
	t.Helper()
	var tally contract.Tally
	require.NoError(t, contract.CompileCensus(m.ProtoReflect().Descriptor()).Count(marshal(t, m), &tally))
	return tally
}

func personal(ids ...string) []contract.Subject {
	var out []contract.Subject
	for _, id := range ids {
		out = append(out, contract.Subject{Kind: hubv1.Subject_SUBJECT_PERSONAL_ID, Value: id})
	}
	return out
}

func person(id string) *specimenv1.Person {
	return &specimenv1.Person{PersonalId: id, BirthDate: "1987"}
}

func result(c hubv1.Result_Code) *hubv1.Result { return &hubv1.Result{Code: c} }

func TestEveryLabelledNumberIsFound(t *testing.T) {
	tests := map[string]struct {
		message proto.Message
		want    []contract.Subject
	}{
		"none":                                  {&specimenv1.AskResponse{Meant: &specimenv1.AskResponse_Word{Word: "042187001234"}}, nil},
		"at the top":                            {&specimenv1.AskRequest{PersonalId: "a"}, personal("a")},
		"in a message":                          {&specimenv1.AskResponse{Person: person("a")}, personal("a")},
		"in a list":                             {&specimenv1.AskResponse{Items: []*specimenv1.Item{{Person: person("a")}, {Person: person("b")}}}, personal("a", "b")},
		"in a oneof":                            {&specimenv1.AskResponse{Meant: &specimenv1.AskResponse_Other{Other: person("a")}}, personal("a")},
		"far away":                              {&specimenv1.AskResponse{Distant: person("a")}, personal("a")},
		"map key, value":                        {&specimenv1.AskResponse{ById: map[string]*specimenv1.Person{"a": person("b")}}, personal("a", "b")},
		"map key alone":                         {&specimenv1.AskResponse{ById: map[string]*specimenv1.Person{"a": {}}}, personal("a")},
		"map key alone in a message":            {&specimenv1.AskResponse{Health: &specimenv1.Health{Donors: map[string]string{"a": "b"}}}, personal("a")},
		"in a message that has none of its own": {&specimenv1.AskResponse{Box: &specimenv1.Box{Keeper: person("a")}}, personal("a")},
		"each once":                             {&specimenv1.AskResponse{Person: person("a"), Distant: person("a")}, personal("a")},
		"empty is none":                         {&specimenv1.AskResponse{Person: person("")}, nil},
		"in a tree": {
			&specimenv1.AskResponse{Tree: &specimenv1.Tree{Left: &specimenv1.Tree{More: []*specimenv1.Tree{{Named: map[string]*specimenv1.Tree{"x": {PersonalId: "a"}}}}}}},
			personal("a"),
		},
		"old numbers": {
			&specimenv1.AskRequest{OldIds: []string{"1", "2"}},
			[]contract.Subject{{Kind: hubv1.Subject_SUBJECT_OLD_ID, Value: "1"}, {Kind: hubv1.Subject_SUBJECT_OLD_ID, Value: "2"}},
		},
		"map value": {
			&specimenv1.AskResponse{Insurance: map[int32]string{2025: "1"}},
			[]contract.Subject{{Kind: hubv1.Subject_SUBJECT_INSURANCE_NUMBER, Value: "1"}},
		},
		"same digits, another kind": {
			&specimenv1.AskResponse{Person: &specimenv1.Person{PersonalId: "1", CardNumber: "1"}},
			[]contract.Subject{{Kind: hubv1.Subject_SUBJECT_PERSONAL_ID, Value: "1"}, {Kind: hubv1.Subject_SUBJECT_CARD_NUMBER, Value: "1"}},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) { require.Equal(t, tt.want, count(t, tt.message).Subjects) })
	}
}

func TestResultsAreCounted(t *testing.T) {
	one := func(c hubv1.Result_Code) *specimenv1.Item { return &specimenv1.Item{Result: result(c)} }
	tests := map[string]struct {
		message         proto.Message
		matched, missed int
	}{
		"found":                       {&specimenv1.AskResponse{Result: result(hubv1.Result_FOUND)}, 1, 0},
		"dead":                        {&specimenv1.AskResponse{Result: result(hubv1.Result_DECEASED)}, 1, 0},
		"several":                     {&specimenv1.AskResponse{Result: result(hubv1.Result_MULTIPLE)}, 1, 0},
		"wrong":                       {&specimenv1.AskResponse{Result: result(hubv1.Result_WRONG)}, 1, 0},
		"partial":                     {&specimenv1.AskResponse{Result: result(hubv1.Result_PARTIAL)}, 1, 0},
		"not found":                   {&specimenv1.AskResponse{Result: result(hubv1.Result_NO_MATCH)}, 0, 1},
		"not digitised":               {&specimenv1.AskResponse{Result: result(hubv1.Result_MISSING)}, 0, 0},
		"not set, which means found":  {&specimenv1.AskResponse{Result: result(0)}, 1, 0},
		"no result, which means that": {&specimenv1.AskResponse{}, 1, 0},
		"a question has none":         {&specimenv1.AskRequest{PersonalId: "a"}, 0, 0},
		"items count instead": {&specimenv1.AskResponse{Result: result(hubv1.Result_PARTIAL), Items: []*specimenv1.Item{
			one(hubv1.Result_FOUND), one(hubv1.Result_NO_MATCH), one(hubv1.Result_NO_MATCH), one(hubv1.Result_MISSING), one(0),
		}}, 2, 2},
		"items without results do not": {&specimenv1.AskResponse{Result: result(hubv1.Result_NO_MATCH), Items: []*specimenv1.Item{{}, {}}}, 0, 1},
		"items all not digitised":      {&specimenv1.AskResponse{Result: result(hubv1.Result_FOUND), Items: []*specimenv1.Item{one(hubv1.Result_MISSING)}}, 0, 0},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			tally := count(t, tt.message)
			require.Equal(t, [2]int{tt.matched, tt.missed}, [2]int{tally.Matched, tally.Missed})
		})
	}
}

func TestOneTallyTakesQuestionAndAnswer(t *testing.T) {
	var tally contract.Tally
	q, a := &specimenv1.AskRequest{PersonalId: "a"}, &specimenv1.AskResponse{Person: person("a"), Distant: person("b")}
	require.NoError(t, contract.CompileCensus(q.ProtoReflect().Descriptor()).Count(marshal(t, q), &tally))
	require.NoError(t, contract.CompileCensus(a.ProtoReflect().Descriptor()).Count(marshal(t, a), &tally))
	require.Equal(t, personal("a", "b"), tally.Subjects)
	require.Equal(t, 1, tally.Matched)
}

func TestACensusOfADescriptorBuiltAtRunTimeIsTheSame(t *testing.T) {
	m := &specimenv1.AskResponse{Person: person("a"), ById: map[string]*specimenv1.Person{"c": person("d")}, Result: result(hubv1.Result_NO_MATCH)}
	built := service(t, published(t, new(protoregistry.Types))).Methods().ByName("Ask").Output()
	var tally contract.Tally
	require.NoError(t, contract.CompileCensus(built).Count(marshal(t, m), &tally))
	require.Equal(t, count(t, m), tally)
}

func TestMoreSubjectsThanATallyHoldsAreRefused(t *testing.T) {
	of := func(n int) *specimenv1.AskRequest {
		q := question()
		for i := range n {
			q.OldIds = append(q.OldIds, fmt.Sprintf("%09d", i), fmt.Sprintf("%09d", i/2))
		}
		return q
	}
	require.Len(t, count(t, of(contract.MaxSubjects)).Subjects, contract.MaxSubjects)
	c := contract.CompileCensus(question().ProtoReflect().Descriptor())
	require.ErrorIs(t, c.Count(marshal(t, of(contract.MaxSubjects+1)), new(contract.Tally)), contract.ErrSubjects)
	long := &specimenv1.AskRequest{PersonalId: strings.Repeat("1", contract.MaxSubject)}
	require.Len(t, count(t, long).Subjects, 1)
	long.PersonalId += "1"
	require.ErrorIs(t, c.Count(marshal(t, long), new(contract.Tally)), contract.ErrSubjects)
}

func TestNestingOverThirtyTwoIsNotCounted(t *testing.T) {
	nest := func(levels int, around func(*specimenv1.Tree) *specimenv1.Tree) *specimenv1.AskResponse {
		tree := &specimenv1.Tree{PersonalId: "a"}
		for range levels - 1 {
			tree = around(tree)
		}
		return &specimenv1.AskResponse{Tree: tree}
	}
	c := contract.CompileCensus(answer())
	for name, around := range map[string]func(*specimenv1.Tree) *specimenv1.Tree{
		"message": func(t *specimenv1.Tree) *specimenv1.Tree { return &specimenv1.Tree{Left: t} },
		"list":    func(t *specimenv1.Tree) *specimenv1.Tree { return &specimenv1.Tree{More: []*specimenv1.Tree{t}} },
		"map": func(t *specimenv1.Tree) *specimenv1.Tree {
			return &specimenv1.Tree{Named: map[string]*specimenv1.Tree{"k": t}}
		},
	} {
		require.Equal(t, personal("a"), count(t, nest(32, around)).Subjects, name)
		require.ErrorIs(t, c.Count(marshal(t, nest(33, around)), new(contract.Tally)), contract.ErrDepth, name)
	}
}

func TestMalformedMessagesAreNotCounted(t *testing.T) {
	c := contract.CompileCensus(answer())
	for _, wire := range []string{"\x12", "\x12\x05ab", "\x00\x00", "\x0c", "\x12\x02\x0a\x05", "\x0a\x01\x08", "\x07"} {
		require.ErrorIs(t, c.Count([]byte(wire), new(contract.Tally)), contract.ErrMalformed, "%q", wire)
	}
}

func TestTheTopLevelResultIsRead(t *testing.T) {
	c := contract.CompileCensus(answer())
	want := &hubv1.Result{Code: hubv1.Result_MISSING, Next: hubv1.Result_ASK_PAPER}
	got, ok := c.Result(marshal(t, &specimenv1.AskResponse{Result: want, Person: person("a")}))
	require.True(t, ok)
	require.True(t, proto.Equal(want, got))

	got, ok = c.Result(nil)
	require.True(t, ok)
	require.True(t, proto.Equal(new(hubv1.Result), got))

	_, ok = c.Result([]byte{0x0a, 5})
	require.False(t, ok)
	_, ok = contract.CompileCensus(question().ProtoReflect().Descriptor()).Result(nil)
	require.False(t, ok)
}

func TestAnAppendedResultMerges(t *testing.T) {
	c := contract.CompileCensus(answer())
	wire := marshal(t, &specimenv1.AskResponse{Result: result(hubv1.Result_NO_MATCH), Person: person("a")})
	wire = c.AppendResult(wire, &hubv1.Result{Next: hubv1.Result_CHECK_INPUT})
	got := new(specimenv1.AskResponse)
	require.NoError(t, proto.Unmarshal(wire, got))
	want := &specimenv1.AskResponse{Result: &hubv1.Result{Code: hubv1.Result_NO_MATCH, Next: hubv1.Result_CHECK_INPUT}, Person: person("a")}
	require.True(t, proto.Equal(want, got), "%v", got)
	read, ok := c.Result(wire)
	require.True(t, ok)
	require.True(t, proto.Equal(want.Result, read))
}

// named collects by reflection what a census should find: labelled text, in any message.
func named(m protoreflect.Message, out map[contract.Subject]bool) {
	take := func(kind hubv1.Subject, v protoreflect.Value) {
		if s, ok := v.Interface().(string); ok && s != "" && kind != 0 {
			out[contract.Subject{Kind: kind, Value: s}] = true
		}
		if inner, ok := v.Interface().(protoreflect.Message); ok {
			named(inner, out)
		}
	}
	m.Range(func(fd protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		p := contract.Field(fd)
		switch {
		case fd.IsMap():
			v.Map().Range(func(k protoreflect.MapKey, v protoreflect.Value) bool {
				take(p.GetSubjectKey(), k.Value())
				take(p.GetSubject(), v)
				return true
			})
		case fd.IsList():
			for i := range v.List().Len() {
				take(p.GetSubject(), v.List().Get(i))
			}
		default:
			take(p.GetSubject(), v)
		}
		return true
	})
}

func FuzzCensus(f *testing.F) {
	f.Add(marshal(f, &specimenv1.AskResponse{Result: result(hubv1.Result_NO_MATCH), Person: person("a"), Distant: person("b")}))
	f.Add(marshal(f, &specimenv1.AskResponse{Items: []*specimenv1.Item{{Result: result(1), Person: person("a")}, {Result: result(2)}}}))
	f.Add(marshal(f, &specimenv1.AskResponse{ById: map[string]*specimenv1.Person{"a": person("b")}, Insurance: map[int32]string{1: "c"}}))
	f.Add(marshal(f, &specimenv1.AskResponse{Tree: &specimenv1.Tree{Left: &specimenv1.Tree{PersonalId: "a"}, Named: map[string]*specimenv1.Tree{"x": {PersonalId: "b"}}}}))
	f.Add([]byte("\x12\x02\x0a\x05"))
	f.Add([]byte("\x0b\x13\x14\x0c"))
	c := contract.CompileCensus(answer())
	f.Fuzz(func(t *testing.T, wire []byte) {
		var tally contract.Tally
		err := c.Count(wire, &tally)
		m := new(specimenv1.AskResponse)
		if proto.Unmarshal(wire, m) != nil || err != nil {
			return
		}
		want := map[contract.Subject]bool{}
		named(m.ProtoReflect(), want)
		for s := range want {
			require.Contains(t, tally.Subjects, s)
		}
		require.LessOrEqual(t, len(tally.Subjects), contract.MaxSubjects)
		if r, ok := c.Result(wire); ok && m.Result != nil {
			require.Equal(t, m.Result.Code, r.Code)
			require.Equal(t, m.Result.Next, r.Next)
		}
	})
}

func BenchmarkCensus(b *testing.B) {
	wire := marshal(b, &specimenv1.AskResponse{Result: result(1), Person: person("042187001234"), Distant: person("042187001235")})
	c := contract.CompileCensus(answer())
	b.ReportAllocs()
	for b.Loop() {
		var tally contract.Tally
		if err := c.Count(wire, &tally); err != nil {
			b.Fatal(err)
		}
	}
}
