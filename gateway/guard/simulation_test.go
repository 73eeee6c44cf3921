package guard_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lienthong/lienthong/gateway/guard"
	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
)

// How many random numbers are one person's: of all well-formed ones, and in a large city's cohort.
const (
	anywhere  = 112
	largeCity = 17
)

// guessing guesses 10 times a second, under names that the test gives, until nothing gets through for ten seconds, and
// returns how often and for how long it got through.
func (w *world) guessing(oneIn int, name func(i int) string) (through int, last time.Duration) {
	begin := w.now()
	for i, refused := 0, 0; refused < 100; i++ {
		if refused++; w.guess("H27", "CT-TT", name(i), oneIn) {
			through, refused, last = through+1, 0, w.now().Sub(begin)
		}
		w.pass(100 * time.Millisecond)
		if i%10 == 0 {
			w.step(w.Guard)
		}
		require.Less(w.t, through, 10_000, "nobody stops it")
	}
	return through, last
}

func TestWhoGuessesIsStopped(t *testing.T) {
	rotating := func(names int) func(int) string {
		return func(i int) string { return fmt.Sprint("officer", i%names) }
	}
	for _, c := range []struct {
		name  string
		who   func(int) string
		limit int // guesses that may get through, where one in 112 is a person's; one more in 16 where one in 17 is
		all   bool
	}{
		{"one officer", rotating(1), 24, false},
		{"nobody is named", func(int) string { return "" }, 24, true},
		{"3 officers by turns", rotating(3), 72, true},
		{"10 officers by turns", rotating(10), 215, true},
		{"50 officers by turns", rotating(50), 215, true},
		{"each guess another officer", func(i int) string { return fmt.Sprint("officer", i) }, 215, true},
	} {
		for _, oneIn := range []int{anywhere, largeCity} {
			t.Run(fmt.Sprintf("%s, one in %d", c.name, oneIn), func(t *testing.T) {
				w := newWorld(t)
				through, took := w.guessing(oneIn, c.who)
				t.Logf("%d guesses got through, the last after %v", through, took)
				limit := c.limit
				if oneIn == largeCity {
					limit += limit / 8
				}
				require.LessOrEqual(t, through, limit)
				w.step(w.Guard)
				require.NotEmpty(t, w.raised())
				free(t, w.Guard, "H27", "KCB", "officer0")
				free(t, w.Guard, "H28", "CT-TT", "officer0")
				if c.all {
					stopped(t, w.Guard, "H27", "CT-TT", "somebody else")
				} else {
					free(t, w.Guard, "H27", "CT-TT", "somebody else")
				}
			})
		}
	}
}

// TestManyAddressesAreOneAgency: where calls come from is no part of what is counted, so 9,000 connections are as one;
// here they guess at the same time.
func TestManyAddressesAreOneAgency(t *testing.T) {
	w := newWorld(t)
	through := make(chan bool, 9_000)
	for i := range 9_000 {
		go func() {
			through <- ask(w.Guard, "H27", "CT-TT", fmt.Sprint("officer", i%50), int64(i), false)
		}()
	}
	n := 0
	for range 9_000 {
		if <-through {
			n++
		}
	}
	require.GreaterOrEqual(t, n, 201)
	t.Logf("%d of 9,000 at once got through", n)
	stopped(t, w.Guard, "H27", "CT-TT", "officer0")
	require.Len(t, w.Stops(), 1)
	require.Equal(t, guard.Total, w.Stops()[0].Why)
}

func TestRotatingNamesDoNotHideInAnOffice(t *testing.T) {
	w := newWorld(t)
	guesses := 0
	for i := 0; w.Check("H27", "CT-TT", "officer0") == nil; i++ {
		require.Less(t, guesses, 1000)
		w.guess("H27", "CT-TT", fmt.Sprint("new", i), anywhere)
		if guesses++; w.rand.IntN(4) == 0 { // 40 officers who ask 150 times a minute
			ask(w.Guard, "H27", "CT-TT", fmt.Sprint("officer", w.rand.IntN(40)), w.rand.Int64N(1e8), w.rand.IntN(100) >= 4)
		}
		w.pass(100 * time.Millisecond)
	}
	require.LessOrEqual(t, guesses, 215)
	t.Logf("%d guesses got through", guesses)
}

