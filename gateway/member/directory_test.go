package member_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/lienthong/lienthong/gateway/member"
	"github.com/lienthong/lienthong/proto/peer"
	"github.com/lienthong/lienthong/proto/reason"
)

var (
	portal = peer.ID{Agency: "G22", System: "dvc-portal"}
	clinic = peer.ID{Agency: "H27.07", System: "clinic"}
	nobody = peer.ID{Agency: "G99", System: "nobody"}
)

const serial = "6f0e5d4c3b2a19087f6e5d4c3b2a1908"

// directory has the portal, an active consumer, and the clinic, which is suspended; it revokes `serial`.
func directory(t testing.TB) *member.Directory {
	f := member.File{
		Systems: []member.System{
			{ID: portal, Roles: member.Consumer | member.Steward, Status: member.Active, Title: member.Title{VI: "Cổng", EN: "Portal"}},
			{ID: clinic, Roles: member.Consumer, Status: member.Suspended},
		},
		Revoked: []member.Revocation{{Serial: serial, ID: portal, At: time.Now()}},
	}
	data, err := f.Encode()
	require.NoError(t, err)
	d, err := member.ParseDirectory(data)
	require.NoError(t, err)
	return d
}

func TestACallerIsJudgedByTheDirectoryOfTheMoment(t *testing.T) {
	d := directory(t)
	now := time.Now()
	hour := now.Add(time.Hour)
	for name, c := range map[string]struct {
		cert member.Certificate
		want error
	}{
		"member":             {member.Certificate{ID: portal, Serial: "a1", NotAfter: hour}, nil},
		"revoked":            {member.Certificate{ID: portal, Serial: serial, NotAfter: hour}, reason.CertificateRevoked},
		"revoked of nobody":  {member.Certificate{ID: nobody, Serial: serial, NotAfter: hour}, reason.CertificateRevoked},
		"expired since":      {member.Certificate{ID: portal, Serial: "a1", NotAfter: now.Add(-time.Second)}, reason.CertificateExpired},
		"unknown":            {member.Certificate{ID: nobody, Serial: "a1", NotAfter: hour}, reason.IdentityUnknown},
		"suspended":          {member.Certificate{ID: clinic, Serial: "a1", NotAfter: hour}, reason.SystemSuspended},
		"nobody at all":      {member.Certificate{NotAfter: hour}, reason.IdentityUnknown},
		"same agency, other": {member.Certificate{ID: peer.ID{Agency: "G22", System: "x"}, NotAfter: hour}, reason.IdentityUnknown},
	} {
		got, err := d.Caller(&c.cert, now)
		if c.want != nil {
			require.ErrorIs(t, err, c.want, name)
			require.Zero(t, got, name)
			continue
		}
		require.NoError(t, err, name)
		require.Equal(t, member.Caller{ID: portal, Serial: "a1", Roles: member.Consumer | member.Steward}, got)
	}
}

func TestJudgingACallerAllocatesNothing(t *testing.T) {
	d, now := directory(t), time.Now()
	cert := &member.Certificate{ID: portal, Serial: "a1", NotAfter: now.Add(time.Hour)}
	revoked := &member.Certificate{ID: portal, Serial: serial, NotAfter: now.Add(time.Hour)}
	require.Zero(t, testing.AllocsPerRun(100, func() {
		_, _ = d.Caller(cert, now)
		_, _ = d.Caller(revoked, now)
	}))
}

func BenchmarkCaller(b *testing.B) {
	d, now := directory(b), time.Now()
	cert := &member.Certificate{ID: portal, Serial: "7f0e5d4c3b2a19087f6e5d4c3b2a1908", NotAfter: now.Add(time.Hour)}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := d.Caller(cert, now); err != nil {
			b.Fatal(err)
		}
	}
}

func TestTheDirectoryAnswersByRole(t *testing.T) {
	d := directory(t)
	require.Equal(t, []peer.ID{portal}, d.Having(member.Consumer), "the clinic is suspended")
	require.Equal(t, []peer.ID{portal}, d.Having(member.Consumer|member.Steward))
	require.Empty(t, d.Having(member.Gateway))
	require.Len(t, d.Version(), 16)
}

