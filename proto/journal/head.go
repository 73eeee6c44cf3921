package journal

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

var errNotExist = fs.ErrNotExist

// head is how far a journal came: kept apart from it, so that an older copy of the journal does not pass for it.
type head struct {
	next   uint64 // sequence number behind the last durable entry
	digest Digest // of that entry
}

const headForm = "lienthong journal head v1\nnext %d\ndigest %v\n"

func (h head) encode() []byte {
	b := fmt.Appendf(nil, headForm, h.next, h.digest)
	return fmt.Appendf(b, "checksum %08x\n", checksum(0, b))
}

// decodeHead reads a head file. It accepts only what encode writes.
func decodeHead(b []byte) (h head, ok bool) {
	var sum uint32
	var digest []byte
	n, err := fmt.Sscanf(string(b), "lienthong journal head v1\nnext %d\ndigest %x\nchecksum %x\n", &h.next, &digest, &sum)
	if err != nil || n != 3 || len(digest) != len(h.digest) {
		return head{}, false
	}
	h.digest = Digest(digest)
	return h, string(h.encode()) == string(b)
}

// readHead returns the head file's content. It fails with fs.ErrNotExist when there is none and with ErrHead when it
// is damaged.
func readHead(path string) (head, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return head{}, err
	}
	h, ok := decodeHead(b)
	if !ok {
		return head{}, fmt.Errorf("%w: %s is damaged; restore it, or compare the journal's end with a checkpoint, "+
			"remove the file and start once with AcceptMissingHead (lienthong: --accept-missing-head)", ErrHead, path)
	}
	return h, nil
}

// heads keeps the head file up to date until the committer has ended.
func (j *Journal) heads() {
	ticker := time.NewTicker(headEvery)
	defer ticker.Stop()
	failed := false
	for {
		select {
		case <-j.quit:
			return
		case <-ticker.C:
		}
		err := j.writeHead()
		if err != nil && !failed {
			j.log.Error("the journal's head file cannot be written: a rollback to before now would not be noticed",
				"file", j.cfg.Head, "error", err)
		}
		failed = err != nil
	}
}

// writeHead replaces the head file if more is durable than it says. It is called by one goroutine at a time.
func (j *Journal) writeHead() error {
	j.mu.Lock()
	h := j.head
	j.mu.Unlock()
	if j.written == nil || h != *j.written {
		if err := writeWhole(j.cfg.Disk, j.cfg.Head, h.encode()); err != nil {
			return fmt.Errorf("write the journal's head file: %w", err)
		}
		j.written = &h
	}
	j.stats.headRight.Store(time.Now().UnixNano())
	return nil
}

// writeWhole replaces a file so that at each moment, power cuts included, the old or the new one is there whole.
func writeWhole(d Disk, path string, data []byte) error {
	temp := path + ".new"
	if err := d.Remove(temp); err != nil && !errors.Is(err, errNotExist) {
		return err
	}
	f, err := d.Create(temp)
	if err != nil {
		return err
	}
	_, err = f.WriteAt(data, 0)
	if err == nil {
		err = f.Sync()
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		err = d.Rename(temp, path)
	}
	if err == nil {
		err = d.SyncDir(filepath.Dir(path))
	}
	return err
}
