//go:build faults

package fault

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestAnOrderIsPointPassAndAct(t *testing.T) {
	o, err := parse("journal.after-write:3:kill")
	require.NoError(t, err)
	require.Equal(t, "journal.after-write", o.point)
	require.EqualValues(t, 3, o.pass)
	for _, bad := range []string{"", "x", "x:1", "x:0:kill", "x:-1:kill", "x:one:kill", "x:1:explode", "x:1:kill:again"} {
		_, err := parse(bad)
		require.Error(t, err, bad)
	}
}

func TestOnlyTheOrderedPassActs(t *testing.T) {
	acted := 0
	orders = []*order{{point: "here", pass: 3, act: func() { acted++ }}}
	for range 5 {
		At("here")
		At("elsewhere")
	}
	require.Equal(t, 1, acted)
	require.False(t, Planted("anything"))
}
