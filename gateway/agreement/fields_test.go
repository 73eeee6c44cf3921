package agreement_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/dynamicpb"
	"pgregory.net/rapid"

	"github.com/lienthong/lienthong/gateway/agreement/agreementtest"
	"github.com/lienthong/lienthong/gateway/catalog/catalogtest"
	"github.com/lienthong/lienthong/proto/contract"
	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
	"github.com/lienthong/lienthong/proto/reason"
)

func TestAskedFieldsNarrowTheGrant(t *testing.T) {
	f := load(t, sample)
	for name, c := range map[string]struct{ asked, fields, withheld string }{
		"one":                    {"person.birth_date", "person.birth_date," + resultFields, ""},
		"a message":              {"person.name", "person.name.family,person.name.full,person.name.given,person.name.middle," + resultFields, ""},
		"with spaces, twice":     {" person.birth_date , person.birth_date", "person.birth_date," + resultFields, ""},
		"agreed and not":         {"person.sex,person.birth_date", "person.birth_date," + resultFields, "person.sex"},
		"sensitive and not":      {"person.religion,person.birth_date", "person.birth_date," + resultFields, "person.religion"},
		"the result alone":       {"result", resultFields, ""},
		"the whole of a message": {"person.relatives,person.birth_date", "person.birth_date," + resultFields, "person.relatives.personal_id,person.relatives.relation"},
	} {
		t.Run(name, func(t *testing.T) {
			q := f.query(t)
			q.Fields = c.asked
			for range 2 { // made, then remembered
				g, err := f.Admit(q)
				require.NoError(t, err)
				require.Equal(t, c.fields, g.Fields)
				require.Equal(t, c.withheld, g.Withheld)
				require.Equal(t, "H27-G01-01", g.Agreement)
				require.Equal(t, "Luật Hộ tịch 60/2014/QH13", g.LegalBasis)
			}
		})
	}
}

func TestASensitiveFieldMustBeAgreedByName(t *testing.T) {
	whole := load(t, edit(t, "person.personal_id, person.name, person.birth_date", "person"))
	g, err := whole.Admit(whole.query(t))
	require.NoError(t, err)
	require.NotContains(t, g.Fields, "religion")
	require.NotContains(t, g.Fields, "illness")
	require.Contains(t, g.Fields, "person.relatives.relation")
	require.False(t, g.Sensitive)

	named := load(t, edit(t, "person.birth_date", "person.religion"))
	g, err = named.Admit(named.query(t))
	require.NoError(t, err)
	require.Contains(t, g.Fields, "person.religion")
	require.True(t, g.Sensitive)
	q := named.query(t)
	q.Fields = "person.name"
	g, err = named.Admit(q)
	require.NoError(t, err)
	require.False(t, g.Sensitive, "it was not asked for")
}

func TestAnAgreementMayReleaseTheResultAlone(t *testing.T) {
	f := load(t, edit(t, "person.personal_id, person.name, person.birth_date", "result"))
	g, err := f.Admit(f.query(t))
	require.NoError(t, err)
	require.Equal(t, resultFields, g.Fields)
}

func TestManyWaysOfAskingStayCorrect(t *testing.T) {
	f := load(t, sample)
	base := f.query(t)
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			q := base
			for j := range 100 {
				q.Fields = "person.birth_date," + strings.Repeat("person.sex,", (i*j)%90) + "result"
				g, err := f.Admit(q)
				if err != nil || g.Fields != "person.birth_date,"+resultFields {
					t.Errorf("%v %v", g, err)
				}
			}
		})
	}
	wg.Wait()
}

func TestWhatIsWithheldFitsAHeader(t *testing.T) {
	contractFile := catalogtest.Proto()
	person := contractFile.MessageType[2]
	religion := person.Field[5]
	for i := range 300 {
		extra := proto.CloneOf(religion)
		extra.Name, extra.Number = proto.String(fmt.Sprintf("extra_%03d", i)), proto.Int32(int32(100+i))
		person.Field = append(person.Field, extra)
	}
	c := loadProto(t, contractFile)
	s, err := agreementtest.Load(write(t, sample), c)
	require.NoError(t, err)
	g, err := s.Admit(fixture{s, c}.query(t))
	require.NoError(t, err)
	require.LessOrEqual(t, len(g.Withheld), 2000)
	list, cut := strings.CutSuffix(g.Withheld, ",...")
	require.True(t, cut)
	for path := range strings.SplitSeq(list, ",") {
		_, err := contract.Expand(catalogtest.Method(t, c, catalogtest.GetPerson).Output, []string{path})
		require.NoError(t, err, "no path is cut in two: %s", path)
	}
}

