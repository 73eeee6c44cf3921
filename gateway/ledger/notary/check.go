package notary

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"

	"github.com/transparency-dev/tessera/api/layout"
	"golang.org/x/mod/sumdb/note"
)

// maxFaults is how many faults a check lists; it counts the others.
const maxFaults = 100

// CheckConfig says what to check. Dir, Key and Digests must be set.
type CheckConfig struct {
	Dir string        // of the log; nothing in it is changed
	Key note.Verifier // the log's public key; its name is the origin
	// Cosigners are the keys of witnesses whose cosignatures are checked, too.
	Cosigners []note.Verifier
	// Digests yields the digests of all records of the journal, from 0.
	Digests iter.Seq2[[32]byte, error]
	// Since is an older checkpoint of the log, a signed note, which it must still contain. Empty: none.
	Since []byte
	// Progress is called now and then with the leaves that are done. May be nil.
	Progress func(done, total uint64)
}

// Report is what a check found.
type Report struct {
	Leaves    uint64   // of the tree, published or not
	Published uint64   // of them, those that the checkpoint covers
	Cosigned  int      // witnesses among CheckConfig.Cosigners that cosigned the checkpoint
	Faults    []*Fault // in the order of the leaves, the first 100 at most
	More      int      // faults beyond those
}

// OK tells that nothing is wrong.
func (r *Report) OK() bool { return len(r.Faults) == 0 }

func (r *Report) add(file string, leaf int64, what string) {
	if len(r.Faults) == maxFaults {
		r.More++
		return
	}
	r.Faults = append(r.Faults, &Fault{File: file, Leaf: leaf, What: what})
}

// Check computes the whole tree again from the entry bundles and compares every bundle with the journal, every tile
// with the tree, and the tree with the signed checkpoint, Tessera's state and an older checkpoint. An error says that
// the check could not be made; what the check found is in the report. The log may be in use meanwhile.
func Check(ctx context.Context, cfg CheckConfig) (*Report, error) {
	c := &check{cfg: cfg, store: store{dir: cfg.Dir}, report: &Report{}}
	if err := c.begin(ctx); err != nil {
		return nil, fmt.Errorf("check log: %w", err)
	}
	if err := c.leaves(ctx); err != nil {
		return nil, fmt.Errorf("check log: %w", err)
	}
	if err := c.edge(); err != nil {
		return nil, fmt.Errorf("check log: %w", err)
	}
	c.roots()
	return c.report, nil
}

type check struct {
	cfg       CheckConfig
	store     store
	report    *Report
	tree      *tree       // nil if the state cannot be read
	published *checkpoint // nil if it cannot be read
	since     *checkpoint
	built     forest
	atSince   []byte // the root at the size of since
	atSigned  []byte // the root at the size of published
}

// begin reads what says how large the tree is. The checkpoint is read first: a log that is in use grows meanwhile.
func (c *check) begin(ctx context.Context) error {
	raw, err := c.store.ReadCheckpoint(ctx)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		c.report.add(layout.CheckpointPath, -1, "is missing")
	case err != nil:
		return err
	default:
		if c.published, err = parseCheckpoint(raw, c.cfg.Key, c.cfg.Cosigners...); err != nil {
			c.report.add(layout.CheckpointPath, -1, "is damaged, or not signed by the key of the log: "+err.Error())
		}
	}
	if len(c.cfg.Since) > 0 {
		if c.since, err = parseCheckpoint(c.cfg.Since, c.cfg.Key); err != nil {
			return fmt.Errorf("read the older checkpoint: %w", err)
		}
	}
	return c.beginTree(ctx)
}

// beginTree reads Tessera's state. A log that has never had a leaf may have none yet.
func (c *check) beginTree(ctx context.Context) error {
	if c.published != nil {
		c.report.Published, c.report.Cosigned = c.published.Size, c.published.cosigned
		c.report.Leaves = c.published.Size
	}
	t, err := c.store.tree()
	if errors.Is(err, fs.ErrNotExist) && c.published != nil && c.published.Size == 0 {
		return nil
	}
	if f := c.store.version(); f != nil {
		c.report.add(f.File, f.Leaf, f.What)
	}
	var fault *Fault
	switch {
	case err == nil:
		return c.trust(ctx, t)
	case errors.As(err, &fault):
		c.report.add(fault.File, fault.Leaf, fault.What)
		return nil
	case errors.Is(err, fs.ErrNotExist):
		c.report.add(treeState, -1, "is missing")
		return nil
	default:
		return err
	}
}

// trust decides whether the state says how large the tree is. It may be larger than what was published, but then the
// tiles must bear it out.
func (c *check) trust(ctx context.Context, t tree) error {
	if c.published != nil && t.Size < c.published.Size {
		c.report.add(treeState, -1, fmt.Sprintf("has %d leaves, but %d were published", t.Size, c.published.Size))
		return nil
	}
	if c.published != nil && t.Size > c.published.Size {
		root, err := c.store.root(ctx, t.Size, t.Size)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil || !bytes.Equal(root, t.Root) {
			c.report.add(treeState, -1, fmt.Sprintf("has %d leaves, but the tiles have not, or another root", t.Size))
			return nil
		}
	}
	c.tree, c.report.Leaves = &t, t.Size
	return nil
}

