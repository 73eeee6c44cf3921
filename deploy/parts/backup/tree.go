package backup

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/transparency-dev/tessera/api/layout"
)

// What lies in the directory of a transparency log beside the tiles.
const (
	stateDir  = ".state"
	treeState = "treeState" // Tessera's: size and root of the tree, published or not
)

// Sizes of what tiles and bundles of entries hold: hashes, and digests behind their length.
const (
	hashSize  = 32
	entrySize = 2 + 32
)

// ofTree reports whether a file of a ledger is copied by copyTreeState.
func ofTree(ledger, name string) bool {
	return name == filepath.Join(ledger, logDir, layout.CheckpointPath)
}

// copyTreeState copies what says how large the tree is: the checkpoint first, then Tessera's state, which is never
// behind it. It returns the sizes of the two.
func (b *writer) copyTreeState(ctx context.Context, dir string) (sizes []uint64, err error) {
	checkpoint, err := b.smallFile(ctx, filepath.Join(dir, logDir, layout.CheckpointPath))
	if err != nil {
		return nil, err
	}
	if checkpoint != nil {
		size, err := checkpointSize(checkpoint)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", filepath.Join(dir, logDir, layout.CheckpointPath), err)
		}
		sizes = append(sizes, size)
	}
	entries, err := os.ReadDir(b.source(filepath.Join(dir, logDir, stateDir)))
	if errors.Is(err, fs.ErrNotExist) {
		return sizes, nil
	}
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		name := filepath.Join(dir, logDir, stateDir, e.Name())
		if transient(name) {
			continue
		}
		data, err := b.smallFile(ctx, name)
		if err != nil {
			return nil, err
		}
		if e.Name() == treeState {
			var tree struct{ Size uint64 }
			if err := json.Unmarshal(data, &tree); err != nil {
				return nil, fmt.Errorf("read %s: %w", name, err)
			}
			sizes = append(sizes, tree.Size)
		}
	}
	return sizes, nil
}

// checkpointSize reads the second line of a checkpoint (C2SP tlog-checkpoint).
func checkpointSize(checkpoint []byte) (uint64, error) {
	lines := strings.SplitN(string(checkpoint), "\n", 3)
	if len(lines) < 3 {
		return 0, errors.New("this is no checkpoint")
	}
	size, err := strconv.ParseUint(lines[1], 10, 64)
	if err != nil {
		return 0, errors.New("this is no checkpoint: its second line is no tree size")
	}
	return size, nil
}

// piece is a file of the tree.
type piece struct {
	name  string // below the log's directory
	whole string // the full tile that takes its place once it is full; empty for full ones
	size  int64  // bytes
}

// pieces lists the tiles and bundles of a tree of n leaves that a tree of `after` leaves has not: no more, so that
// nothing of a later tree is in the copy.
func pieces(after, n uint64) iter.Seq[piece] {
	return func(yield func(piece) bool) {
		each := func(had, width uint64, bytes int64, path func(index uint64, p uint8) string) bool {
			last, p := width/layout.TileWidth, uint8(width%layout.TileWidth)
			for i := had / layout.TileWidth; i < last; i++ {
				if !yield(piece{name: path(i, 0), size: layout.TileWidth * bytes}) {
					return false
				}
			}
			return p == 0 || yield(piece{name: path(last, p), whole: path(last, 0), size: int64(p) * bytes})
		}
		if !each(after, n, entrySize, layout.EntriesPath) {
			return
		}
		for level := uint64(0); n > 0; level, after, n = level+1, after/layout.TileWidth, n/layout.TileWidth {
			if !each(after, n, hashSize, func(i uint64, p uint8) string { return layout.TilePath(level, i, p) }) {
				return
			}
		}
	}
}

// copyTiles copies the tree as it was at each of the sizes, the smallest first.
func (b *writer) copyTiles(ctx context.Context, dir string, sizes []uint64) error {
	partial := map[string]bool{} // some are of both trees
	var after uint64
	for _, n := range sizes {
		if n < after {
			return fmt.Errorf("the log in %s has a checkpoint of %d leaves and a tree of %d: it is damaged; see: lienthong ledger check", dir, after, n)
		}
		for p := range pieces(after, n) {
			if partial[p.name] {
				continue
			}
			if p.whole != "" {
				partial[p.name] = true
			}
			if err := b.copyPiece(ctx, filepath.Join(dir, logDir), p); err != nil {
				return err
			}
		}
		after = n
	}
	return nil
}

// copyPiece copies a tile or bundle. A partial one that is gone is the beginning of the full one.
func (b *writer) copyPiece(ctx context.Context, log string, p piece) error {
	data, err := os.ReadFile(b.source(filepath.Join(log, filepath.FromSlash(p.name))))
	if errors.Is(err, fs.ErrNotExist) && p.whole != "" {
		data, err = os.ReadFile(b.source(filepath.Join(log, filepath.FromSlash(p.whole))))
	}
	if err != nil {
		return err
	}
	if int64(len(data)) < p.size {
		return fmt.Errorf("%s has %d bytes, not %d: the log is damaged; see: lienthong ledger check", filepath.Join(log, p.name), len(data), p.size)
	}
	return b.add(ctx, filepath.Join(log, filepath.FromSlash(p.name)), bytes.NewReader(data), p.size, b.manifest.Made)
}