func TestAMalformedListOfMembersIsRefusedWhole(t *testing.T) {
	good := `{"systems":[{"id":"G22/dvc-portal","title":{"vi":"Cổng","en":"Portal"},"roles":["consumer"],"status":"active"}],
		"revoked":[{"serial":"a1","id":"G22/dvc-portal","at":"2026-01-02T03:04:05Z","not_after":"2026-02-02T03:04:05Z"}]}`
	_, err := member.ParseDirectory([]byte(good))
	require.NoError(t, err)
	change := func(old, new string) string { return strings.Replace(good, old, new, 1) }
	for name, text := range map[string]string{
		"empty":              "",
		"cut":                good[:len(good)-2],
		"two documents":      good + good,
		"unknown key":        change(`"status"`, `"Disabled":true,"status"`),
		"unknown role":       change(`consumer`, `king`),
		"role twice":         change(`"consumer"`, `"consumer","consumer"`),
		"no role":            change(`"consumer"`, ``),
		"roles left out":     change(`"roles":["consumer"],`, ``),
		"unknown status":     change(`active`, `on`),
		"malformed identity": change(`G22/dvc-portal`, `dvc-portal`),
		"identity left out":  change(`"id":"G22/dvc-portal",`, ``),
		"system twice":       change(`}],`, `},{"id":"G22/dvc-portal","roles":["consumer"],"status":"active"}],`),
		"serial in capitals": change(`"a1"`, `"A1"`),
		"serial with zero":   change(`"a1"`, `"0a1"`),
		"serial twice":       change(`"revoked":[`, `"revoked":[{"serial":"a1","id":"G01/x"},`),
		"serial as number":   change(`"a1"`, `1`),
	} {
		_, err := member.ParseDirectory([]byte(text))
		require.Error(t, err, name)
	}
}

func TestASerialAloneIsEnoughToRevoke(t *testing.T) {
	f, err := member.ParseFile([]byte(`{"systems":[],"revoked":[{"serial":"a1"}]}`))
	require.NoError(t, err)
	data, err := f.Encode()
	require.NoError(t, err, "else the authority could change nothing after an operator added it by hand")
	d, err := member.ParseDirectory(data)
	require.NoError(t, err)
	require.True(t, d.Revoked("a1"))
}

func TestAFileSurvivesItsEncoding(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		systems := rapid.SliceOfNDistinct(rapid.Custom(func(t *rapid.T) member.System {
			return member.System{
				ID:     peer.ID{Agency: rapid.StringMatching(`[A-Y][0-9]{2}`).Draw(t, "agency"), System: rapid.StringMatching(`[a-z][a-z0-9-]{0,9}`).Draw(t, "system")},
				Roles:  member.Roles(rapid.IntRange(1, 127).Draw(t, "roles")),
				Status: rapid.SampledFrom([]member.Status{member.Active, member.Suspended}).Draw(t, "status"),
				Title:  member.Title{VI: rapid.String().Draw(t, "vi")},
			}
		}), 0, 8, func(s member.System) peer.ID { return s.ID }).Draw(t, "systems")
		f := member.File{Systems: systems}
		data, err := f.Encode()
		require.NoError(t, err)
		d, err := member.ParseDirectory(data)
		require.NoError(t, err)
		for _, s := range systems {
			got, ok := d.Lookup(s.ID)
			require.True(t, ok)
			require.Equal(t, s.Roles, got.Roles)
			require.Equal(t, s.Status, got.Status)
		}
	})
}

func FuzzParseDirectory(f *testing.F) {
	f.Add([]byte(`{"systems":[{"id":"G22/x","title":{"vi":"a","en":"b"},"roles":["consumer"],"status":"active"}],"revoked":[{"serial":"a1","id":"G22/x"}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		file, err := member.ParseFile(data)
		if err != nil {
			return
		}
		again, err := file.Encode()
		require.NoError(t, err)
		_, err = member.ParseDirectory(again)
		require.NoError(t, err)
	})
}
