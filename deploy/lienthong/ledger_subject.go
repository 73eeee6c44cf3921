package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"

	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
)

// errStray stands for an argument where there is none to give: it may be a person's number, so it is not repeated.
var errStray = errors.New("unexpected argument; a person's number is read from stdin, because arguments stay in the shell's history and are seen by every user of this machine")

// errNoCommand stands for a word that is none of the ledger's commands. It is not repeated either.
var errNoCommand = errors.New("there is no such ledger command; if it was a person's number: that is read from stdin, as in: lienthong ledger citizen < number.txt")

// numberKinds are the kinds of numbers by the words of the command line.
var numberKinds = map[string]hubv1.Subject{
	"personal": hubv1.Subject_SUBJECT_PERSONAL_ID, "old": hubv1.Subject_SUBJECT_OLD_ID,
	"insurance": hubv1.Subject_SUBJECT_INSURANCE_NUMBER, "card": hubv1.Subject_SUBJECT_CARD_NUMBER,
}

// errNumber says what a number looks like. It never repeats what was typed.
var errNumber = errors.New("that is no number of a person: 12 digits are a personal number, 9 an old one, 10 a social-insurance number, 15 characters a health-insurance card")

// subjectOf finds out by its form what number it is, unless kind says so. Blanks and dots between digits are dropped.
func subjectOf(number, kind string) (*hubv1.DataSubject, error) {
	number = strings.ToUpper(strings.NewReplacer(" ", "", ".", "", "-", "").Replace(strings.TrimSpace(number)))
	digits := number != "" && strings.Trim(number, "0123456789") == ""
	letters := strings.Trim(number, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ") == ""
	form := hubv1.Subject_SUBJECT_UNSPECIFIED
	switch {
	case digits && len(number) == 12:
		form = hubv1.Subject_SUBJECT_PERSONAL_ID
	case digits && len(number) == 9:
		form = hubv1.Subject_SUBJECT_OLD_ID
	case digits && len(number) == 10:
		form = hubv1.Subject_SUBJECT_INSURANCE_NUMBER
	case letters && len(number) == 15:
		form = hubv1.Subject_SUBJECT_CARD_NUMBER
	}
	if form == hubv1.Subject_SUBJECT_UNSPECIFIED {
		return nil, errNumber
	}
	if kind == "" {
		return &hubv1.DataSubject{Kind: form, Value: number}, nil
	}
	said, ok := numberKinds[kind]
	if !ok {
		return nil, errors.New("there are the kinds personal, old, insurance and card")
	}
	if said != form {
		return nil, fmt.Errorf("that number has not the form of a number of kind %s", kind)
	}
	return &hubv1.DataSubject{Kind: said, Value: number}, nil
}

// readSubject reads a person's number from stdin: one line. On a terminal it is not shown while it is typed.
func readSubject(ctx context.Context, kind string) (*hubv1.DataSubject, error) {
	line, err := readSecret(ctx)
	if err != nil {
		return nil, err
	}
	subject, err := subjectOf(line, kind)
	if err != nil {
		return nil, usage("the number on stdin: %w", err)
	}
	return subject, nil
}

// readSecret reads one line, unseen on a terminal. It stops when the process is told to stop, and leaves the terminal
// as it was.
func readSecret(ctx context.Context) (string, error) {
	type read struct {
		line string
		err  error
	}
	done := make(chan read, 1)
	fd := int(os.Stdin.Fd())
	if state, err := term.GetState(fd); err == nil {
		fmt.Fprint(stderr, "number of the person (it is not shown): ")
		defer fmt.Fprintln(stderr)
		defer func() { _ = term.Restore(fd, state) }()
		go func() {
			line, err := term.ReadPassword(fd)
			done <- read{string(line), err}
		}()
	} else {
		go func() {
			line, err := bufio.NewReader(io.LimitReader(os.Stdin, 4096)).ReadString('\n')
			if errors.Is(err, io.EOF) && strings.TrimSpace(line) != "" {
				err = nil
			}
			done <- read{line, err}
		}()
	}
	select {
	case <-ctx.Done():
		return "", errors.New("stopped before a number was read")
	case r := <-done:
		if errors.Is(r.err, io.EOF) {
			return "", usage("no number on stdin; pipe it in, or type it at the prompt of a terminal")
		}
		if r.err != nil {
			return "", fmt.Errorf("read number from stdin: %w", r.err)
		}
		return r.line, nil
	}
}
