package index_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"
	"pgregory.net/rapid"

	"github.com/lienthong/lienthong/gateway/ledger/index"
	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
)

// small makes blocks of 64 records.
func small(dir string, j *fake) index.Config {
	return index.Config{Path: filepath.Join(dir, "index.db"), Source: j, BlockSize: 64}
}

func TestSearchesAndVolumesAreWhatLookingAtEveryRecordGives(t *testing.T) {
	dir, made := t.TempDir(), emptyIndex(t)
	rapid.Check(t, func(rt *rapid.T) {
		path, err := os.MkdirTemp(dir, "")
		require.NoError(rt, err)
		j, at := newJournal(), epoch
		for range rapid.IntRange(0, 200).Draw(rt, "records") {
			j.add(randomEntry(rt, &at))
		}
		j.first = min(uint64(rapid.SampledFrom([]int{0, 0, 0, 10, 64, 100}).Draw(rt, "first")), j.Durable())
		cfg := small(path, j)
		require.NoError(rt, os.WriteFile(cfg.Path, made, 0o600))
		x, err := index.Open(t.Context(), cfg)
		require.NoError(rt, err)
		defer func() { require.NoError(rt, x.Close()) }()
		require.NoError(rt, x.CatchUp(t.Context(), nil))
		require.Equal(rt, j.Durable(), x.Indexed())
		for range 8 {
			q := randomQuery(rt, at)
			require.Equal(rt, brute(j, q, x.Indexed()), everyPage(rt, x, j, q))
		}
		for range 4 {
			q := randomVolumeQuery(rt, at)
			got, err := x.Volumes(t.Context(), q)
			require.NoError(rt, err)
			requireVolumes(rt, bruteVolumes(j, q, x.Indexed()), got)
		}
	})
}

// emptyIndex is the file of an index without blocks. Making one takes longer than a hundred searches.
func emptyIndex(t *testing.T) []byte {
	cfg := small(t.TempDir(), newJournal())
	require.NoError(t, open(t, cfg).Close())
	file, err := os.ReadFile(cfg.Path)
	require.NoError(t, err)
	return file
}

func TestABlockOfFullSizeIsSearchedAsASmallOneIs(t *testing.T) {
	const records = 1<<16 + 500
	j := newJournal()
	for i := range records {
		b, err := proto.Marshal(&hubv1.LedgerRecord{Time: timestamppb.New(epoch.Add(time.Duration(i) * time.Millisecond)),
			Event: &hubv1.LedgerRecord_Exchange{Exchange: &hubv1.Exchange{Case: fmt.Sprint(i / 3), Officer: fmt.Sprint(i % 9973),
				ConsumerAgency: "H27", ConsumerSystem: fmt.Sprint(i % 3)}}})
		require.NoError(t, err)
		j.add(index.Entry{Payload: b})
	}
	x := open(t, index.Config{Path: filepath.Join(t.TempDir(), "index.db"), Source: j})
	require.NoError(t, x.CatchUp(t.Context(), nil))
	for name, c := range map[string]struct {
		query index.Query
		wants func(i int) bool
	}{
		"key":           {index.Query{Case: "20000"}, func(i int) bool { return i/3 == 20000 }},
		"at the border": {index.Query{Case: "21845"}, func(i int) bool { return i/3 == 21845 }},
		"array":         {index.Query{Officer: "77"}, func(i int) bool { return i%9973 == 77 }},
		"bitmap":        {index.Query{Consumer: "H27/1", Officer: "1"}, func(i int) bool { return i%3 == 1 && i%9973 == 1 }},
		"time": {index.Query{From: epoch.Add(40 * time.Second), To: epoch.Add(40_005 * time.Millisecond)},
			func(i int) bool { return i >= 40_000 && i < 40_005 }},
		"end": {index.Query{From: epoch.Add(65_534 * time.Millisecond), Consumer: "H27/0"}, func(i int) bool { return i >= 65_534 && i%3 == 0 }},
	} {
		var want, got []uint64
		for i := range records {
			if c.wants(i) {
				want = append(want, uint64(i))
			}
		}
		c.query.OldestFirst, c.query.Limit = true, 10_000
		p, err := x.Search(t.Context(), c.query)
		require.NoError(t, err)
		for _, h := range p.Hits {
			got = append(got, h.Seq)
		}
		require.Equal(t, want, got, name)
	}
}

