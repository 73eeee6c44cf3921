package index_test

import (
	"bytes"
	"context"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lienthong/lienthong/gateway/ledger/index"
	"github.com/lienthong/lienthong/services/store"
)

// columnQueries come to one column each.
func columnQueries(j *fake) map[int]index.Query {
	e, within := newestExchange(j), j.decoded[min(200, len(j.decoded)-1)].GetTime().AsTime()
	return map[int]index.Query{
		0: {Kinds: []index.Kind{index.KindIntent}}, 1: {Consumer: "H27"}, 2: {Provider: "G24"},
		3: {Method: "registry.land.v1.LandService"}, 4: {Method: "GetPerson"}, 5: {Purpose: "KCB-TD"}, 6: {Officer: e.GetOfficer()},
		7: {Outcome: 2}, 8: {Reason: "ID_MALFORMED"}, 9: {Agreement: "H27-H27-land"}, 10: {MinLatency: 20 * time.Millisecond},
		16: {Exchange: e.GetId()}, 17: {Trace: e.GetTraceId()}, 18: {Case: e.GetCase()},
		19: {Subjects: [][16]byte{[16]byte(e.GetSubjectHashes()[0])}}, 30: {To: within, OldestFirst: true},
	}
}

// requireRight compares everything that can be asked, up to where the index says that it got.
func requireRight(t *testing.T, x *index.Index, j *fake) {
	t.Helper()
	requireFound(t, x, j)
	requireCounted(t, x, j)
}

func requireCounted(t *testing.T, x *index.Index, j *fake) {
	t.Helper()
	volumes, err := x.Volumes(t.Context(), everyVolume)
	require.NoError(t, err)
	requireVolumes(t, bruteVolumes(j, everyVolume, x.Indexed()), volumes)
}

// requireFound compares searches.
func requireFound(t *testing.T, x *index.Index, j *fake) {
	t.Helper()
	for _, q := range columnQueries(j) {
		requireHits(t, x, j, q)
	}
}

func requireHits(t *testing.T, x *index.Index, j *fake, q index.Query) {
	t.Helper()
	q.Limit = 1000
	p, err := x.Search(t.Context(), q)
	require.NoError(t, err)
	var got []uint64
	for _, h := range p.Hits {
		got = append(got, h.Seq)
	}
	require.Equal(t, brute(j, q, p.Covered), got)
}

var everyVolume = index.VolumeQuery{By: index.VolumeBy{Time: time.Minute, Consumer: true, Provider: true, Method: true, Outcome: true}}

// log is what the index says.
func log(buf *bytes.Buffer) *slog.Logger { return slog.New(slog.NewTextHandler(buf, nil)) }

func TestDamagedPageIsMendedAndSaid(t *testing.T) {
	j := plausible(1, 640, 0)
	for name, statement := range map[string]string{
		"altered":            `UPDATE page SET data = substr(data, 1, length(data) - 1) || x'07' WHERE block = 3 AND col = $1`,
		"emptied":            `UPDATE page SET data = x'' WHERE block = 3 AND col = $1`,
		"removed":            `DELETE FROM page WHERE block = 3 AND col = $1`,
		"of another block":   `UPDATE page SET data = (SELECT data FROM page WHERE block = 4 AND col = $1 ORDER BY first LIMIT 1) WHERE block = 3 AND col = $1`,
		"known by another":   `UPDATE page SET first = x'0102' WHERE block = 3 AND col = $1`,
		"in another's place": `UPDATE page SET block = 99 WHERE block = 3 AND col = $1`,
	} {
		t.Run(name, func(t *testing.T) {
			var said bytes.Buffer
			cfg := small(t.TempDir(), j)
			cfg.Log = log(&said)
			x := open(t, cfg)
			require.NoError(t, x.CatchUp(t.Context(), nil))
			db := behind(t, cfg.Path)
			damage := func(col int) {
				said.Reset()
				result, err := db.Write.ExecContext(t.Context(), statement, col)
				require.NoError(t, err)
				n, err := result.RowsAffected()
				require.NoError(t, err)
				require.Positive(t, n)
			}
			requireMended := func() {
				require.Contains(t, said.String(), "the block is made again")
				require.Contains(t, said.String(), "block=3")
				require.Contains(t, said.String(), "ledger index is mended")
			}
			for col, q := range columnQueries(j) {
				if few := name != "altered" && name != "removed"; few && col%10 != 0 {
					continue
				}
				damage(col)
				requireHits(t, x, j, q)
				requireMended()
			}
			damage(31)
			requireCounted(t, x, j)
			requireMended()
		})
	}
}

