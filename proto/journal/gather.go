package journal

import "time"

// A sync costs the machine as much as some exchanges, however many records it covers. When records come from several
// sides, a batch therefore waits until as many have come as in the largest of late, for a moment at most; and now and
// then it waits that moment out, to see whether there are more.
const (
	gatherMost   = time.Millisecond // that a batch waits
	gatherEnough = 64               // records of a batch that does not wait
	gatherProbe  = 16               // one batch in so many waits the moment out
	gatherForget = 8                // part of what was usual that each batch forgets
)

// gathering is how the committer waits. It is guarded by Journal.mu.
type gathering struct {
	usual uint32 // records of the largest batch of late: it is forgotten bit by bit
	want  uint32 // records for which the committer is waiting now; 0: it is not
	turn  int    // counts batches from several sides
	late  bool   // the moment is over
	timer *time.Timer
}

// gather lets the open batch grow, unless a single caller appends one record after the other. The caller holds mu.
func (j *Journal) gather() {
	g := &j.gathered
	defer func() { g.usual = max(j.open.count, g.usual-(g.usual+gatherForget-1)/gatherForget) }()
	if g.usual < 2 && j.open.count < 2 {
		return
	}
	g.want = min(g.usual, gatherEnough)
	if g.turn++; g.turn%gatherProbe == 0 {
		g.want = gatherEnough
	}
	if j.open.count >= g.want {
		g.want = 0
		return
	}
	g.late = false
	g.timer.Reset(gatherMost)
	for j.open.count < g.want && !g.late && !j.closed && j.err == nil {
		j.work.Wait()
	}
	g.want = 0
	g.timer.Stop()
}

// gathersNoLonger ends the waiting.
func (j *Journal) gathersNoLonger() {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.gathered.late = true; j.gathered.want > 0 {
		j.work.Signal()
	}
}