func TestRecordsWhoseTimesGoBackAreFoundByTheirTimes(t *testing.T) {
	j := newJournal()
	for i := range 160 { // two full blocks and some
		b, err := proto.Marshal(&hubv1.LedgerRecord{Time: timestamppb.New(epoch.Add(time.Duration(i*37%100) * time.Second))})
		require.NoError(t, err)
		j.add(index.Entry{Payload: b})
	}
	x := open(t, small(t.TempDir(), j))
	require.NoError(t, x.CatchUp(t.Context(), nil))
	for second := range 100 {
		at := epoch.Add(time.Duration(second) * time.Second)
		for _, q := range []index.Query{{From: at}, {To: at}, {From: at, To: at.Add(time.Second), OldestFirst: true}} {
			requireHits(t, x, j, q)
		}
	}
}

func TestACaseOfMoreRecordsThanAPageHoldsIsFoundWhole(t *testing.T) {
	j := newJournal()
	for i := range 2100 {
		dossier := "long"
		if i%4 == 0 {
			dossier = fmt.Sprint(i)
		}
		b, err := proto.Marshal(&hubv1.LedgerRecord{Event: &hubv1.LedgerRecord_Exchange{Exchange: &hubv1.Exchange{Case: dossier}}})
		require.NoError(t, err)
		j.add(index.Entry{Payload: b})
	}
	x := open(t, index.Config{Path: filepath.Join(t.TempDir(), "index.db"), Source: j, BlockSize: 2048})
	require.NoError(t, x.CatchUp(t.Context(), nil))
	for _, dossier := range []string{"long", "0", "1024", "2044", "2096"} {
		q := index.Query{Case: dossier, Limit: 5000}
		require.Equal(t, brute(j, q, x.Indexed()), everyPage(t, x, j, q))
	}
}

// everyPage reads page after page, each but the last one full, and every hit as it is in the journal.
func everyPage(t require.TestingT, x *index.Index, j *fake, q index.Query) (seqs []uint64) {
	for {
		p, err := x.Search(background, q)
		require.NoError(t, err)
		for _, h := range p.Hits {
			seqs = append(seqs, h.Seq)
			want := j.decoded[h.Seq]
			if want == nil { // one that does not read has no event
				want = &hubv1.LedgerRecord{}
			}
			require.True(t, proto.Equal(want, h.Record))
		}
		if p.Next == "" {
			return seqs
		}
		require.Len(t, p.Hits, q.Limit)
		q.Cursor = p.Next
	}
}

func TestPagesStayWhereTheyAreWhileRecordsAreAdded(t *testing.T) {
	j := plausible(1, 300, 0)
	x := open(t, small(t.TempDir(), j))
	require.NoError(t, x.CatchUp(t.Context(), nil))
	q := index.Query{Consumer: "H27", Limit: 7}
	want := brute(j, q, x.Indexed())
	var got []uint64
	for {
		p, err := x.Search(t.Context(), q)
		require.NoError(t, err)
		for _, h := range p.Hits {
			got = append(got, h.Seq)
		}
		if q.Cursor = p.Next; q.Cursor == "" {
			break
		}
		for range 40 { // what comes later stands before the first page
			j.append(j.entries[len(j.entries)-290].Payload)
		}
		require.NoError(t, x.CatchUp(t.Context(), nil))
	}
	require.Equal(t, want, got)
}

func TestFollowingFromWhatWasCoveredMissesNothing(t *testing.T) {
	j := plausible(1, 500, 7)
	follower := newJournal()
	x := open(t, small(t.TempDir(), follower))
	q := index.Query{Provider: "G01", OldestFirst: true, Limit: 5}
	want := brute(j, q, j.Durable())
	var got []uint64
	for i, e := range j.entries {
		if follower.add(e); i%11 != 0 && i != len(j.entries)-1 {
			continue
		}
		require.NoError(t, x.CatchUp(t.Context(), nil))
		for more := true; more; {
			p, err := x.Search(t.Context(), q)
			require.NoError(t, err)
			for _, h := range p.Hits {
				got = append(got, h.Seq)
			}
			if q.Cursor, more = p.Next, p.Next != ""; !more {
				q.After = p.Covered
			}
		}
	}
	require.Equal(t, want, got)
}

