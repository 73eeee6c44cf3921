package ledger

// Abandon lets a ledger end as a crash does: without its last record. Call it before Run's context ends.
func (l *Ledger) Abandon() { l.abandoned = true }
