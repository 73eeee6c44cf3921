package catalog_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/lienthong/lienthong/gateway/catalog"
	"github.com/lienthong/lienthong/gateway/catalog/catalogtest"
	"github.com/lienthong/lienthong/proto/contract"
	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
	"github.com/lienthong/lienthong/proto/peer"
	"github.com/lienthong/lienthong/proto/reason"
)

func TestAPublishedServiceCanBeFoundWithItsLabels(t *testing.T) {
	c := catalogtest.Load(t)
	require.Len(t, c.Services(), 1)
	s, ok := c.Service(catalogtest.Service)
	require.True(t, ok)
	require.Equal(t, catalog.Official, s.State)
	require.Equal(t, "people", s.Title.GetEn())
	require.Len(t, s.Methods, 3)
	linked := catalogtest.File(t).Services().Get(0)
	require.Equal(t, contract.Digest(linked), s.Digest, "the registry's own copy of the contract has the same digest")

	m, ok := c.Method(catalogtest.RegisterParcel)
	require.True(t, ok)
	require.Same(t, s, m.Service)
	require.Equal(t, "sample.v1.PeopleService/RegisterParcel", m.Name)
	require.Equal(t, "RegisterParcel", m.Short())
	require.Equal(t, "request_id", m.Policy.GetIdempotencyKey())
	require.Equal(t, catalog.DefaultDeadline, m.Deadline)
	require.EqualValues(t, "sample.v1.RegisterParcelResponse", m.Output.FullName())
	for _, path := range []string{"", "/", "sample.v1.PeopleService/GetPerson", "/sample.v1.PeopleService/getperson", catalogtest.GetPerson + "/"} {
		_, ok := c.Method(path)
		require.False(t, ok, path)
	}
}

func TestTheContractsDeadlineIsTheMethods(t *testing.T) {
	f := catalogtest.Proto()
	policy := proto.GetExtension(f.Service[0].Method[0].Options, hubv1.E_Method).(*hubv1.MethodPolicy)
	policy.Deadline = durationpb.New(2 * time.Second)
	c, err := catalogtest.Alone(t, catalogtest.Offer, f)
	require.NoError(t, err)
	require.Equal(t, 2*time.Second, catalogtest.Method(t, c, catalogtest.GetPerson).Deadline)
}

func TestFindingAMethodCostsNoMemory(t *testing.T) {
	c := catalogtest.Load(t)
	require.Zero(t, testing.AllocsPerRun(100, func() { c.Method(catalogtest.GetPerson) }))
}

func TestANilOrEmptyCatalogHasNothing(t *testing.T) {
	empty, err := catalog.New(nil, nil, nil)
	require.NoError(t, err)
	for _, c := range []*catalog.Catalog{nil, empty} {
		_, ok := c.Method(catalogtest.GetPerson)
		require.False(t, ok)
		_, ok = c.Service(catalogtest.Service)
		require.False(t, ok)
		require.Empty(t, c.Services())
	}
}

func TestTheRequestSaysWhoAnswers(t *testing.T) {
	c := catalogtest.Load(t)
	country := peer.ID{Agency: "G01", System: "registry-people"}
	province := peer.ID{Agency: "H27", System: "registry-people"}
	in := func(code string) []byte {
		b := protowire.AppendTag(nil, 2, protowire.BytesType)
		return protowire.AppendString(b, code)
	}
	for name, c := range map[string]struct {
		method, jurisdiction string
		request              []byte
		provider             peer.ID
		fails                error
	}{
		"no jurisdiction field":       {catalogtest.GetPerson, "vn", nil, country, nil},
		"province with own registry":  {catalogtest.ListParcels, "42", in("42"), province, nil},
		"province without":            {catalogtest.ListParcels, "vn", in("01"), country, nil},
		"last value counts":           {catalogtest.ListParcels, "42", append(in("01"), in("42")...), province, nil},
		"left out":                    {catalogtest.ListParcels, "", nil, peer.ID{}, reason.FieldRequired},
		"empty":                       {catalogtest.ListParcels, "", in(""), peer.ID{}, reason.FieldRequired},
		"province joined to another":  {catalogtest.ListParcels, "", in("02"), peer.ID{}, reason.CodeUnknown},
		"the country is no province":  {catalogtest.ListParcels, "", in("vn"), peer.ID{}, reason.CodeUnknown},
		"subject of the bus smuggled": {catalogtest.ListParcels, "", in("4>"), peer.ID{}, reason.CodeUnknown},
		"not a message":               {catalogtest.ListParcels, "", []byte{0xff}, peer.ID{}, reason.RequestMalformed},
	} {
		t.Run(name, func(t *testing.T) {
			m := catalogtest.Method(t, catalogtest.Load(t), c.method)
			jurisdiction, provider, err := m.Route(c.request)
			require.ErrorIs(t, err, c.fails)
			require.Equal(t, c.jurisdiction, jurisdiction)
			require.Equal(t, c.provider, provider)
		})
	}
	_, _, err := catalogtest.Method(t, c, catalogtest.ListParcels).Route(nil)
	require.Equal(t, "province_code", reason.Of(err).Field)
}

