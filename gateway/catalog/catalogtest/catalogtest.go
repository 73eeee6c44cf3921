// Package catalogtest is a small made-up registry contract for tests of the hub, and the catalog directory that
// publishes it. It is in no generated code, so what works with it works with a registry that the hub never linked.
//
// What does not belong here: anything of the four real registries.
package catalogtest

import (
	"os"
	"path/filepath"
	"testing"

	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

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

// Dir writes a catalog directory that publishes the sample registry.
func Dir(t testing.TB) string {
	t.Helper()
	dir := t.TempDir()
	if err := catalog.WriteFileSet(filepath.Join(dir, "sample.binpb"), File(t)); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "sample.yaml"), []byte(Offer), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

// Load returns the catalog of the sample registry.
func Load(t testing.TB) *catalog.Catalog {
	t.Helper()
	c, err := catalog.Load(Dir(t))
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
