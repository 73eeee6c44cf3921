package ledger_test

import (
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/lienthong/lienthong/gateway/ledger"
	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
	"github.com/lienthong/lienthong/proto/journal"
)

// badDisk fails or hangs when it is told to.
type badDisk struct {
	journal.Disk
	broken atomic.Bool
	mu     sync.RWMutex // held by a test while the disk hangs
	noHead atomic.Bool  // the head file cannot be written
}

func withBadDisk(t *testing.T) (*badDisk, *fixture) {
	d := &badDisk{Disk: journal.SystemDisk()}
	return d, open(t, func(c *ledger.Config) {
		c.WriteTo(d)
		c.Patience = 50 * time.Millisecond
	})
}

func (d *badDisk) Create(path string) (journal.File, error) {
	if d.noHead.Load() && strings.Contains(path, ".head") {
		return nil, errors.New("read-only file system")
	}
	f, err := d.Disk.Create(path)
	return &badFile{f, d}, err
}

func (d *badDisk) Open(path string) (journal.File, error) {
	f, err := d.Disk.Open(path)
	return &badFile{f, d}, err
}

type badFile struct {
	journal.File
	d *badDisk
}

func (f *badFile) Datasync() error {
	f.d.mu.RLock()
	defer f.d.mu.RUnlock()
	if f.d.broken.Load() {
		return errors.New("input/output error")
	}
	return f.File.Datasync()
}

// write appends an intent and returns its exchange's id.
func (f *fixture) write() uuid.UUID {
	f.t.Helper()
	id := uuid.Must(uuid.NewV7())
	_, err := f.Append(f.t.Context(), intent(id))
	require.NoError(f.t, err)
	return id
}

// fails appends an exchange that cannot have its record.
func (f *fixture) fails(change ...func(*hubv1.Exchange)) {
	f.t.Helper()
	_, err := f.Append(f.t.Context(), evidence(change...))
	require.ErrorIs(f.t, err, journal.ErrUnavailable)
}

func of(id uuid.UUID) func(*hubv1.Exchange) { return func(x *hubv1.Exchange) { x.Id = id[:] } }

func neverSent(x *hubv1.Exchange) {
	x.Outcome, x.Reason = hubv1.Exchange_OUTCOME_FAILED, "BUS_OFFLINE"
}

// settled waits until every exchange has an outcome.
func (f *fixture) settled() {
	f.t.Helper()
	eventually(f.t, func() bool { s := f.Status(); return s.Fault == nil && s.Missed == 0 && s.OpenIntents == 0 })
}

func TestAWriteWhoseRecordWasLostIsInDoubtAndOneThatWasNeverSentIsNot(t *testing.T) {
	disk, f := withBadDisk(t)
	done, unsent := f.write(), f.write()
	disk.broken.Store(true)
	f.fails() // finds the disk broken
	f.fails(of(done))
	f.fails(of(unsent), neverSent)
	disk.broken.Store(false)
	f.settled()
	f.close()
	all := f.kept()
	doubts := notices(all, (*hubv1.Notice).GetInDoubt)
	require.Len(t, doubts, 1)
	require.Equal(t, done[:], doubts[0].GetExchangeId())
	require.Equal(t, done[:], all[doubts[0].GetIntentSeq()].GetIntent().GetExchangeId())
	unanswered := map[string]int{}
	for _, n := range notices(all, (*hubv1.Notice).GetNotAnswered) {
		for _, id := range n.GetExchangeIds() {
			unanswered[string(id)]++
		}
	}
	require.Len(t, unanswered, 2)
	require.Equal(t, 1, unanswered[string(unsent[:])])
}

func TestAWriteWhoseSyncFailedIsInDoubt(t *testing.T) {
	disk, f := withBadDisk(t)
	id := f.write()
	disk.broken.Store(true)
	f.fails(of(id)) // nobody knows, until the number turns out void
	disk.broken.Store(false)
	f.settled()
	f.close()
	require.Len(t, notices(f.kept(), (*hubv1.Notice).GetInDoubt), 1)
	require.Empty(t, notices(f.kept(), (*hubv1.Notice).GetNotAnswered))
	require.Empty(t, exchanges(f.kept()))
}

