package main

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"iter"
	"os"
	"strings"

	sumdb "golang.org/x/mod/sumdb/note"

	"github.com/lienthong/lienthong/deploy/parts"
	"github.com/lienthong/lienthong/gateway/ledger/notary"
	"github.com/lienthong/lienthong/proto/journal"
)

// place is where a check found a fault.
type place struct {
	File   string // path
	Offset int64  // byte; -1 if the check does not say it
	Seq    int64  // of the first record or leaf at fault; -1 if none is
	What   string
}

// String is where and what, in a line.
func (p place) String() string {
	return fmt.Sprintf("%s, offset %d, seq %d: %s", p.File, p.Offset, p.Seq, p.What)
}

// checkJournal has the journal check itself.
func checkJournal(ctx context.Context, dir parts.Dir) (found []place, rep *journal.Report, err error) {
	rep, err = journal.Check(ctx, journalDirs(dir), journal.CheckOptions{Head: dir.LedgerHead()}, nil)
	if err != nil {
		return nil, nil, err
	}
	for _, d := range rep.Faults {
		found = append(found, place{d.File, d.Offset, int64(d.Seq), d.What})
	}
	return found, rep, nil
}

func journalDirs(dir parts.Dir) []string {
	dirs := []string{dir.Ledger().Journal()}
	if _, err := os.Stat(dir.Ledger().Archive()); err == nil {
		dirs = append(dirs, dir.Ledger().Archive())
	}
	return dirs
}

// checkLog has the transparency log compared with the journal.
func checkLog(ctx context.Context, dir parts.Dir) (found []place, rep *notary.Report, err error) {
	public, err := os.ReadFile(dir.Ledger().LogPub())
	if err != nil {
		return []place{{dir.Ledger().LogPub(), -1, -1, err.Error()}}, nil, nil
	}
	key, err := readKey(string(public))
	if err != nil {
		return []place{{dir.Ledger().LogPub(), -1, -1, err.Error()}}, nil, nil
	}
	since, err := os.ReadFile(logHead(dir))
	if err != nil {
		return nil, nil, err
	}
	rep, err = notary.Check(ctx, notary.CheckConfig{Dir: dir.Ledger().Log(), Key: key, Digests: digests(ctx, dir), Since: since})
	if err != nil {
		return nil, nil, err
	}
	for _, f := range rep.Faults {
		found = append(found, place{dir.Ledger().Log() + "/" + f.File, -1, f.Leaf, f.What})
	}
	return found, rep, nil
}

// readKey reads a verifier key in the one way in which it is written.
func readKey(text string) (sumdb.Verifier, error) {
	line, whole := strings.CutSuffix(text, "\n")
	key, err := sumdb.NewVerifier(line)
	if err != nil {
		return nil, err
	}
	parts := strings.SplitN(line, "+", 3)
	material, err := base64.StdEncoding.Strict().DecodeString(parts[2])
	if err != nil || !whole || parts[1] != fmt.Sprintf("%08x", key.KeyHash()) || base64.StdEncoding.EncodeToString(material) != parts[2] {
		return nil, errors.New("the key is not written as keys are")
	}
	return key, nil
}

// logHead is the copy of the last checkpoint that lies beside the journal's head.
func logHead(dir parts.Dir) string { return dir.LedgerHead() + ".checkpoint" }

// digests are those of all records.
func digests(ctx context.Context, dir parts.Dir) iter.Seq2[[32]byte, error] {
	return func(yield func([32]byte, error) bool) {
		r, err := journal.OpenReader(journalDirs(dir)...)
		if err != nil {
			yield([32]byte{}, err)
			return
		}
		_, next := r.Bounds()
		for e, err := range r.Scan(ctx, 0, next) {
			if !yield(e.Digest, err) || err != nil {
				return
			}
		}
	}
}

// check has the ledger of a hub that was stopped checked, as `lienthong ledger check` does.
func (j *judge) check(ctx context.Context, dir parts.Dir) {
	found, rep, err := checkJournal(ctx, dir)
	if err != nil {
		j.add(damaged, "the journal cannot be checked: %v", err)
		return
	}
	var log []place
	var tree *notary.Report
	if len(found) == 0 {
		if log, tree, err = checkLog(ctx, dir); err != nil {
			j.add(damaged, "the log cannot be checked: %v", err)
		}
	}
	for _, p := range append(found, log...) {
		j.add(damaged, "%v", p)
	}
	if tree != nil && tree.Leaves > rep.Next {
		j.add(damaged, "the log has %d leaves, the journal %d records", tree.Leaves, rep.Next)
	}
}
