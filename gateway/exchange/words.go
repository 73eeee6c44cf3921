package exchange

import (
	"strings"

	"github.com/lienthong/lienthong/proto/reason"
)

// Names of the metadata by which a consumer says why it asks.
const (
	WordPurpose = "lt-purpose" // coded purpose
	WordCase    = "lt-case"    // dossier number
	WordOfficer = "lt-officer" // account name of the officer
	WordFields  = "lt-fields"  // paths of the answer, joined by commas
	WordConsent = "lt-consent" // reference to the data subject's consent
)

// Names of the metadata that comes with an answer.
const (
	WordExchange = "lt-exchange"   // id of the exchange
	WordWithheld = "lt-withheld"   // what was asked for and withheld: paths, joined by commas
	WordLedger   = "lt-ledger"     // position of its record in the ledger: ORIGIN:SEQ
	WordKeep     = "lt-keep-until" // the last day on which the answer may be kept
	WordReceipt  = "lt-receipt"    // key by which the consumer can show later which bytes were asked and answered
)

// Longest words, in bytes.
const (
	maxWord   = 128
	maxFields = 4096
)

// checkWords refuses words that could not be recorded or shown as they are.
func checkWords(c *Call) error {
	for _, w := range [...]struct {
		name, value string
		limit       int
	}{
		{WordPurpose, c.Purpose, maxWord},
		{WordCase, c.Case, maxWord},
		{WordOfficer, c.Officer, maxWord},
		{WordConsent, c.Consent, maxWord},
		{WordFields, c.Fields, maxFields},
	} {
		if len(w.value) > w.limit || !printable(w.value) || blankAtAnEnd(w.value) {
			return reason.MetadataInvalid.At(w.name)
		}
	}
	return nil
}

// printable reports whether s is made of printable ASCII: what HTTP/2 carries as it is, and what cannot upset a log.
func printable(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}

// blankAtAnEnd reports whether s is more than it looks like: a blank is no case number.
func blankAtAnEnd(s string) bool { return s != "" && (s[0] == ' ' || s[len(s)-1] == ' ') }

// cutPath splits "/pkg.Service/Method".
func cutPath(path string) (service, method string, ok bool) {
	rest, ok := strings.CutPrefix(path, "/")
	if !ok {
		return "", "", false
	}
	return strings.Cut(rest, "/")
}
