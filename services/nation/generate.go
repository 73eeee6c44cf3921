package nation

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
)

// chunkSize is how many living people one chunk has. It is part of what a seed means: never change it lightly.
const chunkSize = 1024

// maxPopulation keeps every number within its digits.
const maxPopulation = 20_000_000

// setting is what all builders share: it is read only.
type setting struct {
	Config
	LandGaps  []uint32
	today     day
	provinces []uint32 // cumulative weights of oldProvinces
	employers []Employer
	employed  map[employerKey]span
	paper     [100]float64 // share of entries on paper, by old province
	showcases []showcase
}

// showcase is a household that every nation has. Its records are never damaged, but may be missing.
type showcase struct {
	commune Commune
	landed  bool
}

// check fills in defaults and refuses what cannot be made.
func (c *Config) check() error {
	if c.Population == 0 {
		c.Population = 100_000
	}
	if c.AsOf == 0 {
		c.AsOf = 20261101
	}
	if c.Population < 0 || c.Population > maxPopulation {
		return fmt.Errorf("population %d: give a number from 1 to %d", c.Population, maxPopulation)
	}
	if c.AsOf < 20250801 || c.AsOf > 20901231 || !c.AsOf.Full() || dayOf(c.AsOf).date() != c.AsOf {
		return fmt.Errorf("as-of date %d: give a real day from 2025-08-01 to 2090-12-31", c.AsOf)
	}
	return c.Errors.check()
}

// newSetting prepares what chunks have in common.
func newSetting(cfg Config) *setting {
	s := &setting{Config: cfg, today: dayOf(cfg.AsOf)}
	sum := uint32(0)
	for _, p := range oldProvinces {
		sum += uint32(p.Weight)
		s.provinces = append(s.provinces, sum)
	}
	r := newRNG(cfg.Seed, 1<<40)
	s.employers, s.employed = newEmployers(cfg.Population, &r)
	for _, p := range oldProvinces {
		s.paper[p.Code] = cfg.Errors.paperShare(p.Code)
	}
	if cfg.Errors.LandGap > 0 {
		s.LandGaps = drawGaps(cfg.Errors.LandGap, &r)
	}
	s.showcases = s.newShowcases()
	return s
}

// newShowcases are one household with land in Hà Tĩnh, one in Tuyên Quang, and one there in a commune without a land
// database if there is any.
func (s *setting) newShowcases() []showcase {
	out := []showcase{{Communes(haTinh)[0], true}}
	for _, gap := range [...]bool{false, true} {
		for _, c := range Communes(tuyenQuang) {
			if s.gap(c.Code) == gap {
				out = append(out, showcase{c, true})
				break
			}
		}
	}
	return out
}

// gap says whether a commune has no land database.
func (s *setting) gap(commune uint32) bool {
	_, found := slices.BinarySearch(s.LandGaps, commune)
	return found
}

// The provinces that the sandbox runs land registries for.
const (
	haTinh     = 42
	tuyenQuang = 8
)

// drawGaps chooses the communes of Tuyên Quang without a land database: at least one, never all of them.
func drawGaps(rate float64, r *rng) []uint32 {
	all := Communes(tuyenQuang)
	count := min(max(int(rate*float64(len(all))+0.5), 1), len(all)-1)
	codes := make([]uint32, len(all))
	for i, c := range all {
		codes[i] = c.Code
	}
	for i := range count {
		j := i + r.intn(len(codes)-i)
		codes[i], codes[j] = codes[j], codes[i]
	}
	codes = codes[:count]
	slices.Sort(codes)
	return codes
}

// generate makes chunks on all processors and joins them in order, so that the result does not depend on who was
// faster. A few chunks are in flight at a time: their memory is used again.
func generate(ctx context.Context, cfg Config) (*Nation, error) {
	if err := cfg.check(); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	s := newSetting(cfg)
	n := &Nation{Config: cfg, Employers: s.employers, LandGaps: s.LandGaps}
	chunks := (cfg.Population + chunkSize - 1) / chunkSize
	workers := min(runtime.GOMAXPROCS(0), chunks)
	ready := make([]chan *chunk, chunks)
	for k := range ready {
		ready[k] = make(chan *chunk, 1)
	}
	free := make(chan *chunk, workers*2)
	for range workers * 2 {
		free <- &chunk{}
	}
	var next atomic.Int64
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() { s.work(ctx, &next, free, ready) })
	}
	err := join(ctx, n, free, ready)
	cancel()
	wg.Wait()
	if err != nil {
		return nil, err
	}
	return n, nil
}

// work makes chunks until there are none left. A chunk is taken only with memory in hand, so the earliest chunk
// not made yet never waits for a later one.
func (s *setting) work(ctx context.Context, next *atomic.Int64, free chan *chunk, ready []chan *chunk) {
	b := &builder{setting: s, lex: lexicon()}
	for {
		var out *chunk
		select {
		case out = <-free:
		case <-ctx.Done():
			return
		}
		k := int(next.Add(1) - 1)
		if k >= len(ready) {
			return
		}
		b.build(k, min(chunkSize, s.Population-k*chunkSize), out)
		ready[k] <- out
	}
}

// join appends the chunks to the nation in order.
func join(ctx context.Context, n *Nation, free chan *chunk, ready []chan *chunk) error {
	g := newRegistrar(n)
	for k := range ready {
		select {
		case c := <-ready[k]:
			g.reserve(k, len(ready), c)
			g.append(c)
			free <- c
		case <-ctx.Done():
			return fmt.Errorf("generate nation: %w", ctx.Err())
		}
		if n.Config.Progress != nil && (k%64 == 63 || k == len(ready)-1) {
			n.Config.Progress(min((k+1)*chunkSize, n.Config.Population), n.Config.Population)
		}
	}
	g.orphans()
	return nil
}
