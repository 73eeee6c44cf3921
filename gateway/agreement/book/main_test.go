package book_test

import (
	"flag"
	"fmt"
	"os"
	"testing"
)

// checks is how often a property is tried, unless somebody says otherwise: each try writes to a disk.
const checks = "40"

func TestMain(m *testing.M) {
	flag.Parse()
	said := false
	flag.Visit(func(f *flag.Flag) { said = said || f.Name == "rapid.checks" })
	if !said {
		if err := flag.Set("rapid.checks", checks); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	os.Exit(m.Run())
}
