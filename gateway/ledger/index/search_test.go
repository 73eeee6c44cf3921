package index_test

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lienthong/lienthong/gateway/ledger/index"
)

func TestSmoke(t *testing.T) {
	j := plausible(1, 1000, 50)
	x := open(t, index.Config{Path: filepath.Join(t.TempDir(), "index.db"), Source: j, BlockSize: 128})
	require.NoError(t, x.CatchUp(t.Context(), nil))
	p, err := x.Search(t.Context(), index.Query{Consumer: "H27", Method: "VerifyIdentity"})
	require.NoError(t, err)
	require.Len(t, p.Hits, 50)
	require.NotEmpty(t, p.Next)
	v, err := x.Volumes(t.Context(), index.VolumeQuery{By: index.VolumeBy{Consumer: true}})
	require.NoError(t, err)
	for _, one := range v {
		t.Log(one)
	}
}
