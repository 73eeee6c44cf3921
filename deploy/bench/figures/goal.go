package figures

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"text/tabwriter"
)

// Goal is what was wished, and what was got.
type Goal struct {
	Goal  string  `json:"goal"`
	Got   float64 `json:"got"`
	Limit float64 `json:"limit"`
	Met   bool    `json:"met"`
}

// Goals are those that a run could judge. What was not measured is not among them.
type Goals []Goal

// AtLeast judges a figure that may not be smaller than its limit.
func (g *Goals) AtLeast(what string, got, limit float64) {
	*g = append(*g, Goal{what + ": at least " + Short(limit), got, limit, got >= limit})
}

// AtMost judges a figure that may not be larger than its limit.
func (g *Goals) AtMost(what string, got, limit float64) {
	*g = append(*g, Goal{what + ": at most " + Short(limit), got, limit, got <= limit})
}

// Print writes a line for each goal.
func (g Goals) Print(w io.Writer) {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, goal := range g {
		verdict := "met"
		if !goal.Met {
			verdict = "NOT MET"
		}
		fmt.Fprintf(t, "%s\t%s\t(%s)\n", goal.Goal, verdict, got(goal.Got))
	}
	_ = t.Flush()
}

// got has no decimals where nobody reads them.
func got(f float64) string {
	if f >= 1000 {
		return fmt.Sprintf("%.0f", f)
	}
	return fmt.Sprintf("%.2f", f)
}

// Short is a limit as people write it: 0.85, 300000.
func Short(f float64) string {
	if f >= 1000 {
		return fmt.Sprintf("%.0f", f)
	}
	return fmt.Sprintf("%g", f)
}

// Write keeps a report for programs, as JSON.
func Write(path string, report any) error {
	raw, err := json.MarshalIndent(report, "", "  ")
	if err == nil {
		err = os.MkdirAll(filepath.Dir(path), 0o700)
	}
	if err == nil {
		err = os.WriteFile(path, append(raw, '\n'), 0o644)
	}
	return err
}