func TestAProvinceThatNobodyAnswersForIsSaid(t *testing.T) {
	f := catalogtest.Proto()
	f.Service[0].Method = f.Service[0].Method[1:] // without the one that asks the country
	offer := "service: sample.v1.PeopleService\nstate: test\nproviders:\n  - {jurisdiction: 42, agency: H27, system: registry-people}\n"
	c, err := catalogtest.Alone(t, offer, f)
	require.NoError(t, err)
	request := protowire.AppendString(protowire.AppendTag(nil, 2, protowire.BytesType), "08")
	_, _, err = catalogtest.Method(t, c, catalogtest.ListParcels).Route(request)
	require.ErrorIs(t, err, reason.JurisdictionNotServed)
}

func TestABadOfferIsRefusedWithFileAndLine(t *testing.T) {
	replace := func(old, with string) string { return strings.Replace(catalogtest.Offer, old, with, 1) }
	for name, c := range map[string]struct{ offer, want string }{
		"unknown key":          {catalogtest.Offer + "note: x\n", "sample.yaml:8: unknown key note"},
		"unknown service":      {replace("PeopleService", "OtherService"), "the descriptor set does not describe service sample.v1.OtherService; it has: sample.v1.PeopleService"},
		"not a service":        {replace("PeopleService", "Person"), "does not describe service sample.v1.Person"},
		"not a name":           {replace("sample.v1.PeopleService", "a b"), "sample.yaml:1: \"a b\" is not a service's full name"},
		"no service":           {replace("service: sample.v1.PeopleService", ""), "service is missing"},
		"unknown state":        {replace("official", "ready"), "sample.yaml:2: state is \"ready\"; expected test, assessed or official"},
		"no such level":        {replace("safety_level: 3", "safety_level: 9"), "sample.yaml:3: safety_level \"9\"; expected 1 to 5"},
		"no such day":          {replace("2025-06-01", "2025-06-31"), "sample.yaml:4: assessed \"2025-06-31\" is not a day"},
		"not safe enough":      {replace("safety_level: 3", "safety_level: 2"), "state official needs safety level 3 at least, not 2 (R18)"},
		"not assessed":         {replace("assessed: 2025-06-01\n", ""), "needs the day of the security assessment"},
		"assessed tomorrow":    {replace("2025-06-01", "2125-06-01"), "lies in the future"},
		"hostile item":         {catalogtest.Offer + "items:\n  - {item: 'a\nb.c', field: Person.sex}\n", "expected lower-case words joined by dots"},
		"no providers":         {catalogtest.Offer[:strings.Index(catalogtest.Offer, "providers")], "providers is missing"},
		"old province":         {replace(`"42"`, `"02"`), "sample.yaml:7: jurisdiction \"02\" is not known"},
		"two for one province": {replace(`"42"`, "vn"), "sample.yaml:7: jurisdiction vn has two providers"},
		"bad agency":           {replace("H27", "h27"), "sample.yaml:7: h27/registry-people is not an agency's system"},
		"no system":            {replace(", system: registry-people", ""), "sample.yaml:6: system is missing"},
		"nobody for the rest":  {replace("vn", `"01"`) + "owner: G01\n", "asked of the whole country, but no provider has jurisdiction vn"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := catalogtest.Alone(t, c.offer)
			require.ErrorContains(t, err, c.want)
		})
	}
}
