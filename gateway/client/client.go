// Package client is the Go client for agency systems: a connection on which both sides know each other, the words
// that say why something is asked, and what comes with an answer.
//
// Generated code of a registry works on such a connection as on any other:
//
//	conn, err := client.Dial("127.0.0.1:7443", identity)
//	ctx = client.With(ctx, client.Words{Purpose: "HT-KS", Case: "H27-261122-0001"})
//	person, err := populationv1.NewPopulationServiceClient(conn).GetPerson(ctx, request, grpc.Header(&header))
//
// What does not belong here: deciding anything; the hub does.
package client

import (
	"context"
	"fmt"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/lienthong/lienthong/proto/bus"
	"github.com/lienthong/lienthong/proto/peer"
	"github.com/lienthong/lienthong/proto/reason"
)

// Gateway is the identity of the gateways that Dial believes.
var Gateway = peer.ID{Agency: "G06", System: "gateway"}

// Dial opens a connection to a hub's gateway at address, as the identity. It believes Gateway alone; see DialGateway.
func Dial(address string, identity *peer.Identity, opts ...grpc.DialOption) (*grpc.ClientConn, error) {
	return DialGateway(address, identity, Gateway, opts...)
}

// DialGateway opens a connection to the gateway at address, as the identity. The gateway is known by its own
// identity, not by its host name: a registry, which has a certificate of the same authority, cannot stand in for
// it. No byte is sent before the first call.
func DialGateway(address string, identity *peer.Identity, gateway peer.ID, opts ...grpc.DialOption) (*grpc.ClientConn, error) {
	config := peer.ClientTLS(identity.Certificate, identity.Roots, peer.Only(gateway))
	opts = append([]grpc.DialOption{
		grpc.WithTransportCredentials(credentials.NewTLS(config)),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(bus.MaxAnswer + 4096)),
	}, opts...)
	conn, err := grpc.NewClient(address, opts...)
	if err != nil {
		return nil, fmt.Errorf("dial %s: %w", address, err)
	}
	return conn, nil
}

// Words say why something is asked. Purpose is always needed; the rest where the agreement asks for it.
type Words struct {
	Purpose string // coded purpose of the agreement
	Case    string // dossier number
	Officer string // the agency's account name of the officer
	Fields  string // paths of the answer, joined by commas; empty: all that is agreed
	Consent string // reference to the data subject's consent
}

// With returns a context whose calls carry the words.
func With(ctx context.Context, w Words) context.Context {
	for _, word := range [...]struct{ name, value string }{
		{"lt-purpose", w.Purpose}, {"lt-case", w.Case}, {"lt-officer", w.Officer},
		{"lt-fields", w.Fields}, {"lt-consent", w.Consent},
	} {
		if word.value != "" {
			ctx = metadata.AppendToOutgoingContext(ctx, word.name, word.value)
		}
	}
	return ctx
}

// Receipt is what comes with an answer, refused or not.
type Receipt struct {
	Exchange string // id of the exchange
	Withheld string // what was asked for and withheld: paths, joined by commas
	Position string // of its record in the ledger: ORIGIN:SEQ
	Key      string // with which the consumer can show later which bytes were asked and answered: keep it beside them
}

// ReceiptOf reads the receipt from a call's headers.
func ReceiptOf(header metadata.MD) Receipt {
	first := func(name string) string {
		if v := header.Get(name); len(v) > 0 {
			return v[0]
		}
		return ""
	}
	return Receipt{Exchange: first("lt-exchange"), Withheld: first("lt-withheld"), Position: first("lt-ledger"), Key: first("lt-receipt")}
}

// Refusal is why a call was not answered, as the hub says it.
type Refusal struct {
	Code    string `json:"code"`             // gRPC status
	Reason  string `json:"reason,omitempty"` // registered reason; empty if it did not come from a hub
	Field   string `json:"field,omitempty"`  // request field or metadata at fault
	Mender  string `json:"mender,omitempty"` // who can mend it: caller, parties, provider, hub
	Message string `json:"message"`          // what is wrong and what to do
}

// RefusalOf reads why a call failed.
func RefusalOf(err error) Refusal {
	st := status.Convert(err)
	r := Refusal{Code: st.Code().String(), Message: st.Message()}
	for _, d := range st.Details() {
		if info, ok := d.(*errdetails.ErrorInfo); ok && info.GetDomain() == reason.Domain {
			r.Reason = info.GetReason()
			r.Field, r.Mender = info.GetMetadata()["field"], info.GetMetadata()["mender"]
		}
	}
	return r
}
