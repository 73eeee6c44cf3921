//go:build faults

package journal_test

import (
	"os"
	"os/exec"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestPlantedDefectsTurnTheirTestsRed runs tests of this binary again with a defect in the journal.
func TestPlantedDefectsTurnTheirTestsRed(t *testing.T) {
	for plant, test := range map[string]string{
		"skip-sync":      "TestNoPowerCutTakesWhatWasAcknowledged",
		"no-chain-check": "TestARecordRewrittenWithRightChecksumsBreaksTheChain",
	} {
		run := func(plant string) error {
			cmd := exec.Command(os.Args[0], "-test.run=^"+test+"$")
			cmd.Env = append(os.Environ(), "LIENTHONG_PLANT="+plant)
			return cmd.Run()
		}
		require.NoError(t, run(""), "%s without a defect", test)
		require.Error(t, run(plant), "%s with %s", test, plant)
	}
}

// TestAProcessKilledAtAnyPointLosesNothingItPrinted kills a child at each point of a commit and of a roll.
func TestAProcessKilledAtAnyPointLosesNothingItPrinted(t *testing.T) {
	for _, point := range []string{"before-write", "after-write", "after-sync", "before-release", "on-roll", "after-roll"} {
		for _, pass := range []string{"1", "2"} {
			cfg := onDisk(t, nil)
			cfg.Head = ""
			t.Setenv("LIENTHONG_FAULT", "journal."+point+":"+pass+":kill")
			lines, end := start(t, cfg.Dir)
			next := uint64(0)
			for lines.Scan() {
				next++
			}
			var killed *exec.ExitError
			require.ErrorAs(t, end(), &killed, point)
			t.Setenv("LIENTHONG_FAULT", "")
			if _, err := os.Stat(cfg.Dir + ".head"); err == nil {
				intactAfter(t, cfg, next)
			}
		}
	}
}
