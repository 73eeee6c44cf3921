package journal

import "time"

// A sync costs the machine as much as some exchanges, however many records it covers. When records come from several
// sides, a batch therefore waits for more of them as long as they keep coming.
const (
	gatherStep   = 200 * time.Microsecond // without a record in it, the batch is written
	gatherMost   = 800 * time.Microsecond // in all
	gatherEnough = 64                     // records of a batch that waits no longer
)

// gather lets the open batch grow, unless a single caller appends one record after the other. The caller holds mu.
func (j *Journal) gather() {
	if j.last < 2 && j.open.count < 2 {
		return
	}
	for waited := time.Duration(0); waited < gatherMost; waited += gatherStep {
		before := j.open.count
		if before >= gatherEnough || j.closed || j.err != nil {
			return
		}
		j.mu.Unlock()
		nap(gatherStep)
		j.mu.Lock()
		if j.open.count <= before {
			return
		}
	}
}
