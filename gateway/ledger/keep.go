package ledger

import (
	"crypto/sha256"
	"fmt"
	"sync"

	"github.com/lienthong/lienthong/gateway/exchange"
	"github.com/lienthong/lienthong/gateway/ledger/proof"
	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
)

// keep turns an exchange's record into what is kept of it: hashes in the place of people, digests in the place of
// bytes and of long lists of fields. It returns the key of the consumer's receipt.
func (l *Ledger) keep(x *hubv1.Exchange, e exchange.Evidence) (key [keySize]byte, err error) {
	h := l.hasher.Load()
	x.SubjectHashes, x.Subjects = l.blinding.hide(x.GetId(), h.subjects(x.GetSubjects())), nil
	if len(x.GetSubjectHashes()) > 0 {
		x.SubjectKey = h.number
	}
	key = l.receipt.receiptKey(x.GetId())
	if len(e.Request) > 0 {
		x.RequestDigest = digestOfRequest(key, e.Request)
	}
	if e.Answer != nil {
		x.AnswerDigest = proof.AnswerDigest(key[:], e.Answer)
	}
	if x.Released, x.ReleasedDigest, err = l.list(x.GetReleased()); err != nil {
		return key, err
	}
	x.Withheld, x.WithheldDigest, err = l.list(x.GetWithheld())
	return key, err
}

func digestOfRequest(key [keySize]byte, request []byte) []byte {
	return proof.RequestDigest(key[:], request)
}

// Bounds on lists of fields that stand in records by their digest.
const (
	shortList = 64   // bytes; a list up to it stands in the record itself
	maxLists  = 4096 // different ones; more stand in the record itself, for consumers choose what they ask for
)

// lists are the lists of fields whose text a record of this run has. Agreements make few different ones.
type lists struct {
	known sync.Map // text → []byte
	mu    sync.Mutex
	count int
}

// list returns what stands in a record for a list: its text if it is short, else its digest, after the text itself was
// recorded.
func (l *Ledger) list(text string) (string, []byte, error) {
	if len(text) <= shortList {
		return text, nil, nil
	}
	if digest, ok := l.lists.known.Load(text); ok {
		return "", digest.([]byte), nil
	}
	l.lists.mu.Lock()
	defer l.lists.mu.Unlock()
	if digest, ok := l.lists.known.Load(text); ok {
		return "", digest.([]byte), nil
	}
	if l.lists.count == maxLists {
		return text, nil, nil
	}
	fields := &hubv1.Notice_Fields{Lists: []string{text}}
	if err := l.notice(&hubv1.Notice{About: &hubv1.Notice_Fields_{Fields: fields}}); err != nil {
		return "", nil, fmt.Errorf("record a list of fields: %w", err)
	}
	sum := sha256.Sum256([]byte(text))
	l.lists.known.Store(text, sum[:])
	l.lists.count++
	return "", sum[:], nil
}
