package main

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestDirectoryOnADiskIsNoMemory(t *testing.T) {
	require.ErrorContains(t, checkMemory("/proc", 0), "is not in memory")
	require.Error(t, checkMemory(t.TempDir()+"/missing", 0))
}

func TestMemoryMustHoldTheLedgerOfARun(t *testing.T) {
	require.NoError(t, checkMemory("/dev/shm", 0))
	require.ErrorContains(t, checkMemory("/dev/shm", math.MaxInt64), "free")
}

func TestLongerRunsNeedMoreMemory(t *testing.T) {
	only := []string{inMemory}
	short := options{Callers: []int{64}, Rounds: 1, Time: time.Second, Only: only}
	long := options{Callers: []int{64, 256}, Rounds: 3, Time: time.Second, Only: only}
	both := options{Callers: []int{64}, Rounds: 1, Time: time.Second}
	require.Equal(t, int64(3*fastest*recordBytes+256<<20), short.memoryNeed(), "the warm-up takes two seconds")
	require.Equal(t, int64(6.5*fastest*recordBytes+256<<20), long.memoryNeed(), "at other numbers than 64 half the time")
	require.Equal(t, short.memoryNeed()+int64(16*fastest*recordBytes+256<<20), both.memoryNeed(), "two ledgers")
}
