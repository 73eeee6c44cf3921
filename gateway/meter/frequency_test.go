package meter_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/lienthong/lienthong/gateway/agreement"
	"github.com/lienthong/lienthong/gateway/meter"
	"github.com/lienthong/lienthong/proto/reason"
)

// line joins meters as the bus does: what one says all others hear.
type line struct {
	mu   sync.Mutex
	ends []*end
}

type end struct {
	line *line
	hear func([]byte)
}

func (l *line) end() *end {
	l.mu.Lock()
	defer l.mu.Unlock()
	e := &end{line: l}
	l.ends = append(l.ends, e)
	return e
}

func (e *end) Handle(_ byte, handler func([]byte)) {
	e.line.mu.Lock()
	defer e.line.mu.Unlock()
	e.hear = handler
}

func (e *end) Send(_ byte, payload []byte) error {
	e.line.mu.Lock()
	defer e.line.mu.Unlock()
	for _, other := range e.line.ends {
		if other != e && other.hear != nil {
			other.hear(payload)
		}
	}
	return nil
}

func twice(hours int) meter.Use {
	return limited(agreement.Limits{Times: 2, Within: time.Duration(hours) * time.Hour})
}

func TestAPersonIsAskedAboutNoMoreOftenThanAgreed(t *testing.T) {
	t.Parallel()
	g := start(t, fresh(t), meter.Config{Now: at(noon).now})
	require.NoError(t, g.Take(t.Context(), about(twice(24), noon, "1")))
	require.NoError(t, g.Take(t.Context(), about(twice(24), noon.Add(time.Hour), "1")))
	err := g.Take(t.Context(), about(twice(24), noon.Add(2*time.Hour), "1"))
	require.ErrorIs(t, err, reason.FrequencyExceeded)
	require.Equal(t, noon.Add(24*time.Hour), until(t, err))
	require.NoError(t, g.Take(t.Context(), about(twice(24), noon.Add(2*time.Hour), "2")), "another person")
	require.NoError(t, g.Take(t.Context(), about(twice(24), noon.Add(24*time.Hour), "1")))
	require.ErrorIs(t, g.Take(t.Context(), about(twice(24), noon.Add(25*time.Hour-time.Millisecond), "1")), reason.FrequencyExceeded)
}

func TestABatchIsRefusedWholeOrCountedWhole(t *testing.T) {
	t.Parallel()
	g := start(t, fresh(t), meter.Config{Now: at(noon).now})
	u := limited(agreement.Limits{Times: 1, Within: time.Hour})
	require.NoError(t, g.Take(t.Context(), about(u, noon, "1")))
	require.ErrorIs(t, g.Take(t.Context(), about(u, noon, "2", "1", "3")), reason.FrequencyExceeded)
	require.NoError(t, g.Take(t.Context(), about(u, noon, "2", "3", "2")), "nobody of them was counted; one who is named twice is one")
	require.ErrorIs(t, g.Take(t.Context(), about(u, noon, "3")), reason.FrequencyExceeded)
}

func TestFrequencySurvivesARestart(t *testing.T) {
	t.Parallel()
	for name, stop := range map[string]func(*gateway){
		"stopped": func(g *gateway) { g.close(t) },
		"killed": func(g *gateway) {
			require.Eventually(t, func() bool { return count(t, g, "frequency") == 2 }, 5*time.Second, 10*time.Millisecond)
			g.crash()
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, path := at(noon), fresh(t)
			g := start(t, path, meter.Config{Now: c.now})
			require.NoError(t, g.Take(t.Context(), about(twice(1), noon, "1")))
			require.NoError(t, g.Take(t.Context(), about(twice(1), noon, "1")))
			stop(g)
			g = start(t, path, meter.Config{Now: c.now})
			require.ErrorIs(t, g.Take(t.Context(), about(twice(1), noon, "1")), reason.FrequencyExceeded)
		})
	}
}

func count(t testing.TB, g *gateway, table string) (n int64) {
	require.NoError(t, g.db.Read.QueryRow(`SELECT COUNT(*) FROM `+table).Scan(&n))
	return n
}

