// Package membertest makes members for tests: a hub's state with agencies in it, or a directory at once.
//
// What does not belong here: claims about members; those are tests.
package membertest

import (
	"context"
	"database/sql"
	"path/filepath"
	"slices"
	"testing"

	"github.com/lienthong/lienthong/gateway/member"
	"github.com/lienthong/lienthong/gateway/state"
	"github.com/lienthong/lienthong/proto/peer"
	"github.com/lienthong/lienthong/services/store"
)

// Agency is an agency that is safe enough and asks for whomever it names.
func Agency(code string) member.Agency {
	return member.Agency{Code: code, NameVI: code, SafetyLevel: member.SafetyNeeded, Assessed: "2026-01-05", Officers: member.Any}
}

// State opens a fresh state in which the agencies of the codes are known. The test closes it.
func State(t testing.TB, codes ...string) *state.DB {
	t.Helper()
	db, err := Open(t.Context(), t.TempDir(), codes...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

// Open opens the state of a directory, for those who have no test, and makes the agencies of the codes known that are
// not. The caller closes it.
func Open(ctx context.Context, dir string, codes ...string) (*state.DB, error) {
	db, err := state.Open(ctx, state.Config{Config: store.Config{Path: filepath.Join(dir, "hub.db")}})
	if err != nil {
		return nil, err
	}
	_, err = db.Change(ctx, By, func(tx *state.Tx) error {
		for _, code := range codes {
			if _, err := member.FindAgency(ctx, tx.Tx, code); err == nil {
				continue
			}
			if err := member.AddAgency(ctx, tx, Agency(code)); err != nil {
				return err
			}
		}
		return nil
	})
	return db, err
}

// By is who changes things in tests.
var By = state.Actor{ID: peer.ID{Agency: "G06", System: "gateway"}}

// Change makes a change of the state.
func Change(t testing.TB, db *state.DB, do func(context.Context, *state.Tx) error) state.Made {
	t.Helper()
	made, err := db.Change(t.Context(), By, func(tx *state.Tx) error { return do(t.Context(), tx) })
	if err != nil {
		t.Fatal(err)
	}
	return made
}

// Read reads the directory of a state as it is now.
func Read(t testing.TB, db *state.DB) *member.Directory {
	t.Helper()
	var d *member.Directory
	err := db.InReadTx(t.Context(), func(tx *sql.Tx) (err error) {
		d, err = member.Read(t.Context(), tx, nil)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// Directory is one of the systems, each of an agency that asks for whomever it names, less what is denied.
func Directory(t testing.TB, systems []member.System, denied ...member.Denial) *member.Directory {
	t.Helper()
	var codes []string
	for _, s := range systems {
		codes = append(codes, s.ID.Agency)
	}
	slices.Sort(codes)
	var agencies []member.Agency
	for _, code := range slices.Compact(codes) {
		agencies = append(agencies, Agency(code))
	}
	d, err := member.NewDirectory(agencies, systems, nil, denied)
	if err != nil {
		t.Fatal(err)
	}
	return d
}
