package hubtest_test

import (
	"context"
	"os"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"

	"github.com/lienthong/lienthong/deploy/hubtest"
	"github.com/lienthong/lienthong/gateway/client"
	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
	populationv1 "github.com/lienthong/lienthong/proto/registry/population/v1"
)

// shared is one hub with all registries of the sandbox, for tests that change nothing in it.
var shared *hubtest.Hub

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	hub, err := hubtest.Open(context.Background(), hubtest.Config{Registries: hubtest.Sandbox(), Population: 300})
	if err != nil {
		println(err.Error())
		return 1
	}
	shared = hub
	code := m.Run()
	if err := hub.Close(); err != nil {
		println(err.Error())
		return 1
	}
	return code
}

// desk is what Hà Tĩnh's one-stop desk says when it asks about a residence.
var desk = client.Words{Purpose: "CT-TT", Case: "H27-261122-0001", Officer: "canbo.motcua"}

func TestAnAgencyGetsItsAnswerAndAReceipt(t *testing.T) {
	person := shared.Sample(t, "married", 1)[0]
	population := populationv1.NewPopulationServiceClient(shared.Dial(t, "H27/one-stop"))
	var header metadata.MD
	answer, err := population.GetResidence(client.With(t.Context(), desk),
		&populationv1.GetResidenceRequest{PersonalId: person.Number.String()}, grpc.Header(&header))
	require.NoError(t, err)
	require.Equal(t, hubv1.Result_FOUND, answer.GetResult().GetCode())
	require.NotEmpty(t, answer.GetPermanent().GetCommuneCode())

	record := shared.Record(t, client.ReceiptOf(header).Exchange)
	require.Equal(t, "OUTCOME_ANSWERED", record.Text("outcome"))
	require.Equal(t, "H27/one-stop", record.Text("consumer"))
	require.Equal(t, "FOUND", record.Text("result"))
	require.EqualValues(t, 1, record["matched"])
}
