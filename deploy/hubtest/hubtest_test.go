package hubtest_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/dynamicpb"

	"github.com/lienthong/lienthong/deploy/hubtest"
	"github.com/lienthong/lienthong/gateway/client"
	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
)

// Services of the sandbox.
const (
	population  = "registry.population.v1.PopulationService/"
	civilStatus = "registry.civilstatus.v1.CivilStatusService/"
	insurance   = "registry.insurance.v1.InsuranceService/"
	land        = "registry.land.v1.LandService/"
)

// shared is one hub with all registries of the sandbox, for tests that change nothing in it.
var shared *hubtest.Hub

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	hub, err := hubtest.Open(context.Background(), hubtest.Config{Registries: hubtest.Sandbox(), Population: 400})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	shared = hub
	code := m.Run()
	err = hub.Close()
	http.DefaultClient.CloseIdleConnections()
	if code == 0 {
		err = errors.Join(err, goleak.Find())
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return code
}

// answer is what came of a call.
type answer struct {
	raw     []byte
	json    string // of the released answer
	header  metadata.MD
	trailer metadata.MD
	receipt client.Receipt
	err     error
}

// reason is why there is no answer; empty if there is one.
func (a *answer) reason() string {
	if a.err == nil {
		return ""
	}
	return client.RefusalOf(a.err).Reason
}

// ask asks a method ("registry.land.v1.LandService/GetParcel") with a request in JSON.
func ask(ctx context.Context, t testing.TB, conn *grpc.ClientConn, method string, words client.Words, request string) *answer {
	t.Helper()
	desc := methodOf(t, method)
	in := dynamicpb.NewMessage(desc.Input())
	require.NoError(t, protojson.Unmarshal([]byte(request), in), "%s", method)
	out := dynamicpb.NewMessage(desc.Output())
	a := new(answer)
	a.err = conn.Invoke(client.With(ctx, words), "/"+method, in, out, grpc.Header(&a.header), grpc.Trailer(&a.trailer))
	a.receipt = client.ReceiptOf(a.header)
	if a.err == nil {
		var err error
		a.raw, err = proto.Marshal(out)
		require.NoError(t, err)
		a.json = protojson.MarshalOptions{UseProtoNames: true}.Format(out)
	}
	return a
}

// methodOf finds a method of the registries that this test links.
func methodOf(t testing.TB, method string) protoreflect.MethodDescriptor {
	return descriptorOf(t, protoreflect.FullName(strings.Replace(method, "/", ".", 1))).(protoreflect.MethodDescriptor)
}

func descriptorOf(t testing.TB, name protoreflect.FullName) protoreflect.Descriptor {
	found, err := protoregistry.GlobalFiles.FindDescriptorByName(name)
	require.NoError(t, err)
	return found
}

// desk is what Hà Tĩnh's one-stop desk says when it asks about a residence.
var desk = client.Words{Purpose: "CT-TT", Case: "H27-261122-0001", Officer: "canbo.motcua"}

func TestAnAgencyGetsItsAnswerAndAReceipt(t *testing.T) {
	person := shared.Sample(t, "married", 1)[0]
	conn := shared.Dial(t, "H27/one-stop")
	a := ask(t.Context(), t, conn, population+"GetResidence", desk, `{"personal_id": "`+person.Number.String()+`"}`)
	require.NoError(t, a.err)
	require.Contains(t, a.json, `"FOUND"`)
	require.Contains(t, a.json, "commune_code")

	e := shared.Exchange(t, a.receipt.Exchange)
	require.Equal(t, hubv1.Exchange_OUTCOME_ANSWERED, e.GetOutcome())
	require.Equal(t, "H27/one-stop", e.GetConsumerAgency()+"/"+e.GetConsumerSystem())
	require.Equal(t, hubv1.Result_FOUND, e.GetResult().GetCode())
	require.EqualValues(t, 1, e.GetMatched())
	require.EqualValues(t, len(a.raw), e.GetAnswerBytes())
	require.NotEmpty(t, a.receipt.Position)
	require.NotEmpty(t, a.receipt.Key)
}

func TestAHubWithoutARegistrySaysSoAndStopsCleanly(t *testing.T) {
	hub := hubtest.Start(t, hubtest.Config{})
	status, body := hub.Get(t, "/readyz")
	require.Equal(t, 503, status)
	require.Contains(t, body, "nobody answers for registry.population.v1.PopulationService in vn")
	require.Empty(t, hub.Exchanges(t))
}

func TestAMisspeltRegistryIsNamedAndNothingIsLeftBehind(t *testing.T) {
	_, err := hubtest.Open(t.Context(), hubtest.Config{Registries: hubtest.Sandbox("taxes")})
	require.ErrorContains(t, err, "taxes")
	_, err = hubtest.Open(t.Context(), hubtest.Config{Population: 1_000_000})
	require.ErrorContains(t, err, "1 to 2000")
}

func TestReflectionListsAndDescribesTheSandbox(t *testing.T) {
	conn := shared.Dial(t, "COM.3000000012/ekyc")
	services, err := client.Services(t.Context(), conn)
	require.NoError(t, err)
	require.Equal(t, []string{
		strings.TrimSuffix(civilStatus, "/"), strings.TrimSuffix(insurance, "/"), strings.TrimSuffix(land, "/"), strings.TrimSuffix(population, "/"),
	}, services)
	for _, service := range services {
		desc, err := client.Describe(t.Context(), conn, service)
		require.NoError(t, err)
		require.Positive(t, desc.Methods().Len())
	}
}

func TestTheSandboxIsReadyAndCounts(t *testing.T) {
	status, body := shared.Get(t, "/readyz")
	require.Equal(t, 200, status, body)
	status, _ = shared.Get(t, "/healthz")
	require.Equal(t, 200, status)
	person := shared.Sample(t, "married", 1)[0]
	a := ask(t.Context(), t, shared.Dial(t, "H27/one-stop"), population+"GetResidence", desk, `{"personal_id": "`+person.Number.String()+`"}`)
	require.NoError(t, a.err)
	_, metrics := shared.Get(t, "/metrics")
	for _, want := range []string{
		`lienthong_exchanges_total{consumer="H27/one-stop",method="` + population + `GetResidence",outcome="OUTCOME_ANSWERED",reason=""}`,
		"lienthong_exchange_seconds_bucket", "lienthong_bus_connected 1", "lienthong_registries_offline 0",
	} {
		require.Contains(t, metrics, want)
	}
}

// within bounds what a test waits for by itself.
func within(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	t.Cleanup(cancel)
	return ctx
}

// last is the last record of a system.
func last(t testing.TB, hub *hubtest.Hub, system string) *hubv1.Exchange {
	for _, e := range slices.Backward(hub.Exchanges(t)) {
		if e.GetConsumerAgency()+"/"+e.GetConsumerSystem() == system {
			return e
		}
	}
	return nil
}
