package figures_test

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lienthong/lienthong/deploy/bench/figures"
)

func TestGoalIsMetAtItsLimit(t *testing.T) {
	var goals figures.Goals
	goals.AtLeast("speed", 300_000, 300_000)
	goals.AtLeast("speed", 299_999, 300_000)
	goals.AtMost("time", 0.5, 0.5)
	goals.AtMost("time", 0.51, 0.5)
	var met []bool
	for _, g := range goals {
		met = append(met, g.Met)
	}
	require.Equal(t, []bool{true, false, true, false}, met)
}

func TestGoalThatIsNotMetIsSaidPlainly(t *testing.T) {
	var goals figures.Goals
	goals.AtLeast("records/s", 123_456.7, 300_000)
	goals.AtMost("p99 ms", 4.25, 5)
	var out bytes.Buffer
	goals.Print(&out)
	require.Regexp(t, `records/s: at least 300000 +NOT MET +\(123457\)\np99 ms: at most 5 +met +\(4\.25\)\n`, out.String())
}

func TestMachineSaysWhatItKnows(t *testing.T) {
	m := figures.Describe("nginx 1.2")
	require.Positive(t, m.Cores)
	require.Contains(t, m.String(), "nginx 1.2")
	require.Equal(t, "unknown", figures.FileMatch("/no/such/file", `(.)`))
	require.Equal(t, "unknown", figures.OutputMatch(`(.)`, "/no/such/command"))
}
