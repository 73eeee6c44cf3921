package member_test

import (
	"crypto/x509"
	"math/big"
	"regexp"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lienthong/lienthong/gateway/member"
	"github.com/lienthong/lienthong/gateway/member/membertest"
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
	closed := membertest.Agency("H28")
	closed.ClosedFrom = member.Today(time.Now())
	closing := membertest.Agency("H29")
	closing.ClosedFrom, closing.Province = member.Today(time.Now().Add(24*time.Hour)), "25"
	coming := membertest.Agency("H30")
	coming.ValidFrom = member.Today(time.Now().Add(24 * time.Hour))
	strict := membertest.Agency("H31")
	strict.Officers, strict.CaseForm = member.Enrolled, `(000\.00\.\d{2}\.)?H31(-\d{6})?-\d{1,4}`
	d, err := member.NewDirectory(
		[]member.Agency{membertest.Agency("G22"), membertest.Agency("H27.07"), closed, closing, coming, strict},
		[]member.System{
			{ID: portal, Roles: member.Consumer | member.Steward, Status: member.Active, Title: member.Title{VI: "Cổng", EN: "Portal"}},
			{ID: clinic, Roles: member.Consumer, Status: member.Suspended},
			{ID: of("H28"), Roles: member.Consumer, Status: member.Active},
			{ID: of("H29"), Roles: member.Consumer, Status: member.Active},
			{ID: of("H30"), Roles: member.Consumer, Status: member.Active},
			{ID: of("H31"), Roles: member.Consumer, Status: member.Active},
			{ID: back, Roles: member.Consumer, Status: member.Active},
			{ID: barred, Roles: member.Consumer, Status: member.Active},
		},
		[]member.Officer{{Agency: "H31", Account: "an.nv"}, {Agency: "H31", Account: "gone", Disabled: time.Now()}},
		[]member.Denial{
			{Serial: serial, ID: portal, At: time.Now()}, {Serial: "b2"},
			{ID: barred}, {ID: back, Before: time.Unix(1000, 0)},
		})
	require.NoError(t, err)
	return d
}

// of is a system of an agency.
func of(agency string) peer.ID { return peer.ID{Agency: agency, System: "x"} }

var (
	barred = peer.ID{Agency: "G22", System: "barred"}
	back   = peer.ID{Agency: "G22", System: "back"}
)

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
		"agency closed":      {member.Certificate{ID: of("H28"), Serial: "a1", NotAfter: hour}, reason.AgencyClosed},
		"agency not yet":     {member.Certificate{ID: of("H30"), Serial: "a1", NotAfter: hour}, reason.IdentityUnknown},
		"denied as a whole":  {member.Certificate{ID: barred, Serial: "a1", NotBefore: now, NotAfter: hour}, reason.CertificateRevoked},
		"let back, old":      {member.Certificate{ID: back, Serial: "a1", NotBefore: time.Unix(999, 0), NotAfter: hour}, reason.CertificateRevoked},
		"authority unknown":  {member.Certificate{ID: portal, Serial: "a1", NotAfter: hour, Authority: "ff"}, reason.CertificateRevoked},
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
	require.ElementsMatch(t, []peer.ID{portal, of("H29"), of("H30"), of("H31"), back}, d.Having(member.Consumer),
		"the clinic is suspended, H28 closed, and one is refused")
	require.Equal(t, []peer.ID{portal}, d.Having(member.Consumer|member.Steward))
	require.Empty(t, d.Having(member.Gateway))
	require.Len(t, d.Version(), 16)
}

func TestALastDayIsAWholeDayInHaNoi(t *testing.T) {
	a := membertest.Agency("H29")
	a.ValidFrom, a.ClosedFrom, a.Province = "2026-03-01", "2026-07-01", "25"
	d, err := member.NewDirectory([]member.Agency{a}, []member.System{{ID: of("H29"), Roles: member.Consumer, Status: member.Active}}, nil, nil)
	require.NoError(t, err)
	at := func(utc string) error {
		now, err := time.Parse(time.RFC3339, utc)
		require.NoError(t, err)
		c, err := d.Caller(&member.Certificate{ID: of("H29"), Serial: "a1", NotAfter: now.Add(time.Hour)}, now)
		if err == nil {
			require.Equal(t, "25", c.Province)
		}
		return err
	}
	require.ErrorIs(t, at("2026-02-28T16:59:59Z"), reason.IdentityUnknown)
	require.NoError(t, at("2026-02-28T17:00:00Z"))
	require.NoError(t, at("2026-06-30T16:59:59Z"))
	require.ErrorIs(t, at("2026-06-30T17:00:00Z"), reason.AgencyClosed)
}

func TestWordsAreThoseOfTheAgency(t *testing.T) {
	d := directory(t)
	for name, c := range map[string]struct {
		agency, officer, number string
		want                    error
		at                      string
	}{
		"nothing named":       {"H31", "", "", nil, ""},
		"enrolled":            {"H31", "an.nv", "H31-1", nil, ""},
		"whole form":          {"H31", "an.nv", "000.00.19.H31-260701-0001", nil, ""},
		"not enrolled":        {"H31", "an", "", reason.OfficerUnknown, "lt-officer"},
		"another's letters":   {"H31", "AN.NV", "", reason.OfficerUnknown, "lt-officer"},
		"disabled":            {"H31", "gone", "", reason.OfficerUnknown, "lt-officer"},
		"another form":        {"H31", "", "H27-1", reason.CaseInvalid, "lt-case"},
		"more before":         {"H31", "", "xH31-1", reason.CaseInvalid, "lt-case"},
		"more after":          {"H31", "", "H31-1x", reason.CaseInvalid, "lt-case"},
		"a line after":        {"H31", "", "H31-1\n", reason.CaseInvalid, "lt-case"},
		"any officer, any":    {"G22", "whoever", "whatever", nil, ""},
		"a person's number":   {"G22", "040094997317", "", reason.OfficerUnknown, "lt-officer"},
		"of nobody":           {"G99", "", "", reason.IdentityUnknown, ""},
		"of nobody, in words": {"G99", "an.nv", "1", reason.IdentityUnknown, ""},
	} {
		err := d.CheckWords(c.agency, c.officer, c.number)
		if c.want == nil {
			require.NoError(t, err, name)
			continue
		}
		require.ErrorIs(t, err, c.want, name)
		require.Equal(t, c.at, reason.Of(err).Field, name)
	}
}