func TestForeignCursorIsRefused(t *testing.T) {
	j := plausible(1, 200, 0)
	x := open(t, small(t.TempDir(), j))
	require.NoError(t, x.CatchUp(t.Context(), nil))
	good := index.Query{Consumer: "H27", Limit: 3, Subjects: nil}
	p, err := x.Search(t.Context(), good)
	require.NoError(t, err)
	for name, change := range map[string]func(q *index.Query){
		"of another query":     func(q *index.Query) { q.Consumer = "G22" },
		"of another scope":     func(q *index.Query) { q.Scope.Provider = "G01" },
		"of another direction": func(q *index.Query) { q.OldestFirst = true },
		"cut short":            func(q *index.Query) { q.Cursor = q.Cursor[:len(q.Cursor)-1] },
		"altered":              func(q *index.Query) { q.Cursor = "B" + q.Cursor[1:] },
		"made up":              func(q *index.Query) { q.Cursor = "next please" },
	} {
		q := good
		q.Cursor = p.Next
		change(&q)
		_, err := x.Search(t.Context(), q)
		require.ErrorIs(t, err, index.ErrCursor, name)
	}
	good.Cursor, good.Limit = p.Next, 9
	_, err = x.Search(t.Context(), good)
	require.NoError(t, err, "the size of a page may change")
}

func TestSenselessQueriesAreRefused(t *testing.T) {
	x := open(t, small(t.TempDir(), newJournal()))
	for _, q := range []index.Query{
		{Limit: -1}, {Limit: 10_001}, {MinLatency: -1}, {Trace: []byte("short")}, {Exchange: []byte("short")}, {Outcome: 300}, {Outcome: -1},
		{From: epoch, To: epoch}, {After: 3}, {Kinds: []index.Kind{0}}, {Kinds: []index.Kind{6}}, {Scope: index.Scope{Subjects: [][16]byte{}}},
	} {
		_, err := x.Search(t.Context(), q)
		require.ErrorIs(t, err, index.ErrQuery, fmt.Sprintf("%+v", q))
	}
	for _, q := range []index.VolumeQuery{{From: epoch, To: epoch}, {By: index.VolumeBy{Time: 7}}, {Scope: index.Scope{Subjects: [][16]byte{{}}}}} {
		_, err := x.Volumes(t.Context(), q)
		require.ErrorIs(t, err, index.ErrQuery, fmt.Sprintf("%+v", q))
	}
}

func TestFieldListsAreKnownByTheirDigest(t *testing.T) {
	j, dir := plausible(1, 300, 0), t.TempDir()
	x := open(t, small(dir, j))
	require.NoError(t, x.CatchUp(t.Context(), nil))
	named := func(x *index.Index) (lists int) {
		for _, r := range j.decoded {
			for _, text := range r.GetNotice().GetFields().GetLists() {
				known, ok := x.Fields(digest(text))
				require.True(t, ok)
				require.Equal(t, text, known)
				lists++
			}
		}
		return lists
	}
	require.Greater(t, named(x), 5)
	_, ok := x.Fields(digest("never named"))
	require.False(t, ok)
	require.NoError(t, x.Close())
	x = open(t, small(dir, j))
	require.NoError(t, x.CatchUp(t.Context(), nil))
	named(x)
}

func TestKindsHaveTheirNames(t *testing.T) {
	for k := index.KindExchange; k <= index.KindNotice; k++ {
		parsed, err := index.ParseKind(k.String())
		require.NoError(t, err)
		require.Equal(t, k, parsed)
	}
	_, err := index.ParseKind("")
	require.Error(t, err)
	require.Empty(t, index.Kind(77).String())
}