// behind opens the database behind the index's back.
func behind(t *testing.T, path string) *store.DB {
	t.Helper()
	db, err := store.Open(t.Context(), store.Config{Path: path})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	return db
}

func TestFieldListsThatAreAlteredOrLostAreReadAgain(t *testing.T) {
	j := plausible(1, 300, 0)
	for name, statement := range map[string]string{
		"altered": `UPDATE fields SET text = text || 'x' WHERE text = 'matched'`,
		"lost":    `DELETE FROM fields WHERE text = 'matched'`,
	} {
		t.Run(name, func(t *testing.T) {
			cfg := small(t.TempDir(), j)
			x := open(t, cfg)
			require.NoError(t, x.CatchUp(t.Context(), nil))
			require.NoError(t, x.Close())
			result, err := behind(t, cfg.Path).Write.ExecContext(t.Context(), statement)
			require.NoError(t, err)
			n, err := result.RowsAffected()
			require.NoError(t, err)
			require.EqualValues(t, 1, n)
			x = open(t, cfg)
			require.NoError(t, x.CatchUp(t.Context(), nil))
			text, known := x.Fields(digest("matched"))
			require.True(t, known)
			require.Equal(t, "matched", text)
			_, known = x.Fields(digest("matchedx"))
			require.False(t, known)
		})
	}
}

func TestABlockWhoseHeadIsLostIsWrittenAgain(t *testing.T) {
	j := plausible(1, 640, 0)
	cfg := small(t.TempDir(), j)
	x := open(t, cfg)
	require.NoError(t, x.CatchUp(t.Context(), nil))
	require.NoError(t, x.Close())
	db := behind(t, cfg.Path)
	_, err := db.Write.ExecContext(t.Context(), `DELETE FROM block WHERE number = 9`)
	require.NoError(t, err)
	x = open(t, cfg)
	require.EqualValues(t, 9*64, x.Indexed())
	require.NoError(t, x.CatchUp(t.Context(), nil))
	requireRight(t, x, j)
}

func TestABlockIsNotMendedFromOtherRecords(t *testing.T) {
	j := plausible(1, 640, 0)
	cfg := small(t.TempDir(), j)
	x := open(t, cfg)
	require.NoError(t, x.CatchUp(t.Context(), nil))
	_, err := behind(t, cfg.Path).Write.ExecContext(t.Context(), `DELETE FROM page WHERE block = 3 AND col = 1`)
	require.NoError(t, err)
	j.entries[4*64-1].Digest[0]++
	_, err = x.Search(t.Context(), index.Query{Consumer: "H27", Limit: 1000})
	require.ErrorContains(t, err, "other records")
	require.NoError(t, x.CatchUp(t.Context(), nil)) // the whole index, from what there is now
	requireRight(t, x, j)
}

func TestCheckFindsAndMendsWhatNobodyAsksFor(t *testing.T) {
	cfg := small(t.TempDir(), plausible(1, 640, 0))
	x := open(t, cfg)
	require.NoError(t, x.CatchUp(t.Context(), nil))
	mended, err := x.Check(t.Context(), nil)
	require.NoError(t, err)
	require.Zero(t, mended)
	_, err = behind(t, cfg.Path).Write.ExecContext(t.Context(), `DELETE FROM page WHERE block IN (2, 7) AND col = 17`)
	require.NoError(t, err)
	var done, total int
	mended, err = x.Check(t.Context(), func(d, n int) { done, total = d, n })
	require.NoError(t, err)
	require.Equal(t, 2, mended)
	require.Equal(t, 10, done)
	require.Equal(t, 10, total)
	mended, err = x.Check(t.Context(), nil)
	require.NoError(t, err)
	require.Zero(t, mended)
}

