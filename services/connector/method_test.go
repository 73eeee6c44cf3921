package connector

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"

	"github.com/lienthong/lienthong/proto/contract"
	populationv1 "github.com/lienthong/lienthong/proto/registry/population/v1"
)

// A consumer may ask for any of the field lists that its agreement has: more than can be remembered.
func TestManyFieldListsDoNotKeepOthersFromBeingRemembered(t *testing.T) {
	services, err := compile(func(s grpc.ServiceRegistrar) {
		populationv1.RegisterPopulationServiceServer(s, populationv1.UnimplementedPopulationServiceServer{})
	})
	require.NoError(t, err)
	var m *method
	for _, one := range services[0].methods {
		if strings.HasSuffix(one.name, "/GetPerson") {
			m = one
		}
	}
	leaves := contract.Leaves(m.desc.Output())
	for i := range 3 * maxMasks {
		var fields []string
		for bit := range 12 {
			if i&(1<<bit) != 0 {
				fields = append(fields, leaves[bit].Path)
			}
		}
		_, err := m.mask(strings.Join(fields, ","))
		require.NoError(t, err)
	}
	kept := 0
	m.masks.Range(func(any, any) bool { kept++; return true })
	require.LessOrEqual(t, kept, maxMasks)
	last := leaves[len(leaves)-1].Path
	first, err := m.mask(last)
	require.NoError(t, err)
	again, err := m.mask(last)
	require.NoError(t, err)
	require.Same(t, first, again)
}
