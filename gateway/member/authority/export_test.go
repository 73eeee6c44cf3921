package authority

import "time"

// SetClock lets a test say what time it is.
func (a *Authority) SetClock(now func() time.Time) { a.now = now }

// SandboxIDs are the identities that EnsureSandbox keeps.
func SandboxIDs() []string {
	ids := make([]string, len(sandbox))
	for i, s := range sandbox {
		ids[i] = s.id
	}
	return ids
}
