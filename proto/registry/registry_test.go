// Package registry_test holds what is true of every registry's contract: all of it is labelled. A new registry is
// added to the list below and to nothing else.
package registry_test

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/lienthong/lienthong/proto/contract"
	civilstatusv1 "github.com/lienthong/lienthong/proto/registry/civilstatus/v1"
	insurancev1 "github.com/lienthong/lienthong/proto/registry/insurance/v1"
	landv1 "github.com/lienthong/lienthong/proto/registry/land/v1"
	populationv1 "github.com/lienthong/lienthong/proto/registry/population/v1"
)

// files are the files in which the registries' services are declared.
var files = []protoreflect.FileDescriptor{
	civilstatusv1.File_registry_civilstatus_v1_service_proto,
	insurancev1.File_registry_insurance_v1_service_proto,
	landv1.File_registry_land_v1_service_proto,
	populationv1.File_registry_population_v1_population_proto,
}

func TestNoRegistryIsForgottenInTheList(t *testing.T) {
	paths, err := filepath.Glob("*/v*/*.proto")
	require.NoError(t, err)
	declared := regexp.MustCompile(`(?m)^service `)
	var want, listed []string
	for _, path := range paths {
		text, err := os.ReadFile(path)
		require.NoError(t, err)
		if declared.Match(text) {
			want = append(want, "registry/"+filepath.ToSlash(path))
		}
	}
	for _, file := range files {
		listed = append(listed, file.Path())
	}
	require.ElementsMatch(t, want, listed, "add the file that declares the service to the list above")
}

func services(t *testing.T) []protoreflect.ServiceDescriptor {
	t.Helper()
	var all []protoreflect.ServiceDescriptor
	for _, file := range files {
		require.Equal(t, 1, file.Services().Len(), file.Path())
		all = append(all, file.Services().Get(0))
	}
	return all
}

func TestEveryRegistryServiceMethodAndFieldIsLabelled(t *testing.T) {
	for _, sd := range services(t) {
		t.Run(string(sd.FullName()), func(t *testing.T) {
			w := walk(sd)
			require.Empty(t, w.faults)
			require.Greater(t, w.fields, 10, "the walk went nowhere")
		})
	}
}

func TestEveryRegistryPassesTheCheckOfPublication(t *testing.T) {
	for _, sd := range services(t) {
		t.Run(string(sd.FullName()), func(t *testing.T) {
			require.NoError(t, contract.Check(sd))
		})
	}
}
