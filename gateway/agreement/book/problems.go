package book

import (
	"fmt"
	"strings"

	"github.com/lienthong/lienthong/proto/reason"
)

// Problem is something wrong with one of the documents of a proposal.
type Problem struct {
	Document int    // which one, from 0
	Path     string // in it: "methods[0].fields[2]"; empty: the whole
	Text     string // what is wrong, and what was expected
}

// Place is where the problem is: "DOCUMENT.methods[0].fields[2]".
func (p Problem) Place() string {
	return strings.TrimSuffix(fmt.Sprintf("%d.%s", p.Document, p.Path), ".")
}

// Invalid says why a proposal was not taken: all that is wrong with its documents. It is AGREEMENT_INVALID, or
// VERSION_CONFLICT if they are in order and only start from another version than the newest.
type Invalid struct {
	Reason   reason.Reason
	Problems []Problem
}

// Error lists the problems.
func (e *Invalid) Error() string {
	lines := []string{e.Reason.Error()}
	for _, p := range e.Problems {
		lines = append(lines, p.Place()+": "+p.Text)
	}
	return strings.Join(lines, "\n")
}

// Unwrap returns the reason.
func (e *Invalid) Unwrap() error { return e.Reason }

// complaints are the problems found so far.
type complaints struct {
	problems []Problem
	stale    []Problem
}

func (c *complaints) add(document int, path, format string, args ...any) {
	c.problems = append(c.problems, Problem{document, path, fmt.Sprintf(format, args...)})
}

func (c *complaints) old(document int, format string, args ...any) {
	c.stale = append(c.stale, Problem{document, "version", fmt.Sprintf(format, args...)})
}

func (c *complaints) err() error {
	switch {
	case len(c.problems) > 0:
		return &Invalid{reason.AgreementInvalid, append(c.problems, c.stale...)}
	case len(c.stale) > 0:
		return &Invalid{reason.VersionConflict, c.stale}
	}
	return nil
}
