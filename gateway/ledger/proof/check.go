package proof

import (
	"fmt"
	"strings"
)

// Check is one thing that was looked at.
type Check struct {
	Name   string // one of the names below
	State  State
	Detail string // what was found, in plain English
	vi     string // the same in Vietnamese
}

// State is how a check ended.
type State string

// How a check can end.
const (
	Passed  State = "ok"
	Failed  State = "failed"
	NotMade State = "not made" // it was not asked for, or cannot be made because of another failure
)

// Names of the checks, in the order in which they are made.
const (
	CheckForm        = "form"        // the document can be read
	CheckSignature   = "signature"   // the log's key signed the checkpoint
	CheckOrigin      = "origin"      // key, checkpoint, document and record are of the same ledger
	CheckInclusion   = "inclusion"   // the digest stands at its position in the checkpoint's tree
	CheckDigest      = "digest"      // the digest is that of the record, its salt, its position and the one before it
	CheckRecord      = "record"      // the record's bytes are a record that this program knows whole
	CheckView        = "view"        // the record's readable copy says what the record says
	CheckFields      = "fields"      // the field lists are those that the record names
	CheckConsistency = "consistency" // the tree begins with that of an older checkpoint
	CheckWitnesses   = "witnesses"   // enough witnesses cosigned the checkpoint
	CheckRequest     = "request"     // the bytes given were the request
	CheckAnswer      = "answer"      // the bytes given were the answer
)

var steps = []struct {
	name string
	run  func(*examination) finding
}{
	{CheckForm, (*examination).form},
	{CheckSignature, (*examination).signature},
	{CheckOrigin, (*examination).origin},
	{CheckInclusion, (*examination).inclusion},
	{CheckDigest, (*examination).digest},
	{CheckRecord, (*examination).record},
	{CheckView, (*examination).view},
	{CheckFields, (*examination).fields},
	{CheckConsistency, (*examination).consistency},
	{CheckWitnesses, (*examination).witnesses},
	{CheckRequest, (*examination).request},
	{CheckAnswer, (*examination).answer},
}

// phrase is something said in both languages.
type phrase struct{ en, vi string }

// in returns it in one of them: "vi", or English.
func (p phrase) in(lang string) string {
	if lang == "vi" {
		return p.vi
	}
	return p.en
}

// finding is how a check ended and why.
type finding struct {
	state State
	said  phrase
}

// The formats of both languages take the same arguments in the same order.
func passed(en, vi string, args ...any) finding { return found(Passed, en, vi, args) }
func failed(en, vi string, args ...any) finding { return found(Failed, en, vi, args) }
func notMade(en, vi string) finding             { return finding{NotMade, phrase{en, vi}} }

func found(s State, en, vi string, args []any) finding {
	return finding{s, phrase{cut(fmt.Sprintf(en, args...)), cut(fmt.Sprintf(vi, args...))}}
}

// cut bounds what is said of a document that may repeat a long part of it.
func cut(s string) string {
	const most = 400
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "…"
}

// detail returns what a check found in a language.
func (c *Check) detail(lang string) string { return phrase{c.Detail, c.vi}.in(lang) }
