package journal

import (
	"errors"
	"fmt"
)

// Failures that callers tell apart.
var (
	// ErrUnavailable: the journal takes no records now. It goes on by itself when its device works again.
	ErrUnavailable = errors.New("the journal takes no records")
	// ErrClosed: the journal was closed. An Append that meets it is ErrUnavailable as well.
	ErrClosed = errors.New("the journal is closed")
	// ErrLocked: another process, or this one, has the directory open.
	ErrLocked = errors.New("the journal is in use")
	// ErrRolledBack: the journal is shorter than its head file says, or another one.
	ErrRolledBack = errors.New("the journal was rolled back")
	// ErrHead: the head file is missing or damaged.
	ErrHead = errors.New("the journal's head file cannot be used")
	// ErrSize: a payload is empty or above MaxRecord.
	ErrSize = errors.New("the record has no size that the journal takes")
	// ErrGone: the entry is older than what these directories hold.
	ErrGone = errors.New("the entry is not in these directories any more")
	// ErrNotYet: the sequence number was not issued yet.
	ErrNotYet = errors.New("there is no such entry yet")
	// ErrDamaged: files are not what was written. The error is a *Damage and says where.
	ErrDamaged = errors.New("the journal is damaged")
)

// unavailable is why an append failed.
type unavailable struct {
	cause     error
	uncertain bool
}

// Error says why, and whether the record may yet be kept.
func (e *unavailable) Error() string {
	if e.uncertain {
		return fmt.Sprintf("%v, and this record may yet be kept: %v", ErrUnavailable, e.cause)
	}
	return fmt.Sprintf("%v: %v", ErrUnavailable, e.cause)
}

// Unwrap makes errors.Is find ErrUnavailable and the cause.
func (e *unavailable) Unwrap() []error { return []error{ErrUnavailable, e.cause} }

// Uncertain reports whether a failed Append may yet turn out to be in the journal: its batch was on its way to the
// disk. The sequence number that Append returned is then the record's, if it is kept; else that number is void
// as long as the journal stays open, and belongs to another record if a crash came before the journal had noted that.
func Uncertain(err error) bool {
	var u *unavailable
	return errors.As(err, &u) && u.uncertain
}

// Damage says which part of which file is not what was written.
type Damage struct {
	File   string // path
	Offset int64  // byte, in an archived segment: of the segment before it was compressed
	Seq    uint64 // of the first entry that cannot be read for it
	What   string
}

// Error says what is wrong and where.
func (d *Damage) Error() string {
	return fmt.Sprintf("%v: %s, offset %d, seq %d: %s", ErrDamaged, d.File, d.Offset, d.Seq, d.What)
}

// Unwrap makes errors.Is find ErrDamaged.
func (d *Damage) Unwrap() error { return ErrDamaged }
