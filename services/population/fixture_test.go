package population

import (
	"context"
	"iter"
	"net"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/test/bufconn"

	"github.com/lienthong/lienthong/proto/reason"
	populationv1 "github.com/lienthong/lienthong/proto/registry/population/v1"
	"github.com/lienthong/lienthong/services/store"
)

// The people of the fixture: a family of three, an old man who lives alone and holds the wife's old number too, a
// dead man, and two who share old number, name and birth date.
const (
	wife, husband, child = "042187001234", "042085000001", "042315000002"
	loner, dead          = "042057000003", "042040000004"
	double1, double2     = "001090000005", "001090000006"
	nobody               = "042187999999"
	sharedOld, doubleOld = "183456789", "012345678"
)

var today = time.Date(2026, 11, 22, 3, 4, 5, 0, time.UTC)

func row(values map[string]any) []any {
	all := map[string]any{"middle": "", "ethnic": "01", "religion": "00", "marital": 1, "relation": 0, "absent": 0}
	for k, v := range values {
		all[k] = v
	}
	out := make([]any, len(personTable))
	for i, column := range personTable {
		out[i] = all[column]
	}
	return out
}

var home1 = map[string]any{"household": "42HK00000001", "permanent_unit": "18073", "permanent_old_unit": "18001",
	"permanent_detail": "Thôn Đông, số 12", "permanent_since": "2012-09-14",
	"birth_system": 1, "birth_unit": "18001", "hometown_system": 1, "hometown_unit": "42"}

func with(base map[string]any, values map[string]any) map[string]any {
	all := map[string]any{}
	for _, m := range []map[string]any{base, values} {
		for k, v := range m {
			all[k] = v
		}
	}
	return all
}

var fixturePeople = [][]any{
	row(with(home1, map[string]any{"id": wife, "old_id": sharedOld, "family": "Nguyễn", "middle": "Thị", "given": "Hòa", "birth_date": "1987-04-21",
		"sex": 2, "spouse_id": husband, "marital": 2, "relation": 2, "blood": "O+", "phone": "0912345678", "card_issued": "2021-05-17",
		"father_name": "Nguyễn Văn Cha", "mother_name": "Trần Thị Mẹ"})),
	row(with(home1, map[string]any{"id": husband, "family": "Nguyễn", "middle": "Văn", "given": "Nam", "birth_date": "1985-01-30",
		"sex": 1, "spouse_id": wife, "marital": 2, "relation": 1})),
	row(with(home1, map[string]any{"id": child, "family": "Nguyễn", "middle": "Thị", "given": "Mai", "birth_date": "2015-06-01",
		"sex": 2, "father_id": husband, "father_name": "Nguyễn Văn Nam", "mother_id": wife, "mother_name": "Nguyễn Thị Hòa", "relation": 4})),
	row(map[string]any{"id": loner, "old_id": sharedOld, "family": "Trần", "given": "Cũ", "birth_date": "1957", "sex": 1, "relation": 1,
		"household": "42HK00000002", "permanent_unit": "18073", "temporary_unit": "00070", "temporary_detail": "Số 1", "temporary_until": "2027-03-31", "absent": 1}),
	row(map[string]any{"id": dead, "family": "Lê", "middle": "Văn", "given": "Mất", "birth_date": "1940-02-03", "sex": 1, "marital": 4,
		"permanent_unit": "18073", "permanent_detail": "Thôn Tây", "death_date": "2020-05-05"}),
	row(map[string]any{"id": double1, "old_id": doubleOld, "family": "Phạm", "middle": "Văn", "given": "Đôi", "birth_date": "1990-01-01", "sex": 1}),
	row(map[string]any{"id": double2, "old_id": doubleOld, "family": "Phạm", "middle": "Văn", "given": "Đôi", "birth_date": "1990-01-01", "sex": 1}),
}

var fixtureUnits = [][]any{
	{1, "42", "42", "Hà Tĩnh"}, {1, "18001", "42", "Xã Thạch Khê"},
	{2, "42", "42", "Hà Tĩnh"}, {2, "18073", "42", "Xã Thạch Hà"},
	{2, "01", "01", "Hà Nội"}, {2, "00070", "01", "Phường Hoàn Kiếm"},
}

var fixtureLists = [][]any{{listEthnic, "01", "Kinh"}, {listReligion, "00", "Không"}}

func seq(rows [][]any) iter.Seq[[]any] { return slices.Values(rows) }

// open opens an empty registry whose clock stands still.
func open(t testing.TB, path string) *Registry {
	t.Helper()
	r, err := Open(t.Context(), path)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, r.Close()) })
	r.Now = func() time.Time { return today }
	return r
}

// fixture is a registry with the people above.
func fixture(t testing.TB) *Registry {
	t.Helper()
	r := open(t, filepath.Join(t.TempDir(), "population.db"))
	require.NoError(t, r.db.Fill(t.Context(),
		store.Table{Name: "person", Columns: personTable, Rows: seq(fixturePeople)},
		store.Table{Name: "unit", Columns: []string{"system", "code", "province", "name"}, Rows: seq(fixtureUnits)},
		store.Table{Name: "catalogue", Columns: []string{"list", "code", "name"}, Rows: seq(fixtureLists)}))
	require.NoError(t, r.readCatalogue(t.Context()))
	return r
}

// serve puts a registry on a real gRPC server and returns a client of it.
func serve(t testing.TB, r *Registry) populationv1.PopulationServiceClient {
	t.Helper()
	lis := bufconn.Listen(1 << 20)
	s := grpc.NewServer()
	r.Register(s)
	served := make(chan error, 1)
	go func() { served <- s.Serve(lis) }()
	conn, err := grpc.NewClient("passthrough:bufconn", grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return lis.DialContext(ctx) }))
	require.NoError(t, err)
	t.Cleanup(func() {
		require.NoError(t, conn.Close())
		s.Stop()
		require.NoError(t, <-served)
	})
	return populationv1.NewPopulationServiceClient(conn)
}

// requireFault checks that a call failed for a reason, at a field.
func requireFault(t testing.TB, err error, want reason.Reason, field string) {
	t.Helper()
	require.Error(t, err)
	fault := reason.Of(err)
	require.Equal(t, want, fault.Reason)
	require.Equal(t, field, fault.Field)
}
