package main

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"path/filepath"

	"github.com/google/uuid"
	_ "modernc.org/sqlite" // the registries' databases

	"github.com/lienthong/lienthong/deploy/parts"
)

// judge compares what clients wrote down with what is left on the disk of a hub that was stopped.
type judge struct {
	result *result
	round  int
	strict bool // no crash happened: who was told that nothing can be recorded is recorded as not answered
}

// ledger compares the notes with the ledger and the registry below dir.
func (j *judge) ledger(ctx context.Context, dir parts.Dir, notes []*note) error {
	j.check(ctx, dir)
	a, err := readAccount(ctx, dir.Ledger().Journal(), dir.Ledger().Archive())
	if err != nil {
		j.add(damaged, "the ledger cannot be read: %v", err)
		return nil
	}
	done, err := effects(ctx, dir)
	if err != nil {
		return err
	}
	for _, what := range a.unordered {
		j.add(twoStates, "%s", what)
	}
	for _, f := range a.fates {
		if what := f.wrong(); what != "" {
			j.add(twoStates, "%s", what)
		}
	}
	for _, n := range notes {
		j.note(a, n)
		if n.Write {
			j.effect(a, n, done[n.Case])
		}
	}
	return nil
}

// note compares one note with the ledger.
func (j *judge) note(a *account, n *note) {
	f := a.ofCase(n.Case)
	switch {
	case n.answered():
		j.result.Answers++
		if j.answer(a, n) {
			j.result.Records++
		}
	case n.unrecorded():
		if n.Bytes > 0 {
			j.add(leaked, "%s was refused for want of a record, and got %d bytes", n.Case, n.Bytes)
		}
		if g := a.fates[n.Receipt.Exchange]; j.strict && (g == nil || g.answered()) {
			j.add(twoStates, "%s, exchange %s, was told that nothing can be recorded; the ledger does not say that it was not answered", n.Case, n.Receipt.Exchange)
		}
	case n.Refusal.Reason != "" && len(f.ended) == 0 && a.counted[n.Refusal.Reason] == 0:
		j.add(unrecorded, "%s was told %s, of which there is no record", n.Case, n.Refusal.Reason)
	}
}

// answer compares an answer with its record.
func (j *judge) answer(a *account, n *note) bool {
	f := a.fates[n.Receipt.Exchange]
	switch {
	case f == nil || len(f.ended) == 0:
		j.add(unrecorded, "%s was answered at %s as exchange %s, of which there is no record; the ledger ends before %d", n.Case, n.Receipt.Position, n.Receipt.Exchange, a.next)
	case !f.answered() || len(f.inDoubt) > 0:
		j.add(otherRecord, "exchange %s was answered; the ledger says %v, not answered at %v, in doubt at %v", f.id, f.end.GetOutcome(), f.notAnswered, f.inDoubt)
	case n.Receipt.Position != fmt.Sprintf("%s:%d", parts.GatewayID, f.ended[0]):
		j.add(otherRecord, "exchange %s was answered with position %q; its record stands at seq %d", f.id, n.Receipt.Position, f.ended[0])
	case n.Digest == nil || !bytes.Equal(n.Digest, f.end.GetAnswerDigest()):
		j.add(otherRecord, "exchange %s: the bytes that were answered are not those of the record", f.id)
	case f.end.GetCase() != n.Case:
		j.add(otherRecord, "exchange %s: the record is about another dossier", f.id)
	default:
		return true
	}
	return false
}

// effect compares a change with what the ledger says of it.
func (j *judge) effect(a *account, n *note, done bool) {
	f := a.ofCase(n.Case)
	switch {
	case done && len(f.intents) == 0:
		j.add(noIntent, "%s changed the registry, of which there is no intent", n.Case)
	case !done && n.answered():
		j.add(lostEffect, "%s was answered, and the registry does not have it", n.Case)
	case f.answered() && len(f.intents) == 0:
		j.add(noIntent, "exchange %s changed something without an intent", f.id)
	}
}

func (j *judge) add(k kind, format string, args ...any) { j.result.add(k, j.round, format, args...) }

// effects are the requests that the population registry has carried out.
func effects(ctx context.Context, dir parts.Dir) (map[string]bool, error) {
	db, err := sql.Open("sqlite", "file:"+filepath.Join(dir.Registries(), "population.db"))
	if err != nil {
		return nil, err
	}
	defer func() { _ = db.Close() }()
	rows, err := db.QueryContext(ctx, "SELECT request_id FROM request")
	if err != nil {
		return nil, fmt.Errorf("read what the registry did: %w", err)
	}
	defer func() { _ = rows.Close() }()
	done := map[string]bool{}
	for rows.Next() {
		var id string
		if err := rows.Scan(&id); err != nil {
			return nil, err
		}
		done[id] = true
	}
	return done, rows.Err()
}

func idText(id []byte) string {
	u, err := uuid.FromBytes(id)
	if err != nil {
		return fmt.Sprintf("%x", id)
	}
	return u.String()
}