func TestGuessesBetweenPeopleOneKnowsAreStillGuesses(t *testing.T) {
	w := newWorld(t)
	guesses := 0
	for i := 0; w.Check("H27", "CT-TT", "an.nv") == nil; i++ {
		require.Less(t, i, 1000)
		ask(w.Guard, "H27", "CT-TT", "an.nv", int64(i%10), true) // ten people, again and again
		if i%4 == 0 {
			w.guess("H27", "CT-TT", "an.nv", anywhere)
			guesses++
		}
		w.pass(100 * time.Millisecond)
	}
	require.LessOrEqual(t, guesses, 40)
	t.Logf("%d guesses got through", guesses)
}

func TestOneSnoopingOfficerNeverStopsTheRest(t *testing.T) {
	w := newWorld(t)
	batch := make([]*hubv1.DataSubject, 1000)
	for minute := range 10 {
		for i := range batch {
			batch[i] = person(w.rand.Int64N(1e12))
		}
		if w.Check("H27", "CT-TT", "snoop") == nil {
			w.Count("H27", "CT-TT", "snoop", 9, 991, batch) // a thousand guesses in one question
			w.Count("H27", "CT-TT", "snoop", 9, 991, batch) // and a thousand more that were under way
		}
		stopped(t, w.Guard, "H27", "CT-TT", "snoop")
		for i := range 40 {
			require.True(t, ask(w.Guard, "H27", "CT-TT", fmt.Sprint("officer", i), int64(1000*minute+i), i%20 != 0))
		}
		if minute%2 == 1 {
			w.step(w.Guard)
			require.NoError(t, w.release("H27", "CT-TT", "snoop"))
		}
		w.pass(20 * time.Second)
		w.step(w.Guard)
	}
	for _, s := range w.Stops() {
		require.Equal(t, "snoop", s.Officer)
	}
}

// TestAnHourOfOrdinaryWorkTripsNothing has offices whose officers mistype, a portal that names no officer, and two
// agencies that match lists of people.
func TestAnHourOfOrdinaryWorkTripsNothing(t *testing.T) {
	w := newWorld(t)
	visitor := int64(0)
	list := make([]*hubv1.DataSubject, 1000)
	calls := 0
	for second := range 3600 {
		w.pass(time.Second)
		for office := range 5 { // 40 officers each, who ask twice a minute, up to three questions about a person
			for officer := range 40 {
				if w.rand.IntN(30) == 0 {
					number := w.rand.Int64N(1e8)
					for range 1 + w.rand.IntN(3) {
						require.True(t, ask(w.Guard, fmt.Sprint("H", office), "CT-TT", fmt.Sprint("officer", officer), number, w.rand.IntN(100) >= 4))
						calls++
					}
				}
			}
		}
		for range 50 { // a portal: 3 % misses; a visitor asks about six times
			if w.rand.IntN(6) == 0 {
				visitor = w.rand.Int64N(1e8)
			}
			require.True(t, ask(w.Guard, "G06", "CONG-DAN", "", visitor, w.rand.IntN(100) >= 3))
			calls++
		}
		if second%60 == 0 { // 17 % of a list have moved, or are written otherwise
			for i := range list {
				list[i] = person(w.rand.Int64N(1e8))
			}
			for _, officer := range []string{"", "list.keeper"} {
				require.NoError(t, w.Check("G24", "BHXH", officer))
				w.Count("G24", "BHXH", officer, 830, 170, list[:])
				for i := range list {
					list[i] = person(w.rand.Int64N(1e8))
				}
			}
			w.step(w.Guard)
			require.Empty(t, w.Stops())
			w.Forget()
		}
	}
	require.Empty(t, w.raised())
	pairs, officers, people := w.Known()
	t.Logf("%d calls; remembered at the end: %d pairs, %d officers, %d people", calls, pairs, officers, people)
	w.pass(2 * time.Minute)
	w.Forget()
	pairs, officers, people = w.Known()
	require.Zero(t, pairs+officers+people)
}

func TestMemoryIsBoundedWhateverNamesAreSent(t *testing.T) {
	w := newWorld(t)
	for i := range 70_000 {
		ask(w.Guard, "H27", "CT-TT", fmt.Sprint("officer", i), int64(i), true)
	}
	pairs, officers, people := w.Known()
	require.Equal(t, 1, pairs)
	require.LessOrEqual(t, officers, 4097)
	require.LessOrEqual(t, people, 1<<16)
	w.step(w.Guard)
	var rows int
	require.NoError(t, w.db.Read.QueryRow(`SELECT COUNT(*) FROM guard_count`).Scan(&rows))
	require.Equal(t, 1, rows, "officers who miss nobody are one row")
}
