package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"text/tabwriter"
	"unicode"
	"unicode/utf8"
)

// Where answers and complaints go.
var (
	stdout io.Writer = os.Stdout
	stderr io.Writer = os.Stderr
)

// printJSON writes v as indented JSON to stdout.
func printJSON(v any) error { return printJSONTo(stdout, v) }

func printJSONTo(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return fmt.Errorf("write JSON: %w", err)
	}
	return nil
}

// printTable writes rows under a header, in columns. Text that would move a terminal's cursor is quoted: some of it
// comes from registries.
func printTable(header []string, rows [][]string) error {
	w := tabwriter.NewWriter(stdout, 0, 4, 2, ' ', 0)
	for _, row := range append([][]string{header}, rows...) {
		for i, cell := range row {
			if i > 0 {
				fmt.Fprint(w, "\t")
			}
			if strings.ContainsFunc(cell, unfit) {
				cell = strconv.Quote(cell)
			}
			fmt.Fprint(w, cell)
		}
		fmt.Fprintln(w)
	}
	if err := w.Flush(); err != nil {
		return fmt.Errorf("write answer: %w", err)
	}
	return nil
}

// unfit reports whether a rune would move a terminal's cursor, turn the direction of writing, or is none at all: some
// terminals take single bytes for control characters.
func unfit(r rune) bool {
	return unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp) || r == utf8.RuneError
}

// harmless is text of several lines in which what does not fit a terminal is written out: some of it comes from files and
// from registries.
func harmless(text string) string {
	var b strings.Builder
	for _, r := range text {
		if unfit(r) && r != '\n' && r != '\t' {
			b.WriteString(strings.Trim(strconv.QuoteRuneToASCII(r), "'"))
			continue
		}
		b.WriteRune(r)
	}
	return b.String()
}

// lines prints the rows of a table that has no end: columns have the widths that are usual in them.
type lines struct {
	widths []int
	began  bool
}

// print prints one row, and the header before the first.
func (l *lines) print(header, row []string) error {
	if !l.began {
		l.began = true
		if err := l.print(header, header); err != nil {
			return err
		}
	}
	var line strings.Builder
	for i, cell := range row {
		if strings.ContainsFunc(cell, unfit) {
			cell = strconv.Quote(cell)
		}
		if i > 0 {
			line.WriteString("  ")
		}
		fmt.Fprintf(&line, "%-*s", l.widths[i], cell)
	}
	if _, err := fmt.Fprintln(stdout, strings.TrimRight(line.String(), " ")); err != nil {
		return fmt.Errorf("write answer: %w", err)
	}
	return nil
}
