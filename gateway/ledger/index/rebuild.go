package index

import (
	"context"
	"errors"
	"fmt"
	"os"
)

// Rebuild makes the index at cfg.Path again from the whole journal: beside the one that is there, whose place it takes
// when it is whole. Progress, when given, is told how many positions are done and of how many. It fails with ErrInUse
// when a process has the index open.
func Rebuild(ctx context.Context, cfg Config, progress func(done, total uint64)) error {
	unlock, err := lock(cfg.Path)
	if err != nil {
		return err
	}
	defer unlock()
	final := cfg.Path
	cfg.Path += ".rebuilding"
	if err := remove(cfg.Path); err != nil {
		return err
	}
	if err := build(ctx, cfg, progress); err != nil {
		return errors.Join(err, remove(cfg.Path), os.Remove(cfg.Path+".lock"))
	}
	if err := remove(final); err != nil {
		return err
	}
	if err := os.Rename(cfg.Path, final); err != nil {
		return fmt.Errorf("put rebuilt index in its place: %w", err)
	}
	return os.Remove(cfg.Path + ".lock")
}

func build(ctx context.Context, cfg Config, progress func(done, total uint64)) error {
	x, err := Open(ctx, cfg)
	if err != nil {
		return err
	}
	return errors.Join(x.CatchUp(ctx, progress), x.Close())
}

// remove removes a database, if there is one.
func remove(path string) error {
	for _, suffix := range []string{"", "-wal", "-shm"} {
		if err := os.Remove(path + suffix); err != nil && !errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("remove index: %w", err)
		}
	}
	return nil
}
