package notary

import (
	"errors"
	"io/fs"
	"net/http"
	"strings"

	"github.com/transparency-dev/tessera/api/layout"
)

// Handler serves the log read-only in the layout of https://c2sp.org/tlog-tiles: /checkpoint, /tile/… and
// /tile/entries/…. It serves nothing else of the directory, and nothing that no published checkpoint covers. Mount it
// with http.StripPrefix where the log's address has a path.
func (n *Notary) Handler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Content-Type-Options", "nosniff")
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			http.Error(w, "the log is read-only", http.StatusMethodNotAllowed)
			return
		}
		cp := n.published.Load()
		if cp == nil {
			http.Error(w, "the log is being built again", http.StatusServiceUnavailable)
			return
		}
		if r.URL.Path == "/"+layout.CheckpointPath {
			w.Header().Set("Content-Type", "text/plain; charset=utf-8")
			w.Header().Set("Cache-Control", "no-cache")
			_, _ = w.Write(cp.raw)
			return
		}
		n.serveTile(w, r, cp.Size)
	})
}

func (n *Notary) serveTile(w http.ResponseWriter, r *http.Request, size uint64) {
	part, ok := parseResource(r.URL.Path)
	if !ok || !part.in(size) {
		http.NotFound(w, r)
		return
	}
	data, err := part.read(n.store, r)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		http.NotFound(w, r)
	case err != nil:
		http.Error(w, "the log cannot be read", http.StatusInternalServerError)
	default:
		w.Header().Set("Content-Type", "application/octet-stream")
		w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
		_, _ = w.Write(data)
	}
}

// resource is a tile or an entry bundle, as its path names it.
type resource struct {
	entries      bool
	level, index uint64
	partial      uint8
}

// parseResource reads a path. Only the one path that a tile has is good: so no path leads anywhere else.
func parseResource(path string) (resource, bool) {
	rest, ok := strings.CutPrefix(path, "/tile/")
	if !ok {
		return resource{}, false
	}
	level, name, ok := strings.Cut(rest, "/")
	if !ok {
		return resource{}, false
	}
	var (
		part = resource{entries: level == "entries"}
		err  error
		want string
	)
	if part.entries {
		part.index, part.partial, err = layout.ParseTileIndexPartial(name)
		want = layout.EntriesPath(part.index, part.partial)
	} else {
		part.level, part.index, part.partial, err = layout.ParseTileLevelIndexPartial(level, name)
		want = layout.TilePath(part.level, part.index, part.partial)
	}
	return part, err == nil && path == "/"+want
}

// in tells whether a tree of the given size, or of a smaller one, has the tile.
func (r resource) in(size uint64) bool {
	if r.level >= 8 {
		return false // a tree with such a tile has no size that fits 64 bits
	}
	wide := size >> (8 * r.level)
	full, rest := wide/layout.TileWidth, wide%layout.TileWidth
	return r.index < full || (r.index == full && r.partial > 0 && uint64(r.partial) <= rest)
}

func (r resource) read(s store, req *http.Request) ([]byte, error) {
	if r.entries {
		return s.ReadEntryBundle(req.Context(), r.index, r.partial)
	}
	return s.ReadTile(req.Context(), r.level, r.index, r.partial)
}
