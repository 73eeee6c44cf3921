package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"text/tabwriter"
)

// Where answers and complaints go.
var (
	stdout io.Writer = os.Stdout
	stderr io.Writer = os.Stderr
)

// printJSON writes v as indented JSON to stdout.
func printJSON(v any) { printJSONTo(stdout, v) }

func printJSONTo(w io.Writer, v any) {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		fmt.Fprintf(stderr, "lienthong: write JSON: %v\n", err)
	}
}

// printTable writes rows under a header, in columns.
func printTable(header []string, rows [][]string) {
	w := tabwriter.NewWriter(stdout, 0, 4, 2, ' ', 0)
	for _, row := range append([][]string{header}, rows...) {
		for i, cell := range row {
			if i > 0 {
				fmt.Fprint(w, "\t")
			}
			fmt.Fprint(w, cell)
		}
		fmt.Fprintln(w)
	}
	_ = w.Flush() // stdout went away: nobody to tell
}
