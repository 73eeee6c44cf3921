package condition_test

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/dynamicpb"
	"pgregory.net/rapid"

	"github.com/lienthong/lienthong/proto/condition"
	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
	populationv1 "github.com/lienthong/lienthong/proto/registry/population/v1"
)

var (
	question = new(populationv1.BatchVerifyRequest).ProtoReflect().Descriptor()
	residing = new(populationv1.GetResidenceRequest).ProtoReflect().Descriptor()
	resident = new(populationv1.GetResidenceResponse).ProtoReflect().Descriptor()
)

var desk = condition.Caller{Agency: "H27", System: "one-stop", Province: "42", Officer: "an.nv", Case: "H27-1", Purpose: "CT-TT"}

// noon is a moment at noon in Hà Nội.
var noon = time.Date(2026, 7, 1, 5, 0, 0, 0, time.UTC)

func bytesOf(t testing.TB, m proto.Message) []byte {
	raw, err := proto.Marshal(m)
	require.NoError(t, err)
	return raw
}

// asked is a question, and the whole answer to it.
func asked(t testing.TB, province string) condition.Facts {
	return condition.Facts{
		Caller: desk, Now: noon,
		Request: bytesOf(t, &populationv1.GetResidenceRequest{PersonalId: "042187001234"}),
		Answer: bytesOf(t, &populationv1.GetResidenceResponse{
			Result:    &hubv1.Result{Code: hubv1.Result_FOUND},
			Permanent: &hubv1.Address{CodeSystem: hubv1.CodeSystem_CODE_SYSTEM_GSO_2025, ProvinceCode: province},
		}),
	}
}

func TestAConditionIsDecidedOnQuestionAndCaller(t *testing.T) {
	for text, want := range map[string]bool{
		`true`:                                  true,
		`false`:                                 false,
		`request.personal_id == '042187001234'`: true,
		`request.personal_id.startsWith('042')`: true,
		`request.personal_id.matches('^[0-9]{12}$')`:                    true,
		`has(request.personal_id)`:                                      true,
		`has(request.full_name)`:                                        false,
		`request.full_name == ''`:                                       true,
		`caller.agency == 'H27' && caller.province == '42'`:             true,
		`caller.system in ['one-stop', 'reception']`:                    true,
		`caller.officer != '' && caller.case.startsWith(caller.agency)`: true,
		`caller.purpose == 'HT-KS'`:                                     false,
		`now.getHours('+07:00') == 12`:                                  true,
		`now < timestamp('2026-01-01T00:00:00Z')`:                       false,
		`size(request.personal_id) == 12`:                               true,
	} {
		c, err := condition.CompileQuestion(text, residing)
		require.NoError(t, err, text)
		got, err := c.Holds(asked(t, "42"))
		require.NoError(t, err, text)
		require.Equal(t, want, got, text)
		require.Equal(t, text, c.Text())
	}
}

func TestAConditionOnTheAnswerSeesAllOfIt(t *testing.T) {
	for text, want := range map[string]bool{
		`answer.permanent.province_code == caller.province`:              true,
		`answer.permanent.province_code == '08'`:                         false,
		`answer.result.code == hub.v1.Result.Code.FOUND`:                 true,
		`has(answer.temporary)`:                                          false,
		`has(answer.permanent)`:                                          true,
		`answer.temporary.province_code == ''`:                           true,
		`answer.permanent.code_system == 2 && request.personal_id != ''`: true,
	} {
		c, err := condition.CompileAnswer(text, residing, resident)
		require.NoError(t, err, text)
		got, err := c.Holds(asked(t, "42"))
		require.NoError(t, err, text)
		require.Equal(t, want, got, text)
	}
	c, err := condition.CompileAnswer(`answer.permanent.province_code == caller.province`, residing, resident)
	require.NoError(t, err)
	got, err := c.Holds(asked(t, "08"))
	require.NoError(t, err)
	require.False(t, got)
}

