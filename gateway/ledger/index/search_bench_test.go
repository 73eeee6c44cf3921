package index_test

import (
	"context"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	"github.com/lienthong/lienthong/gateway/ledger/index"
	"github.com/lienthong/lienthong/gateway/ledger/ledgertest"
	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
	"github.com/lienthong/lienthong/proto/journal"
)

// BenchmarkSearch is the time of a first page of 50 from a journal on disk with LEDGER_RECORDS records (default
// 300,000), for each filter alone and for the usual pairs. LEDGER_DIR keeps the ledger for the next run.
func BenchmarkSearch(b *testing.B) {
	records, dir := 300_000, b.TempDir()
	if text := os.Getenv("LEDGER_RECORDS"); text != "" {
		var err error
		records, err = strconv.Atoi(text)
		require.NoError(b, err)
	}
	if kept := os.Getenv("LEDGER_DIR"); kept != "" {
		dir = kept
	}
	src := writtenJournal(b, dir, records)
	x := open(b, index.Config{Path: filepath.Join(dir, "index.db"), Source: src})
	began, from := time.Now(), x.Indexed()
	require.NoError(b, x.CatchUp(b.Context(), nil))
	b.Logf("indexed %d records in %v", x.Indexed()-from, time.Since(began))
	queries := benchQueries(b, x)
	requireFirstPages(b, x, src, queries)
	for _, c := range queries {
		b.Run(c.name, func(b *testing.B) {
			var worst time.Duration
			hits := 0
			for range b.N {
				began := time.Now()
				p, err := x.Search(b.Context(), c.query)
				require.NoError(b, err)
				worst, hits = max(worst, time.Since(began)), len(p.Hits)
			}
			b.ReportMetric(float64(worst.Microseconds())/1000, "worst-ms")
			b.ReportMetric(float64(hits), "hits")
		})
	}
	for name, q := range map[string]index.VolumeQuery{
		"all by hour and consumer": {By: index.VolumeBy{Time: time.Hour, Consumer: true}},
		"one consumer by minute":   {By: index.VolumeBy{Time: time.Minute}, Consumer: "H27"},
	} {
		b.Run("volumes/"+name, func(b *testing.B) {
			for range b.N {
				_, err := x.Volumes(b.Context(), q)
				require.NoError(b, err)
			}
		})
	}
}

type benchQuery struct {
	name  string
	query index.Query
}

// benchQueries are filters for much and for little, now and long ago.
func benchQueries(b *testing.B, x *index.Index) []benchQuery {
	early := exchangeAt(b, x, 1000)
	at := early.GetReceived().AsTime()
	minute := index.Query{From: at, To: at.Add(time.Minute)}
	within := func(q index.Query) index.Query {
		q.From, q.To = minute.From, minute.To
		return q
	}
	busy, calm := ledgertest.Subject(3), [16]byte(early.GetSubjectHashes()[0])
	return []benchQuery{
		{"nothing", index.Query{}},
		{"consumer/agency", index.Query{Consumer: "H27"}},
		{"consumer/system", index.Query{Consumer: "G15/civil-status"}},
		{"consumer/nobody", index.Query{Consumer: "H99"}},
		{"provider", index.Query{Provider: "G13"}},
		{"method/name", index.Query{Method: "GetPerson"}},
		{"method/service", index.Query{Method: "registry.land.v1.LandService"}},
		{"method/full", index.Query{Method: "registry.population.v1.PopulationService/CancelNumber"}},
		{"purpose", index.Query{Purpose: "DVC-LT"}},
		{"case", index.Query{Case: early.GetCase()}},
		{"officer", index.Query{Officer: "one-stop.399"}},
		{"outcome", index.Query{Outcome: hubv1.Exchange_OUTCOME_TIMED_OUT}},
		{"reason", index.Query{Reason: "AGREEMENT_EXPIRED"}},
		{"agreement", index.Query{Agreement: "G15-G01-population"}},
		{"latency/20ms", index.Query{MinLatency: 20 * time.Millisecond}},
		{"latency/5.03s", index.Query{MinLatency: 5030 * time.Millisecond}},
		{"trace", index.Query{Trace: early.GetTraceId()}},
		{"exchange", index.Query{Exchange: early.GetId()}},
		{"kind", index.Query{Kinds: []index.Kind{index.KindChange}}},
		{"citizen/busy", index.Query{Subjects: [][16]byte{busy}}},
		{"citizen/long ago", index.Query{Subjects: [][16]byte{calm}}},
		{"citizen/three keys", index.Query{Subjects: [][16]byte{calm, {1}, {2}}}},
		{"time", minute},
		{"consumer+outcome", index.Query{Consumer: "G15", Outcome: hubv1.Exchange_OUTCOME_FAILED}},
		{"consumer+method", index.Query{Consumer: "G24", Method: "GetDeath"}},
		{"consumer+method/never together", index.Query{Consumer: "G24", Method: "RegisterBirth"}},
		{"provider+reason", index.Query{Provider: "G13", Reason: "NO_AGREEMENT"}},
		{"purpose+officer", index.Query{Purpose: "HT-KT", Officer: "one-stop.399"}},
		{"case+time", within(index.Query{Case: early.GetCase()})},
		{"consumer+time", within(index.Query{Consumer: "H27"})},
		{"outcome+time", within(index.Query{Outcome: hubv1.Exchange_OUTCOME_REFUSED})},
		{"latency+time", within(index.Query{MinLatency: 10 * time.Millisecond})},
		{"scope provider+consumer", index.Query{Scope: index.Scope{Provider: "G13"}, Consumer: "H27"}},
		{"oldest first", index.Query{Consumer: "H27", OldestFirst: true, Limit: 500}},
	}
}

