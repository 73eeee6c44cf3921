package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/lienthong/lienthong/gateway/client"
)

// errUsage says that the command was called wrongly.
type errUsage struct{ error }

// Unwrap returns what was wrong.
func (e errUsage) Unwrap() error { return e.error }

func usage(format string, args ...any) error { return errUsage{fmt.Errorf(format, args...)} }

// errRefused is the hub's refusal, or that no hub answered.
type errRefused struct {
	client.Refusal
	Exchange string   `json:"exchange,omitempty"`
	Hint     string   `json:"hint,omitempty"`     // how this command's user mends it
	Problems []string `json:"problems,omitempty"` // of documents, each with its place
}

// Error is the refusal in lines for a terminal.
func (e *errRefused) Error() string {
	name := e.Reason
	if name == "" {
		name = e.Code
	}
	text := strings.Join(append([]string{name + ": " + e.Message}, e.Problems...), "\n")
	if e.Hint != "" {
		text += "\nhint: " + e.Hint
	}
	if e.Exchange != "" {
		text += "\nexchange " + e.Exchange
	}
	return text
}

// complaint is an error of this command itself in JSON.
type complaint struct {
	Code    string `json:"code"` // "Usage" or "Failed"
	Message string `json:"message"`
}

// complain tells the user on stderr why a command failed, and returns the exit code.
func complain(err error, asJSON bool) int {
	if err == nil {
		return exitOK
	}
	code, shown := exitFailed, any(complaint{"Failed", err.Error()})
	text := "lienthong: " + err.Error()
	if wrong := (errUsage{}); errors.As(err, &wrong) {
		code, shown = exitUsage, complaint{"Usage", err.Error()}
	}
	if refused := (*errRefused)(nil); errors.As(err, &refused) {
		shown, text = refused, refused.Error()
	}
	if asJSON {
		printJSONTo(stderr, shown)
	} else {
		fmt.Fprintln(stderr, harmless(text))
	}
	return code
}

// unlessStopped drops an error that only says that the process was told to stop.
func unlessStopped(ctx context.Context, err error) error {
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}
