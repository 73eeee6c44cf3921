package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/transparency-dev/tessera/api/layout"
	"github.com/transparency-dev/tessera/client"
	"google.golang.org/protobuf/proto"

	"github.com/lienthong/lienthong/gateway/ledger"
	ledgerproof "github.com/lienthong/lienthong/gateway/ledger/proof"
	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
	"github.com/lienthong/lienthong/proto/journal"
)

// storedFlag lets a command read a ledger's directory in the place of asking a hub.
type storedFlag struct {
	Stored string `name:"ledger" help:"Read this directory of a ledger, such as DIR/ledger.1 after a restore, without a hub: the whole journal is gone through, and nothing records that it was read." type:"existingdir" placeholder:"PATH"`
}

// storedLedger is a ledger that is read from its directory.
type storedLedger struct {
	path   ledger.Path
	reader *journal.Reader
	lists  map[string]string // texts of field lists by their digest, as far as the journal was gone through
}

func openStoredLedger(dir string) (*storedLedger, error) {
	path := ledger.Path(dir)
	reader, err := journal.OpenReader(newLeaves(path).dirs...)
	if err != nil {
		return nil, fmt.Errorf("open ledger %s: %w; see: lienthong ledger check --ledger %s", dir, err, dir)
	}
	return &storedLedger{path: path, reader: reader, lists: map[string]string{}}, nil
}

// walk visits all records, the oldest first, with the texts of their field lists, until visit says that it has enough.
func (s *storedLedger) walk(ctx context.Context, top *cli, visit func(e *journal.Entry, r *hubv1.LedgerRecord) (enough bool)) error {
	first, next := s.reader.Bounds()
	shown := newProgress(top, "going through the journal", "records")
	defer shown.end()
	for e, err := range s.reader.Scan(ctx, first, math.MaxUint64) {
		if ctx.Err() != nil {
			return errors.New("stopped before the journal was gone through")
		}
		if err != nil {
			return err
		}
		if e.Seq%4096 == 0 {
			shown.at(int64(e.Seq-first), int64(next-first))
		}
		if e.Void {
			continue
		}
		r := new(hubv1.LedgerRecord)
		if err := proto.Unmarshal(e.Payload, r); err != nil {
			return fmt.Errorf("position %d: %w", e.Seq, err)
		}
		s.spell(r)
		if visit(&e, r) {
			return nil
		}
	}
	return nil
}

// spell learns the field lists of a record that tells them, and puts the texts into one that names them.
func (s *storedLedger) spell(r *hubv1.LedgerRecord) {
	for _, text := range r.GetNotice().GetFields().GetLists() {
		digest := sha256.Sum256([]byte(text))
		s.lists[string(digest[:])] = text
	}
	x := r.GetExchange()
	if digest := x.GetReleasedDigest(); digest != nil { // else the record has the list itself, or there is none
		x.Released = s.lists[string(digest)]
	}
	if digest := x.GetWithheldDigest(); digest != nil {
		x.Withheld = s.lists[string(digest)]
	}
}

// storedEntry is a record where it stands, apart from the journal's buffers.
type storedEntry struct {
	journal.Entry
	record *hubv1.LedgerRecord
}

func (e *storedEntry) entry() *hubv1.LedgerEntry {
	return &hubv1.LedgerEntry{Origin: e.record.GetOrigin(), Seq: e.Seq, Record: e.record}
}

// find finds an exchange's end, or what stands at a position.
func (s *storedLedger) find(ctx context.Context, top *cli, exchange, at string) (*storedEntry, error) {
	var found *storedEntry
	seq, err := strconv.ParseUint(at[strings.IndexByte(at, ':')+1:], 10, 64)
	if at != "" && err != nil {
		return nil, usage("%s: there is no such position", at)
	}
	err = s.walk(ctx, top, func(e *journal.Entry, r *hubv1.LedgerRecord) bool {
		hit := exchange != "" && r.GetIntent() == nil && exchangeOf(r) == exchange
		if hit = hit || at == r.GetOrigin()+":"+strconv.FormatUint(seq, 10) && e.Seq == seq; hit {
			found = &storedEntry{*e, r}
			found.Payload = append([]byte(nil), e.Payload...)
		}
		return hit
	})
	if err == nil && found == nil {
		err = fmt.Errorf("no such entry in %s", string(s.path))
	}
	return found, err
}

// prove makes the proof of an entry from the log's files.
func (s *storedLedger) prove(ctx context.Context, e *storedEntry) ([]byte, error) {
	checkpoint, err := os.ReadFile(filepath.Join(s.path.Log(), layout.CheckpointPath))
	if err != nil {
		return nil, err
	}
	var size uint64
	if _, line, ok := strings.Cut(string(checkpoint), "\n"); ok {
		size, _ = strconv.ParseUint(line[:max(0, strings.IndexByte(line, '\n'))], 10, 64)
	}
	if e.Seq >= size {
		return nil, fmt.Errorf("the last checkpoint in %s covers %d records, and not position %d", s.path.Log(), size, e.Seq)
	}
	builder, err := client.NewProofBuilder(ctx, size, s.tile)
	if err != nil {
		return nil, err
	}
	hashes, err := builder.InclusionProof(ctx, e.Seq)
	if err != nil {
		return nil, err
	}
	x := e.record.GetExchange()
	return ledgerproof.Build(ledgerproof.Source{
		Seq: e.Seq, Salt: e.Salt, Prev: e.Prev, Record: e.Payload, Checkpoint: checkpoint, Hashes: hashes,
		Released: s.lists[string(x.GetReleasedDigest())], Withheld: s.lists[string(x.GetWithheldDigest())], // those that stand in the record are proven with it
	})
}

