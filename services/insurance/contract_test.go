package insurance

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lienthong/lienthong/proto/contract"
	insurancev1 "github.com/lienthong/lienthong/proto/registry/insurance/v1"
)

func TestContractCanBePublished(t *testing.T) {
	require.NoError(t, contract.Check(insurancev1.File_registry_insurance_v1_service_proto.Services().ByName("InsuranceService")))
}
