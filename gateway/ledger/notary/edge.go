package notary

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"

	"github.com/transparency-dev/tessera/api/layout"
)

// edge compares the partial tiles and bundles at the right edge, of every size that lies about, with the tree.
func (c *check) edge() error {
	for level := uint64(0); level < 8 && c.built.size>>(8*level) > 0; level++ {
		nodes := c.built.nodes(level)
		if len(nodes) == 0 {
			continue
		}
		index := c.built.size >> (8 * (level + 1))
		dir := layout.TilePath(level, index, 0) + ".p"
		found, err := c.partials(dir, hashSize, level, index)
		if err != nil {
			return err
		}
		if !found && level > 0 { // the lowest level was looked at with its bundle
			c.report.add(fmt.Sprintf("%s/%d", dir, len(nodes)), int64(index<<(8*(level+1))), "is missing")
		}
		if level == 0 {
			if _, err := c.partials(layout.EntriesPath(index, 0)+".p", entrySize, 0, index); err != nil {
				return err
			}
		}
	}
	return nil
}

// partials compares the partial tiles or bundles in a directory. It tells whether one of the tree's size is there.
func (c *check) partials(dir string, each int, level, index uint64) (found bool, err error) {
	entries, err := os.ReadDir(c.store.path(dir))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return false, err
	}
	for _, e := range entries {
		found = found || e.Name() == strconv.Itoa(len(c.built.nodes(level)))
		if err := c.partial(dir, e.Name(), each, level, index); err != nil {
			return found, err
		}
	}
	return found, nil
}

func (c *check) partial(dir, name string, each int, level, index uint64) error {
	path := dir + "/" + name
	width, err := strconv.ParseUint(name, 10, 8)
	if err != nil || width == 0 || strconv.FormatUint(width, 10) != name || int(width) > len(c.built.nodes(level)) {
		return nil // of a batch that is not finished, or one that a crash cut short
	}
	if level == 0 && int(width) == len(c.built.nodes(0)) {
		return nil // tile and bundle were looked at together
	}
	data, err := os.ReadFile(c.store.path(path))
	if err != nil {
		return err
	}
	if len(data) != int(width)*each {
		c.report.add(path, int64(index<<(8*(level+1))), fmt.Sprintf("has %d bytes, not %d", len(data), int(width)*each))
		return nil
	}
	if each == entrySize {
		c.entries(path, index, data)
		return nil
	}
	c.hashes(path, level, index, data)
	return nil
}

// entries compares the content of a partial bundle at the right edge with the tree.
func (c *check) entries(name string, index uint64, data []byte) {
	for i, node := range c.built.nodes(0)[:len(data)/entrySize] {
		entry := piece(data, i, entrySize)
		if !isEntry(entry, [32]byte(entry[2:])) || leafHash(entry[2:]) != node {
			c.report.add(name, int64(index*layout.EntryBundleWidth)+int64(i), "is not the leaf that was added")
			return
		}
	}
}