// canary is in every string of an answer that must not leave.
const canary = "CANARY"

// plant fills every leaf of a message with the canary, or with ok where the leaf is agreed.
func plant(m protoreflect.Message, prefix string, agreed []string) {
	for i := range m.Descriptor().Fields().Len() {
		fd := m.Descriptor().Fields().Get(i)
		path := prefix + string(fd.Name())
		text := canary
		if slices.Contains(agreed, path) {
			text = "ok"
		}
		switch {
		case fd.IsList() && fd.Message() != nil:
			item := m.Mutable(fd).List().AppendMutable().Message()
			plant(item, path+".", agreed)
		case fd.Message() != nil:
			plant(m.Mutable(fd).Message(), path+".", agreed)
		case fd.Kind() == protoreflect.StringKind:
			m.Set(fd, protoreflect.ValueOfString(text))
		case fd.Kind() == protoreflect.EnumKind:
			m.Set(fd, protoreflect.ValueOfEnum(1))
		}
	}
}

// TestAFieldOutsideTheAgreementNeverPasses draws agreements and lists of asked fields, and looks for canaries in
// what the grant's mask lets through.
func TestAFieldOutsideTheAgreementNeverPasses(t *testing.T) {
	c := catalogtest.Load(t)
	output := catalogtest.Method(t, c, catalogtest.GetPerson).Output
	var leaves []string
	for _, l := range contract.Leaves(output) {
		if !strings.HasPrefix(l.Path, "result.") {
			leaves = append(leaves, l.Path)
		}
	}
	rapid.Check(t, func(rt *rapid.T) {
		agreed := rapid.SliceOfNDistinct(rapid.SampledFrom(leaves), 1, 6, rapid.ID).Draw(rt, "agreed")
		text := edit(t, "person.personal_id, person.name, person.birth_date", strings.Join(agreed, ", "))
		s, err := agreementtest.Load(write(t, text), c)
		require.NoError(rt, err)
		q := fixture{s, c}.query(t)
		asked := rapid.SliceOfN(rapid.SampledFrom(append(leaves, "person", "person.name", "person.relatives")), 0, 5).Draw(rt, "asked")
		q.Fields = strings.Join(asked, ",")
		g, err := s.Admit(q)
		if err != nil {
			require.ErrorIs(rt, err, reason.FieldsNotAgreed)
			return
		}
		answer := dynamicpb.NewMessage(output)
		plant(answer, "", agreed)
		full, err := proto.Marshal(answer)
		require.NoError(rt, err)
		require.Contains(rt, string(full), canary)
		out, err := g.Mask.Append(nil, full)
		require.NoError(rt, err)
		require.NotContains(rt, string(out), canary)
		passed := dynamicpb.NewMessage(output)
		require.NoError(rt, proto.Unmarshal(out, passed))
		code := hubv1.Result_FOUND.Number()
		result := passed.Get(output.Fields().ByName("result")).Message()
		require.Equal(rt, code, result.Get(result.Descriptor().Fields().ByName("code")).Enum(), "the result always passes")
	})
}

// Whoever has an agreement may send 4 KiB of lt-fields that nobody sent before, as often as it likes.
func TestANameThatIsRepeatedCostsWhatItCostsOnce(t *testing.T) {
	q := load(t, sample).query(t)
	cost := func(fields string) float64 {
		return testing.AllocsPerRun(1, func() {
			f := load(t, sample) // remembers nothing yet
			q.Method, q.Fields = f.query(t).Method, fields
			_, err := f.Admit(q)
			require.NoError(t, err)
		})
	}
	once := cost("person")
	require.Less(t, cost(strings.Repeat("person, person,", 270)+"person"), once+2000)
}
