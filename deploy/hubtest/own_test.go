package hubtest_test

import (
	"context"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/dynamicpb"
	"google.golang.org/protobuf/types/known/emptypb"

	"github.com/lienthong/lienthong/deploy/hubtest"
	"github.com/lienthong/lienthong/gateway/catalog/catalogtest"
	"github.com/lienthong/lienthong/gateway/client"
	"github.com/lienthong/lienthong/gateway/exchange/exchangetest"
	"github.com/lienthong/lienthong/proto/peer"
	"github.com/lienthong/lienthong/services/connector"
)

// people is a registry of an integrator's: a service that the hub never heard of. It tells who asked it.
func people(t *testing.T, asked chan<- connector.Caller) func(grpc.ServiceRegistrar) {
	response := exchangetest.Message(t, "GetPersonResponse",
		`{"result": {"code": "FOUND"}, "person": {"personalId": "042187001234", "birthDate": "1987-04-21", "religion": "CANARY-"}}`)
	desc := grpc.ServiceDesc{ServiceName: catalogtest.Service, Methods: []grpc.MethodDesc{{MethodName: "GetPerson",
		Handler: func(_ any, ctx context.Context, decode func(any) error, _ grpc.UnaryServerInterceptor) (any, error) {
			caller, _ := connector.CallerFrom(ctx)
			asked <- caller
			answer := new(emptypb.Empty) // generated code would have the type; the bytes are the same
			answer.ProtoReflect().SetUnknown(response)
			return answer, decode(new(emptypb.Empty))
		}}}}
	return func(r grpc.ServiceRegistrar) { r.RegisterService(&desc, nil) }
}

func TestARegistryOfOnesOwnJoinsWithItsContractOfferAndAgreement(t *testing.T) {
	if _, err := protoregistry.GlobalFiles.FindFileByPath(catalogtest.File(t).Path()); err != nil {
		require.NoError(t, protoregistry.GlobalFiles.RegisterFile(catalogtest.File(t))) // as generated code does by itself
	}
	asked := make(chan connector.Caller, 1)
	hub := hubtest.Start(t, hubtest.Config{
		Registries: []hubtest.Registry{{
			Name: "people", Register: people(t, asked), Service: catalogtest.Service, ID: peer.ID{Agency: "G01", System: "registry-people"},
		}},
		Files: fstest.MapFS{
			"catalog/people.yaml":    {Data: []byte(catalogtest.Offer)},
			"agreements/people.yaml": {Data: []byte(exchangetest.Agreement)},
		},
	})
	conn := hub.Dial(t, "H27/one-stop")
	services, err := client.Services(within(t), conn)
	require.NoError(t, err)
	require.Contains(t, services, catalogtest.Service)

	desc, err := client.Describe(within(t), conn, catalogtest.Service)
	require.NoError(t, err)
	out := dynamicpb.NewMessage(desc.Methods().ByName("GetPerson").Output())
	err = conn.Invoke(client.With(within(t), client.Words{Purpose: exchangetest.Purpose, Case: "H27-1"}), catalogtest.GetPerson, new(emptypb.Empty), out)
	require.NoError(t, err)
	caller := <-asked
	require.Equal(t, "H27/one-stop", caller.Agency+"/"+caller.System)
	raw, err := proto.Marshal(out)
	require.NoError(t, err)
	require.Contains(t, string(raw), "1987-04-21")
	require.NotContains(t, string(raw), canary)
	require.Len(t, last(t, hub, "H27/one-stop").GetSubjectHashes(), 1)
}
