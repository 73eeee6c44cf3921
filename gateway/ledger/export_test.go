package ledger

// Abandon ends a ledger as a crash does: its files are given back, and nothing more is written.
func (l *Ledger) Abandon() {
	_ = l.close()
}
