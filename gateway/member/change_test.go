package member_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lienthong/lienthong/gateway/member"
	"github.com/lienthong/lienthong/gateway/member/membertest"
	"github.com/lienthong/lienthong/gateway/state"
	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
	"github.com/lienthong/lienthong/proto/peer"
	"github.com/lienthong/lienthong/proto/reason"
)

// try makes a change and returns why it was not made. One that fails changes nothing.
func try(t testing.TB, db *state.DB, do func(context.Context, *state.Tx) error) error {
	before, err := db.Revision(t.Context())
	require.NoError(t, err)
	_, failed := db.Change(t.Context(), membertest.By, func(tx *state.Tx) error { return do(t.Context(), tx) })
	after, err := db.Revision(t.Context())
	require.NoError(t, err)
	if failed != nil {
		require.Equal(t, before, after)
	}
	return failed
}

func history(t testing.TB, db *state.DB, object string) (texts []string) {
	all, err := db.History(t.Context(), hubv1.Change_KIND_MEMBER, object, 100)
	require.NoError(t, err)
	for _, c := range all {
		texts = append(texts, c.GetText())
	}
	return texts
}

func TestAnAgencyThatMakesNoSenseIsRefused(t *testing.T) {
	db := membertest.State(t, "G22")
	good := member.Agency{Code: "H28", NameVI: "Tỉnh", Province: "42", SafetyLevel: 3, Assessed: "2026-01-05"}
	for name, spoil := range map[string]func(*member.Agency){
		"no code":                 func(a *member.Agency) { a.Code = "" },
		"code climbing":           func(a *member.Agency) { a.Code = "../../etc" },
		"code with line":          func(a *member.Agency) { a.Code = "H28\n" },
		"code lower case":         func(a *member.Agency) { a.Code = "h28" },
		"code too long":           func(a *member.Agency) { a.Code = "H28" + strings.Repeat(".1", 20) },
		"code of the old form":    func(a *member.Agency) { a.Code = "000.00.00.H28" },
		"code taken":              func(a *member.Agency) { a.Code = "G22" },
		"no name":                 func(a *member.Agency) { a.NameVI = "" },
		"name with a line":        func(a *member.Agency) { a.NameVI = "a\nb" },
		"name with an escape":     func(a *member.Agency) { a.NameVI = "a\x1b[31mb" },
		"name turned":             func(a *member.Agency) { a.NameEN = "a\u202eb" },
		"name not UTF-8":          func(a *member.Agency) { a.NameVI = "a\xff" },
		"name too long":           func(a *member.Agency) { a.NameVI = strings.Repeat("ờ", 201) },
		"name in blanks":          func(a *member.Agency) { a.NameVI = " a" },
		"province of three":       func(a *member.Agency) { a.Province = "042" },
		"day that is none":        func(a *member.Agency) { a.ValidFrom = "2026-02-30" },
		"day in another form":     func(a *member.Agency) { a.ValidFrom = "1/2/2026" },
		"closed before known":     func(a *member.Agency) { a.ClosedFrom = "2099-01-01" },
		"level without a day":     func(a *member.Agency) { a.Assessed = "" },
		"a day without level":     func(a *member.Agency) { a.SafetyLevel = 0 },
		"level six":               func(a *member.Agency) { a.SafetyLevel = 6 },
		"mode unknown":            func(a *member.Agency) { a.Officers = "some" },
		"case form broken":        func(a *member.Agency) { a.CaseForm = "(" },
		"case form breaking out":  func(a *member.Agency) { a.CaseForm = "a)|(b" },
		"case form too long":      func(a *member.Agency) { a.CaseForm = strings.Repeat("a", 257) },
		"case form with backrefs": func(a *member.Agency) { a.CaseForm = `(a)\1` },
		"case form too costly":    func(a *member.Agency) { a.CaseForm = `((a?){30}){30}` },
	} {
		a := good
		spoil(&a)
		err := try(t, db, func(ctx context.Context, tx *state.Tx) error { return member.AddAgency(ctx, tx, a) })
		require.Error(t, err, name)
		if name != "code taken" {
			_, known := membertest.Read(t, db).Agency(a.Code)
			require.False(t, known, name)
		}
	}
	require.NoError(t, try(t, db, func(ctx context.Context, tx *state.Tx) error { return member.AddAgency(ctx, tx, good) }))
	a, ok := membertest.Read(t, db).Agency("H28")
	require.True(t, ok)
	require.Equal(t, member.Enrolled, a.Officers, "unless something else is said")
}

