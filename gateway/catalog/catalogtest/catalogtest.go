// Package catalogtest is a small made-up registry contract for tests of the hub, and how it is published. It is in no generated code, so what works with it works with a registry that the hub never linked.
//
// What does not belong here: anything of the four real registries.
package catalogtest

import (
	"testing"
	"time"

	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"

	"github.com/lienthong/lienthong/gateway/catalog"
)

// Names of the sample registry.
const (
	Service        = "sample.v1.PeopleService"
	GetPerson      = "/" + Service + "/GetPerson"      // asked of the country
	ListParcels    = "/" + Service + "/ListParcels"    // asked of a province
	RegisterParcel = "/" + Service + "/RegisterParcel" // a write; officer and case are required
)

// Offer is the sample registry's offer: Hà Tĩnh answers for itself, G01 for the rest.
const Offer = `service: sample.v1.PeopleService
state: official
safety_level: 3
assessed: 2025-06-01
providers:
  - {jurisdiction: vn, agency: G01, system: registry-people}
  - {jurisdiction: "42", agency: H27, system: registry-people}
`

// File returns the sample contract's descriptor.
func File(t testing.TB) protoreflect.FileDescriptor {
	t.Helper()
	f, err := protodesc.NewFile(Proto(), protoregistry.GlobalFiles)
	if err != nil {
		t.Fatalf("sample contract: %v", err)
	}
	return f
}

// Publication is the sample registry's offer with its contract, or with other files in its place.
func Publication(t testing.TB, offer string, files ...*descriptorpb.FileDescriptorProto) (catalog.Publication, error) {
	t.Helper()
	o, err := catalog.ParseOffer("sample.yaml", []byte(offer))
	if err != nil {
		return catalog.Publication{}, err
	}
	set := catalog.FileSet(File(t))
	if files != nil {
		set = &descriptorpb.FileDescriptorSet{File: files}
	}
	return o.Publication(set), nil
}

// Alone is the catalog of one publication.
func Alone(t testing.TB, offer string, files ...*descriptorpb.FileDescriptorProto) (*catalog.Catalog, error) {
	t.Helper()
	p, err := Publication(t, offer, files...)
	if err != nil {
		return nil, err
	}
	return p.Alone(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)) // also inside a bubble of fake time
}

// Load returns the catalog of the sample registry.
func Load(t testing.TB) *catalog.Catalog {
	t.Helper()
	c, err := Alone(t, Offer)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// Method returns one of the sample registry's methods, by gRPC path.
func Method(t testing.TB, c *catalog.Catalog, full string) *catalog.Method {
	t.Helper()
	m, ok := c.Method(full)
	if !ok {
		t.Fatalf("the sample has no %s", full)
	}
	return m
}
