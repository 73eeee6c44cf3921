// Package exchangetest is what tests put at the seams of exchange: a policy over catalogtest's sample registry, a
// carrier that answers as told, and a recorder that can be held up or broken.
//
// What does not belong here: claims about the hub; those are tests.
package exchangetest

import (
	"testing"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/dynamicpb"

	"github.com/lienthong/lienthong/gateway/agreement/agreementtest"
	"github.com/lienthong/lienthong/gateway/catalog/catalogtest"
	"github.com/lienthong/lienthong/gateway/member"
	"github.com/lienthong/lienthong/gateway/member/membertest"
	"github.com/lienthong/lienthong/gateway/policy"
	"github.com/lienthong/lienthong/proto/peer"
)

// Agreement lets Desk ask G01 for a person's number, name and birth date.
const Agreement = `id: H27-G01
version: 3
title: Tra cứu dân cư
consumer: {agency: H27, systems: [one-stop, suspended, auditor]}
provider: G01
service: sample.v1.PeopleService
valid_from: 1999-01-01
valid_to: 2036-12-31
purposes:
  - {code: HT-KS, title: Đăng ký khai sinh, legal_basis: Luật Hộ tịch 60/2014/QH13}
methods:
  - name: GetPerson
    fields: [person.personal_id, person.name, person.birth_date, person.relatives.relation]
  - name: RegisterParcel
    fields: [parcel_id]
`

// Purpose is one that Agreement allows.
const Purpose = "HT-KS"

// Desk asks under Agreement; Stranger has none; Suspended and Auditor have it, and may not ask.
var (
	Desk      = peer.ID{Agency: "H27", System: "one-stop"}
	Stranger  = peer.ID{Agency: "G99", System: "stranger"}
	Suspended = peer.ID{Agency: "H27", System: "suspended"}
	Auditor   = peer.ID{Agency: "H27", System: "auditor"}
)

// Policy is the agreements (none: Agreement) over the sample catalog, with everybody a member.
func Policy(t testing.TB, agreements ...string) *policy.Policy {
	t.Helper()
	if len(agreements) == 0 {
		agreements = []string{Agreement}
	}
	c := catalogtest.Load(t)
	set, err := agreementtest.Parse(c, agreements...)
	if err != nil {
		t.Fatal(err)
	}
	return &policy.Policy{Revision: 7, Members: Members(t), Catalog: c, Agreements: set}
}

// Members are Desk, Stranger, Auditor and Suspended, less the certificates whose serials are revoked.
func Members(t testing.TB, revoked ...string) *member.Directory {
	t.Helper()
	systems := []member.System{
		{ID: Desk, Roles: member.Consumer, Status: member.Active},
		{ID: Stranger, Roles: member.Consumer, Status: member.Active},
		{ID: Auditor, Roles: member.Auditor, Status: member.Active},
		{ID: Suspended, Roles: member.Consumer, Status: member.Suspended},
	}
	denied := make([]member.Denial, len(revoked))
	for i, serial := range revoked {
		denied[i].Serial = serial
	}
	return membertest.Directory(t, systems, denied...)
}

// Message makes a message of the sample contract from JSON, such as Message(t, "GetPersonRequest", `{"personalId": "1"}`).
func Message(t testing.TB, name protoreflect.Name, json string) []byte {
	t.Helper()
	m := dynamicpb.NewMessage(catalogtest.File(t).Messages().ByName(name))
	if err := protojson.Unmarshal([]byte(json), m); err != nil {
		t.Fatal(err)
	}
	data, err := proto.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// Text reads a message of the sample contract as JSON, unknown fields as they are.
func Text(t testing.TB, name protoreflect.Name, data []byte) string {
	t.Helper()
	m := dynamicpb.NewMessage(catalogtest.File(t).Messages().ByName(name))
	if err := proto.Unmarshal(data, m); err != nil {
		t.Fatal(err)
	}
	if len(m.GetUnknown()) > 0 {
		t.Fatalf("%s has unknown fields: %x", name, m.GetUnknown())
	}
	return protojson.MarshalOptions{UseProtoNames: true}.Format(m)
}