func TestAnAgencyIsClosedOnceAndItsCodeNotUsedAgain(t *testing.T) {
	db := membertest.State(t, "G22", "H27", "H28")
	shut := func(code, from, successor string) error {
		return try(t, db, func(ctx context.Context, tx *state.Tx) error {
			return member.CloseAgency(ctx, tx, code, from, successor)
		})
	}
	require.ErrorIs(t, shut("H99", "", ""), member.ErrAgencyUnknown)
	require.ErrorIs(t, shut("G22", "", "H99"), member.ErrAgencyUnknown)
	require.Error(t, shut("G22", "", "G22"), "by itself")
	require.Error(t, shut("G22", "yesterday", ""))
	require.NoError(t, shut("H28", "2099-01-01", ""), "some day")
	require.ErrorIs(t, shut("G22", "", "H28"), member.ErrAgencyClosed)
	require.NoError(t, shut("H28", "2098-01-01", ""), "earlier")
	require.NoError(t, shut("G22", "", "H27"))
	require.ErrorIs(t, shut("G22", "", ""), member.ErrAgencyClosed)
	require.ErrorIs(t, shut("H27", "", "G22"), member.ErrAgencyClosed, "no circle")
	require.ErrorIs(t, try(t, db, func(ctx context.Context, tx *state.Tx) error {
		return member.AddAgency(ctx, tx, membertest.Agency("G22"))
	}), member.ErrAgencyKnown)
	a, _ := membertest.Read(t, db).Agency("G22")
	require.Equal(t, "H27", a.Successor)
	require.Equal(t, member.Today(time.Now()), a.ClosedFrom)
	require.Contains(t, history(t, db, "G22")[0], "H27 takes its place")

	require.NoError(t, try(t, db, func(ctx context.Context, tx *state.Tx) error { return member.ReopenAgency(ctx, tx, "G22") }))
	a, _ = membertest.Read(t, db).Agency("G22")
	require.Equal(t, membertest.Agency("G22"), a)
}

func TestAnAgencyThatTakesAnothersPlaceIsMadeOfItWhereNothingElseIsSaid(t *testing.T) {
	db := membertest.State(t, "H27")
	require.NoError(t, try(t, db, func(ctx context.Context, tx *state.Tx) error {
		a := membertest.Agency("H27.07")
		a.Province, a.CaseForm = "42", `H27\.07-\d+`
		return member.AddAgency(ctx, tx, a)
	}))
	replace := func(next member.Agency) error {
		return try(t, db, func(ctx context.Context, tx *state.Tx) error {
			return member.ReplaceAgency(ctx, tx, "H27.07", next, "2099-01-01")
		})
	}
	require.Error(t, replace(member.Agency{Code: "H27.12"}), "it has no name, so nothing is closed")
	a, _ := membertest.Read(t, db).Agency("H27.07")
	require.Empty(t, a.ClosedFrom)
	require.NoError(t, replace(member.Agency{Code: "H27.12", NameVI: "Sở mới"}))
	d := membertest.Read(t, db)
	next, _ := d.Agency("H27.12")
	require.Equal(t, member.Agency{Code: "H27.12", NameVI: "Sở mới", Province: "42", ValidFrom: "2099-01-01", Officers: member.Any}, next)
	a, _ = d.Agency("H27.07")
	require.Equal(t, []string{"2099-01-01", "H27.12"}, []string{a.ClosedFrom, a.Successor})
}

func TestWhatIsSaidOfAnAgencyCanChangeButNotItsClosing(t *testing.T) {
	db := membertest.State(t, "H27")
	set := func(a member.Agency) error {
		return try(t, db, func(ctx context.Context, tx *state.Tx) error { return member.SetAgency(ctx, tx, a) })
	}
	a := membertest.Agency("H27")
	require.NoError(t, set(a))
	require.Len(t, history(t, db, "H27"), 1, "nothing was changed by that")
	a.CaseForm, a.ClosedFrom = `H27-\d+`, "2020-01-01"
	require.NoError(t, set(a))
	got, _ := membertest.Read(t, db).Agency("H27")
	require.Empty(t, got.ClosedFrom)
	require.Equal(t, `H27-\d+`, got.CaseForm)
	require.ErrorIs(t, membertest.Read(t, db).CheckWords("H27", "", "x"), reason.CaseInvalid)
	require.ErrorIs(t, set(membertest.Agency("H99")), member.ErrAgencyUnknown)
}

