// Package bus says how a call rides NATS between a gateway and a connector: on which subject, in which frame,
// under which seal. Both sides use it, so that there is one meaning.
//
// Invariants:
//   - A subject is built from registered names only; text from a request is never part of one.
//   - Whatever crosses the bus is sealed for exactly one receiving process. Who runs the bus, or merely reaches
//     it, can neither read a frame nor change, delay past its expiry, repeat or redirect it unnoticed.
//   - Counters are never used twice under one pair of keys, and keys live as long as their process at most.
//   - Nobody can make a process remember more than a bounded number of keys, announcements or counters.
//
// What does not belong here: who may ask what (gateway/agreement), and what an answer holds (mask, contract).
package bus

import "time"

// Limits of what rides the bus.
const (
	MaxRequest = 256 << 10             // bytes of a request message
	MaxAnswer  = 1 << 20               // bytes of a response message
	MaxFrame   = 2 << 20               // bytes of a sealed frame; the NATS max_payload must allow it
	Margin     = 20 * time.Millisecond // what each hop keeps of a deadline, to report
	MaxLife    = 60 * time.Second      // longest time between sealing and expiry
	MaxSkew    = 30 * time.Second      // tolerated difference between two clocks
	KeyLife    = time.Hour             // a process makes a new key after this time
	KeyOverlap = MaxLife + 2*MaxSkew   // how long the old key still opens
	Heartbeat  = 3 * time.Second       // connectors announce themselves this often
	Silence    = 4 * Heartbeat         // after this long without an announcement a connector is gone

	MaxAnnouncement = 64 << 10          // bytes of an announcement
	MaxAge          = Silence + MaxSkew // a connector's announcement is not believed after this time
	maxChain        = 4                 // certificates of an announcement
	maxOffers       = 256               // offers of an announcement
	maxKeys         = 4096              // keys of one identity that one key is paired with in its life
)

// HeaderTrace is the NATS header that carries the W3C trace context. Identity never rides in headers.
const HeaderTrace = "traceparent"
