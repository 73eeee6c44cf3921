package main

import (
	"fmt"
	"log/slog"
	"os"
	"strings"
	"time"

	"golang.org/x/term"
)

// How long work lasts before its progress is shown, and how often that is then.
const (
	quietFor  = 2 * time.Second
	drawEvery = 200 * time.Millisecond // on a terminal
	tellEvery = 5 * time.Second        // in log lines
)

// progress shows on stderr how far work has come that lasts: as a line that is drawn again on a terminal, as log lines
// elsewhere. It is used by one goroutine at a time.
type progress struct {
	what  string // "checking the ledger"
	unit  string // "records"
	log   *slog.Logger
	draw  bool
	began time.Time
	said  time.Time
	drawn int // width of the line on the terminal
}

func newProgress(top *cli, what, unit string) *progress {
	draw := !top.JSON && stderr == os.Stderr && term.IsTerminal(int(os.Stderr.Fd()))
	return &progress{what: what, unit: unit, log: top.logger(), draw: draw, began: time.Now()}
}

// at says how much is done, of how much; a total of 0 is not known.
func (p *progress) at(done, total int64) {
	now := time.Now()
	if now.Sub(p.began) < quietFor {
		return
	}
	every := tellEvery
	if p.draw {
		every = drawEvery
	}
	if now.Sub(p.said) < every {
		return
	}
	p.said = now
	if !p.draw {
		p.log.Info(p.what, "done", done, "of", total, "unit", p.unit)
		return
	}
	p.line(progressLine(p.what, p.unit, done, total, now.Sub(p.began)))
}

// progressLine is what a terminal shows.
func progressLine(what, unit string, done, total int64, took time.Duration) string {
	if total <= 0 {
		return fmt.Sprintf("%s: %d %s, %v", what, done, unit, took.Round(time.Second))
	}
	line := fmt.Sprintf("%s: %d %% of %d %s", what, done*100/total, total, unit)
	if done > 0 && done < total {
		left := time.Duration(float64(took) / float64(done) * float64(total-done))
		line += fmt.Sprintf(", %v left", left.Round(time.Second))
	}
	return line
}

func (p *progress) line(text string) {
	fmt.Fprintf(stderr, "\r%s%s", text, strings.Repeat(" ", max(0, p.drawn-len(text))))
	p.drawn = len(text)
}

// end wipes the line away.
func (p *progress) end() {
	if p.drawn > 0 {
		p.line("")
		fmt.Fprint(stderr, "\r")
		p.drawn = 0
	}
}
