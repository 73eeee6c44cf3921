package hubtest_test

import (
	"io/fs"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/lienthong/lienthong/deploy/lienthong/sandbox"
	"github.com/lienthong/lienthong/gateway/client"
)

// written is an agreement as it is written, read with nothing of the hub's own.
type written struct {
	Consumer struct {
		Agency  string   `yaml:"agency"`
		Systems []string `yaml:"systems"`
	} `yaml:"consumer"`
	Provider  string `yaml:"provider"`
	Service   string `yaml:"service"`
	ValidFrom string `yaml:"valid_from"`
	ValidTo   string `yaml:"valid_to"`
	Purposes  []struct {
		Code string `yaml:"code"`
	} `yaml:"purposes"`
	Methods []struct {
		Name string `yaml:"name"`
	} `yaml:"methods"`
}

// cell is one consumer's way to one method of one provider.
type cell struct{ consumer, method, provider string }

// readAgreements returns the purpose by which each cell may be asked, and which pairs of consumer, service and provider
// have any agreement. Those that have expired are there too, with the purpose "expired".
func readAgreements(t *testing.T) (purposes, parties map[cell]string) {
	purposes, parties = map[cell]string{}, map[cell]string{}
	files, err := fs.Glob(sandbox.Files, "agreements/*.yaml")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, path := range files {
		raw, err := fs.ReadFile(sandbox.Files, path)
		require.NoError(t, err)
		var a written
		require.NoError(t, yaml.Unmarshal(raw, &a))
		until, err := time.Parse(time.DateOnly, a.ValidTo)
		require.NoError(t, err)
		for _, system := range a.Consumer.Systems {
			consumer := a.Consumer.Agency + "/" + system
			parties[cell{consumer, a.Service, a.Provider}] = path
			for _, m := range a.Methods {
				at := cell{consumer, a.Service + "/" + m.Name, a.Provider}
				purposes[at] = a.Purposes[0].Code
				if until.Before(time.Now()) {
					purposes[at] = "expired"
				}
			}
		}
	}
	return purposes, parties
}

// target is a method and how to reach one of its providers.
type target struct{ method, provider, request string }

// targets are all methods of all registries.
func targets(t *testing.T) (all []target) {
	for service, providers := range map[string]map[string]string{
		population: {"G01": "{}"}, civilStatus: {"G15": "{}"}, insurance: {"G24": "{}"},
		land: {"H27": `{"province_code": "42"}`, "H60": `{"province_code": "08"}`, "G13": `{"province_code": "01"}`},
	} {
		methods := serviceOf(t, strings.TrimSuffix(service, "/")).Methods()
		for i := range methods.Len() {
			for provider, request := range providers {
				all = append(all, target{service + string(methods.Get(i).Name()), provider, request})
			}
		}
	}
	return all
}

func TestExactlyWhatAnAgreementGrantsIsNotRefusedForWantOfOne(t *testing.T) {
	purposes, parties := readAgreements(t)
	issued, err := shared.Authority.List()
	require.NoError(t, err)
	consumers := map[string]bool{}
	for _, r := range issued {
		consumers[r.ID.String()] = true
	}
	require.GreaterOrEqual(t, len(consumers), 20)
	answered := 0
	for _, consumer := range slices.Sorted(maps.Keys(consumers)) {
		conn := shared.Dial(t, consumer)
		for _, target := range targets(t) {
			at := cell{consumer, target.method, target.provider}
			purpose, granted := purposes[at]
			words := client.Words{Purpose: purpose, Case: "H27-1", Officer: "an.nv"}
			if !granted {
				words.Purpose = "HT-KS"
			}
			service, _, _ := strings.Cut(target.method, "/")
			_, party := parties[cell{consumer, service, target.provider}]
			got := ask(within(t), t, conn, target.method, words, target.request).reason()
			switch {
			case purpose == "expired":
				require.Equal(t, "PURPOSE_NOT_AGREED", got, at)
			case granted:
				require.NotContains(t, []string{"NO_AGREEMENT", "METHOD_NOT_AGREED", "PURPOSE_NOT_AGREED", "AGREEMENT_EXPIRED"}, got, at)
				answered++
			case party:
				require.Equal(t, "METHOD_NOT_AGREED", got, at)
			default:
				require.Equal(t, "NO_AGREEMENT", got, at)
			}
		}
	}
	require.Equal(t, len(purposes)-1, answered, "all that is granted was asked, and one has expired")
}
