package notary

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/transparency-dev/merkle/compact"
	"github.com/transparency-dev/merkle/rfc6962"
	"github.com/transparency-dev/tessera/api/layout"
	"github.com/transparency-dev/tessera/client"
)

// What Tessera keeps in the directory of a log beside the tiles.
const (
	stateDir    = ".state"
	treeState   = stateDir + "/treeState" // size and root of the tree, published or not
	versionFile = stateDir + "/version"
	hashSize    = 32
	entrySize   = 2 + hashSize // an entry of a bundle: its length and its data
)

// Fault is damage to a file of the log, or a file that contradicts another one.
type Fault struct {
	File string // below the directory of the log
	Leaf int64  // the first record it concerns; -1 when it concerns none in particular
	What string
}

// Error names the file, the leaf and the fault.
func (f *Fault) Error() string {
	if f.Leaf < 0 {
		return fmt.Sprintf("%s: %s", f.File, f.What)
	}
	return fmt.Sprintf("%s: leaf %d: %s", f.File, f.Leaf, f.What)
}

// store reads the files of a log. It is a tessera.LogReader, and checks the length of all it reads.
type store struct{ dir string }

func (s store) path(name string) string { return filepath.Join(s.dir, filepath.FromSlash(name)) }

// ReadCheckpoint returns the published checkpoint.
func (s store) ReadCheckpoint(context.Context) ([]byte, error) {
	return os.ReadFile(s.path(layout.CheckpointPath))
}

// ReadTile returns the first p hashes of a tile, or all 256 if p is 0. Once a tile is full, its partial ones go.
func (s store) ReadTile(_ context.Context, level, index uint64, p uint8) ([]byte, error) {
	first := min(index<<(8*(level+1)), 1<<62)
	return s.read(p, hashSize, int64(first), func(p uint8) string { return layout.TilePath(level, index, p) })
}

// ReadEntryBundle returns the first p entries of a bundle, or all 256 if p is 0.
func (s store) ReadEntryBundle(_ context.Context, index uint64, p uint8) ([]byte, error) {
	return s.read(p, entrySize, int64(index*layout.EntryBundleWidth), func(p uint8) string { return layout.EntriesPath(index, p) })
}

func (s store) read(p uint8, each int, leaf int64, name func(uint8) string) ([]byte, error) {
	width := layout.TileWidth
	data, err := os.ReadFile(s.path(name(p)))
	if p > 0 {
		width = int(p)
		if errors.Is(err, fs.ErrNotExist) {
			data, err = os.ReadFile(s.path(name(0)))
			if err == nil && len(data) == each*layout.TileWidth {
				data = data[:each*width]
			}
		}
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w: %w", &Fault{File: name(p), Leaf: leaf, What: "is missing"}, fs.ErrNotExist)
	}
	if err != nil {
		return nil, err
	}
	if len(data) != each*width {
		return nil, &Fault{File: name(p), Leaf: leaf, What: fmt.Sprintf("has %d bytes, not %d", len(data), each*width)}
	}
	return data, nil
}

// IntegratedSize is the size of the tree, published or not.
func (s store) IntegratedSize(context.Context) (uint64, error) {
	t, err := s.tree()
	return t.Size, err
}

// NextIndex is the same: what Tessera's POSIX log sequences it has integrated.
func (s store) NextIndex(ctx context.Context) (uint64, error) { return s.IntegratedSize(ctx) }

// version finds a fault if the files are not of the version of Tessera that is known here.
func (s store) version() *Fault {
	data, err := os.ReadFile(s.path(versionFile))
	if err != nil || string(data) != "1" {
		return &Fault{File: versionFile, Leaf: -1, What: "is missing, or not 1, which is the version of Tessera's files"}
	}
	return nil
}

// tree is what Tessera says the tree is.
type tree struct {
	Size uint64 `json:"size"`
	Root []byte `json:"root"`
}

// tree reads Tessera's state. It fails with fs.ErrNotExist for a new log.
func (s store) tree() (tree, error) {
	data, err := os.ReadFile(s.path(treeState))
	if err != nil {
		return tree{}, fmt.Errorf("read state of the log: %w", err)
	}
	var t tree
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&t); err != nil || len(t.Root) != hashSize {
		return tree{}, &Fault{File: treeState, Leaf: -1, What: "cannot be read: it is no size and root"}
	}
	// The one way to write it, so that no changed byte goes unseen.
	if again, err := json.Marshal(t); err != nil || !bytes.Equal(again, data) {
		return tree{}, &Fault{File: treeState, Leaf: -1, What: "is not as it was written"}
	}
	return t, nil
}

// tiles fetches the tiles of a tree of the given size, whatever size the asker has in mind: a smaller tree's nodes
// are all in them.
func (s store) tiles(size uint64) client.TileFetcherFunc {
	return func(ctx context.Context, level, index uint64, _ uint8) ([]byte, error) {
		return s.ReadTile(ctx, level, index, layout.PartialTileSize(level, index, size))
	}
}

// root computes the root of the first n leaves from the tiles of a tree of the given size.
func (s store) root(ctx context.Context, n, size uint64) ([]byte, error) {
	r, err := s.compact(ctx, n, size)
	if err != nil {
		return nil, err
	}
	return rootOf(r)
}

// compact reads the tree of the first n leaves from the tiles of a tree of the given size.
func (s store) compact(ctx context.Context, n, size uint64) (*compact.Range, error) {
	var nodes [][]byte
	if n > 0 {
		var err error
		if nodes, err = client.FetchRangeNodes(ctx, n, s.tiles(size)); err != nil {
			return nil, err
		}
	}
	return trees.NewRange(0, n, nodes)
}

var trees = compact.RangeFactory{Hash: rfc6962.DefaultHasher.HashChildren}

// rootOf is the root of a tree.
func rootOf(r *compact.Range) ([]byte, error) {
	if r.End() == 0 {
		return rfc6962.DefaultHasher.EmptyRoot(), nil
	}
	return r.GetRootHash(nil)
}
