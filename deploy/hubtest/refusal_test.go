package hubtest_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/types/known/emptypb"

	"github.com/lienthong/lienthong/deploy/hubtest"
	"github.com/lienthong/lienthong/gateway/client"
	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
	"github.com/lienthong/lienthong/proto/reason"
)

// refused looks at what every refusal has, and that the hub goes on after it.
func refused(t *testing.T, hub *hubtest.Hub, a *answer, want, field string) {
	t.Helper()
	refusal := client.RefusalOf(a.err)
	require.Equal(t, want, refusal.Reason, "%v", a.err)
	require.Equal(t, field, refusal.Field)
	require.Contains(t, refusal.Message, reason.Reason(want).Form().Message)
	require.NotEmpty(t, a.receipt.Exchange, "a refusal has its exchange too")
	require.Equal(t, want, hub.Exchange(t, a.receipt.Exchange).GetReason())
	status, _ := hub.Get(t, "/healthz")
	require.Equal(t, 200, status)
}

func TestBadInputIsRefusedWithItsOwnReasonAndTheHubGoesOn(t *testing.T) {
	person := shared.Sample(t, "married", 1)[0]
	one := `{"personal_id": "` + person.Number.String() + `"}`
	whole := `{"personal_id": "` + person.Number.String() + `", "full_name": "` + person.Name + `", "birth_date": "` + person.Birth.String() + `"}`
	fields := desk
	fields.Fields = "permanent,permanent.shoe_size"
	clinic := client.Words{Purpose: "KCB-TD", Case: "KB-1", Officer: "bs.hoa"}
	portal := client.Words{Purpose: "DVC-TK", Case: "DVC-1", Officer: "portal"}
	for name, c := range map[string]struct {
		as, method string
		words      client.Words
		request    string
		want       reason.Reason
		field      string
	}{
		"missing purpose":    {"H27/one-stop", population + "GetResidence", client.Words{}, one, reason.PurposeRequired, "lt-purpose"},
		"purpose not agreed": {"H27/one-stop", population + "GetResidence", client.Words{Purpose: "THUE"}, one, reason.PurposeNotAgreed, "lt-purpose"},
		"no agreement":       {"COM.3000000012/ekyc", population + "GetPerson", desk, whole, reason.NoAgreement, ""},
		"method not agreed":  {"H27/one-stop", population + "GetPerson", desk, whole, reason.MethodNotAgreed, ""},
		"expired agreement":  {"H27.07/clinic", civilStatus + "GetBirth", clinic, whole, reason.AgreementExpired, ""},
		"malformed id":       {"H27/one-stop", population + "GetResidence", desk, `{"personal_id": "0421x"}`, reason.IDMalformed, "personal_id"},
		"future date": {"G22/dvc-portal", population + "VerifyIdentity", portal,
			`{"personal_id": "` + person.Number.String() + `", "full_name": "` + person.Name + `", "birth_date": "2999-01-01"}`, reason.DateInFuture, "birth_date"},
		"no real date": {"G22/dvc-portal", population + "VerifyIdentity", portal,
			`{"personal_id": "` + person.Number.String() + `", "full_name": "` + person.Name + `", "birth_date": "1987-02-30"}`, reason.DateMalformed, "birth_date"},
		"unknown field":    {"H27/one-stop", population + "GetResidence", fields, one, reason.FieldUnknown, "lt-fields"},
		"oversized":        {"H27/one-stop", population + "GetResidence", desk, `{"personal_id": "` + strings.Repeat("0", 256<<10) + `"}`, reason.RequestTooLarge, ""},
		"unknown province": {"H27/one-stop", land + "GetParcel", desk, `{"province_code": "99"}`, reason.CodeUnknown, "province_code"},
	} {
		t.Run(name, func(t *testing.T) {
			refused(t, shared, ask(within(t), t, shared.Dial(t, c.as), c.method, c.words, c.request), string(c.want), c.field)
		})
	}
	require.NoError(t, ask(within(t), t, shared.Dial(t, "H27/one-stop"), population+"GetResidence", desk, one).err)
}

