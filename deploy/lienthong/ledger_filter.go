package main

import (
	"context"
	"strings"
	"time"

	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
)

// filterFlags select entries; those that are given are joined by "and".
type filterFlags struct {
	Since string `help:"Not before: 2026-11-22, 2026-11-22T09:30:00+07:00, or how long ago: 15m, 36h, 7d." placeholder:"WHEN"`
	Until string `help:"Before; a date means until its end." placeholder:"WHEN"`

	Consumer   string        `help:"Who asked: an agency, or one of its systems." placeholder:"AGENCY[/SYSTEM]"`
	Provider   string        `help:"The agency that owns the registry." placeholder:"AGENCY"`
	Method     string        `help:"What was asked: SERVICE/METHOD, a service or a method alone." placeholder:"NAME"`
	Purpose    string        `help:"The coded purpose." placeholder:"CODE"`
	Case       string        `help:"The dossier." placeholder:"NUMBER"`
	Officer    string        `help:"The officer it was asked for." placeholder:"NAME"`
	Outcome    string        `help:"How it ended: answered, refused, failed, timed-out or cancelled." placeholder:"OUTCOME"`
	Reason     string        `help:"Why it was not answered, such as NO_AGREEMENT." placeholder:"REASON"`
	Agreement  string        `help:"The agreement that decided." placeholder:"ID"`
	MinLatency time.Duration `help:"What took at least as long, such as 250ms." placeholder:"DURATION"`
	Trace      string        `help:"W3C trace id, 32 hexadecimal digits." placeholder:"ID"`
	Exchange   string        `help:"The exchange." placeholder:"ID"`
	Kind       string        `help:"What kind of record: exchange, intent, change, access or notice." placeholder:"KIND"`

	Subject     string `help:"A person it was about: '-' reads the number from stdin." placeholder:"-"`
	SubjectKind string `help:"What number that is: personal, old, insurance or card (default: by its form)." placeholder:"KIND"`
}

// outcomes by the words of the command line.
var outcomes = map[string]hubv1.Exchange_Outcome{
	"answered": hubv1.Exchange_OUTCOME_ANSWERED, "refused": hubv1.Exchange_OUTCOME_REFUSED, "failed": hubv1.Exchange_OUTCOME_FAILED,
	"timed-out": hubv1.Exchange_OUTCOME_TIMED_OUT, "cancelled": hubv1.Exchange_OUTCOME_CANCELLED,
}

// filter is what the flags say. It reads a person's number from stdin if they ask for one.
func (f *filterFlags) filter(ctx context.Context, now time.Time) (*hubv1.Filter, error) {
	filter := &hubv1.Filter{
		Consumer: f.Consumer, Provider: f.Provider, Method: strings.TrimPrefix(f.Method, "/"), Purpose: f.Purpose, Case: f.Case,
		Officer: f.Officer, Reason: strings.ToUpper(f.Reason), Agreement: f.Agreement, TraceId: strings.ToLower(f.Trace), Kind: f.Kind,
	}
	if err := f.times(filter, now); err != nil {
		return nil, err
	}
	if err := f.words(filter); err != nil {
		return nil, err
	}
	if f.Subject == "" {
		if f.SubjectKind != "" {
			return nil, usage("--subject-kind says what number --subject - is; give that too")
		}
		return filter, nil
	}
	if f.Subject != "-" {
		return nil, usage("--subject takes '-' alone and reads the number from stdin: arguments stay in the shell's history and are seen by every user of this machine")
	}
	var err error
	filter.Subject, err = readSubject(ctx, f.SubjectKind)
	return filter, err
}

// times sets what is about time.
func (f *filterFlags) times(filter *hubv1.Filter, now time.Time) error {
	var since, until time.Time
	var err error
	if f.Since != "" {
		if since, err = moment(f.Since, now, false); err != nil {
			return usage("--since: %w", err)
		}
		filter.From = timestamppb.New(since)
	}
	if f.Until != "" {
		if until, err = moment(f.Until, now, true); err != nil {
			return usage("--until: %w", err)
		}
		filter.To = timestamppb.New(until)
	}
	if f.Since != "" && f.Until != "" && !since.Before(until) {
		return usage("nothing is between --since %s and --until %s: %s is not before %s", f.Since, f.Until, clock(since), clock(until))
	}
	if f.MinLatency < 0 {
		return usage("--min-latency is %v; it must be more than 0", f.MinLatency)
	}
	if f.MinLatency > 0 {
		filter.MinLatency = durationpb.New(f.MinLatency)
	}
	return nil
}

// words sets what has only certain values.
func (f *filterFlags) words(filter *hubv1.Filter) error {
	if f.Outcome != "" {
		o, ok := outcomes[strings.ToLower(f.Outcome)]
		if !ok {
			return usage("--outcome %q: there are answered, refused, failed, timed-out and cancelled", f.Outcome)
		}
		filter.Outcome = o
	}
	switch f.Kind {
	case "", "exchange", "intent", "change", "access", "notice":
	default:
		return usage("--kind %q: there are exchange, intent, change, access and notice", f.Kind)
	}
	if f.Trace != "" && !hexDigits(f.Trace, 32) {
		return usage("--trace is a W3C trace id: 32 hexadecimal digits")
	}
	if f.Exchange != "" {
		id, ok := exchangeID(f.Exchange)
		if !ok {
			return usage("--exchange is the id that came with the answer, such as 019e3f5c-7d0e-7c3b-9b3f-2d8f5f0f6a11")
		}
		filter.ExchangeId = id
	}
	return nil
}

// hexDigits reports whether s is n hexadecimal digits.
func hexDigits(s string, n int) bool {
	return len(s) == n && strings.Trim(strings.ToLower(s), "0123456789abcdef") == ""
}

// exchangeID reads a UUID as it is written everywhere, and gives it in lower case.
func exchangeID(s string) (string, bool) {
	s = strings.ToLower(s)
	if len(s) != 36 || s[8] != '-' || s[13] != '-' || s[18] != '-' || s[23] != '-' {
		return "", false
	}
	return s, hexDigits(strings.ReplaceAll(s, "-", ""), 32)
}
