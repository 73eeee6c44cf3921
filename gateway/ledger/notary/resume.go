package notary

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"

	"github.com/transparency-dev/merkle/compact"
	"github.com/transparency-dev/merkle/proof"
	"github.com/transparency-dev/merkle/rfc6962"
	"github.com/transparency-dev/tessera/api/layout"
	"github.com/transparency-dev/tessera/client"

	"github.com/lienthong/lienthong/gateway/internal/safefile"
)

// recent is how many of the last leaves Open compares with the journal, and more if more were not published.
const recent = 1024

// resume finds out where the log stands, and refuses what cannot be.
func (n *Notary) resume(ctx context.Context) error {
	published, signed, err := n.known()
	if err != nil {
		return err
	}
	t, err := n.standing()
	if err != nil {
		return err
	}
	if len(signed) == 0 {
		if t.Size > 0 {
			return &Fault{File: layout.CheckpointPath, Leaf: -1,
				What: "is missing, but the log has leaves; restore it from the backup"}
		}
		first, err := n.empty()
		if err != nil {
			return err
		}
		signed = append(signed, first)
	}
	newest := signed[len(signed)-1]
	if n.grown, err = n.compare(ctx, t, signed); err != nil {
		return err
	}
	if published == nil || published.Size < newest.Size {
		if err := safefile.Write(n.store.path(layout.CheckpointPath), newest.raw, 0o644); err != nil {
			return err
		}
	}
	n.size, n.signed = t.Size, signed
	if t.Size >= newest.Size {
		n.published.Store(newest)
	} else {
		n.cfg.Log.Warn("the log is built again from the journal", slog.Uint64("leaves", t.Size),
			slog.Uint64("published", newest.Size))
	}
	return errors.Join(n.sweep(n.size), n.mend(ctx, n.size))
}

// standing is the tree as Tessera left it, empty if there is none.
func (n *Notary) standing() (tree, error) {
	t, err := n.store.tree()
	if err == nil {
		if f := n.store.version(); f != nil {
			return tree{}, f
		}
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return t, err
	}
	tiles, err := exists(n.store.path("tile"))
	if err != nil {
		return tree{}, err
	}
	if tiles {
		return tree{}, &Fault{File: treeState, Leaf: -1,
			What: "is missing, but there are tiles; move the directory tile away too, and the log is built again"}
	}
	return tree{Root: rfc6962.DefaultHasher.EmptyRoot()}, nil
}

// compare compares the tree with the checkpoints, the newest last, and with the journal's length, its last records and
// all that no checkpoint covers. It returns the tree.
func (n *Notary) compare(ctx context.Context, t tree, signed []*checkpoint) (*compact.Range, error) {
	newest := signed[len(signed)-1]
	if have, need := n.cfg.Source.Durable(), max(t.Size, newest.Size); have < need {
		return nil, fmt.Errorf("%w: it has %d records, the log %d; an old copy of the journal was restored, or records "+
			"were lost: restore the newest journal", ErrShortJournal, have, need)
	}
	grown, err := n.store.compact(ctx, t.Size, t.Size)
	if err != nil {
		return nil, err
	}
	root, err := rootOf(grown)
	if err != nil {
		return nil, err
	}
	if !bytes.Equal(root, t.Root) {
		return nil, &Fault{File: treeState, Leaf: -1, What: fmt.Sprintf("its root is not that of the tiles at size %d; run lienthong ledger check", t.Size)}
	}
	if err := n.contains(ctx, t, signed); err != nil {
		return nil, err
	}
	from := min(t.Size-min(t.Size, recent), newest.Size)
	return grown, n.compareLeaves(ctx, from, t.Size)
}

// contains checks that the tree is what the checkpoints speak of, grown. Those of larger trees are passed over: the log
// is being built again.
func (n *Notary) contains(ctx context.Context, t tree, signed []*checkpoint) error {
	for _, cp := range signed {
		if cp.Size > t.Size {
			continue
		}
		hashes, err := n.consistency(ctx, cp.Size, t.Size, t.Size)
		if err != nil {
			return err
		}
		if err := proof.VerifyConsistency(rfc6962.DefaultHasher, cp.Size, t.Size, hashes, cp.Root, t.Root); err != nil {
			return &Fault{File: cmp.Or(cp.file, layout.CheckpointPath), Leaf: -1, What: fmt.Sprintf(
				"the tree of %d leaves does not contain the %d that it speaks of (%v); run lienthong ledger check", t.Size, cp.Size, err)}
		}
	}
	return nil
}

func (n *Notary) consistency(ctx context.Context, from, to, size uint64) ([][]byte, error) {
	b, err := client.NewProofBuilder(ctx, size, n.store.tiles(size))
	if err != nil {
		return nil, err
	}
	return b.ConsistencyProof(ctx, from, to)
}

// compareLeaves compares the last leaves of a tree with the journal's digests, in the bundles and in the tiles.
func (n *Notary) compareLeaves(ctx context.Context, from, size uint64) error {
	seq := from / layout.EntryBundleWidth * layout.EntryBundleWidth
	var bundle, tile []byte
	var where leafFiles
	for digest, err := range n.cfg.Source.Digests(ctx, seq, size) {
		if err != nil {
			return fmt.Errorf("read journal: %w", err)
		}
		at := seq % layout.EntryBundleWidth
		if at == 0 {
			index := seq / layout.EntryBundleWidth
			p := layout.PartialTileSize(0, index, size)
			where = leafFiles{bundle: layout.EntriesPath(index, p), tile: layout.TilePath(0, index, p)}
			if bundle, err = n.store.ReadEntryBundle(ctx, index, p); err != nil {
				return err
			}
			if tile, err = n.store.ReadTile(ctx, 0, index, p); err != nil {
				return err
			}
		}
		if f := where.compare(seq, digest, bundle[at*entrySize:][:entrySize], tile[at*hashSize:][:hashSize]); f != nil {
			return fmt.Errorf("%w: %w; run lienthong ledger check", ErrDisagrees, f)
		}
		seq++
	}
	if seq != size {
		return fmt.Errorf("%w: it ends at record %d, the log has %d", ErrShortJournal, seq, size)
	}
	return nil
}
