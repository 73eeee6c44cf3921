package agreement

import (
	"context"
	"path/filepath"

	"github.com/lienthong/lienthong/gateway/catalog"
	"github.com/lienthong/lienthong/gateway/snapshot"
)

// Where catalog and agreements lie in the hub's directory.
const (
	CatalogDir    = "catalog"
	AgreementsDir = "agreements"
)

// Policy is a catalog and the agreements that were read against it. They change together or not at all, so one
// exchange takes one Policy and uses it to its end. The zero Policy knows no method and refuses everything.
type Policy struct {
	Catalog    *catalog.Catalog
	Agreements *Set
}

// LoadPolicy reads dir/catalog and dir/agreements.
func LoadPolicy(dir string) (Policy, error) {
	c, err := catalog.Load(filepath.Join(dir, CatalogDir))
	if err != nil {
		return Policy{}, err
	}
	s, err := Load(filepath.Join(dir, AgreementsDir), c)
	if err != nil {
		return Policy{}, err
	}
	return Policy{Catalog: c, Agreements: s}, nil
}

// Watch keeps the policy of the hub's directory current until ctx ends. Files that cannot be read leave the policy
// as it was; the snapshot's Err says what is wrong with them.
func Watch(ctx context.Context, dir string) *snapshot.Snapshot[Policy] {
	load := func() (Policy, error) { return LoadPolicy(dir) }
	stamp := snapshot.Files(
		[]string{filepath.Join(dir, CatalogDir), filepath.Join(dir, AgreementsDir)},
		append([]string{".yml"}, catalog.Extensions...)...)
	return snapshot.Watch(ctx, load, stamp, catalog.Poll)
}
