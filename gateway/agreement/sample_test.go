package agreement_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/types/descriptorpb"

	"github.com/lienthong/lienthong/gateway/agreement"
	"github.com/lienthong/lienthong/gateway/agreement/agreementtest"
	"github.com/lienthong/lienthong/gateway/catalog"
	"github.com/lienthong/lienthong/gateway/catalog/catalogtest"
	"github.com/lienthong/lienthong/proto/peer"
)

// sample is an agreement of Hà Tĩnh's one-stop desk with G01, who answers for the country.
const sample = `id: H27-G01-01
version: 3
title: Tra cứu dân cư
consumer:
  agency: H27
  systems: [one-stop, reception]
provider: G01
service: sample.v1.PeopleService
valid_from: 2026-01-01
valid_to: 2026-12-31
purposes:
  - code: HT-KS
    title: Đăng ký khai sinh
    legal_basis: Luật Hộ tịch 60/2014/QH13
    procedures: [1.001193]
  - code: CT-TT
    title: Đăng ký thường trú
    legal_basis: Luật Cư trú 68/2020/QH14
methods:
  - name: GetPerson
    fields: [person.personal_id, person.name, person.birth_date]
  - name: RegisterParcel
    fields: [parcel_id]
`

// summer is a moment at which the sample is in force.
var summer = time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)

var desk = peer.ID{Agency: "H27", System: "one-stop"}

// edit changes the sample: pairs of what stands there and what shall.
func edit(t testing.TB, pairs ...string) string {
	text := sample
	for i := 0; i < len(pairs); i += 2 {
		require.Contains(t, text, pairs[i])
		text = strings.Replace(text, pairs[i], pairs[i+1], 1)
	}
	return text
}

// write puts agreements into a directory as a.yaml, b.yaml and so on.
func write(t testing.TB, files ...string) string {
	dir := t.TempDir()
	for i, text := range files {
		name := string(rune('a' + i%26))
		if i >= 26 {
			name = fmt.Sprintf("z%05d", i)
		}
		path := filepath.Join(dir, name+".yaml")
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	}
	return dir
}

// fixture is a Set and the catalog it was loaded with.
type fixture struct {
	*agreement.Set
	catalog *catalog.Catalog
}

func load(t testing.TB, files ...string) fixture {
	c := catalogtest.Load(t)
	s, err := agreementtest.Load(write(t, files...), c)
	require.NoError(t, err)
	return fixture{s, c}
}

// query is the desk's well-formed question for a person.
func (f fixture) query(t testing.TB) agreement.Query {
	return agreement.Query{
		Consumer: desk,
		Method:   catalogtest.Method(t, f.catalog, catalogtest.GetPerson),
		Provider: peer.ID{Agency: "G01", System: "registry-people"},
		Purpose:  "HT-KS",
		Case:     "000.00.19.H27-260701-0001",
		Officer:  "an.nv",
		Now:      summer,
	}
}

// loadProto returns the catalog of a changed sample contract.
func loadProto(t testing.TB, f *descriptorpb.FileDescriptorProto) *catalog.Catalog {
	c, err := catalogtest.Alone(t, catalogtest.Offer, f)
	require.NoError(t, err)
	return c
}
