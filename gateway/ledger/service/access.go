package service

import (
	"regexp"
	"strconv"
	"strings"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
)

// phrase writes what a reader asked for, for Access.filter: name=value, in a fixed order, separated by blanks.
type phrase struct{ strings.Builder }

// plainForm is what needs no quotes.
var plainForm = regexp.MustCompile(`^[A-Za-z0-9._/:+-]+$`)

// numberLike is a run of digits, which may be a person's number if it is as long as one.
var numberLike = regexp.MustCompile(`[0-9]+`)

// add adds a word, unless it is empty.
func (p *phrase) add(name, value string) {
	if value == "" {
		return
	}
	if p.Len() > 0 {
		p.WriteByte(' ')
	}
	if !plainForm.MatchString(value) {
		value = strconv.Quote(value)
	}
	p.WriteString(name + "=" + value)
}

// addFree adds a word that the reader chose freely. What has the length of a person's number is not kept.
func (p *phrase) addFree(name, value string) {
	p.add(name, numberLike.ReplaceAllStringFunc(value, func(digits string) string {
		switch len(digits) {
		case 9, 10, 12, 13: // 13: the digits of a card's number
			return strings.Repeat("#", len(digits))
		}
		return digits
	}))
}

func (p *phrase) addTime(name string, t *timestamppb.Timestamp) {
	if t != nil {
		p.add(name, t.AsTime().Format(time.RFC3339Nano))
	}
}

// words are a filter that was checked, as Access.filter has it. Whom it is about is not in it.
func words(f *hubv1.Filter) string {
	var p phrase
	p.addTime("from", f.GetFrom())
	p.addTime("to", f.GetTo())
	p.addFree("consumer", f.GetConsumer())
	p.add("provider", f.GetProvider())
	p.addFree("method", f.GetMethod())
	p.addFree("purpose", f.GetPurpose())
	p.addFree("case", f.GetCase())
	p.addFree("officer", f.GetOfficer())
	if f.GetOutcome() != 0 {
		p.add("outcome", outcomeText(f.GetOutcome()))
	}
	p.add("reason", f.GetReason())
	p.addFree("agreement", f.GetAgreement())
	if f.GetMinLatency() != nil {
		p.add("min_latency", f.GetMinLatency().AsDuration().String())
	}
	p.add("trace", f.GetTraceId())
	p.add("exchange", f.GetExchangeId())
	p.add("kind", f.GetKind())
	return p.String()
}

// outcomeText is an outcome for people. Example: "answered".
func outcomeText(o hubv1.Exchange_Outcome) string {
	return strings.ToLower(strings.TrimPrefix(o.String(), "OUTCOME_"))
}
