package service

import (
	"sync"

	"github.com/lienthong/lienthong/proto/reason"
)

// gate lets so many in at a time, and of one agency half of them, so that nobody keeps the others out.
type gate struct {
	mu    sync.Mutex
	size  int
	taken int
	by    map[string]int // agency → how many are in
}

func newGate(size int) *gate { return &gate{size: size, by: map[string]int{}} }

// enter takes a place, to be given back by leave. It fails with OVERLOADED; nobody waits.
func (g *gate) enter(agency string) (leave func(), err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.taken >= g.size || g.by[agency] >= (g.size+1)/2 {
		return nil, reason.Overloaded
	}
	g.taken++
	g.by[agency]++
	return func() { g.leave(agency) }, nil
}

func (g *gate) leave(agency string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.taken--
	if g.by[agency]--; g.by[agency] == 0 {
		delete(g.by, agency)
	}
}
