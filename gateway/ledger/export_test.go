package ledger

import "github.com/lienthong/lienthong/proto/journal"

// Abandon lets a ledger end as a crash does: without its last record. Call it before Run's context ends.
func (l *Ledger) Abandon() { l.abandoned = true }

// WriteTo has the journal write to a disk of the test's.
func (c *Config) WriteTo(d journal.Disk) { c.disk = d }

// MaxMissed is how many exchanges without an intent are remembered by name.
const MaxMissed = maxMissed