func TestListsAreLoopedOver(t *testing.T) {
	c, err := condition.CompileQuestion(`request.people.all(p, p.personal_id.startsWith('042')) && size(request.people) <= 2`, question)
	require.NoError(t, err)
	ask := func(numbers ...string) bool {
		request := new(populationv1.BatchVerifyRequest)
		for _, n := range numbers {
			request.People = append(request.People, &populationv1.VerifyIdentityRequest{PersonalId: n})
		}
		held, err := c.Holds(condition.Facts{Now: noon, Request: bytesOf(t, request)})
		require.NoError(t, err)
		return held
	}
	require.True(t, ask())
	require.True(t, ask("042187001234", "042187001235"))
	require.False(t, ask("042187001234", "001187001235"))
	require.False(t, ask("042187001234", "042187001235", "042187001236"))
}

func TestTheFieldsThatAreReadAreNamed(t *testing.T) {
	c, err := condition.CompileAnswer(`answer.permanent.province_code == caller.province || has(request.personal_id) && now > timestamp(0)`, residing, resident)
	require.NoError(t, err)
	require.Equal(t, []string{"answer.permanent.province_code", "personal_id"}, c.Fields())
}

func TestAnExpressionThatIsNoConditionIsRefusedWithItsPlace(t *testing.T) {
	for text, want := range map[string]string{
		``:                                       "the condition is empty",
		`   `:                                    "the condition is empty",
		`request.`:                               "1:9: ",
		`request.shoe_size == ''`:                "1:8: undefined field 'shoe_size'",
		`request.personal_id`:                    "of type string",
		`request.personal_id == 42`:              "1:21: found no matching overload",
		`caller.name == 'an'`:                    "undeclared reference to 'caller.name'",
		`answer.permanent.province_code == '42'`: "1:1: undeclared reference to 'answer'",
		`person == ''`:                           "undeclared reference to 'person'",
		"true &&\n request.x == ''":              "2:9: undefined field 'x'",
		`1`:                                      "of type int",
		`request.personal_id.matches(caller.case)`:                                "a pattern that is not written out",
		`request.personal_id.matches('` + strings.Repeat("a", 300) + `')`:         "a pattern of 300 bytes",
		`registry.population.v1.GetResidenceRequest{personal_id: 'x'} == request`: "makes no messages",
		`'` + strings.Repeat("a", 3000) + `' == ''`:                               "expected 2048 at most",
		`[1,2].all(x, [1,2].all(y, x == y))`:                                      "a loop inside a loop",
	} {
		_, err := condition.CompileQuestion(text, residing)
		require.ErrorContains(t, err, want, text)
	}
}

func TestAMessageThatCannotBeReadMeetsNoCondition(t *testing.T) {
	c, err := condition.CompileQuestion(`request.personal_id != '042187009999'`, residing)
	require.NoError(t, err)
	for name, raw := range map[string][]byte{
		"cut off":      {0x0a, 12, '0'},
		"another type": {0x08, 1},
		"no tag":       {0xff},
	} {
		held, err := c.Holds(condition.Facts{Now: noon, Request: raw})
		require.Error(t, err, name)
		require.False(t, held, name)
	}
}

func TestNoErrorRepeatsWhatWasAsked(t *testing.T) {
	c, err := condition.CompileQuestion(`int(request.personal_id) > 0 && 1 / size(request.full_name) > 0`, residing)
	require.NoError(t, err)
	held, err := c.Holds(condition.Facts{Now: noon, Request: bytesOf(t, &populationv1.GetResidenceRequest{PersonalId: "CANARY"})})
	require.Error(t, err)
	require.False(t, held)
	require.NotContains(t, err.Error(), "CANARY")
}

// hostile are expressions that would keep a hub busy, or break it.
func hostile() (all []string) {
	for n := range 40 {
		all = append(all,
			strings.Repeat("(", n*40)+"true"+strings.Repeat(")", n*40),
			strings.Repeat("!", n*50)+"true",
			strings.Repeat("request.people.all(p, ", n+2)+"true"+strings.Repeat(")", n+2),
			"request.people.map(p, "+strings.Repeat("p.full_name + ", n*3)+"p.full_name).exists(x, x == 'a')",
			"request.people.exists(p, p.full_name.matches('"+strings.Repeat("(a*)*", n+1)+"'))",
		)
	}
	return append(all, "\x00", "'\xff' == ''", "request.people.map(p, request.people).size() > 0", "[1]*1000000 == []",
		"'a'.matches('(') ", "duration('1000000h') > duration('1s')", "timestamp('x') == now", strings.Repeat("true||", 300)+"true")
}

