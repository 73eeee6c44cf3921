package main

import "fmt"

// kind is what sort of promise was broken.
type kind string

// The kinds of findings.
const (
	notStarted  kind = "not started"       // the hub needs hands to start again
	unrecorded  kind = "no record"         // an answer left that the ledger does not know
	otherRecord kind = "other record"      // the ledger says something else than the client has
	twoStates   kind = "not one state"     // an exchange has none or several ends
	noIntent    kind = "no intent"         // a registry was changed without an intent
	lostEffect  kind = "lost effect"       // a change was answered and the registry does not have it
	damaged     kind = "damaged"           // the ledger does not stand its own check
	unfound     kind = "unfound"           // a search does not find a record
	undetected  kind = "undetected"        // an edit was not found
	misplaced   kind = "misplaced"         // an edit was found, but somewhere else
	leaked      kind = "leaked"            // an answer left while nothing could be recorded
	silent      kind = "silent"            // the hub did not say what is wrong
	stuck       kind = "stuck"             // the hub did not go on by itself
	green       kind = "green with defect" // a planted defect was not found
)

// finding is a broken promise.
type finding struct {
	Kind  kind   `json:"kind"`
	Round int    `json:"round"`
	What  string `json:"what"`
}

// result is what came of a run.
type result struct {
	Run      string    `json:"run"`
	Rounds   int       `json:"rounds"`
	Answers  int       `json:"answers"` // seen by clients, or edits made
	Records  int       `json:"records"` // found for them
	Findings []finding `json:"findings"`
	Counts   counts    `json:"counts,omitempty"` // what happened besides
}

// counts are how often something happened.
type counts map[string]int

// maxFindings is how many findings of a kind a run lists: one defect makes many.
const maxFindings = 10

// add adds a finding.
func (r *result) add(k kind, round int, format string, args ...any) {
	n := 0
	for _, f := range r.Findings {
		if f.Kind == k {
			n++
		}
	}
	if n < maxFindings {
		r.Findings = append(r.Findings, finding{k, round, fmt.Sprintf(format, args...)})
	}
}

// tell counts what happened.
func (r *result) tell(what string, n int) {
	if r.Counts == nil {
		r.Counts = counts{}
	}
	r.Counts[what] += n
}

// has reports whether there is a finding of one of the kinds.
func (r *result) has(kinds ...kind) bool {
	for _, f := range r.Findings {
		for _, k := range kinds {
			if f.Kind == k {
				return true
			}
		}
	}
	return false
}