func TestJudgingWordsAllocatesNothing(t *testing.T) {
	d := directory(t)
	require.Zero(t, testing.AllocsPerRun(100, func() {
		_ = d.CheckWords("H31", "an.nv", "000.00.19.H31-260701-0001")
		_ = d.CheckWords("H31", "nobody", "x")
		_ = d.CheckWords("H31", "", "x")
		_ = d.CheckWords("G99", "", "")
	}))
}

func TestTheNilDirectoryKnowsNobody(t *testing.T) {
	var d *member.Directory
	_, err := d.Caller(&member.Certificate{ID: portal, Serial: "a1", NotAfter: time.Now().Add(time.Hour)}, time.Now())
	require.ErrorIs(t, err, reason.IdentityUnknown)
	require.ErrorIs(t, d.CheckWords("G22", "", ""), reason.IdentityUnknown)
	_, ok := d.Lookup(portal)
	require.False(t, ok)
	_, ok = d.Agency("G22")
	require.False(t, ok)
	require.Empty(t, d.Having(0))
	require.Empty(t, d.Agencies())
	require.Empty(t, d.Version())
	require.False(t, d.Revoked("a1"))
	require.Nil(t, d.Given(portal))
	require.Error(t, member.AcceptAs(func() *member.Directory { return nil }, 0)(portal, &x509.Certificate{SerialNumber: big.NewInt(1)}))
}

func TestWhatBelongsToNoAgencyIsNoDirectory(t *testing.T) {
	_, err := member.NewDirectory(nil, []member.System{{ID: portal, Roles: member.Consumer, Status: member.Active}}, nil, nil)
	require.Error(t, err)
	_, err = member.NewDirectory(nil, nil, []member.Officer{{Agency: "G22", Account: "a"}}, nil)
	require.Error(t, err)
}

func TestWhoAnswersIsJudgedByStandingAndRole(t *testing.T) {
	cert := &x509.Certificate{SerialNumber: big.NewInt(0xa1)}
	accept := func(s member.System, roles member.Roles, denied ...member.Denial) error {
		d := membertest.Directory(t, []member.System{s}, denied...)
		return member.AcceptAs(func() *member.Directory { return d }, roles)(s.ID, cert)
	}
	good := member.System{ID: portal, Roles: member.Provider | member.Consumer, Status: member.Active}
	require.NoError(t, accept(good, member.Provider))
	require.ErrorIs(t, accept(good, member.Gateway), peer.NotAccepted)
	require.ErrorIs(t, accept(good, member.Provider, member.Denial{Serial: "a1"}), peer.Revoked)
	require.ErrorIs(t, accept(good, member.Provider, member.Denial{ID: portal}), peer.Revoked)
	good.Status = member.Suspended
	require.ErrorIs(t, accept(good, member.Provider), peer.NotAccepted)

	d := directory(t)
	as := member.AcceptAs(func() *member.Directory { return d }, member.Consumer)
	require.NoError(t, as(of("H29"), cert))
	require.ErrorIs(t, as(of("H28"), cert), peer.NotAccepted, "its agency is closed")
	require.ErrorIs(t, as(of("H99"), cert), peer.NotAccepted)
	all := member.Accept(func() *member.Directory { return d })
	require.NoError(t, all(of("H99"), cert), "it is told by each of its requests")
	require.ErrorIs(t, all(barred, cert), peer.Revoked)
}

func FuzzCaseForm(f *testing.F) {
	f.Add(`H27-\d+`, "H27-1")
	f.Add(`a)|(b`, "b")
	f.Add(`(?m)^a$`, "a\nb")
	f.Add(`((a{100}){10})+`, "a")
	f.Fuzz(func(t *testing.T, form, number string) {
		a := membertest.Agency("H31")
		a.CaseForm = form
		d, err := member.NewDirectory([]member.Agency{a}, nil, nil, nil)
		if err != nil || form == "" || number == "" || len(number) > 128 {
			return
		}
		whole := regexp.MustCompile(form)
		whole.Longest()
		if d.CheckWords("H31", "", number) == nil {
			require.True(t, whole.MatchString(number), "%q matches %q as a whole and not at all", form, number)
		}
	})
}

func BenchmarkCallerAndWords(b *testing.B) {
	d, now := directory(b), time.Now()
	cert := &member.Certificate{ID: of("H31"), Serial: "7f0e5d4c3b2a19087f6e5d4c3b2a1908", NotAfter: now.Add(time.Hour)}
	b.ReportAllocs()
	for b.Loop() {
		c, err := d.Caller(cert, now)
		if err == nil {
			err = d.CheckWords(c.ID.Agency, "an.nv", "000.00.19.H31-260701-0001")
		}
		if err != nil {
			b.Fatal(err)
		}
	}
}
