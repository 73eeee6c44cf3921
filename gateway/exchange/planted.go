package exchange

import (
	"context"
	"time"

	"google.golang.org/protobuf/proto"
)

// keepLater is the defect "answer-before-append", which the fault runs plant to see that they find it: the answer
// leaves while its record is still on the way. Only builds with the tag `faults` can be made to call it.
func (x *exchange) keepLater(ctx context.Context, e Evidence) Receipt {
	e.Record = proto.CloneOf(e.Record)
	time.AfterFunc(plantedDelay, func() { _, _ = x.hub.cfg.Recorder.Append(ctx, e) })
	return Receipt{}
}

// plantedDelay is long enough for a crash to fall into.
const plantedDelay = 50 * time.Millisecond