func TestAWriteWhoseRecordCameTooLateIsNotAnsweredAndNotInDoubt(t *testing.T) {
	disk, f := withBadDisk(t)
	id := f.write()
	disk.mu.Lock()
	f.fails(of(id))
	disk.mu.Unlock()
	f.settled()
	f.close()
	require.Len(t, exchanges(f.kept()), 1)
	require.Empty(t, notices(f.kept(), (*hubv1.Notice).GetInDoubt))
	unanswered := notices(f.kept(), (*hubv1.Notice).GetNotAnswered)
	require.Len(t, unanswered, 1)
	require.Equal(t, [][]byte{id[:]}, unanswered[0].GetExchangeIds())
}

func TestNoIntentIsForgottenHoweverManyWereNotAnswered(t *testing.T) {
	disk, f := withBadDisk(t)
	id := f.write()
	disk.broken.Store(true)
	e := evidence()
	for range ledger.MaxMissed + 1 {
		_, err := f.Append(t.Context(), e)
		require.Error(t, err)
	}
	f.fails(of(id))
	for range 100 { // intents that are not there leave nothing behind
		_, err := f.Append(t.Context(), intent(uuid.Must(uuid.NewV7())))
		require.Error(t, err)
	}
	require.Equal(t, 1, f.Status().OpenIntents)
	disk.broken.Store(false)
	f.settled()
	f.close()
	require.Len(t, notices(f.kept(), (*hubv1.Notice).GetInDoubt), 1)
}

func TestWhatTheLedgerCannotSayAtOnceIsNotSaidTwice(t *testing.T) {
	var later atomic.Int64
	disk := &badDisk{Disk: journal.SystemDisk()}
	f := open(t, func(c *ledger.Config) {
		c.WriteTo(disk)
		c.Patience = 50 * time.Millisecond
		c.Now = func() time.Time { return time.Now().Add(time.Duration(later.Load())) }
	})
	later.Store(int64(time.Until(time.Now().Truncate(time.Minute).Add(time.Minute)))) // a minute begins
	for range 15 {
		f.ask(refused("NO_AGREEMENT"))
	}
	disk.mu.Lock()
	later.Add(int64(time.Minute)) // it is over, and is said to a disk that hangs
	eventually(t, func() bool { return f.Status().Fault != nil })
	disk.mu.Unlock()
	eventually(t, func() bool { return f.Status().Fault == nil })
	f.close()
	var sum uint64
	for _, n := range notices(f.kept(), (*hubv1.Notice).GetRefusals) {
		sum += n.GetCount()
	}
	require.EqualValues(t, 5, sum)
}

func TestAnIntentIsInDoubtHoweverLateTheLedgerComesToSaySo(t *testing.T) {
	opened := &hubv1.LedgerRecord{Event: &hubv1.LedgerRecord_Notice{Notice: &hubv1.Notice{About: &hubv1.Notice_Opened_{Opened: &hubv1.Notice_Opened{}}}}}
	for name, records := range map[string][]*hubv1.LedgerRecord{
		"start-ups that crashed":                       {opened, opened, opened},
		"a device that came back for a moment":         {evidence().Record},
		"that, and a start-up that crashed after that": {evidence().Record, opened},
	} {
		t.Run(name, func(t *testing.T) {
			f := open(t)
			id := f.write()
			f.crash()
			for i, r := range records {
				f.appendLater(r, time.Duration(i+1)*time.Hour)
			}
			f.open()
			doubts := notices(f.kept(), (*hubv1.Notice).GetInDoubt)
			require.Len(t, doubts, 1)
			require.Equal(t, id[:], doubts[0].GetExchangeId())
		})
	}
}

// appendLater appends a record to the journal of a ledger that is closed, as if it were later.
func (f *fixture) appendLater(record *hubv1.LedgerRecord, by time.Duration) {
	f.t.Helper()
	now := func() time.Time { return time.Now().Add(by) }
	j, _, err := journal.Open(journal.Config{Dir: ledger.Path(f.cfg.Dir).Journal(), Head: f.cfg.Head, SegmentSize: f.cfg.SegmentSize, Now: now})
	require.NoError(f.t, err)
	record = proto.CloneOf(record)
	record.Time = timestamppb.New(now())
	payload, err := proto.Marshal(record)
	require.NoError(f.t, err)
	_, err = j.Append(payload)
	require.NoError(f.t, err)
	require.NoError(f.t, j.Close())
}

func TestAHeadFileThatCannotBeWrittenIsSeen(t *testing.T) {
	disk, f := withBadDisk(t)
	disk.noHead.Store(true)
	f.ask()
	eventually(t, func() bool { return f.Status().HeadAge > 2500*time.Millisecond }) // it is written each second
	disk.noHead.Store(false)
	eventually(t, func() bool { return f.Status().HeadAge < 2*time.Second })
}
