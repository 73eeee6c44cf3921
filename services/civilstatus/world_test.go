package civilstatus_test

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/test/bufconn"

	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
	"github.com/lienthong/lienthong/proto/reason"
	civilstatusv1 "github.com/lienthong/lienthong/proto/registry/civilstatus/v1"
	"github.com/lienthong/lienthong/services/civilstatus"
	"github.com/lienthong/lienthong/services/nation"
	"github.com/lienthong/lienthong/services/person"
)

var theNation = sync.OnceValues(func() (*nation.Nation, error) {
	return nation.Generate(context.Background(), nation.Config{Population: 1500, Seed: 7, Errors: nation.DefaultErrors()})
})

// template is a filled database, closed, for worlds to copy: filling one for each test takes the race detector minutes.
var template = sync.OnceValues(func() ([]byte, error) {
	n, err := theNation()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "civilstatus")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	reg, err := civilstatus.Open(context.Background(), filepath.Join(dir, "civil.db"))
	if err != nil {
		return nil, err
	}
	if err := errors.Join(reg.Fill(context.Background(), n), reg.Close()); err != nil {
		return nil, err
	}
	return os.ReadFile(filepath.Join(dir, "civil.db"))
})

// world is a registry filled from a nation, behind a real gRPC server.
type world struct {
	civilstatusv1.CivilStatusServiceClient
	t      *testing.T
	path   string
	nation *nation.Nation
	reg    *civilstatus.Registry
	now    atomic.Int64 // Unix seconds
	taken  map[int32]bool
	serial int
}

func newWorld(t *testing.T) *world {
	n, err := theNation()
	require.NoError(t, err)
	w := &world{t: t, path: filepath.Join(t.TempDir(), "civil.db"), nation: n, taken: map[int32]bool{}}
	w.setNow(n.Config.AsOf.Time().Add(3 * time.Hour))
	filled, err := template()
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(w.path, filled, 0o600))
	w.reg = w.open()
	w.serve()
	return w
}

func (w *world) setNow(at time.Time) { w.now.Store(at.Unix()) }

func (w *world) clock() time.Time { return time.Unix(w.now.Load(), 0) }

func (w *world) open() *civilstatus.Registry {
	reg, err := civilstatus.Open(w.t.Context(), w.path)
	require.NoError(w.t, err)
	reg.Now = w.clock
	w.t.Cleanup(func() { require.NoError(w.t, reg.Close()) })
	return reg
}

func (w *world) serve() {
	listener := bufconn.Listen(1 << 20)
	server := grpc.NewServer()
	w.reg.Register(server)
	done := make(chan error, 1)
	go func() { done <- server.Serve(listener) }()
	conn, err := grpc.NewClient("passthrough:///civil",
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return listener.DialContext(ctx) }),
		grpc.WithTransportCredentials(insecure.NewCredentials()))
	require.NoError(w.t, err)
	w.CivilStatusServiceClient = civilstatusv1.NewCivilStatusServiceClient(conn)
	w.t.Cleanup(func() {
		require.NoError(w.t, conn.Close())
		server.Stop()
		require.NoError(w.t, <-done)
	})
}

// pick finds a person who was not picked before.
func (w *world) pick(what string, is func(i int32, p *nation.Person) bool) int32 {
	for i := range w.nation.People {
		if p := &w.nation.People[i]; !w.taken[int32(i)] && is(int32(i), p) {
			w.taken[int32(i)] = true
			return int32(i)
		}
	}
	require.FailNow(w.t, "the nation has nobody who is "+what)
	return nation.None
}

// age is in whole years by the registry's own birth date.
func (w *world) age(i int32) int {
	now, birth := person.DateOf(w.clock()), w.nation.Births[i].Date.Time()
	years := now.Year - birth.Year()
	if birth.AddDate(years, 0, 0).After(now.Time()) {
		years--
	}
	return years
}

// bachelor and maid are far apart in the nation, where families stand together: they are no kin.
func (w *world) bachelor() int32 {
	return w.pick("a bachelor of age", func(i int32, p *nation.Person) bool {
		return int(i) < len(w.nation.People)/2 && p.Living() && p.Sex == nation.Male && p.Marital == nation.NeverMarried && w.age(i) >= 20
	})
}

func (w *world) maid() int32 {
	return w.pick("an unmarried woman of age", func(i int32, p *nation.Person) bool {
		return int(i) >= len(w.nation.People)/2 && p.Living() && p.Sex == nation.Female && p.Marital == nation.NeverMarried && w.age(i) >= 18
	})
}

func (w *world) wife() int32 {
	return w.pick("a wife", func(i int32, p *nation.Person) bool {
		return p.Living() && p.Sex == nation.Female && p.Spouse != nation.None && w.marriageOf(i) != nil && !w.marriageOf(i).Undigitised
	})
}

