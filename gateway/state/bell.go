package state

import (
	"fmt"
	"strconv"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/lienthong/lienthong/proto/bus"
)

// flushWithin is how long the bus may take to hear the bell. One that hangs must not keep a change from being recorded.
const flushWithin = 500 * time.Millisecond

// Ring says on the bus that there is a new revision. Gateways that do not hear it notice within a second or two by
// themselves, so its failure is no failure of the change.
func Ring(nc *nats.Conn, revision int64) error {
	err := nc.Publish(bus.Bell, strconv.AppendInt(nil, revision, 10))
	if err == nil {
		err = nc.FlushTimeout(flushWithin)
	}
	if err != nil {
		return fmt.Errorf("ring the bell: %w", err)
	}
	return nil
}

// Listen calls rang whenever the bell rings, until the subscription ends. What it says is not believed, and not even
// looked at: whoever can ring can make gateways read, and nothing else. rang must not block.
func Listen(nc *nats.Conn, rang func()) (*nats.Subscription, error) {
	sub, err := nc.Subscribe(bus.Bell, func(*nats.Msg) { rang() })
	if err != nil {
		return nil, fmt.Errorf("listen for the bell: %w", err)
	}
	return sub, nil
}
