package e2e_test

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// grpcurl runs grpcurl with a system's certificate against an address.
func (h *hub) grpcurl(t *testing.T, as, address string, args ...string) result {
	t.Helper()
	id := h.ready.Identities[as]
	argv := []string{tool(t, "grpcurl"), "-cacert", h.ready.CA, "-cert", id.Cert, "-key", id.Key, "-max-time", "10"}
	var options, rest []string
	for i := 0; i < len(args); i++ { // options go before the address
		if args[i] == "-H" || args[i] == "-d" {
			options = append(options, args[i], args[i+1])
			i++
		} else {
			rest = append(rest, args[i])
		}
	}
	return command(t, "", append(append(append(argv, options...), address), rest...)...)
}

func TestGrpcurlNeedsOnlyThePrintedCertificates(t *testing.T) {
	h := sandbox.get(t)
	address := h.ready.Addresses["grpc"]
	ask := func(args ...string) string {
		r := h.grpcurl(t, "H27/one-stop", address, args...)
		require.Zero(t, r.code, r.err)
		return r.out
	}
	listed := ask("list")
	for _, service := range []string{
		"registry.civilstatus.v1.CivilStatusService", "registry.insurance.v1.InsuranceService",
		"registry.land.v1.LandService", "registry.population.v1.PopulationService",
	} {
		require.Contains(t, listed, service)
	}
	require.Contains(t, ask("describe", "registry.population.v1.PopulationService"), "rpc GetResidence")
	require.Contains(t, ask("describe", "registry.population.v1.GetResidenceRequest"), "string personal_id = 1")
	require.Contains(t, ask("grpc.health.v1.Health/Check"), "SERVING")

	p := h.sample(t, "married", "1")[0]
	words := []string{"-H", "lt-purpose: CT-TT", "-H", "lt-case: E2E-0001", "-H", "lt-officer: can.bo", "-d", `{"personal_id":"` + p.PersonalID + `"}`}
	answered := ask(append(words, "registry."+residence)...)
	require.Contains(t, answered, `"permanent"`)
	require.NotContains(t, answered, "permanentAsRegistered", "it is not in the agreement")
	narrowed := ask(append([]string{"-H", "lt-fields: permanent.province_code"}, append(words, "registry."+residence)...)...)
	require.Contains(t, narrowed, "provinceCode")
	require.NotContains(t, narrowed, "communeCode")
}

func TestGrpcurlIsToldWhyItIsRefused(t *testing.T) {
	h := sandbox.get(t)
	r := h.grpcurl(t, "H27/one-stop", h.ready.Addresses["grpc"], "-d", `{"personal_id":"040094997317"}`, "registry."+residence)
	require.NotZero(t, r.code)
	require.Contains(t, r.err, `"reason": "PURPOSE_REQUIRED"`)
	require.Contains(t, r.err, "google.rpc.ErrorInfo")
}