// marriageOf is a person's current marriage, or nil.
func (w *world) marriageOf(i int32) *nation.Marriage {
	for m := range w.nation.Marriages {
		if a := &w.nation.Marriages[m]; a.End == nation.NotEnded && (a.Husband == i || a.Wife == i) {
			return a
		}
	}
	return nil
}

func (w *world) dead() int32 {
	return w.pick("dead", func(_ int32, p *nation.Person) bool {
		return !p.Living() && !w.nation.Deaths[p.Death].Undigitised
	})
}

// key names a person as the books do.
func (w *world) key(i int32) *civilstatusv1.PersonKey {
	b := &w.nation.Births[i]
	return &civilstatusv1.PersonKey{PersonalId: w.nation.People[i].Number.String(), FullName: b.Name.String(), BirthDate: b.Date.String()}
}

// commune is one in Hà Tĩnh.
func (w *world) commune() nation.Commune { return nation.Communes(42)[0] }

func (w *world) office() *civilstatusv1.Office {
	return &civilstatusv1.Office{AgencyCode: w.commune().CodeText(), Signer: "Trần Văn Minh", SignerTitle: "Chủ tịch", Clerk: "Lê Thị Mai"}
}

func (w *world) address() *hubv1.Address {
	return &hubv1.Address{CodeSystem: hubv1.CodeSystem_CODE_SYSTEM_GSO_2025, ProvinceCode: "42", CommuneCode: w.commune().CodeText(), Detail: "Thôn Đông"}
}

// requestID is a new one each time.
func (w *world) requestID() string {
	w.serial++
	return "test-request-" + time.Unix(int64(w.serial), 0).UTC().Format("150405")
}

func (w *world) wedding(husband, wife int32) *civilstatusv1.RegisterMarriageRequest {
	return &civilstatusv1.RegisterMarriageRequest{RequestId: w.requestID(), Office: w.office(), Husband: w.key(husband), Wife: w.key(wife)}
}

func (w *world) funeral(deceased int32) *civilstatusv1.RegisterDeathRequest {
	return &civilstatusv1.RegisterDeathRequest{RequestId: w.requestID(), Office: w.office(), Deceased: w.key(deceased),
		DiedOn: person.DateOf(w.clock()).String(), Place: w.address(), Cause: "Bệnh già",
		Document: civilstatusv1.DeathDocument_DEATH_DOCUMENT_NOTICE}
}

// newborn is a daughter of a mother and, if there is one, her husband, born some days ago.
func (w *world) newborn(mother int32, daysAgo int) *civilstatusv1.RegisterBirthRequest {
	born := person.DateOf(w.clock().AddDate(0, 0, -daysAgo))
	w.serial++
	id, err := person.NewID("42", hubv1.Sex_SEX_FEMALE, born.Year, 990_000+w.serial)
	require.NoError(w.t, err)
	m := &w.nation.People[mother]
	req := &civilstatusv1.RegisterBirthRequest{RequestId: w.requestID(), Office: w.office(), Mother: w.key(mother),
		Child: &civilstatusv1.NewChild{PersonalId: string(id), Sex: hubv1.Sex_SEX_FEMALE, BirthDate: born.String(), Birthplace: w.address(),
			Name:       &hubv1.PersonName{Family: w.nation.Births[mother].Name.FamilyName(), Middle: "Thị", Given: "Hoà"},
			EthnicCode: string([]byte{'0' + m.Ethnic/10, '0' + m.Ethnic%10})},
		Requester: &civilstatusv1.Requester{FullName: m.Name.String(), Relation: "Mẹ", PersonalId: m.Number.String()}}
	if m.Spouse != nation.None {
		req.Father = w.key(m.Spouse)
	}
	return req
}

// marital asks for a person's status.
func (w *world) marital(key *civilstatusv1.PersonKey) *civilstatusv1.ConfirmMaritalStatusResponse {
	resp, err := w.ConfirmMaritalStatus(w.t.Context(), &civilstatusv1.ConfirmMaritalStatusRequest{PersonalId: key.PersonalId,
		FullName: key.FullName, BirthDate: key.BirthDate, Purpose: civilstatusv1.MaritalPurpose_MARITAL_PURPOSE_MARRY_AT_COMMUNE})
	require.NoError(w.t, err)
	return resp
}

// refused requires a failure with a reason, at a field unless that is empty.
func refused(t *testing.T, err error, want reason.Reason, field string) {
	t.Helper()
	require.Error(t, err)
	f := reason.Of(err)
	require.Equal(t, want, f.Reason, err)
	if field != "" {
		require.Equal(t, field, f.Field)
	}
}
