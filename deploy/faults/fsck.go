package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/lienthong/lienthong/deploy/parts"
)

// fsckLimit is how long one check by Tessera's command may take.
const fsckLimit = time.Minute

// independent has a copy of the transparency log checked by Tessera's own fsck command, which has nothing but the log
// and its public key; then copies with one changed byte each, which it must not pass.
func (w *world) independent(ctx context.Context, edits int) (*result, error) {
	r := &result{Run: "fsck"}
	d, err := w.newEditor(ctx)
	if err != nil {
		return nil, err
	}
	dir := parts.Dir(d.pristine)
	log := filepath.Join(w.dir, "log-of-a-stranger")
	if err := copyAll(ctx, dir.Ledger().Log(), log); err != nil {
		return nil, err
	}
	if err := os.RemoveAll(filepath.Join(log, ".state")); err != nil { // what Tessera keeps for itself is not public
		return nil, err
	}
	j := &judge{result: r}
	said, passed, err := w.fsckOnce(ctx, log, dir.Ledger().LogPub())
	if err != nil {
		return nil, err
	}
	r.Rounds, r.Answers = 1, 1
	if passed {
		r.Records++
	} else {
		j.add(damaged, "Tessera's fsck does not pass the log: %s", said)
	}
	chance := w.chance(r.Run, 0)
	public := []string{"bundle", "tile", "checkpoint"}
	for i := range edits {
		j.round = i + 1
		path := d.publicFile(public[i%len(public)], chance.IntN(1<<20))
		e, undo, err := flip(filepath.Join(log, strings.TrimPrefix(path, "ledger/log/")), chance.IntN(1<<20))
		if err != nil {
			return r, err
		}
		_, passed, err := w.fsckOnce(ctx, log, dir.Ledger().LogPub())
		if err != nil {
			return r, err
		}
		r.Rounds++
		r.Answers++
		if passed {
			j.add(undetected, "Tessera's fsck passes a log with byte %d of %s changed", e, path)
		} else {
			r.Records++
		}
		if err := undo(); err != nil {
			return r, err
		}
	}
	return r, nil
}

// publicFile picks a file of a kind.
func (d *editor) publicFile(kind string, n int) string {
	var of []string
	for _, t := range d.targets {
		if t.kind == kind {
			of = append(of, t.path)
		}
	}
	return of[n%len(of)]
}

// flip changes one byte of a file.
func flip(path string, n int) (at int, undo func() error, err error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return 0, nil, err
	}
	at = n % len(data)
	changed := append([]byte(nil), data...)
	changed[at] ^= 0x20
	return at, func() error { return os.WriteFile(path, data, 0o600) }, os.WriteFile(path, changed, 0o600)
}

// fsckOnce runs Tessera's command. It ends with 0 whatever it finds, so that its words are what counts; and with fewer
// workers than there are tiles it hangs once it has found something.
func (w *world) fsckOnce(ctx context.Context, log, key string) (said string, passed bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, fsckLimit)
	defer cancel()
	cmd := exec.CommandContext(ctx, w.fsck, "-ui=false", "-logtostderr", "-N=256", "-storage_url=file://"+log+"/", "-public_key="+key)
	out, err := cmd.CombinedOutput()
	if ctx.Err() != nil {
		return "", false, fmt.Errorf("fsck: %w", ctx.Err())
	}
	said = string(out)
	if cmd.ProcessState == nil {
		return "", false, fmt.Errorf("fsck did not start; install it with: scripts/tools fsck (%w)", err)
	}
	return said, err == nil && strings.Contains(said, "Successfully fsck'd") && !strings.Contains(said, "fsck failed"), nil
}
