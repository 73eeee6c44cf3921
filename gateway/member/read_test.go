package member_test

import (
	"context"
	"database/sql"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/lienthong/lienthong/gateway/member"
	"github.com/lienthong/lienthong/gateway/member/membertest"
	"github.com/lienthong/lienthong/gateway/state"
	"github.com/lienthong/lienthong/proto/peer"
)

// read reads the members after a directory.
func read(t require.TestingT, db *state.DB, before *member.Directory) *member.Directory {
	tx, err := db.Read.BeginTx(context.Background(), &sql.TxOptions{ReadOnly: true})
	require.NoError(t, err)
	defer func() { _ = tx.Rollback() }()
	d, err := member.Read(context.Background(), tx, before)
	require.NoError(t, err)
	return d
}

// step is one random change of the members.
func step(t *rapid.T, ctx context.Context, tx *state.Tx) error {
	code := rapid.SampledFrom([]string{"G01", "G22", "H27", "H27.07"}).Draw(t, "agency")
	id := peer.ID{Agency: code, System: rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "system")}
	accounts := []string{rapid.SampledFrom([]string{"an.nv", "hoa", "lan"}).Draw(t, "account")}
	serial := rapid.SampledFrom([]string{"a1", "b2", "c3"}).Draw(t, "serial")
	now := time.Now()
	switch rapid.IntRange(0, 9).Draw(t, "change") {
	case 0, 1:
		s := member.System{ID: id, Roles: member.Roles(rapid.IntRange(1, 127).Draw(t, "roles")), Status: member.Active}
		return member.SetSystem(ctx, tx, s)
	case 2:
		a, err := member.FindAgency(ctx, tx.Tx, code)
		a.CaseForm = rapid.SampledFrom([]string{"", `\d+`, "x"}).Draw(t, "form")
		if err != nil {
			return err
		}
		return member.SetAgency(ctx, tx, a)
	case 3:
		_, err := member.EnrolOfficers(ctx, tx, code, accounts)
		return err
	case 4:
		_, err := member.DisableOfficers(ctx, tx, code, accounts, "left")
		return err
	case 5:
		return member.Deny(ctx, tx, member.Denial{Serial: serial, NotAfter: now.Add(time.Duration(rapid.IntRange(-2, 2).Draw(t, "days")) * 48 * time.Hour)})
	case 6:
		return member.Deny(ctx, tx, member.Denial{ID: id})
	case 7:
		return member.Readmit(ctx, tx, id, now)
	case 8:
		return member.DropExpired(ctx, tx, now)
	}
	if err := member.CloseAgency(ctx, tx, code, "2099-01-01", ""); err != nil {
		return err
	}
	return member.ReopenAgency(ctx, tx, code)
}

func TestADirectoryIsTheSameFromWhicheverOneBeforeItIsRead(t *testing.T) {
	db := membertest.State(t, "G01", "G22", "H27", "H27.07") // one for all runs: each goes on from where the last one ended
	rapid.Check(t, func(t *rapid.T) {
		before := []*member.Directory{nil, read(t, db, nil)}
		for range rapid.IntRange(1, 3).Draw(t, "rounds") {
			_, err := db.Change(context.Background(), membertest.By, func(tx *state.Tx) error {
				for range rapid.IntRange(1, 4).Draw(t, "steps") {
					if err := step(t, context.Background(), tx); err != nil {
						return err
					}
				}
				return nil
			})
			require.NoError(t, err)
			was := make([]string, len(before))
			fresh := read(t, db, nil)
			for i, b := range before {
				was[i] = b.Version()
				requireSame(t, fresh, read(t, db, b))
				require.Equal(t, was[i], b.Version(), "a directory never changes")
			}
			before = append(before[:min(len(before), 3)], fresh)
		}
	})
}

