package main

import (
	"bytes"
	"flag"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestWhatDiffersIsFoundToTheByte(t *testing.T) {
	for name, c := range map[string]struct {
		a, b   string
		lo, hi int64
	}{
		"the same":  {"abc", "abc", 3, 3},
		"one byte":  {"abc", "axc", 1, 2},
		"first":     {"abc", "xbc", 0, 1},
		"a range":   {"abcdef", "axxdxf", 1, 5},
		"shorter":   {"abc", "ab", 2, 3},
		"longer":    {"abc", "abcd", 3, 4},
		"something": {"abc", "", 0, 3},
	} {
		lo, hi := differs([]byte(c.a), []byte(c.b))
		require.Equal(t, [2]int64{c.lo, c.hi}, [2]int64{lo, hi}, name)
	}
}

func TestTilesAreReadByTheirPaths(t *testing.T) {
	for path, want := range map[string][2]int64{
		"ledger/log/tile/0/000":                {0, 0},
		"ledger/log/tile/1/007.p/12":           {1, 7},
		"ledger/log/tile/entries/x001/234":     {0, 1234},
		"ledger/log/tile/entries/x001/234.p/9": {0, 1234},
	} {
		level, index, ok := tileOf(path)
		require.True(t, ok, path)
		require.Equal(t, want, [2]int64{level, index}, path)
	}
	_, _, ok := tileOf("ledger/log/tile/none/000")
	require.False(t, ok)
}

func TestOnlyTilesOfTheTreeAreEdited(t *testing.T) {
	require.True(t, current("ledger/log/tile/0/000", 300))
	require.True(t, current("ledger/log/tile/0/001.p/44", 300))
	require.False(t, current("ledger/log/tile/0/001.p/43", 300), "of a smaller tree")
	require.False(t, current("ledger/log/tile/entries/000.p/9", 300), "there is the whole one")
}

func TestWrongArgumentsEndWith2(t *testing.T) {
	for _, args := range [][]string{{"--round", "1"}, {"powercuts"}, {"-h"}} {
		var out, errs bytes.Buffer
		require.Equal(t, 2, run(t.Context(), args, &out, &errs), args)
		require.NotEmpty(t, errs.String())
	}
	_, err := parse([]string{"-h"}, new(bytes.Buffer))
	require.ErrorIs(t, err, flag.ErrHelp)
}