func TestAPageMissingInTheMiddleIsNoticed(t *testing.T) {
	j := plausible(1, 1024*2, 0)
	var said bytes.Buffer
	cfg := index.Config{Path: filepath.Join(t.TempDir(), "index.db"), Source: j, BlockSize: 1024, Log: log(&said)}
	x := open(t, cfg)
	require.NoError(t, x.CatchUp(t.Context(), nil))
	db := behind(t, cfg.Path)
	for mended, where := range []string{ // the first page, one within, the last
		`first = x''`, `first = (SELECT max(first) FROM page WHERE block = 0 AND col = 19)`,
		`first = (SELECT min(first) FROM page WHERE block = 0 AND col = 19 AND first > x'7f')`,
	} {
		_, err := db.Write.ExecContext(t.Context(), `DELETE FROM page WHERE block = 0 AND col = 19 AND `+where)
		require.NoError(t, err)
		for i := range 32 { // keys are ends: some for each of the half dozen pages
			requireHits(t, x, j, index.Query{Subjects: [][16]byte{{8: byte(8 * i)}}})
		}
		require.Equal(t, mended+1, strings.Count(said.String(), "ledger index is mended"))
	}
}

func TestAnyFlippedBitIsNoticedOrHarmless(t *testing.T) {
	j, dir := plausible(5, 450, 0), t.TempDir()
	x := open(t, small(dir, j))
	require.NoError(t, x.CatchUp(t.Context(), nil))
	require.NoError(t, x.Close())
	whole, err := os.ReadFile(filepath.Join(dir, "index.db"))
	require.NoError(t, err)
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rnd := rand.New(rand.NewPCG(seed, 1))
	for range 8 {
		at := rnd.IntN(len(whole))
		if rnd.IntN(4) == 0 {
			at = rnd.IntN(4096*3) % len(whole) // where the schema is
		}
		flipped := bytes.Clone(whole)
		flipped[at] ^= 1 << rnd.IntN(8)
		survive(t, j, flipped)
	}
}

func TestAnIndexOfRubbishIsMadeAgain(t *testing.T) {
	j := plausible(5, 200, 0)
	survive(t, j, []byte("rubbish"))
	survive(t, j, bytes.Repeat([]byte("rubbish "), 2048))
	survive(t, j, make([]byte, 8192))
}

// survive opens an index that is this file. Every answer is right or an error, and after an error the index is made
// again.
func survive(t *testing.T, j *fake, file []byte) {
	t.Helper()
	cfg := small(t.TempDir(), j)
	require.NoError(t, os.WriteFile(cfg.Path, file, 0o600))
	x, err := index.Open(t.Context(), cfg)
	require.NoError(t, err)
	defer func() { require.NoError(t, x.Close()) }()
	for _, q := range columnQueries(j) {
		q.Limit = 1000
		p, err := x.Search(t.Context(), q)
		if err != nil {
			require.NoError(t, x.CatchUp(t.Context(), nil))
			p, err = x.Search(t.Context(), q)
			require.NoError(t, err)
		}
		var got []uint64
		for _, h := range p.Hits {
			got = append(got, h.Seq)
		}
		require.Equal(t, brute(j, q, p.Covered), got)
	}
	require.NoError(t, x.CatchUp(t.Context(), nil))
	require.Equal(t, j.Durable(), x.Indexed())
	requireRight(t, x, j)
}

