package ledger

import "bytes"

import "github.com/lienthong/lienthong/proto/journal"

// Abandon lets a ledger end as a crash does: without its last record. Call it before Run's context ends.
func (l *Ledger) Abandon() { l.abandoned = true }

// WriteTo has the journal write to a disk of the test's.
func (c *Config) WriteTo(d journal.Disk) { c.disk = d }

// MaxMissed is how many exchanges without an intent are remembered by name.
const MaxMissed = maxMissed

// Shown are hashes of a record of an exchange as they were before they were hidden.
func (l *Ledger) Shown(id []byte, hashes [][]byte) [][]byte {
	var all [][]byte
	for _, h := range hashes {
		h = bytes.Clone(h)
		l.blinding.show(id, h)
		all = append(all, h)
	}
	return all
}
