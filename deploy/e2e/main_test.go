// Package e2e_test runs the parts of Lienthong as processes, as an operator, an agency and an attacker meet them:
// the built binary, real ports on loopback, real files, real signals.
//
// What does not belong here: what can be shown within one process (hubtest and the packages' own tests).
package e2e_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// bin is the binary under test; tools are where grpcurl and nats lie.
var bin, tools string

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "lienthong-e2e-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	if tools, err = filepath.Abs("../../bin"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	bin = filepath.Join(dir, "lienthong")
	build := exec.Command("go", "build", "-o", bin, "../lienthong")
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "build lienthong: %v\n%s", err, out)
		return 1
	}
	defer sandbox.stop()
	return m.Run()
}
