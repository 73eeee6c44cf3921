package proof

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"time"

	"golang.org/x/mod/sumdb/note"

	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
)

// Options are what a verifier brings along: the keys that it trusts, and what it wants to know.
type Options struct {
	LogKey    string   // the log's verifier key: the line of log.pub, from where the verifier trusts it to be true
	Witnesses []string // verifier keys of witnesses; none: cosignatures are not looked at
	Needed    int      // how many of Witnesses must have cosigned; 0: all of them

	// Since is a checkpoint of this log that the verifier kept from earlier; nil: none. The document must show that its
	// tree begins with that one.
	Since []byte

	// Request and Answer are the serialised messages as the consumer sent and received them; nil: not asked about. A
	// message of no bytes is an empty slice. They need ReceiptKey.
	Request, Answer []byte
	ReceiptKey      string // as the answer's metadata lt-receipt has it

	Now time.Time // when the check is made; zero: by the clock
}

// Verdict is what came of a verification.
type Verdict struct {
	Checks   []Check             // all of them, in order, also those that were not made
	Document *Document           // nil when it could not be read
	Record   *hubv1.LedgerRecord // what the document claims; nil when it could not be decoded
	Cosigned []Cosignature       // valid cosignatures of the witnesses asked for
	Ignored  int                 // signatures of the checkpoint by keys that were not given
	LogKey   string              // the key that was trusted
	SHA256   [sha256.Size]byte   // of the document
	Made     time.Time           // when it was checked
}

// Cosignature is a witness's word that it saw the checkpoint, and that it took nothing back.
type Cosignature struct {
	Witness string
	Time    time.Time // by the witness's clock
}

// OK reports whether all that was asked for holds.
func (v *Verdict) OK() bool { return v.Failure() == nil }

// Failure returns the first check that failed, nil when none did.
func (v *Verdict) Failure() *Check {
	for i := range v.Checks {
		if v.Checks[i].State == Failed {
			return &v.Checks[i]
		}
	}
	return nil
}

// Verify checks a document. An error says that the Options cannot be used; whatever is wrong with the document is in
// the Verdict. After a failure the checks that do not depend on it are still made.
func Verify(doc []byte, opts Options) (*Verdict, error) {
	trust, err := opts.trust()
	if err != nil {
		return nil, err
	}
	v := &Verdict{LogKey: trust.key.line, SHA256: sha256.Sum256(doc), Made: opts.Now}
	if v.Made.IsZero() {
		v.Made = time.Now()
	}
	x := &examination{opts: opts, trust: trust, verdict: v}
	x.read(doc)
	for _, s := range steps {
		f := s.run(x)
		v.Checks = append(v.Checks, Check{Name: s.name, State: f.state, Detail: f.said.en, vi: f.said.vi})
	}
	return v, nil
}

// trust is what a verification believes.
type trust struct {
	key       verifierKey
	log       note.Verifier
	witnesses []note.Verifier
	needed    int
	receipt   []byte
}

func (o *Options) trust() (trust, error) {
	var t trust
	var err error
	if t.key, t.log, err = logVerifier(o.LogKey); err != nil {
		return t, err
	}
	if t.witnesses, err = witnessVerifiers(o.Witnesses, t.key); err != nil {
		return t, err
	}
	if t.needed = o.Needed; t.needed == 0 {
		t.needed = len(t.witnesses)
	}
	if t.needed < 0 || t.needed > len(t.witnesses) {
		return t, fmt.Errorf("%d witnesses are needed and the keys of %d are given", t.needed, len(t.witnesses))
	}
	if o.Request == nil && o.Answer == nil {
		return t, nil
	}
	if o.ReceiptKey == "" {
		return t, errors.New("bytes can only be compared with the receipt's key: give the one that came with the answer (lt-receipt)")
	}
	t.receipt, err = ParseReceiptKey(o.ReceiptKey)
	return t, err
}