// tile reads a tile of the log; a partial one that is gone is the beginning of the full one.
func (s *storedLedger) tile(_ context.Context, level, index uint64, p uint8) ([]byte, error) {
	data, err := os.ReadFile(filepath.Join(s.path.Log(), filepath.FromSlash(layout.TilePath(level, index, p))))
	if p > 0 && errors.Is(err, fs.ErrNotExist) {
		data, err = os.ReadFile(filepath.Join(s.path.Log(), filepath.FromSlash(layout.TilePath(level, index, 0))))
		if size := int(p) * 32; err == nil && len(data) >= size {
			data = data[:size]
		}
	}
	return data, err
}

// search collects the newest entries that a filter selects, the newest first.
func (s *storedLedger) search(ctx context.Context, top *cli, f *hubv1.Filter, limit int) ([]*hubv1.LedgerEntry, error) {
	var newest []*hubv1.LedgerEntry // a ring
	at := 0
	err := s.walk(ctx, top, func(e *journal.Entry, r *hubv1.LedgerRecord) bool {
		if !selects(f, r) {
			return false
		}
		entry := (&storedEntry{*e, r}).entry()
		if len(newest) < limit {
			newest = append(newest, entry)
		} else {
			newest[at] = entry
		}
		at = (at + 1) % limit
		return false
	})
	var list []*hubv1.LedgerEntry
	for i := range newest {
		list = append(list, newest[(at-1-i+2*len(newest))%len(newest)])
	}
	return list, err
}

// changedAgreement is the agreement that a change is about.
func changedAgreement(c *hubv1.Change) string {
	if c.GetKind() != hubv1.Change_KIND_AGREEMENT {
		return ""
	}
	return c.GetObject()
}

// selects reports whether a filter, without a subject, selects a record.
func selects(f *hubv1.Filter, r *hubv1.LedgerRecord) bool {
	x, intent, access := r.GetExchange(), r.GetIntent(), r.GetAccess()
	either := func(a, b string) string { return a + b } // a record is of one kind: what it is not is empty
	agency := either(x.GetConsumerAgency(), intent.GetConsumerAgency()) + access.GetAgency() + r.GetChange().GetAgency()
	system := either(x.GetConsumerSystem(), intent.GetConsumerSystem()) + access.GetSystem() + r.GetChange().GetSystem()
	for _, c := range []struct{ want, have string }{
		{f.GetKind(), kindOf(r)},
		{f.GetProvider(), either(x.GetProviderAgency(), intent.GetProviderAgency())},
		{f.GetPurpose(), either(x.GetPurpose(), intent.GetPurpose())},
		{f.GetCase(), either(x.GetCase(), intent.GetCase())},
		{f.GetOfficer(), either(x.GetOfficer(), intent.GetOfficer()) + access.GetOfficer() + r.GetChange().GetOfficer()},
		{f.GetReason(), either(x.GetReason(), access.GetReason()) + r.GetChange().GetReason()},
		{f.GetAgreement(), either(x.GetAgreement(), intent.GetAgreement()) + changedAgreement(r.GetChange())},
		{f.GetTraceId(), hex.EncodeToString(append(x.GetTraceId(), access.GetTraceId()...))},
		{f.GetExchangeId(), exchangeOf(r)},
	} {
		if c.want != "" && c.want != c.have {
			return false
		}
	}
	if want := f.GetConsumer(); want != "" && want != agency && want != agency+"/"+system {
		return false
	}
	if want, have := f.GetMethod(), either(x.GetMethod(), intent.GetMethod()); want != "" && want != have &&
		want != shortMethod(have) && want != strings.TrimSuffix(have, "/"+shortMethod(have)) {
		return false
	}
	when := r.GetTime().AsTime()
	outcome := x.GetOutcome()
	if access.GetReason()+r.GetChange().GetReason() != "" {
		outcome = hubv1.Exchange_OUTCOME_REFUSED
	}
	return (f.GetOutcome() == hubv1.Exchange_OUTCOME_UNSPECIFIED || f.GetOutcome() == outcome) &&
		(f.GetMinLatency() == nil || x != nil && int64(x.GetTotalUs()) >= f.GetMinLatency().AsDuration().Microseconds()) &&
		(f.GetFrom() == nil || !when.Before(f.GetFrom().AsTime())) && (f.GetTo() == nil || when.Before(f.GetTo().AsTime()))
}
