package catalog_test

import (
	"context"
	"net"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/reflection"
	reflectionv1 "google.golang.org/grpc/reflection/grpc_reflection_v1"
	"google.golang.org/grpc/test/bufconn"

	"github.com/lienthong/lienthong/gateway/catalog"
	"github.com/lienthong/lienthong/gateway/catalog/catalogtest"
)

// linkedElsewhere is a file that this test links and no descriptor set has.
const linkedElsewhere = "grpc/reflection/v1/reflection.proto"

// reflect serves reflection from whatever current points at, and returns a client's stream.
func reflect(t *testing.T, current **catalog.Catalog) reflectionv1.ServerReflection_ServerReflectionInfoClient {
	live := catalog.Live(func() *catalog.Catalog { return *current })
	srv := grpc.NewServer()
	reflectionv1.RegisterServerReflectionServer(srv, reflection.NewServerV1(reflection.ServerOptions{
		Services: live, DescriptorResolver: live, ExtensionResolver: live,
	}))
	lis := bufconn.Listen(1 << 20)
	served := make(chan error, 1)
	go func() { served <- srv.Serve(lis) }()
	conn, err := grpc.NewClient("passthrough:bufconn", grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return lis.DialContext(ctx) }))
	require.NoError(t, err)
	t.Cleanup(func() {
		conn.Close()
		srv.Stop()
		require.NoError(t, <-served)
	})
	stream, err := reflectionv1.NewServerReflectionClient(conn).ServerReflectionInfo(t.Context())
	require.NoError(t, err)
	return stream
}

func ask(t *testing.T, stream reflectionv1.ServerReflection_ServerReflectionInfoClient, q *reflectionv1.ServerReflectionRequest) *reflectionv1.ServerReflectionResponse {
	require.NoError(t, stream.Send(q))
	answer, err := stream.Recv()
	require.NoError(t, err)
	return answer
}

func TestReflectionShowsTheCatalogOfTheMomentAndNothingElse(t *testing.T) {
	var current *catalog.Catalog
	stream := reflect(t, &current)
	list := &reflectionv1.ServerReflectionRequest{MessageRequest: &reflectionv1.ServerReflectionRequest_ListServices{}}
	symbol := func(name string) *reflectionv1.ServerReflectionRequest {
		return &reflectionv1.ServerReflectionRequest{
			MessageRequest: &reflectionv1.ServerReflectionRequest_FileContainingSymbol{FileContainingSymbol: name},
		}
	}
	require.Empty(t, ask(t, stream, list).GetListServicesResponse().GetService())

	current = catalogtest.Load(t)
	services := ask(t, stream, list).GetListServicesResponse().GetService()
	require.Len(t, services, 1)
	require.Equal(t, catalogtest.Service, services[0].GetName())
	require.NotEmpty(t, ask(t, stream, symbol(catalogtest.Service)).GetFileDescriptorResponse().GetFileDescriptorProto())
	require.NotEmpty(t, ask(t, stream, symbol("hub.v1.Result")).GetFileDescriptorResponse().GetFileDescriptorProto())
	require.NotNil(t, ask(t, stream, symbol("grpc.reflection.v1.ServerReflection")).GetErrorResponse())
	label := ask(t, stream, &reflectionv1.ServerReflectionRequest{
		MessageRequest: &reflectionv1.ServerReflectionRequest_AllExtensionNumbersOfType{AllExtensionNumbersOfType: "google.protobuf.FieldOptions"},
	})
	require.Equal(t, []int32{50501}, label.GetAllExtensionNumbersResponse().GetExtensionNumber())
}