func TestOfficersAreEnrolledAndDisabledByAccount(t *testing.T) {
	db := membertest.State(t)
	membertest.Change(t, db, func(ctx context.Context, tx *state.Tx) error {
		a := membertest.Agency("H27")
		a.Officers = member.Enrolled
		return member.AddAgency(ctx, tx, a)
	})
	enrol := func(accounts ...string) (n int, err error) {
		err = try(t, db, func(ctx context.Context, tx *state.Tx) error {
			n, err = member.EnrolOfficers(ctx, tx, "H27", accounts)
			return err
		})
		return n, err
	}
	disable := func(accounts ...string) (n int, err error) {
		err = try(t, db, func(ctx context.Context, tx *state.Tx) error {
			n, err = member.DisableOfficers(ctx, tx, "H27", accounts, "nghỉ việc")
			return err
		})
		return n, err
	}
	judge := func(account string) error { return membertest.Read(t, db).CheckWords("H27", account, "") }
	n, err := enrol("an.nv", "hoa", "hoa")
	require.NoError(t, err)
	require.Equal(t, 2, n)
	require.NoError(t, judge("hoa"))
	n, err = disable("hoa", "nobody")
	require.NoError(t, err)
	require.Equal(t, 1, n)
	require.ErrorIs(t, judge("hoa"), reason.OfficerUnknown)
	require.NoError(t, judge("an.nv"))
	n, err = disable("hoa")
	require.NoError(t, err)
	require.Zero(t, n)
	n, err = enrol("hoa", "an.nv")
	require.NoError(t, err)
	require.Equal(t, 1, n)
	require.NoError(t, judge("hoa"))
	require.Equal(t, []string{"officers enrolled: hoa", "officers disabled: hoa; nghỉ việc", "officers enrolled: an.nv, hoa"}, history(t, db, "H27")[:3])

	many := make([]string, member.MaxAccounts+1)
	for i := range many {
		many[i] = fmt.Sprint("a", i)
	}
	for name, accounts := range map[string][]string{
		"none": {}, "empty": {""}, "too many": many, "a line": {"a\nb"}, "a blank": {"an nv"}, "accents": {"hoà"}, "long": {strings.Repeat("a", 65)},
		"one of two": {"fine", "a/b"}, "a personal number": {"040094997317"}, "an old number": {"184012345"}, "an insurance number": {"0123456789"},
	} {
		_, err := enrol(accounts...)
		require.Error(t, err, name)
		_, err = disable(accounts...)
		require.Error(t, err, name)
	}
	require.Error(t, judge("fine"))
	require.Error(t, try(t, db, func(ctx context.Context, tx *state.Tx) error {
		_, err := member.EnrolOfficers(ctx, tx, "H99", []string{"a"})
		return err
	}))
	_, err = enrol(many[:member.MaxAccounts]...)
	require.NoError(t, err)
	require.Equal(t, 1002, membertest.Read(t, db).Officers("H27"))
	require.Contains(t, history(t, db, "H27")[0], "and 980 more")
}

func TestASystemThatMakesNoSenseIsNoMember(t *testing.T) {
	db := membertest.State(t, "G22")
	for name, s := range map[string]member.System{
		"no id":          {Roles: member.Consumer, Status: member.Active},
		"no role":        {ID: portal, Status: member.Active},
		"no status":      {ID: portal, Roles: member.Consumer},
		"agency unknown": {ID: nobody, Roles: member.Consumer, Status: member.Active},
		"title a line":   {ID: portal, Roles: member.Consumer, Status: member.Active, Title: member.Title{VI: "a\nb"}},
	} {
		require.Error(t, try(t, db, func(ctx context.Context, tx *state.Tx) error { return member.SetSystem(ctx, tx, s) }), name)
	}
	for name, d := range map[string]member.Denial{"nothing": {}, "a capital": {Serial: "A1"}, "a zero": {Serial: "0a1"}, "a line": {ID: portal, Reason: "a\nb"}} {
		require.Error(t, try(t, db, func(ctx context.Context, tx *state.Tx) error { return member.Deny(ctx, tx, d) }), name)
	}
}

