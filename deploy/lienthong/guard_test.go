package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lienthong/lienthong/deploy/parts"
	"github.com/lienthong/lienthong/gateway/guard"
	"github.com/lienthong/lienthong/gateway/state"
	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
	"github.com/lienthong/lienthong/services/store"
)

// guardDesk is a directory with a hub's state, and a guard over it.
type guardDesk struct {
	t   *testing.T
	dir string
	db  *state.DB
	*guard.Guard
}

func newGuardDesk(t *testing.T) *guardDesk {
	d := &guardDesk{t: t, dir: t.TempDir()}
	var err error
	d.db, err = state.Open(t.Context(), state.Config{Config: store.Config{Path: filepath.Join(d.dir, "hub.db")}})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, d.db.Close()) })
	d.Guard, err = guard.Open(t.Context(), guard.Config{State: d.db, Process: "gw1", By: state.Actor{ID: parts.GatewayID}})
	require.NoError(t, err)
	return d
}

// guesses stops an officer.
func (d *guardDesk) guesses(agency, purpose, officer string) {
	for range 21 {
		d.Count(agency, purpose, officer, 0, 1, nil)
	}
}

// settled runs the guard until it has written what it knows.
func (d *guardDesk) settled(stops int) {
	d.t.Helper()
	done, cancel := context.WithCancel(d.t.Context())
	ended := make(chan error, 1)
	go func() { ended <- d.Run(done) }()
	cancel()
	require.NoError(d.t, <-ended)
	listed, err := guard.List(d.t.Context(), d.db)
	require.NoError(d.t, err)
	require.Len(d.t, listed, stops)
}

// lienthong runs the command line with something on stdin.
func (d *guardDesk) lienthong(stdin string, args ...string) (out, complaint string, code int) {
	d.t.Helper()
	file := filepath.Join(d.t.TempDir(), "stdin")
	require.NoError(d.t, os.WriteFile(file, []byte(stdin), 0o600))
	in, err := os.Open(file)
	require.NoError(d.t, err)
	defer in.Close()
	var o, e bytes.Buffer
	wasOut, wasErr, wasIn := stdout, stderr, os.Stdin
	defer func() { stdout, stderr, os.Stdin = wasOut, wasErr, wasIn }()
	stdout, stderr, os.Stdin = &o, &e, in
	code = run(d.t.Context(), append(args, "--dir", d.dir))
	return o.String(), e.String(), code
}

func TestGuardListShowsWhoIsStopped(t *testing.T) {
	d := newGuardDesk(t)
	out, _, code := d.lienthong("", "guard", "list", "--json")
	require.Equal(t, exitOK, code)
	require.JSONEq(t, "[]", out)
	d.guesses("H27", "CT-TT", "an.nv")
	d.guesses("H28", "KCB", "")
	d.settled(2)
	out, _, code = d.lienthong("", "guard", "list")
	require.Equal(t, exitOK, code)
	require.Regexp(t, `H27 +CT-TT +an\.nv +\S+ \S+ +21 +0 +guessing`, out)
	require.Regexp(t, `H28 +KCB +\* +\S+ \S+ +21 +0 +unnamed`, out)
	out, _, _ = d.lienthong("", "guard", "list", "--json")
	var entries []stopEntry
	require.NoError(t, json.Unmarshal([]byte(out), &entries))
	require.Len(t, entries, 2)
	require.Equal(t, "*", entries[1].Officer)
}

func TestGuardReleaseNeedsAYes(t *testing.T) {
	d := newGuardDesk(t)
	d.guesses("H27", "CT-TT", "an.nv")
	d.guesses("H28", "KCB", "")
	d.settled(2)
	out, complaint, code := d.lienthong("", "guard", "release", "H27", "CT-TT", "an.nv")
	require.Equal(t, exitUsage, code)
	require.Contains(t, out, "an.nv")
	require.Contains(t, complaint, "add --yes")
	d.settled(2)
	for _, wrong := range [][]string{{"H27", "CT-TT", "binh.tt"}, {"H27", "CT-TT"}, {"H27", "KCB", "an.nv"}, {"H28", "KCB", "an.nv"}} {
		_, complaint, code := d.lienthong("", append([]string{"guard", "release", "--yes"}, wrong...)...)
		require.Equal(t, exitUsage, code, wrong)
		require.Contains(t, complaint, "guard list")
	}
	_, _, code = d.lienthong("", "guard", "release", "H27", "CT-TT", "an.nv", "--yes")
	require.Equal(t, exitOK, code)
	_, _, code = d.lienthong("", "guard", "release", "H28", "KCB", "*", "--yes")
	require.Equal(t, exitOK, code)
	d.settled(0)
	require.NoError(t, d.Reload(t.Context()))
	require.NoError(t, d.Check("H27", "CT-TT", "an.nv"))
	require.NoError(t, d.Check("H28", "KCB", "anybody"))
}

func TestGuardDecoysAreReadFromStdinAndNeverShown(t *testing.T) {
	d := newGuardDesk(t)
	out, _, code := d.lienthong("040094997317\n\n186 543 210\r\n040094997317\n", "guard", "decoy", "add")
	require.Equal(t, exitOK, code)
	require.Equal(t, "2 of 3 added; there are 2 decoys\n", out)
	require.NoError(t, d.Reload(t.Context()))
	require.True(t, d.Count("H27", "CT-TT", "an.nv", 1, 0, []*hubv1.DataSubject{{Kind: hubv1.Subject_SUBJECT_OLD_ID, Value: "186543210"}}))
	out, _, code = d.lienthong("186543210", "guard", "decoy", "remove", "--json")
	require.Equal(t, exitOK, code)
	require.JSONEq(t, `{"numbers": 1, "changed": 1, "decoys": 1}`, out)
	out, _, _ = d.lienthong("", "guard", "decoy", "count")
	require.Equal(t, "1\n", out)

	for name, c := range map[string]struct {
		stdin string
		args  []string
		says  string
	}{
		"nothing":       {"\n\n", []string{"add"}, "no number on stdin"},
		"no number":     {"040094997317\n04009499731X\n", []string{"add"}, "line 2 on stdin"},
		"another kind":  {"040094997317\n", []string{"add", "--kind", "old"}, "line 1 on stdin"},
		"an argument":   {"", []string{"add", "040094997317"}, "read from stdin"},
		"no command":    {"", []string{"040094997317"}, "read from stdin"},
		"a long line":   {strings.Repeat("0", 100_000), []string{"add"}, "stdin"},
		"far too many":  {numbers(mostNumbers + 1), []string{"add"}, "in parts"},
		"unknown kinds": {"040094997317\n", []string{"add", "--kind", "tax"}, "personal, old, insurance and card"},
	} {
		out, complaint, code := d.lienthong(c.stdin, append([]string{"guard", "decoy"}, c.args...)...)
		require.Equal(t, exitUsage, code, name)
		require.Contains(t, complaint, c.says, name)
		require.NotContains(t, out+complaint, "04009499731", name)
	}
	out, _, _ = d.lienthong("", "guard", "decoy", "count", "--json")
	require.JSONEq(t, `{"decoys": 1}`, out)
}

// numbers are so many numbers, one a line.
func numbers(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "%012d\n", i)
	}
	return b.String()
}

func TestGuardSaysWhereThereIsNoHub(t *testing.T) {
	d := &guardDesk{t: t, dir: t.TempDir()}
	_, complaint, code := d.lienthong("", "guard", "list")
	require.Equal(t, exitFailed, code)
	require.Contains(t, complaint, "lienthong up")
}