func requireSame(t require.TestingT, want, got *member.Directory) {
	require.Equal(t, want.Version(), got.Version())
	require.Equal(t, want.Revision(), got.Revision())
	require.Equal(t, want.Agencies(), got.Agencies())
	now := time.Now()
	for _, a := range want.Agencies() {
		for _, name := range []string{"a", "b", "c"} {
			id := peer.ID{Agency: a.Code, System: name}
			for _, serial := range []string{"a1", "b2", "c3", "d4"} {
				cert := &member.Certificate{ID: id, Serial: serial, NotBefore: now.Add(-time.Hour), NotAfter: now.Add(time.Hour)}
				c1, err1 := want.Caller(cert, now)
				c2, err2 := got.Caller(cert, now)
				if c1 != c2 || err1 != err2 { // require.Equal is slow
					require.Fail(t, "judged differently", "%s %s: %v %v, %v %v", id, serial, c1, err1, c2, err2)
				}
			}
		}
		for _, account := range []string{"an.nv", "hoa", "lan"} {
			require.Equal(t, want.Enrolled(a.Code, account), got.Enrolled(a.Code, account))
			require.Equal(t, want.CheckWords(a.Code, account, "1"), got.CheckWords(a.Code, account, "1"))
		}
	}
}

func TestWhatDidNotChangeIsNotReadAgain(t *testing.T) {
	db := membertest.State(t, "G22")
	first := read(t, db, nil)
	require.Same(t, first, read(t, db, first))
	membertest.Change(t, db, func(ctx context.Context, tx *state.Tx) error {
		return member.SetSystem(ctx, tx, member.System{ID: portal, Roles: member.Consumer, Status: member.Active})
	})
	second := read(t, db, first)
	_, known := first.Lookup(portal)
	require.False(t, known)
	_, known = second.Lookup(portal)
	require.True(t, known)
	require.NotEqual(t, first.Version(), second.Version())
	require.Len(t, second.Version(), 16)
}

func TestARowThatMeansNothingStopsTheReadingAndNotTheHub(t *testing.T) {
	db := membertest.State(t, "G22")
	before := read(t, db, nil)
	for _, damage := range []string{
		`UPDATE agency SET officers = 'nobody', revision = 7`,
		`UPDATE agency SET officers = 'any', case_form = '(', revision = 7`,
		`INSERT INTO system VALUES ('G22', 'x', '', '', 'king', 'active', 8)`,
	} {
		_, err := db.Write.Exec(damage)
		require.NoError(t, err)
		_, err = db.Write.Exec(`UPDATE revision SET number = number + 10`)
		require.NoError(t, err)
		tx, err := db.Read.BeginTx(t.Context(), nil)
		require.NoError(t, err)
		_, err = member.Read(t.Context(), tx, before)
		require.Error(t, err, damage)
		require.NoError(t, tx.Rollback())
		_, err = db.Write.Exec(`UPDATE agency SET officers = 'any', case_form = ''`)
		require.NoError(t, err)
	}
}

// fill gives a state 100 agencies with 100 systems and 1,000 officers each.
func fill(b *testing.B, db *state.DB) {
	accounts := make([]string, 1000)
	for i := range accounts {
		accounts[i] = fmt.Sprintf("officer.%d", i)
	}
	for i := range 100 {
		_, err := db.Change(b.Context(), membertest.By, func(tx *state.Tx) error {
			code := fmt.Sprintf("H27.%d", i)
			a := membertest.Agency(code)
			a.Officers = member.Enrolled
			if err := member.AddAgency(b.Context(), tx, a); err != nil {
				return err
			}
			for j := range 100 {
				s := member.System{ID: peer.ID{Agency: code, System: fmt.Sprintf("s%d", j)}, Roles: member.Consumer, Status: member.Active}
				if err := member.SetSystem(b.Context(), tx, s); err != nil {
					return err
				}
			}
			_, err := member.EnrolOfficers(b.Context(), tx, code, accounts)
			return err
		})
		require.NoError(b, err)
	}
}

// Of 10,000 systems and 100,000 officers.
func BenchmarkRead(b *testing.B) {
	db := membertest.State(b)
	fill(b, db)
	b.Run("all", func(b *testing.B) {
		for b.Loop() {
			read(b, db, nil)
		}
	})
	b.Run("one officer changed", func(b *testing.B) {
		d := read(b, db, nil)
		for i := 0; b.Loop(); i++ {
			b.StopTimer()
			_, err := db.Change(b.Context(), membertest.By, func(tx *state.Tx) error {
				_, err := member.EnrolOfficers(b.Context(), tx, "H27.7", []string{fmt.Sprintf("new.%d", i)})
				return err
			})
			require.NoError(b, err)
			b.StartTimer()
			d = read(b, db, d)
		}
	})
}