func TestGatewaysTellEachOtherWhoWasAskedAbout(t *testing.T) {
	t.Parallel()
	var l line
	c, path := at(noon), fresh(t)
	one := start(t, path, meter.Config{Now: c.now, Link: l.end()})
	two := start(t, path, meter.Config{Now: c.now, Link: l.end()})
	listener, words := l.end(), make(chan int, 100)
	listener.Handle('m', func(p []byte) { words <- len(p) }) // after two
	u := limited(agreement.Limits{Times: 1, Within: time.Hour})
	var many []string
	for i := range 4000 { // more than one word holds
		many = append(many, fmt.Sprint(i))
	}
	require.NoError(t, one.Take(t.Context(), about(u, noon, many...)))
	for bytes := 0; bytes < 4000*36; {
		word := <-words
		require.LessOrEqual(t, word, 64<<10)
		bytes += word - 1
	}
	for _, n := range []string{"0", "2000", "3999"} {
		require.ErrorIs(t, two.Take(t.Context(), about(u, noon, n)), reason.FrequencyExceeded)
	}
}

func TestACallThatIsHeardAndRestoredIsOne(t *testing.T) {
	t.Parallel()
	var l line
	c, path := at(noon), fresh(t)
	one := start(t, path, meter.Config{Now: c.now, Link: l.end()})
	listener := l.end()
	words := make(chan []byte, 10)
	listener.Handle('m', func(p []byte) { words <- append([]byte(nil), p...) })
	require.NoError(t, one.Take(t.Context(), about(twice(1), noon, "1")))
	word := <-words
	one.close(t)
	two := start(t, path, meter.Config{Now: c.now, Link: l.end()})
	for range 3 {
		require.NoError(t, listener.Send('m', word))
	}
	require.NoError(t, two.Take(t.Context(), about(twice(1), noon, "1")))
	require.ErrorIs(t, two.Take(t.Context(), about(twice(1), noon, "1")), reason.FrequencyExceeded)
}

func TestNoNumberIsKept(t *testing.T) {
	t.Parallel()
	const number = "001088123456"
	path := fresh(t)
	g := start(t, path, meter.Config{Now: at(noon).now})
	require.NoError(t, g.Take(t.Context(), about(twice(1), noon, number)))
	g.close(t)
	require.EqualValues(t, 1, count(t, g, "frequency"))
	files, err := filepath.Glob(path + "*")
	require.NoError(t, err)
	for _, f := range files {
		content, err := os.ReadFile(f)
		require.NoError(t, err)
		require.False(t, strings.Contains(string(content), number), f)
	}
}

// The oracle keeps all calls and counts those of the last hours anew each time.
func TestTheWindowSlides(t *testing.T) {
	t.Parallel()
	g := start(t, fresh(t), meter.Config{Now: at(noon).now})
	round := 0
	rapid.Check(t, func(rt *rapid.T) {
		round++
		times := rapid.IntRange(1, 4).Draw(rt, "times")
		hours := rapid.IntRange(1, 3).Draw(rt, "hours")
		u := limited(agreement.Limits{Times: times, Within: time.Duration(hours) * time.Hour})
		u.Limits.Agreement = fmt.Sprint(round)
		now, made := noon, map[string][]time.Time{}
		for range rapid.IntRange(1, 40).Draw(rt, "calls") {
			now = now.Add(time.Duration(rapid.IntRange(0, 60).Draw(rt, "minutes")) * time.Minute)
			who := rapid.SampledFrom([]string{"1", "2", "3"}).Draw(rt, "who")
			err := g.Take(t.Context(), about(u, now, who))
			within := 0
			for _, m := range made[who] {
				if now.Sub(m) < u.Limits.Within {
					within++
				}
			}
			if within < times {
				require.NoError(rt, err)
				made[who] = append(made[who], now)
				continue
			}
			require.ErrorIs(rt, err, reason.FrequencyExceeded)
			oldest := made[who][len(made[who])-times]
			require.Equal(rt, oldest.Add(u.Limits.Within), until(rt, err))
		}
	})
}
