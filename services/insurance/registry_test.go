package insurance

import (
	"context"
	"net"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/test/bufconn"

	"github.com/lienthong/lienthong/proto/reason"
	insurancev1 "github.com/lienthong/lienthong/proto/registry/insurance/v1"
	"github.com/lienthong/lienthong/services/person"
)

// today is the day on which the tests happen.
const today = "2026-11-22"

// open opens a registry whose clock stands at noon of a day.
func open(t testing.TB, path, day string) *Registry {
	r, err := Open(t.Context(), path)
	require.NoError(t, err)
	t.Cleanup(func() { _ = r.Close() })
	noon, err := time.ParseInLocation("2006-01-02 15:04", day+" 12:00", person.Zone)
	require.NoError(t, err)
	r.Clock = func() time.Time { return noon }
	return r
}

func file(t testing.TB) string { return filepath.Join(t.TempDir(), "insurance.db") }

// serve offers the registry on a connection in memory.
func serve(t testing.TB, r *Registry) insurancev1.InsuranceServiceClient {
	listener := bufconn.Listen(1 << 20)
	server := grpc.NewServer()
	r.Register(server)
	done := make(chan error, 1)
	go func() { done <- server.Serve(listener) }()
	conn, err := grpc.NewClient("passthrough:///insurance", grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return listener.DialContext(ctx) }))
	require.NoError(t, err)
	t.Cleanup(func() {
		require.NoError(t, conn.Close())
		server.GracefulStop()
		require.NoError(t, <-done)
	})
	return insurancev1.NewInsuranceServiceClient(conn)
}

// hoa is somebody with a card that counts.
func hoa() insured {
	return insured{
		number: "4221234567", personalID: "042187001234", family: "Nguyễn", middle: "Thị", given: "Hoà",
		birth: "1987-04-21", sex: 2, codeSystem: 2, provinceCode: "42", provinceName: "Hà Tĩnh", communeCode: "18073",
		communeName: "Xã Thạch Hà", detail: "Thôn Đông, số 12", prefix: "DN442", validFrom: "2026-01-01",
		validTo: "2026-12-31", fiveYears: "2024-01-01", facility: "42010", livingArea: "K1",
	}
}

// but is hoa with a change.
func but(change func(*insured)) insured {
	i := hoa()
	change(&i)
	return i
}

func put(t testing.TB, r *Registry, rows ...insured) {
	for _, i := range rows {
		_, err := r.st.saveInsured.Exec(t.Context(), i.appendValues(nil)...)
		require.NoError(t, err)
	}
}

func putFormer(t testing.TB, r *Registry, number, prefix, from, to string) {
	_, err := r.st.saveFormer.Exec(t.Context(), number, prefix, from, to)
	require.NoError(t, err)
}

// requireReason asserts why a call failed, and at which field.
func requireReason(t testing.TB, want reason.Reason, field string, err error) {
	t.Helper()
	require.Error(t, err)
	f := reason.Of(err)
	require.Equal(t, want, f.Reason, "%v", err)
	require.Equal(t, field, f.Field)
}

func TestEveryQueryIsAnsweredByAnIndex(t *testing.T) {
	r := open(t, file(t), today)
	for name, query := range map[string]string{
		"by number": byNumber, "by person": byPerson, "former card": formerCard, "number taken": numberTaken,
		"issued request": issuedRequest, "contributions": contributions, "total months": totalMonths,
		"drop former": dropFormer,
	} {
		args := []any{"1", "2", "3"}
		rows, err := r.db.Read.QueryContext(t.Context(), "EXPLAIN QUERY PLAN "+query, args[:placeholders(query)]...)
		require.NoError(t, err, name)
		steps := 0
		for rows.Next() {
			var id, parent, unused int
			var detail string
			require.NoError(t, rows.Scan(&id, &parent, &unused, &detail))
			require.Regexp(t, `^SEARCH .* USING (COVERING )?INDEX `, detail, name)
			steps++
		}
		require.NoError(t, rows.Err())
		require.NoError(t, rows.Close())
		require.Equal(t, 1, steps, name)
	}
}

func placeholders(query string) int {
	n := 0
	for i := range query {
		if query[i] == '$' {
			n++
		}
	}
	return n
}
