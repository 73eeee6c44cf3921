package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"sync"

	"github.com/lienthong/lienthong/deploy/parts"
	"github.com/lienthong/lienthong/services/nation"
)

// world is what the runs share: the hub's binary, a place for files, and chance that can be had again.
type world struct {
	dir string // for files; nothing of it is left
	binaries
	seed uint64
	out  io.Writer // says what is going on

	mu       sync.Mutex
	undo     []func() error   // the last first
	template parts.Dir        // a hub's directory that was used once; see fresh
	people   []nation.Sampled // to ask about
}

// binaries are the programs that are run.
type binaries struct {
	hub  string // built with the tag `faults`
	fsck string // Tessera's
}

// population is how many live in the nations of these runs.
const population = 500

// newWorld makes a place for files. Close it.
func newWorld(b binaries, seed uint64, out io.Writer) (*world, error) {
	dir, err := os.MkdirTemp("", "lienthong-faults-")
	if err != nil {
		return nil, err
	}
	return &world{dir: dir, binaries: b, seed: seed, out: out}, nil
}

// chance is that of one round of one run.
func (w *world) chance(run string, round int) *rand.Rand {
	var stream uint64
	for _, c := range []byte(run) {
		stream = stream*131 + uint64(c)
	}
	return rand.New(rand.NewPCG(w.seed, stream<<20+uint64(round)))
}

// onClose has something undone when the world is closed, or before if the function that is returned is called.
func (w *world) onClose(undo func() error) func() error {
	undo = sync.OnceValue(undo)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.undo = append(w.undo, undo)
	return undo
}

// close undoes everything and removes the files.
func (w *world) close() error {
	var errs []error
	for i := len(w.undo) - 1; i >= 0; i-- {
		errs = append(errs, w.undo[i]())
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("clean up %s: %w", w.dir, err) // a mount may be left: its files stay
	}
	return os.RemoveAll(w.dir)
}

// scratch is a new directory.
func (w *world) scratch(name string) (string, error) { return os.MkdirTemp(w.dir, name+"-") }

// prepare makes the template: a hub that was started, asked and stopped once.
func (w *world) prepare(ctx context.Context) error {
	made, err := parts.Nation{Population: population, Seed: 1}.Generate(ctx, nil)
	if err != nil {
		return err
	}
	w.people, err = made.Sample("married", 100)
	if err != nil {
		return fmt.Errorf("pick people to ask about: %w", err)
	}
	if len(w.people) == 0 {
		return errors.New("pick people to ask about: the nation has none")
	}
	dir := parts.Dir(filepath.Join(w.dir, "template"))
	h, err := w.startHub(ctx, how{dir: dir})
	if err != nil {
		return err
	}
	if err := h.stop(); err != nil {
		return err
	}
	w.template = dir
	return nil
}

// fresh copies the template to a directory, which it makes.
func (w *world) fresh(ctx context.Context, dir string) (parts.Dir, error) {
	return parts.Dir(dir), copyAll(ctx, string(w.template), dir)
}

// copyAll copies a file or a directory, holes and all.
func copyAll(ctx context.Context, from, to string) error {
	out, err := exec.CommandContext(ctx, "cp", "--archive", "--sparse=always", "--no-target-directory", from, to).CombinedOutput()
	if err != nil {
		return fmt.Errorf("copy %s: %w: %s", from, err, out)
	}
	return nil
}
