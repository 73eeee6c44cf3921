package main

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// inMemory is the path to a hub that does all that the other hub does, but whose ledger lies in memory: a sync there
// costs nothing. What the hub is slower is what its promise costs that no answer leaves before its record is on disk.
const inMemory = "hub-memory"

// warmUps are how long they are asked before they are measured.
var warmUps = map[string]time.Duration{inMemory: warmUp, withMany: manyWarmUp}

// ledgersInMemory are the paths whose ledger lies in memory.
var ledgersInMemory = []string{inMemory, withMany}

// What a ledger in memory may need.
const (
	fastest     = 30_000 // calls/s that no hub on two cores exceeds
	recordBytes = 1100   // of journal, log and index
)

// tmpfsMagic is the type of a tmpfs in statfs(2).
const tmpfsMagic = 0x01021994

// memoryDir makes a directory in memory for the ledger of a run. The caller removes it.
func (o *options) memoryDir() (string, error) {
	if err := checkMemory(o.Memory, o.memoryNeed()); err != nil {
		return "", fmt.Errorf("%w; or leave out those with a ledger in memory: --only direct,nginx,haproxy,hub; hub-many needs the most", err)
	}
	return os.MkdirTemp(o.Memory, "lienthong-bench-")
}

// memoryNeed is how many bytes a run may write to a ledger, measurements that are taken again left out.
func (o *options) memoryNeed() int64 {
	var busy time.Duration
	for _, callers := range o.Callers {
		busy += time.Duration(o.Rounds) * o.length(callers)
	}
	need := int64(0)
	for _, name := range ledgersInMemory {
		if o.wants(name) {
			need += int64((warmUps[name]+busy).Seconds()*fastest*recordBytes) + 256<<20
		}
	}
	return need
}

// checkMemory fails unless a directory lies in memory and has so much space.
func checkMemory(dir string, need int64) error {
	var fs syscall.Statfs_t
	if err := syscall.Statfs(dir, &fs); err != nil {
		return fmt.Errorf("--memory %s: %w", dir, err)
	}
	if int64(fs.Type) != tmpfsMagic {
		return fmt.Errorf("--memory %s is not in memory (no tmpfs): name a directory that is", filepath.Clean(dir))
	}
	if free := int64(fs.Bavail) * fs.Bsize; free < need {
		return fmt.Errorf("--memory %s has %d MB free and a ledger may need %d MB: make it larger (mount -o remount,size=…)",
			filepath.Clean(dir), free>>20, need>>20)
	}
	return nil
}
