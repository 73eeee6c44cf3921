package notary

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	"github.com/transparency-dev/tessera/api/layout"

	"github.com/lienthong/lienthong/gateway/internal/safefile"
)

// tidy removes the partial tiles and bundles of tiles that became full while the tree grew. Tessera offers to do it,
// by looking at each tile of the log in turn; the notary knows which ones they are.
func (n *Notary) tidy(old, size uint64) {
	for _, name := range filled(old, size) {
		if err := os.RemoveAll(n.store.path(name)); err != nil {
			n.cfg.Log.Warn("cannot remove old partial tiles", slog.String("directory", name), slog.Any("error", err))
		}
	}
}

// filled names the directories of the partial tiles that were the last of their level at the old size and are full
// at the new one.
func filled(old, size uint64) []string {
	var names []string
	for level := uint64(0); level < 8 && old>>(8*level) > 0; level++ {
		wide := old >> (8 * level)
		index := wide / layout.TileWidth
		if wide%layout.TileWidth == 0 || layout.PartialTileSize(level, index, size) != 0 {
			continue
		}
		names = append(names, layout.TilePath(level, index, 0)+".p")
		if level == 0 {
			names = append(names, layout.EntriesPath(index, 0)+".p")
		}
	}
	return names
}

// sweep removes what a crash left: partial tiles beside full ones and files that were not finished, in the last
// directory of each level. Older directories were swept when they were the last.
func (n *Notary) sweep(size uint64) error {
	if size == 0 {
		return nil
	}
	last := (size - 1) / layout.TileWidth
	names := []string{layout.EntriesPath(last, 0)}
	for level := uint64(0); level < 8 && size>>(8*level) > 0; level++ {
		names = append(names, layout.TilePath(level, last>>(8*level), 0))
	}
	for _, name := range names {
		if err := n.sweepDir(filepath.Dir(n.store.path(name))); err != nil {
			return err
		}
	}
	return nil
}

func (n *Notary) sweepDir(dir string) error {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	full := map[string]bool{}
	for _, e := range entries {
		full[e.Name()] = !e.IsDir()
	}
	for _, e := range entries {
		tile, partial := strings.CutSuffix(e.Name(), ".p")
		if (partial && full[tile]) || (!e.IsDir() && len(e.Name()) != len("000")) { // or one that was never renamed
			if err := os.RemoveAll(filepath.Join(dir, e.Name())); err != nil {
				return err
			}
		}
	}
	return nil
}

// mend puts the partial bundle and tiles back that end a tree of the given size, where only full ones are left: the
// state is then an older one than the tiles, out of a backup. Tessera would take the full ones for them, and add the
// next leaves behind entries that the tree does not have yet.
func (n *Notary) mend(ctx context.Context, size uint64) error {
	for level := uint64(0); level < 8 && size>>(8*level) > 0; level++ {
		index := size >> (8 * (level + 1))
		p := layout.PartialTileSize(level, index, size)
		if p == 0 {
			continue
		}
		tile, err := n.store.ReadTile(ctx, level, index, p)
		if err := n.restore(layout.TilePath(level, index, p), tile, err); err != nil {
			return err
		}
		if level > 0 {
			continue
		}
		bundle, err := n.store.ReadEntryBundle(ctx, index, p)
		if err := n.restore(layout.EntriesPath(index, p), bundle, err); err != nil {
			return err
		}
	}
	return nil
}

func (n *Notary) restore(name string, data []byte, err error) error {
	if err != nil {
		return err
	}
	if have, err := exists(n.store.path(name)); have || err != nil {
		return err
	}
	return safefile.Write(n.store.path(name), data, 0o644)
}