// leaves walks the journal and the bundles together.
func (c *check) leaves(ctx context.Context) error {
	next, stop := iter.Pull2(c.cfg.Digests)
	defer stop()
	total := c.report.Leaves
	c.mark(0)
	for index := uint64(0); index*layout.EntryBundleWidth < total; index++ {
		if index%4096 == 0 && c.cfg.Progress != nil {
			c.cfg.Progress(index*layout.EntryBundleWidth, total)
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		first := index * layout.EntryBundleWidth
		width := min(total-first, layout.EntryBundleWidth)
		var digests [layout.EntryBundleWidth][32]byte
		for i := range width {
			digest, err, ok := next()
			if err != nil {
				return fmt.Errorf("read journal: %w", err)
			}
			if !ok {
				c.report.add(layout.EntriesPath(index, 0), int64(first+i), fmt.Sprintf(
					"the journal ends here, the log has %d leaves", total))
				return nil
			}
			digests[i] = digest
		}
		if err := c.bundle(ctx, index, digests[:width]); err != nil {
			return err
		}
	}
	if c.cfg.Progress != nil {
		c.cfg.Progress(total, total)
	}
	return nil
}

// bundle compares one bundle and its tile with the journal, and lets the tree grow by what was published: if bundle
// and tile agree, that, otherwise what the journal says.
func (c *check) bundle(ctx context.Context, index uint64, digests [][32]byte) error {
	partial := uint8(len(digests) % layout.TileWidth)
	bundle, err := c.file(c.store.ReadEntryBundle(ctx, index, partial))
	if err != nil {
		return err
	}
	tile, err := c.file(c.store.ReadTile(ctx, 0, index, partial))
	if err != nil {
		return err
	}
	where := leafFiles{bundle: layout.EntriesPath(index, partial), tile: layout.TilePath(0, index, partial)}
	for i, digest := range digests {
		entry, hash := piece(bundle, i, entrySize), piece(tile, i, hashSize)
		node := leafHash(digest[:])
		if f := where.compare(index*layout.EntryBundleWidth+uint64(i), digest, entry, hash); f != nil {
			c.report.add(f.File, f.Leaf, f.What)
			if agree(entry, hash) {
				node = [32]byte(hash)
			}
		}
		if err := c.grow(ctx, node); err != nil {
			return err
		}
	}
	return nil
}

func piece(data []byte, i, size int) []byte {
	if data == nil {
		return nil
	}
	return data[i*size:][:size]
}

// file passes on what was read; a fault of the file goes into the report, and nil stands for the content.
func (c *check) file(data []byte, err error) ([]byte, error) {
	var fault *Fault
	if errors.As(err, &fault) {
		c.report.add(fault.File, fault.Leaf, fault.What)
		return nil, nil
	}
	return data, err
}

// grow adds one leaf, and compares each tile above the first level when it is full.
func (c *check) grow(ctx context.Context, hash [32]byte) error {
	for level, node := uint64(0), hash; ; level++ {
		full, up := c.built.add(level, node)
		if !full {
			break
		}
		if level > 0 {
			if err := c.tile(ctx, level); err != nil {
				return err
			}
		}
		c.built.clear(level)
		node = up
	}
	c.mark(c.built.size)
	return nil
}

// tile compares a full tile of the upper levels with the tree.
func (c *check) tile(ctx context.Context, level uint64) error {
	index := (c.built.size - 1) >> (8 * (level + 1))
	data, err := c.file(c.store.ReadTile(ctx, level, index, 0))
	if err != nil || data == nil {
		return err
	}
	c.hashes(layout.TilePath(level, index, 0), level, index, data)
	return nil
}

// hashes compares the content of a tile with the hashes of the tree.
func (c *check) hashes(name string, level, index uint64, data []byte) {
	for i, want := range c.built.nodes(level) {
		if i*hashSize >= len(data) {
			return
		}
		if !bytes.Equal(data[i*hashSize:][:hashSize], want[:]) {
			leaf := (index*layout.TileWidth + uint64(i)) << (8 * level)
			c.report.add(name, int64(leaf), fmt.Sprintf("hash %d is not that of the tree below it", i))
			return
		}
	}
}

// mark keeps the root at the sizes that somebody has signed.
func (c *check) mark(size uint64) {
	if c.published != nil && size == c.published.Size {
		c.atSigned = c.built.root()
	}
	if c.since != nil && size == c.since.Size {
		c.atSince = c.built.root()
	}
}

// roots compares the tree with what was signed about it.
func (c *check) roots() {
	if c.built.size < c.report.Leaves {
		return // the journal ended early, which is in the report
	}
	if c.published != nil && !bytes.Equal(c.atSigned, c.published.Root) {
		c.report.add(layout.CheckpointPath, -1, fmt.Sprintf("its root is not that of the first %d leaves", c.published.Size))
	}
	if c.tree != nil && c.tree.Size == c.built.size && !bytes.Equal(c.built.root(), c.tree.Root) {
		c.report.add(treeState, -1, fmt.Sprintf("its root is not that of the %d leaves", c.tree.Size))
	}
	switch {
	case c.since == nil:
	case c.since.Size > c.report.Published:
		c.report.add(layout.CheckpointPath, -1, fmt.Sprintf("covers %d leaves, the older checkpoint %d: the log shrank",
			c.report.Published, c.since.Size))
	case !bytes.Equal(c.atSince, c.since.Root):
		c.report.add(layout.CheckpointPath, -1, fmt.Sprintf(
			"the first %d leaves are not those of the older checkpoint: the log was rewritten", c.since.Size))
	}
}