func TestWhatCannotBeMendedIsMadeAgainByRun(t *testing.T) {
	j := plausible(1, 640, 0)
	var said bytes.Buffer
	cfg := small(t.TempDir(), j)
	cfg.Log, cfg.Retry, cfg.Rest = log(&said), time.Millisecond, time.Millisecond
	x := open(t, cfg)
	require.NoError(t, x.CatchUp(t.Context(), nil))
	_, err := behind(t, cfg.Path).Write.ExecContext(t.Context(), `DROP TABLE page`)
	require.NoError(t, err)
	_, err = x.Search(t.Context(), index.Query{Consumer: "H27"})
	require.Error(t, err)
	run(t, x)
	require.Eventually(t, func() bool {
		p, err := x.Search(context.Background(), index.Query{Consumer: "H27", Limit: 1000})
		return err == nil && p.Covered == j.Durable()
	}, 10*time.Second, time.Millisecond)
	requireRight(t, x, j)
}

func TestAnotherJournalsIndexIsSetAside(t *testing.T) {
	whole, other := plausible(1, 300, 0), plausible(2, 300, 0)
	for name, c := range map[string]struct {
		now  *fake
		says string
	}{
		"ahead of the journal": {whole.cut(180), "ahead of the journal"},
		"of another journal":   {other, "of another journal"},
	} {
		t.Run(name, func(t *testing.T) {
			var said bytes.Buffer
			cfg := small(t.TempDir(), whole)
			cfg.Log = log(&said)
			x := open(t, cfg)
			require.NoError(t, x.CatchUp(t.Context(), nil))
			require.NoError(t, x.Close())
			require.Empty(t, said.String())
			cfg.Source = c.now
			x = open(t, cfg)
			require.Zero(t, x.Indexed())
			require.Contains(t, said.String(), c.says)
			require.FileExists(t, cfg.Path+".aside")
			require.NoError(t, x.CatchUp(t.Context(), nil))
			requireRight(t, x, c.now)
		})
	}
}

func TestIndexWithOtherBlocksIsSetAside(t *testing.T) {
	j := plausible(1, 300, 0)
	cfg := small(t.TempDir(), j)
	x := open(t, cfg)
	require.NoError(t, x.CatchUp(t.Context(), nil))
	require.NoError(t, x.Close())
	cfg.BlockSize = 128
	x = open(t, cfg)
	require.Zero(t, x.Indexed())
	require.NoError(t, x.CatchUp(t.Context(), nil))
	requireRight(t, x, j)
}

func TestAnIndexIsNotSetAsideForWhatTheMachineDid(t *testing.T) {
	cfg := small(t.TempDir(), plausible(1, 100, 0))
	require.NoError(t, os.Mkdir(cfg.Path, 0o700))
	_, err := index.Open(t.Context(), cfg)
	require.Error(t, err)
	require.NoFileExists(t, cfg.Path+".aside")

	require.NoError(t, os.Remove(cfg.Path))
	x := open(t, cfg)
	require.NoError(t, x.CatchUp(t.Context(), nil))
	require.NoError(t, x.Close())
	ctx, stop := context.WithCancel(t.Context())
	stop()
	_, err = index.Open(ctx, cfg)
	require.ErrorIs(t, err, context.Canceled)
	x = open(t, cfg)
	require.EqualValues(t, 64, x.Indexed())
}

func TestAJournalThatDoesNotReadIsNotTheIndexsFault(t *testing.T) {
	j := plausible(1, 300, 0)
	cfg := small(t.TempDir(), j)
	x := open(t, cfg)
	require.NoError(t, x.CatchUp(t.Context(), nil))
	j.broken = os.ErrPermission
	_, err := x.Search(t.Context(), index.Query{})
	require.ErrorIs(t, err, os.ErrPermission)
	require.NoError(t, x.Close())
	_, err = index.Open(t.Context(), cfg)
	require.ErrorIs(t, err, os.ErrPermission)
	require.NoFileExists(t, cfg.Path+".aside")
	j.broken = nil
	x = open(t, cfg)
	require.EqualValues(t, 256, x.Indexed())
}
