package catalog_test

import (
	"testing"
	"time"

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
	_, err := catalogtest.Alone(t, catalogtest.Offer, f)
	for _, place := range []string{"Person.personal_id", "Person.birth_date", "PeopleService.GetPerson", "PeopleService.ListParcels"} {
		require.ErrorContains(t, err, "sample.v1."+place)
	}
	require.ErrorContains(t, err, "the contract of sample.v1.PeopleService cannot be published")
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
		"an import is missing":      {alone, "other/v1/other.proto is imported and not in the descriptor set"},
		"a file imports itself":     {circle, "sample/v1/people.proto imports itself"},
		"a newer hub's option file": {future, "this hub does not know hub/v1/not_yet.proto"},
		"a type is missing":         {dangling, "sample.v1.Nobody"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := catalogtest.Alone(t, catalogtest.Offer, c.file)
			require.ErrorContains(t, err, c.want)
			require.ErrorContains(t, err, "publish sample.v1.PeopleService: ")
		})
	}
}

func TestGarbageIsNotADescriptorSet(t *testing.T) {
	_, err := catalog.ReadFileSet([]byte("garbage"))
	require.ErrorContains(t, err, "not a FileDescriptorSet")
}

func TestTwoFilesOfOneNameInASetMustBeTheSame(t *testing.T) {
	_, err := catalogtest.Alone(t, catalogtest.Offer, catalogtest.Proto(), catalogtest.Proto())
	require.NoError(t, err)
	other := catalogtest.Proto()
	other.MessageType[0].Name = proto.String("Renamed")
	_, err = catalogtest.Alone(t, catalogtest.Offer, catalogtest.Proto(), other)
	require.ErrorContains(t, err, "two different files sample/v1/people.proto")
}

func TestAPublishedCopyOfTheLabelsCannotChangeThem(t *testing.T) {
	forged := protodesc.ToFileDescriptorProto(hubv1.File_hub_v1_options_proto)
	forged.Extension = nil
	c, err := catalogtest.Alone(t, catalogtest.Offer, catalogtest.Proto(), forged)
	require.NoError(t, err)
	got, err := catalog.Live(func() *catalog.Catalog { return c }).FindFileByPath("hub/v1/options.proto")
	require.NoError(t, err)
	require.Equal(t, 3, got.Extensions().Len())
}

func TestWhatAServiceDoesNotImportIsNotPublished(t *testing.T) {
	stray := &descriptorpb.FileDescriptorProto{Name: proto.String("stray/v1/stray.proto"), Package: proto.String("stray.v1")}
	c, err := catalogtest.Alone(t, catalogtest.Offer, catalogtest.Proto(), stray)
	require.NoError(t, err)
	_, err = catalog.Live(func() *catalog.Catalog { return c }).FindFileByPath("stray/v1/stray.proto")
	require.Error(t, err)
}

func TestWhatTheBinaryLinksIsNotInTheCatalog(t *testing.T) {
	f := catalogtest.Proto()
	f.Dependency = append(f.Dependency, linkedElsewhere)
	_, err := protoregistry.GlobalFiles.FindFileByPath(linkedElsewhere)
	require.NoError(t, err)
	_, err = catalogtest.Alone(t, catalogtest.Offer, f)
	require.ErrorContains(t, err, linkedElsewhere+" is imported and not in the descriptor set")
}

func TestAFileSetHasImportsBeforeWhatImportsThem(t *testing.T) {
	set := catalog.FileSet(catalogtest.File(t), catalogtest.File(t))
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
}

func FuzzPublicationNeverPanics(f *testing.F) {
	good, err := proto.Marshal(&descriptorpb.FileDescriptorSet{File: []*descriptorpb.FileDescriptorProto{catalogtest.Proto()}})
	require.NoError(f, err)
	f.Add(good, catalogtest.Offer)
	f.Add([]byte("garbage"), "service: [")
	f.Fuzz(func(t *testing.T, raw []byte, offer string) {
		set, err := catalog.ReadFileSet(raw)
		if err != nil {
			return
		}
		o, err := catalog.ParseOffer("x.yaml", []byte(offer))
		if err != nil {
			return
		}
		if c, err := o.Publication(set).Alone(time.Now()); err != nil {
			require.Nil(t, c)
		}
	})
}
