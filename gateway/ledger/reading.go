package ledger

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"strconv"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/lienthong/lienthong/gateway/ledger/notary"
	"github.com/lienthong/lienthong/gateway/ledger/proof"
	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
	"github.com/lienthong/lienthong/proto/reason"
)

// Hash hashes a data subject under every key, the newest first, whose number it returns: records of any time are
// found by one of them.
func (l *Ledger) Hash(kind hubv1.Subject, number string) (hashes [][hashSize]byte, key uint32) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i := len(l.secrets.Subjects) - 1; i >= 0; i-- {
		k := l.secrets.Subjects[i]
		h := hasher{number: k.Number, keyed: newKeyed(k.Key)}
		hashes = append(hashes, h.subject(kind, number))
	}
	return hashes, l.secrets.Subjects[len(l.secrets.Subjects)-1].Number
}

// RotateSubjectKey makes a new key for hashes of data subjects and records that, with who did it from by. It is in use
// when its record is durable.
func (l *Ledger) RotateSubjectKey(_ context.Context, by *hubv1.Change) (uint32, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	rotated := *l.secrets
	number := rotated.rotate(l.cfg.Now())
	by.Kind, by.Object, by.Version = hubv1.Change_KIND_LEDGER_KEY, "subject", int64(number)
	if by.Text == "" {
		by.Text = "new key for hashes of data subjects"
	}
	if err := rotated.store(l.path.Keys()); err != nil {
		return 0, err
	}
	record := &hubv1.LedgerRecord{Time: timestamppb.New(l.cfg.Now()), Event: &hubv1.LedgerRecord_Change{Change: by}}
	if _, err := l.append(record); err != nil {
		return 0, errors.Join(err, l.secrets.store(l.path.Keys())) // as it was
	}
	l.secrets = &rotated
	l.useNewestKey()
	return number, nil
}

// TokenKey is the key of citizens' tokens.
func (l *Ledger) TokenKey() []byte {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.secrets.Token
}

// SignNote signs a text with the transparency log's key: a C2SP signed note.
func (l *Ledger) SignNote(text string) ([]byte, error) { return l.notary.SignNote(text) }

// Prove makes the proof of the record at a position: proof.json. It fails with NOT_YET_PROVEN until a published
// checkpoint covers the position.
func (l *Ledger) Prove(ctx context.Context, seq uint64) ([]byte, error) {
	entry, err := l.reader.Get(ctx, seq)
	if err != nil {
		return nil, fmt.Errorf("prove %s: %w", l.position(seq), err)
	}
	if entry.Void {
		return nil, fmt.Errorf("prove %s: nothing is recorded there: its batch could not be written", l.position(seq))
	}
	inclusion, err := l.notary.Prove(ctx, seq)
	if errors.Is(err, notary.ErrNotYet) {
		return nil, reason.NotYetProven.Because(err)
	}
	if err != nil {
		return nil, fmt.Errorf("prove %s: %w", l.position(seq), err)
	}
	source := proof.Source{
		Seq: seq, Salt: entry.Salt, Prev: entry.Prev, Record: entry.Payload, Checkpoint: inclusion.Checkpoint, Hashes: inclusion.Hashes,
	}
	if source.Released, source.Withheld, err = l.listsOf(ctx, entry.Payload); err != nil {
		return nil, fmt.Errorf("prove %s: %w", l.position(seq), err)
	}
	return proof.Build(source)
}

// listsOf finds the texts of the lists of fields that a record names.
func (l *Ledger) listsOf(_ context.Context, payload []byte) (released, withheld string, err error) {
	var record hubv1.LedgerRecord
	if err := proto.Unmarshal(payload, &record); err != nil {
		return "", "", err
	}
	find := func(digest []byte) (string, error) {
		if len(digest) != sha256.Size {
			return "", nil
		}
		text, ok := l.index.Fields([sha256.Size]byte(digest))
		if !ok {
			return "", errors.New("the index lacks the text of a list of fields; make it again with: lienthong ledger reindex")
		}
		return text, nil
	}
	if released, err = find(record.GetExchange().GetReleasedDigest()); err != nil {
		return "", "", err
	}
	withheld, err = find(record.GetExchange().GetWithheldDigest())
	return released, withheld, err
}

// ParsePosition reads a position of this ledger: ORIGIN:SEQ.
func (l *Ledger) ParsePosition(text string) (seq uint64, ok bool) {
	prefix := l.cfg.Origin + ":"
	if len(text) <= len(prefix) || text[:len(prefix)] != prefix {
		return 0, false
	}
	seq, err := strconv.ParseUint(text[len(prefix):], 10, 64)
	return seq, err == nil
}
