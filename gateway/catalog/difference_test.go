package catalog_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/descriptorpb"

	"github.com/lienthong/lienthong/gateway/catalog"
	"github.com/lienthong/lienthong/gateway/catalog/catalogtest"
)

func TestDifferencesNameWhatAPublicationChanges(t *testing.T) {
	before := catalogtest.Load(t)
	changed := func(offer string, change func(*descriptorpb.FileDescriptorProto)) []catalog.Difference {
		f := catalogtest.Proto()
		change(f)
		after, err := catalogtest.Alone(t, offer, f)
		require.NoError(t, err)
		return catalog.Differences(before, after, catalogtest.Service)
	}
	person := func(f *descriptorpb.FileDescriptorProto) *descriptorpb.DescriptorProto { return f.MessageType[2] }
	same := func(*descriptorpb.FileDescriptorProto) {}

	require.Empty(t, changed(catalogtest.Offer, same))
	require.Equal(t, []catalog.Difference{
		{Change: "added", What: "answer field", Name: "GetPerson person.born", Detail: "string 3, basic"},
		{Change: "removed", What: "answer field", Name: "GetPerson person.birth_date", Detail: "string 3, basic"},
	}, changed(catalogtest.Offer, func(f *descriptorpb.FileDescriptorProto) { person(f).Field[2].Name = proto.String("born") }))
	require.Equal(t, []catalog.Difference{
		{Change: "changed", What: "answer field", Name: "GetPerson person.birth_date", Detail: "string 3, sensitive; was string 3, basic"},
	}, changed(catalogtest.Offer, func(f *descriptorpb.FileDescriptorProto) { person(f).Field[2].Options = person(f).Field[4].Options }))
	require.Equal(t, []catalog.Difference{{Change: "removed", What: "method", Name: "ListParcels", Detail: "ListParcels"}},
		changed(catalogtest.Offer, func(f *descriptorpb.FileDescriptorProto) {
			f.Service[0].Method = append(f.Service[0].Method[:1], f.Service[0].Method[2:]...)
		}))
	require.Equal(t, []catalog.Difference{
		{Change: "added", What: "provider", Name: "08", Detail: "H05/registry-people"},
		{Change: "added", What: "item", Name: "person.birth_date", Detail: "Person.birth_date, a copy"},
	}, changed(catalogtest.Offer+"  - {jurisdiction: \"08\", agency: H05, system: registry-people}\nitems:\n  - {item: person.birth_date, field: Person.birth_date, copy: true}\n", same))
	empty, err := catalog.New(nil, nil, nil)
	require.NoError(t, err)
	require.Len(t, catalog.Differences(empty, before, catalogtest.Service), 3+2, "three methods and two providers are new")
}
