package catalog_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"

	"github.com/lienthong/lienthong/gateway/catalog"
	"github.com/lienthong/lienthong/gateway/catalog/catalogtest"
	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
)

func TestAContractThatCannotBePublishedIsRefusedWithAllFindings(t *testing.T) {
	f := catalogtest.Proto()
	f.MessageType[2].Field[0].Options = nil                              // Person.personal_id
	f.MessageType[2].Field[2].Options = nil                              // Person.birth_date
	f.Service[0].Method[0].ServerStreaming = proto.Bool(true)            // GetPerson
	proto.ClearExtension(f.Service[0].Method[1].Options, hubv1.E_Method) // ListParcels
	_, err := catalog.Load(publish(t, catalogtest.Offer, f))
	for _, place := range []string{"Person.personal_id", "Person.birth_date", "PeopleService.GetPerson", "PeopleService.ListParcels"} {
		require.ErrorContains(t, err, "sample.v1."+place)
	}
	require.ErrorContains(t, err, "sample.yaml:1: the contract of sample.v1.PeopleService cannot be published")
}

func TestABadDescriptorSetIsRefused(t *testing.T) {
	alone := catalogtest.Proto()
	alone.Dependency = append(alone.Dependency, "other/v1/other.proto")
	circle := catalogtest.Proto()
	circle.Dependency = append(circle.Dependency, circle.GetName())
	future := catalogtest.Proto()
	future.Dependency = append(future.Dependency, "hub/v1/not_yet.proto")
	dangling := catalogtest.Proto()
	dangling.MessageType[1].Field[1].TypeName = proto.String(".sample.v1.Nobody")
	for name, c := range map[string]struct {
		file *descriptorpb.FileDescriptorProto
		want string
	}{
		"an import is missing":      {alone, "other/v1/other.proto is imported and not in any descriptor set"},
		"a file imports itself":     {circle, "sample/v1/people.proto imports itself"},
		"a newer hub's option file": {future, "this hub does not know hub/v1/not_yet.proto"},
		"a type is missing":         {dangling, "sample.v1.Nobody"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := catalog.Load(publish(t, catalogtest.Offer, c.file))
			require.ErrorContains(t, err, c.want)
			require.ErrorContains(t, err, "sample.binpb")
		})
	}
}

func TestGarbageIsNotADescriptorSet(t *testing.T) {
	dir := catalogtest.Dir(t)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "z.binpb"), []byte("garbage"), 0o600))
	_, err := catalog.Load(dir)
	require.ErrorContains(t, err, "z.binpb: not a FileDescriptorSet")
}

func TestOneFileInTwoSetsMustBeTheSame(t *testing.T) {
	dir := catalogtest.Dir(t)
	writeSet(t, filepath.Join(dir, "z.binpb"), catalogtest.Proto())
	_, err := catalog.Load(dir)
	require.NoError(t, err)

	other := catalogtest.Proto()
	other.MessageType[0].Name = proto.String("Renamed")
	writeSet(t, filepath.Join(dir, "z.binpb"), other)
	_, err = catalog.Load(dir)
	require.ErrorContains(t, err, "z.binpb: sample/v1/people.proto differs from the one in")
}

func TestAPublishedCopyOfTheLabelsCannotChangeThem(t *testing.T) {
	forged := protodesc.ToFileDescriptorProto(hubv1.File_hub_v1_options_proto)
	forged.Extension = nil
	dir := catalogtest.Dir(t)
	writeSet(t, filepath.Join(dir, "a.binpb"), forged)
	c, err := catalog.Load(dir)
	require.NoError(t, err)
	got, err := c.Files().FindFileByPath("hub/v1/options.proto")
	require.NoError(t, err)
	require.Equal(t, 3, got.Extensions().Len())
}

func TestWhatTheBinaryLinksIsNotInTheCatalog(t *testing.T) {
	f := catalogtest.Proto()
	f.Dependency = append(f.Dependency, linkedElsewhere)
	_, err := protoregistry.GlobalFiles.FindFileByPath(linkedElsewhere)
	require.NoError(t, err)
	_, err = catalog.Load(publish(t, catalogtest.Offer, f))
	require.ErrorContains(t, err, linkedElsewhere+" is imported and not in any descriptor set")
}

func TestAFileSetIsWholeAndAlwaysTheSame(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "deep", "sample.binpb")
	require.NoError(t, catalog.WriteFileSet(path, catalogtest.File(t)))
	first, err := os.ReadFile(path)
	require.NoError(t, err)
	before, err := os.Stat(path)
	require.NoError(t, err)

	require.NoError(t, catalog.WriteFileSet(path, catalogtest.File(t), catalogtest.File(t)))
	after, err := os.Stat(path)
	require.NoError(t, err)
	require.True(t, os.SameFile(before, after), "what says the same is left alone")

	var set descriptorpb.FileDescriptorSet
	require.NoError(t, proto.Unmarshal(first, &set))
	seen := map[string]bool{}
	for _, f := range set.GetFile() {
		for _, dep := range f.GetDependency() {
			require.True(t, seen[dep], "%s comes before its import %s", f.GetName(), dep)
		}
		require.False(t, seen[f.GetName()], f.GetName())
		seen[f.GetName()] = true
	}
	for _, path := range []string{"sample/v1/people.proto", "hub/v1/options.proto", "google/protobuf/descriptor.proto"} {
		require.True(t, seen[path], path)
	}
	entries, err := os.ReadDir(filepath.Dir(path))
	require.NoError(t, err)
	require.Len(t, entries, 1, "nothing is left behind")
}

func FuzzLoadNeverPanics(f *testing.F) {
	good, err := proto.Marshal(&descriptorpb.FileDescriptorSet{File: []*descriptorpb.FileDescriptorProto{catalogtest.Proto()}})
	require.NoError(f, err)
	f.Add(good)
	f.Add([]byte("garbage"))
	f.Fuzz(func(t *testing.T, set []byte) {
		dir := t.TempDir()
		require.NoError(t, os.WriteFile(filepath.Join(dir, "a.binpb"), set, 0o600))
		require.NoError(t, os.WriteFile(filepath.Join(dir, "a.yaml"), []byte(catalogtest.Offer), 0o600))
		if c, err := catalog.Load(dir); err != nil {
			require.Nil(t, c)
		}
	})
}
