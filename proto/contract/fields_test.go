package contract_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/descriptorpb"

	"github.com/lienthong/lienthong/proto/contract"
	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
)

func TestExpandTurnsAFieldListIntoLeaves(t *testing.T) {
	tests := map[string]struct{ paths, want []string }{
		"nothing":                                 {nil, nil},
		"a leaf":                                  {[]string{"person.name.full"}, []string{"person.name.full"}},
		"sorted and once":                         {[]string{"word", "person.sex", "word"}, []string{"person.sex", "word"}},
		"a message":                               {[]string{"person.name"}, []string{"person.name.family", "person.name.full", "person.name.given", "person.name.middle"}},
		"overlapping":                             {[]string{"result", "result.code"}, []string{"result.code", "result.next"}},
		"through a list":                          {[]string{"items.person.sex"}, []string{"items.person.sex"}},
		"through a map":                           {[]string{"by_id.sex"}, []string{"by_id.sex"}},
		"a map of scalars":                        {[]string{"insurance"}, []string{"insurance"}},
		"a list of scalars":                       {[]string{"scalars.many_int32"}, []string{"scalars.many_int32"}},
		"a time":                                  {[]string{"at"}, []string{"at"}},
		"a sensitive leaf":                        {[]string{"person.religion"}, []string{"person.religion"}},
		"a leaf in a sensitive message":           {[]string{"health.blood_group"}, []string{"health.blood_group"}},
		"a type that contains itself":             {[]string{"tree"}, []string{"tree.label", "tree.personal_id"}},
		"a type that contains itself, named":      {[]string{"tree.left"}, []string{"tree.left.label", "tree.left.personal_id"}},
		"a leaf in a type that contains itself":   {[]string{"tree.left.left.label"}, []string{"tree.left.left.label"}},
		"a leaf in a map in a type that does too": {[]string{"tree.named.more.label"}, []string{"tree.named.more.label"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := contract.Expand(answer(), tt.paths)
			require.NoError(t, err)
			require.Equal(t, tt.want, got)
		})
	}
}

func TestExpandRefusesAndNamesThePath(t *testing.T) {
	tests := map[string]struct {
		path string
		want error
	}{
		"unknown field":              {"person.shoe_size", contract.ErrUnknown},
		"below a scalar":             {"word.length", contract.ErrUnknown},
		"below a map of scalars":     {"insurance.value", contract.ErrUnknown},
		"a map's entry":              {"by_id.value.sex", contract.ErrUnknown},
		"below a time":               {"at.seconds", contract.ErrUnknown},
		"empty":                      {"", contract.ErrUnknown},
		"trailing dot":               {"person.", contract.ErrUnknown},
		"star inside":                {"person.*", contract.ErrUnknown},
		"another spelling":           {"person.birthDate", contract.ErrUnknown},
		"nothing but sensitive":      {"health", contract.ErrSensitive},
		"deeper than can be carried": {strings.Repeat("tree.", 1) + strings.Repeat("left.", 32) + "label", contract.ErrTooMany},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := contract.Expand(answer(), []string{"result", tt.path})
			require.ErrorIs(t, err, tt.want)
			require.ErrorContains(t, err, `"`+tt.path+`"`)
		})
	}
}

func TestTheDeepestPathThatCanBeCarriedExpands(t *testing.T) {
	path := "tree." + strings.Repeat("left.", 31) + "label"
	got, err := contract.Expand(answer(), []string{path})
	require.NoError(t, err)
	require.Equal(t, []string{path}, got)
}

func TestAStarMeansEveryLeafThatIsNotSensitive(t *testing.T) {
	got, err := contract.Expand(answer(), []string{"*"})
	require.NoError(t, err)
	var want []string
	for _, l := range contract.Leaves(answer()) {
		if l.Class != hubv1.DataClass_DATA_CLASS_SENSITIVE {
			want = append(want, l.Path)
		}
	}
	slices.Sort(want)
	require.Equal(t, want, got)
	require.Contains(t, got, "person.name.full")
	require.NotContains(t, got, "person.religion")
	require.NotContains(t, got, "health.blood_group")
	require.NotContains(t, got, "other.religion")
}

