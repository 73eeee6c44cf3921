package e2e_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestServicesShowsWhatCanBeAskedAndHow(t *testing.T) {
	h := sandbox.get(t)
	r := h.run(t, "services")
	require.Zero(t, r.code, r.err)
	require.Contains(t, r.out, "registry.land.v1.LandService/CheckEncumbrance")
	require.Contains(t, r.out, "Tra cứu nơi cư trú")

	type field struct{ Path, Class string }
	type method struct {
		Method  string
		Effect  string
		Request []field
		Answer  []field
	}
	type service struct {
		Service string
		Methods []method
	}
	all := decode[[]service](t, h.run(t, "services", "--json").out)
	require.Len(t, all, 4)
	total := 0
	for _, s := range all {
		total += len(s.Methods)
	}
	require.Equal(t, 25, total, "TestEveryMethod… must ask each of them")

	one := decode[[]service](t, h.run(t, "services", "registry.population.v1.PopulationService", "--json").out)
	require.Len(t, one, 1)
	for _, m := range one[0].Methods {
		require.NotEmpty(t, m.Request, m.Method)
		require.NotEmpty(t, m.Answer, m.Method)
	}
	r = h.run(t, "services", "registry.tax.v1.TaxService")
	require.Equal(t, 1, r.code)
	require.Contains(t, r.err, "no service registry.tax.v1.TaxService")
}

func TestTheNationShowsPeopleOfEachKind(t *testing.T) {
	h := sandbox.get(t)
	type kind struct{ Kind, Meaning string }
	kinds := decode[[]kind](t, h.run(t, "nation", "kinds", "--json").out)
	require.NotEmpty(t, kinds)
	for _, k := range kinds {
		require.NotEmpty(t, k.Meaning)
		for _, p := range h.sample(t, k.Kind, "2") {
			require.Len(t, p.PersonalID, 12)
		}
	}
	require.Contains(t, h.run(t, "nation", "kinds").out, "child-under-6")
	require.Contains(t, h.run(t, "nation", "sample", "married", "-n", "1").out, "vợ/chồng")

	r := lienthong(t, "nation", "sample", "married", "-n", "1", "--population", "300", "--dir", t.TempDir(), "--json")
	require.Zero(t, r.code, r.err)
	require.Len(t, decode[[]person](t, r.out), 1)
	require.Contains(t, r.err, "no hub has run from")
	r = h.run(t, "nation", "sample", "married", "--population", "300")
	require.Equal(t, 2, r.code)
	require.Contains(t, r.err, "holds a nation of 2000 people")
}

// microService is a service as `nats micro` shows it.
type microService struct {
	Name, ID, Version, Description string
	Metadata                       map[string]string
	Endpoints                      []struct {
		Name     string
		Metadata map[string]string
	}
}

func TestTheBusShowsEveryRegistryToItsObserver(t *testing.T) {
	h := sandbox.get(t)
	nats := func(args ...string) string {
		argv := append([]string{tool(t, "nats"), "--server", h.ready.Addresses["nats"], "--creds", h.ready.Observer, "--timeout", "3s"}, args...)
		r := command(t, "", argv...)
		require.Zero(t, r.code, "%v: %s%s", args, r.out, r.err)
		return r.out
	}
	h.query(t, "H27/one-stop", "CT-TT", residence, "personal_id=040094997317")
	found := decode[[]microService](t, nats("micro", "ls", "--json"))
	agencies := map[string]string{}
	for _, s := range found {
		agencies[s.Name] = s.Metadata["agency"] + " " + s.Metadata["jurisdiction"]
		require.NotEmpty(t, s.Description, s.Name)
		require.Regexp(t, `^\d+\.\d+\.\d+$`, s.Version)
	}
	require.Equal(t, map[string]string{
		"population": "G01 vn", "civilstatus": "G15 vn", "insurance": "G24 vn",
		"land-42": "H27 42", "land-08": "H60 08", "land-vn": "G13 vn",
	}, agencies)
	listed := nats("micro", "ls")
	for name := range agencies {
		require.Contains(t, listed, name)
	}
	info := nats("micro", "info", "population", "--json")
	require.Contains(t, info, "registry.population.v1.PopulationService/GetResidence")
	require.Contains(t, info, "Look up a residence")
	require.Contains(t, nats("micro", "stats", "population"), "GetResidence")
	require.False(t, strings.Contains(info, "040094997317"))
}
