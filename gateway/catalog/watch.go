package catalog

import (
	"context"
	"time"

	"github.com/lienthong/lienthong/gateway/snapshot"
)

// Poll is how often a watched directory is looked at.
const Poll = 500 * time.Millisecond

// Extensions are those of the files that a catalog is read from.
var Extensions = []string{".binpb", ".yaml"}

// Watch keeps the catalog of a directory current until ctx ends. A directory that cannot be read leaves the
// catalog as it was. Where agreements are needed too, use agreement.Watch: it keeps the two in step.
func Watch(ctx context.Context, dir string) *snapshot.Snapshot[*Catalog] {
	load := func() (*Catalog, error) { return Load(dir) }
	return snapshot.Watch(ctx, load, snapshot.Files([]string{dir}, append(Extensions, ".yml")...), Poll)
}
