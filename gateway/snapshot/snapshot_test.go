package snapshot_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/lienthong/lienthong/gateway/snapshot"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// source is a file system of one value.
type source struct {
	mu       sync.Mutex
	stamp    string
	value    int
	err      error
	stampErr error
	loads    int
	during   func() // runs inside a load
}

// set changes the source while it is watched.
func (s *source) set(change func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change()
}

func (s *source) load() (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.loads++
	if s.during != nil {
		s.during()
	}
	return s.value, s.err
}

func (s *source) look() (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.stamp, s.stampErr
}

// watched runs a claim about a watched source inside a bubble of fake time.
func watched(t *testing.T, src *source, claim func(s *snapshot.Snapshot[int], tick func())) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		s := snapshot.Watch(ctx, src.load, src.look, time.Second)
		claim(s, func() {
			<-time.After(time.Second + time.Millisecond)
			synctest.Wait()
		})
		cancel()
		s.Wait()
	})
}

func TestAChangeIsLoadedAndNothingElseIs(t *testing.T) {
	src := &source{stamp: "a", value: 1}
	watched(t, src, func(s *snapshot.Snapshot[int], tick func()) {
		require.Equal(t, 1, s.Load())
		tick()
		require.Equal(t, 1, src.loads, "nothing changed, nothing loaded")
		src.set(func() { src.stamp, src.value = "b", 2 })
		tick()
		require.Equal(t, 2, s.Load())
		require.NoError(t, s.Err())
	})
}

func TestAFailedLoadKeepsTheOldValueAndSaysWhy(t *testing.T) {
	src := &source{stamp: "a", value: 1}
	broken := errors.New("broken")
	watched(t, src, func(s *snapshot.Snapshot[int], tick func()) {
		src.set(func() { src.stamp, src.value, src.err = "b", 2, broken })
		tick()
		require.Equal(t, 1, s.Load())
		require.ErrorIs(t, s.Err(), broken)
		src.set(func() { src.stamp, src.err = "c", nil })
		tick()
		require.Equal(t, 2, s.Load())
		require.NoError(t, s.Err())
	})
}

func TestFilesThatMoveDuringALoadAreReadAgain(t *testing.T) {
	src := &source{stamp: "a", value: 1}
	watched(t, src, func(s *snapshot.Snapshot[int], tick func()) {
		src.set(func() { src.stamp, src.value = "b", 2 })
		src.set(func() { src.during = func() { src.stamp = "c" } })
		tick()
		require.Equal(t, 1, s.Load(), "half of b and half of c must not be shown")
		require.Error(t, s.Err())
		src.set(func() { src.during = nil })
		tick()
		require.Equal(t, 2, s.Load())
		require.NoError(t, s.Err())
	})
}

func TestAStampThatFailsIsReportedUntilItAnswersAgain(t *testing.T) {
	src := &source{stamp: "a", value: 1}
	gone := errors.New("gone")
	watched(t, src, func(s *snapshot.Snapshot[int], tick func()) {
		src.set(func() { src.stampErr = gone })
		tick()
		require.ErrorIs(t, s.Err(), gone)
		require.Equal(t, 1, s.Load())
		src.set(func() { src.stampErr = nil })
		tick()
		require.NoError(t, s.Err())
	})
}

func TestNothingLoadedYetIsTheZeroValueWithAnError(t *testing.T) {
	watched(t, &source{stamp: "a", err: errors.New("broken")}, func(s *snapshot.Snapshot[int], _ func()) {
		require.Zero(t, s.Load())
		require.Error(t, s.Err())
	})
}

func TestAStampChangesWithTheFilesThatCount(t *testing.T) {
	dir := t.TempDir()
	stamp := snapshot.Files([]string{dir, filepath.Join(dir, "not-there")}, ".yaml")
	read := func() string {
		got, err := stamp()
		require.NoError(t, err)
		return got
	}
	write := func(name, text string) {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
	}
	empty := read()
	write("a.txt", "x")
	require.Equal(t, empty, read(), "another extension does not count")
	write("a.yaml", "x")
	one := read()
	require.NotEqual(t, empty, one)
	write("a.yaml", "xy")
	two := read()
	require.NotEqual(t, one, two)
	require.NoError(t, os.Chtimes(filepath.Join(dir, "a.yaml"), time.Unix(1, 0), time.Unix(1, 0)))
	require.NotEqual(t, two, read())
	require.NoError(t, os.Remove(filepath.Join(dir, "a.yaml")))
	require.Equal(t, empty, read())
}

// A file that came from an archive, or was copied with its times, may be as large and as old as the one before it.
func TestAFileOfTheSameSizeAndTimeIsAnotherFile(t *testing.T) {
	dir := t.TempDir()
	path, old := filepath.Join(dir, "a.yaml"), time.Unix(0, 0)
	stamp := snapshot.Files([]string{dir}, ".yaml")
	put := func(write func()) string {
		write()
		require.NoError(t, os.Chtimes(path, old, old))
		s, err := stamp()
		require.NoError(t, err)
		return s
	}
	first := put(func() { require.NoError(t, os.WriteFile(path, []byte("until: 2027"), 0o600)) })
	require.Eventually(t, func() bool { // the file system's clock ticks every few milliseconds
		return put(func() { require.NoError(t, os.WriteFile(path, []byte("until: 2025"), 0o600)) }) != first
	}, 5*time.Second, 10*time.Millisecond, "written over")
	second := put(func() {
		require.NoError(t, os.WriteFile(path+".part", []byte("until: 2026"), 0o600))
		require.NoError(t, os.Rename(path+".part", path))
	})
	require.NotEqual(t, first, second, "replaced")
	again, err := stamp()
	require.NoError(t, err)
	require.Equal(t, second, again)
}