func TestASerialAloneIsEnoughToDeny(t *testing.T) {
	db := membertest.State(t, "G22")
	deny := func() error {
		return try(t, db, func(ctx context.Context, tx *state.Tx) error {
			return member.Deny(ctx, tx, member.Denial{Serial: "a1"})
		})
	}
	require.NoError(t, deny())
	require.True(t, membertest.Read(t, db).Revoked("a1"))
	require.NoError(t, deny())
	require.Equal(t, []string{"denied: no reason was given"}, history(t, db, "a1"), "denying twice is denying once")
}

func TestAMemberOfAnotherAuthorityIsAdmittedAndLetBackIn(t *testing.T) {
	db := membertest.State(t, "G22")
	membertest.Change(t, db, func(ctx context.Context, tx *state.Tx) error {
		return member.AddAgency(ctx, tx, member.Agency{Code: "H28", NameVI: "a"})
	})
	admit := func(id peer.ID, roles member.Roles) error {
		return try(t, db, func(ctx context.Context, tx *state.Tx) error { return member.Admit(ctx, tx, id, roles, member.Title{}) })
	}
	require.NoError(t, admit(portal, 0))
	s, _ := membertest.Read(t, db).Lookup(portal)
	require.Equal(t, member.System{ID: portal, Roles: member.Consumer, Status: member.Active}, s)
	require.ErrorIs(t, admit(of("H28"), 0), member.ErrUnsafe)
	require.ErrorIs(t, admit(nobody, 0), member.ErrAgencyUnknown)
	require.NoError(t, try(t, db, func(ctx context.Context, tx *state.Tx) error { return member.Deny(ctx, tx, member.Denial{ID: portal}) }))
	now := time.Now()
	cert := &member.Certificate{ID: portal, Serial: "a1", NotBefore: now.Add(-time.Minute), NotAfter: now.Add(time.Hour)}
	_, err := membertest.Read(t, db).Caller(cert, now)
	require.ErrorIs(t, err, reason.CertificateRevoked)
	require.NoError(t, admit(portal, member.Consumer|member.Portal))
	_, err = membertest.Read(t, db).Caller(cert, now)
	require.ErrorIs(t, err, reason.CertificateRevoked, "it began before")
	cert.NotBefore = time.Now()
	c, err := membertest.Read(t, db).Caller(cert, cert.NotBefore)
	require.NoError(t, err)
	require.Equal(t, member.Consumer|member.Portal, c.Roles)
}

// enrolIn makes this test binary a process that enrols officers in the state that it names.
const enrolIn = "LIENTHONG_TEST_ENROL_IN"

func enrolTen(dir, prefix string) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	db, err := membertest.Open(ctx, dir)
	if err != nil {
		return err
	}
	defer db.Close()
	for i := range 10 {
		_, err := db.Change(ctx, membertest.By, func(tx *state.Tx) error {
			_, err := member.EnrolOfficers(ctx, tx, "H27", []string{fmt.Sprintf("%s-%d", prefix, i)})
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func TestProcessesThatChangeMembersAtTheSameTimeLoseNothing(t *testing.T) {
	dir := t.TempDir()
	db, err := membertest.Open(t.Context(), dir, "H27")
	require.NoError(t, err)
	defer db.Close()
	var wg sync.WaitGroup
	for i := range 2 {
		wg.Go(func() {
			cmd := exec.Command(os.Args[0])
			cmd.Env = append(os.Environ(), enrolIn+"="+dir)
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("%v: %s", err, out)
			}
		})
		wg.Go(func() {
			if err := enrolTen(dir, fmt.Sprint("g", i)); err != nil {
				t.Error(err)
			}
		})
	}
	var d *member.Directory
	for range 50 { // a reader beside them
		d = read(t, db, d)
	}
	wg.Wait()
	d = read(t, db, d)
	require.Equal(t, 40, d.Officers("H27"))
	require.Equal(t, membertest.Read(t, db).Version(), d.Version())
}