// requireFirstPages compares what is to be timed with a look at every record.
func requireFirstPages(b *testing.B, x *index.Index, src index.Source, queries []benchQuery) {
	want := make([][]uint64, len(queries))
	r := &hubv1.LedgerRecord{}
	for e, err := range src.Scan(b.Context(), 0, x.Indexed()) {
		require.NoError(b, err)
		require.NoError(b, proto.Unmarshal(e.Payload, r))
		for i := range queries {
			if wants(&queries[i].query, r) {
				want[i] = append(want[i], e.Seq)
			}
		}
	}
	for i, c := range queries {
		p, err := x.Search(b.Context(), c.query)
		require.NoError(b, err)
		if !c.query.OldestFirst {
			slices.Reverse(want[i])
		}
		limit := max(c.query.Limit, 50)
		require.Equal(b, len(want[i]) > limit, p.Next != "", c.name)
		for k, h := range p.Hits {
			require.Equal(b, want[i][k], h.Seq, c.name)
		}
		require.Len(b, p.Hits, min(limit, len(want[i])), c.name)
	}
}

// exchangeAt is the first answered exchange about somebody from a position on.
func exchangeAt(b *testing.B, x *index.Index, seq uint64) *hubv1.Exchange {
	p, err := x.Search(b.Context(), index.Query{OldestFirst: true, After: seq, Outcome: hubv1.Exchange_OUTCOME_ANSWERED})
	require.NoError(b, err)
	for _, h := range p.Hits {
		if e := h.Record.GetExchange(); len(e.GetSubjectHashes()) > 0 {
			return e
		}
	}
	b.Fatal("no exchange there is about anybody")
	return nil
}

// writtenJournal is a journal on disk of that many records.
func writtenJournal(b *testing.B, dir string, records int) index.Source {
	j, _, err := journal.Open(journal.Config{Dir: filepath.Join(dir, "journal"), Disk: unsynced{journal.SystemDisk()}})
	require.NoError(b, err)
	b.Cleanup(func() { require.NoError(b, j.Close()) })
	had := int(j.Durable()) // of a run before: all, or the beginning
	began := time.Now()
	for r := range ledgertest.Records(1, records) {
		if had >= records {
			break
		}
		if had--; had >= 0 {
			continue
		}
		_, err := j.Append(r)
		require.NoError(b, err)
	}
	b.Logf("%d records written in %v", j.Durable(), time.Since(began))
	return source{j, j.Reader()}
}

// source reads a journal on disk.
type source struct {
	*journal.Journal
	r *journal.Reader
}

func (s source) First() uint64 {
	first, _ := s.r.Bounds()
	return first
}

func (s source) Get(ctx context.Context, seq uint64) (index.Entry, error) {
	e, err := s.r.Get(ctx, seq)
	return entry(&e), err
}

func (s source) Scan(ctx context.Context, from, to uint64) iter.Seq2[index.Entry, error] {
	return func(yield func(index.Entry, error) bool) {
		for e, err := range s.r.Scan(ctx, from, to) {
			if !yield(entry(&e), err) {
				return
			}
		}
	}
}

func entry(e *journal.Entry) index.Entry {
	return index.Entry{Seq: e.Seq, Void: e.Void, Digest: e.Digest, Payload: e.Payload}
}

// unsynced is a disk for journals that nobody will miss: written one by one, in order, in a thousandth of the time.
type unsynced struct{ journal.Disk }

type unsyncedFile struct{ journal.File }

func (d unsynced) Create(path string) (journal.File, error) {
	f, err := d.Disk.Create(path)
	return unsyncedFile{f}, err
}

func (d unsynced) Open(path string) (journal.File, error) {
	f, err := d.Disk.Open(path)
	return unsyncedFile{f}, err
}

func (unsyncedFile) Datasync() error { return nil }