const people = 1000

// crowd is a question about that many people.
func crowd(t *testing.T) condition.Facts {
	request := new(populationv1.BatchVerifyRequest)
	for i := range people {
		request.People = append(request.People, &populationv1.VerifyIdentityRequest{PersonalId: fmt.Sprintf("%012d", i), FullName: strings.Repeat("a", 100)})
	}
	return condition.Facts{Caller: desk, Now: noon, Request: bytesOf(t, request)}
}

func TestHostileExpressionsAreRefusedOrStopped(t *testing.T) {
	facts := crowd(t)
	all := hostile()
	require.GreaterOrEqual(t, len(all), 100)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for _, text := range all {
		began := time.Now()
		if c, err := condition.CompileQuestion(text, question); err == nil {
			_, _ = c.Holds(facts)
		}
		require.Less(t, time.Since(began), 2*time.Second, "%.80q: a hundred times what is allowed, on a busy machine", text)
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	require.Less(t, int64(after.HeapAlloc)-int64(before.HeapAlloc), int64(64<<20))
}

// anyScalar is a contract with every kind of field, described at run time alone.
func anyScalar(t testing.TB) protoreflect.MessageDescriptor {
	kinds := []descriptorpb.FieldDescriptorProto_Type{
		descriptorpb.FieldDescriptorProto_TYPE_INT32, descriptorpb.FieldDescriptorProto_TYPE_INT64,
		descriptorpb.FieldDescriptorProto_TYPE_UINT32, descriptorpb.FieldDescriptorProto_TYPE_UINT64,
		descriptorpb.FieldDescriptorProto_TYPE_SINT32, descriptorpb.FieldDescriptorProto_TYPE_SINT64,
		descriptorpb.FieldDescriptorProto_TYPE_FIXED32, descriptorpb.FieldDescriptorProto_TYPE_FIXED64,
		descriptorpb.FieldDescriptorProto_TYPE_SFIXED32, descriptorpb.FieldDescriptorProto_TYPE_SFIXED64,
		descriptorpb.FieldDescriptorProto_TYPE_BOOL, descriptorpb.FieldDescriptorProto_TYPE_STRING,
	}
	m := &descriptorpb.DescriptorProto{Name: proto.String("Any")}
	for i, kind := range kinds {
		for j, label := range []descriptorpb.FieldDescriptorProto_Label{
			descriptorpb.FieldDescriptorProto_LABEL_OPTIONAL, descriptorpb.FieldDescriptorProto_LABEL_REPEATED,
		} {
			m.Field = append(m.Field, &descriptorpb.FieldDescriptorProto{
				Name: proto.String(fmt.Sprintf("%s%d", []string{"f", "l"}[j], i)), Number: proto.Int32(int32(1 + 2*i + j)), Type: kind.Enum(), Label: label.Enum(),
			})
		}
	}
	f, err := protodesc.NewFile(&descriptorpb.FileDescriptorProto{
		Name: proto.String("any.proto"), Package: proto.String("any"), Syntax: proto.String("proto3"), MessageType: []*descriptorpb.DescriptorProto{m},
	}, protoregistry.GlobalFiles)
	require.NoError(t, err)
	return f.Messages().Get(0)
}

// TestFieldsAreReadAsProtobufReadsThem compares the own reading of the wire with the library's, for every kind.
func TestFieldsAreReadAsProtobufReadsThem(t *testing.T) {
	md := anyScalar(t)
	rapid.Check(t, func(t *rapid.T) {
		m := dynamicpb.NewMessage(md)
		fd := md.Fields().Get(rapid.IntRange(0, md.Fields().Len()-1).Draw(t, "field"))
		value := func() protoreflect.Value { return draw(t, fd) }
		if fd.IsList() {
			list := m.Mutable(fd).List()
			for range rapid.IntRange(0, 4).Draw(t, "items") {
				list.Append(value())
			}
		} else {
			m.Set(fd, value())
		}
		raw, err := proto.Marshal(m)
		require.NoError(t, err)
		same := fmt.Sprintf("request.%s == %s && has(request.%s) == %t", fd.Name(), literal(fd, m.Get(fd)), fd.Name(), m.Has(fd))
		for _, text := range []string{same, "[1, 2].all(n, " + same + ")"} {
			c, err := condition.CompileQuestion(text, md)
			require.NoError(t, err, text)
			held, err := c.Holds(condition.Facts{Now: noon, Request: raw})
			require.NoError(t, err, text)
			require.True(t, held, text)
		}
	})
}

func TestAListThatIsSentEmptyIsNotSet(t *testing.T) {
	c, err := condition.CompileQuestion("has(request.l0)", anyScalar(t))
	require.NoError(t, err)
	held, err := c.Holds(condition.Facts{Now: noon, Request: []byte{2<<3 | 2, 0}}) // packed, of no bytes
	require.NoError(t, err)
	require.False(t, held)
}

func TestALoopReadsAFieldOnce(t *testing.T) {
	facts := crowd(t)
	c, err := condition.CompileQuestion("request.people.all(p, size(request.people) > 1 && has(request.people))", question)
	require.NoError(t, err)
	made := testing.AllocsPerRun(5, func() {
		held, err := c.Holds(facts)
		require.NoError(t, err)
		require.True(t, held)
	})
	require.Less(t, made, float64(100*people), "a view of each person, and some steps each; not a view of each for each")
}

func draw(t *rapid.T, fd protoreflect.FieldDescriptor) protoreflect.Value {
	switch fd.Kind() {
	case protoreflect.BoolKind:
		return protoreflect.ValueOfBool(rapid.Bool().Draw(t, "value"))
	case protoreflect.StringKind:
		return protoreflect.ValueOfString(rapid.StringMatching(`[a-zA-ZÀ-ỹ ]{0,20}`).Draw(t, "value"))
	case protoreflect.Int32Kind, protoreflect.Sint32Kind, protoreflect.Sfixed32Kind:
		return protoreflect.ValueOfInt32(rapid.Int32().Draw(t, "value"))
	case protoreflect.Int64Kind, protoreflect.Sint64Kind, protoreflect.Sfixed64Kind:
		return protoreflect.ValueOfInt64(rapid.Int64Min(-1<<62).Draw(t, "value"))
	case protoreflect.Uint32Kind, protoreflect.Fixed32Kind:
		return protoreflect.ValueOfUint32(rapid.Uint32().Draw(t, "value"))
	}
	return protoreflect.ValueOfUint64(rapid.Uint64().Draw(t, "value"))
}

func literal(fd protoreflect.FieldDescriptor, v protoreflect.Value) string {
	if list, ok := v.Interface().(protoreflect.List); ok {
		var items []string
		for i := range list.Len() {
			items = append(items, literal(fd, list.Get(i)))
		}
		return "[" + strings.Join(items, ", ") + "]"
	}
	switch v.Interface().(type) {
	case string:
		return fmt.Sprintf("%q", v.String())
	case uint32, uint64:
		return fmt.Sprintf("%du", v.Uint())
	}
	return fmt.Sprint(v.Interface())
}

func FuzzCompileAndHoldNeverPanic(f *testing.F) {
	f.Add(`request.personal_id == caller.case`, []byte{0x0a, 1, '0'})
	f.Add(`request.people.exists(p, p.full_name.matches('a+'))`, []byte{0x0a, 4, 0x12, 2, 'a', 'b'})
	f.Add(`now.getFullYear() > 2000 && size(request.people) < 3`, []byte{})
	f.Fuzz(func(t *testing.T, text string, raw []byte) {
		c, err := condition.CompileQuestion(text, question)
		if err != nil {
			return
		}
		if held, err := c.Holds(condition.Facts{Caller: desk, Now: noon, Request: raw}); err != nil {
			require.False(t, held)
		}
	})
}

func BenchmarkHolds(b *testing.B) {
	for _, text := range []string{
		`request.personal_id != '' && caller.province == '42'`,
		`answer.permanent.province_code == caller.province`,
		`now.getHours('+07:00') >= 7 && now.getHours('+07:00') < 19`,
		`request.personal_id.matches('^042[0-9]{9}$')`,
	} {
		b.Run(text, func(b *testing.B) {
			c, err := condition.CompileAnswer(text, residing, resident)
			require.NoError(b, err)
			f := asked(b, "42")
			b.ReportAllocs()
			for b.Loop() {
				if held, err := c.Holds(f); err != nil || !held {
					b.Fatal(held, err)
				}
			}
		})
	}
}