func TestWhoIsRefusedAChangeOfTheRulesStandsInTheLedger(t *testing.T) {
	hub := small(t)
	conn := hub.Dial(t, "H27/one-stop")
	ctx := metadata.AppendToOutgoingContext(within(t), "lt-officer", "can.bo")
	_, err := hubv1.NewAgreementServiceClient(conn).SuspendConsumer(ctx, &hubv1.SuspendConsumerRequest{Provider: "G01", Agency: "G24", Violation: "x"})
	require.Equal(t, "ACT_NOT_ALLOWED", client.RefusalOf(err).Reason)
	_, err = hubv1.NewOfficerServiceClient(conn).ListOfficers(ctx, &hubv1.ListOfficersRequest{Agency: "G24"})
	require.Equal(t, "ACT_NOT_ALLOWED", client.RefusalOf(err).Reason)
	var refused []string
	for _, r := range hub.Records(t) {
		if c := r.GetChange(); c.GetReason() != "" {
			refused = append(refused, strings.Join([]string{c.GetAgency(), c.GetSystem(), c.GetOfficer(), c.GetText(), c.GetReason()}, " "))
		}
	}
	require.Equal(t, []string{"H27 one-stop can.bo refused: SuspendConsumer ACT_NOT_ALLOWED", "H27 one-stop can.bo refused: ListOfficers ACT_NOT_ALLOWED"}, refused)
}

func TestWhatIsNotPublishedIsUnknown(t *testing.T) {
	conn := shared.Dial(t, "H27/one-stop")
	for method, want := range map[string]string{
		"/registry.tax.v1.TaxService/GetTaxes":                 "SERVICE_UNKNOWN",
		"/registry.population.v1.PopulationService/DropTables": "METHOD_UNKNOWN",
	} {
		a := new(answer)
		a.err = conn.Invoke(client.With(within(t), desk), method, new(emptypb.Empty), new(emptypb.Empty), grpc.Header(&a.header))
		a.receipt = client.ReceiptOf(a.header)
		refused(t, shared, a, want, "")
	}
}

func TestADeadlineTooShortIsRefusedAtOnce(t *testing.T) {
	person := shared.Sample(t, "married", 1)[0]
	conn := shared.Dial(t, "H27/one-stop")
	hubtest.Eventually(t, "a refusal that comes back in time", func() bool {
		ctx, cancel := context.WithTimeout(t.Context(), 65*time.Millisecond)
		defer cancel()
		a := ask(ctx, t, conn, population+"GetResidence", desk, `{"personal_id": "`+person.Number.String()+`"}`)
		return a.reason() == "DEADLINE_TOO_SHORT" && shared.Exchange(t, a.receipt.Exchange).GetOutcome() == hubv1.Exchange_OUTCOME_TIMED_OUT
	})
}

func TestARegistryThatGoesAndComesBack(t *testing.T) {
	t.Parallel()
	hub := hubtest.Start(t, hubtest.Config{Registries: hubtest.Sandbox("population"), Population: 100})
	conn := hub.Dial(t, "H27/one-stop")
	one := `{"personal_id": "` + hub.Sample(t, "married", 1)[0].Number.String() + `"}`
	require.NoError(t, ask(within(t), t, conn, population+"GetResidence", desk, one).err)

	require.NoError(t, hub.StopRegistry("population"))
	refused(t, hub, ask(within(t), t, conn, population+"GetResidence", desk, one), "REGISTRY_OFFLINE", "")
	_, body := hub.Get(t, "/readyz")
	require.Contains(t, body, "nobody answers for registry.population.v1.PopulationService in vn")

	require.NoError(t, hub.StartRegistry(within(t), hubtest.Registry{Name: "population"}))
	require.NoError(t, ask(within(t), t, conn, population+"GetResidence", desk, one).err)

	hub.StopBus()
	hubtest.Eventually(t, "the gateway notices that the bus is gone", func() bool {
		_, body := hub.Get(t, "/readyz")
		return strings.Contains(body, "the bus is not connected")
	})
	refused(t, hub, ask(within(t), t, conn, population+"GetResidence", desk, one), "BUS_OFFLINE", "")
	_, metrics := hub.Get(t, "/metrics")
	require.Contains(t, metrics, "lienthong_bus_connected 0")

	require.NoError(t, hub.StartBus())
	hub.Ready(t)
	hubtest.Eventually(t, "an answer over the new bus", func() bool {
		return ask(within(t), t, conn, population+"GetResidence", desk, one).err == nil
	})
}
