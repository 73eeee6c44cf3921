package service_test

import (
	"fmt"
	"os"
	"testing"

	"go.uber.org/goleak"
)

// identities is where the certificates of the tests lie.
var identities string

func TestMain(m *testing.M) {
	dir, err := issue()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	identities = dir
	goleak.VerifyTestMain(m, goleak.Cleanup(func(code int) {
		_ = os.RemoveAll(dir)
		os.Exit(code)
	}))
}