func TestUnlabelledAndSecretFieldsAreRefused(t *testing.T) {
	tests := map[string]func(draft){
		"unlabelled":             func(d draft) { d.field("Person", "religion").Options = nil },
		"without a class":        func(d draft) { d.label("Person", "religion", func(p *hubv1.FieldPolicy) { p.Class = 0 }) },
		"of a class not known":   func(d draft) { d.label("Person", "religion", func(p *hubv1.FieldPolicy) { p.Class = 9 }) },
		"secret":                 func(d draft) { d.label("Person", "religion", func(p *hubv1.FieldPolicy) { p.Class = 4 }) },
		"in an unlabelled field": func(d draft) { d.field("AskResponse", "person").Options = nil },
		"in a field that is secret": func(d draft) {
			d.label("AskResponse", "person", func(p *hubv1.FieldPolicy) { p.Class = 4 })
		},
	}
	for name, edit := range tests {
		t.Run(name, func(t *testing.T) {
			d := newDraft(t)
			edit(d)
			md := service(t, d.set).Methods().ByName("Ask").Output()
			for _, path := range []string{"person.religion", "person", "*"} {
				_, err := contract.Expand(md, []string{path})
				require.ErrorIs(t, err, contract.ErrUnlabelled, path)
			}
		})
	}
}

func TestLeavesListsEachLeafWithItsClass(t *testing.T) {
	leaves := map[string]hubv1.DataClass{}
	for _, l := range contract.Leaves(answer()) {
		require.NotContains(t, leaves, l.Path)
		require.True(t, strings.HasSuffix(l.Path, string(l.Field.Name())))
		leaves[l.Path] = l.Class
	}
	require.Equal(t, hubv1.DataClass_DATA_CLASS_PUBLIC, leaves["result.code"])
	require.Equal(t, hubv1.DataClass_DATA_CLASS_BASIC, leaves["person.name.full"])
	require.Equal(t, hubv1.DataClass_DATA_CLASS_SENSITIVE, leaves["person.religion"])
	require.Equal(t, hubv1.DataClass_DATA_CLASS_SENSITIVE, leaves["health.blood_group"], "as strict as the message it lies in")
	require.Equal(t, hubv1.DataClass_DATA_CLASS_PUBLIC, leaves["tree.label"])
	require.NotContains(t, leaves, "tree.left.label")
	require.NotContains(t, leaves, "person")
}

// Types that contain one another in every order have more paths than anybody can list.
func TestTypesThatContainOneAnotherDoNotHoldUpTheListing(t *testing.T) {
	d := newDraft(t)
	label := d.field("Person", "name")
	for i := range 20 {
		m := &descriptorpb.DescriptorProto{Name: proto.String("M" + string(rune('A'+i)))}
		for j := range 20 {
			f := proto.CloneOf(label)
			f.Name, f.JsonName = proto.String("m"+string(rune('a'+j))), nil
			f.Number = proto.Int32(int32(j + 1))
			f.TypeName = proto.String(".internal.specimen.v1.M" + string(rune('A'+j)))
			m.Field = append(m.Field, f)
		}
		d.file().MessageType = append(d.file().MessageType, m)
	}
	d.field("Item", "person").TypeName = proto.String(".internal.specimen.v1.MA")
	md := service(t, d.set).Methods().ByName("Ask").Output()
	require.LessOrEqual(t, len(contract.Leaves(md)), contract.MaxLeaves)
	_, err := contract.Expand(md, []string{"*"})
	require.ErrorIs(t, err, contract.ErrTooMany)
	require.Error(t, contract.Check(service(t, d.set)))
	contract.CompileCensus(md)
	contract.Digest(service(t, d.set))
}
