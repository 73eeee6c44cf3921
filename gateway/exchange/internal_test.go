package exchange

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/lienthong/lienthong/gateway/catalog/catalogtest"
	"github.com/lienthong/lienthong/proto/reason"
)

func TestAFieldAtFaultIsAPathAndCannotSayAnythingElse(t *testing.T) {
	answer := catalogtest.File(t).Messages().ByName("GetPersonResponse")
	for path, want := range map[string]bool{
		"person":                              true,
		"person.birth_date":                   true,
		"person.relatives.relation":           true,
		"person.relatives.3.relation":         true,
		"person.relatives.999":                true,
		"":                                    false,
		".":                                   false,
		"person.":                             false,
		"person.birth_date.3":                 false,
		"person.3":                            false,
		"person.relatives.1000":               false,
		"person.relatives.007":                false,
		"person.relatives.+1":                 false,
		"person.relatives.0421.8700.1234":     false,
		"person.relatives.42.18.70.relation":  false,
		"person.relatives.1.personal_id.0421": false,
		"person.Birth_Date":                   false,
		"personal_id":                         false,
		"person" + strings.Repeat(".x", 100):  false,
	} {
		require.Equal(t, want, hasField(answer, path), path)
	}
}

func TestNoPathCarriesMoreThanOneNumberForEachList(t *testing.T) {
	answer := catalogtest.File(t).Messages().ByName("GetPersonResponse")
	rapid.Check(t, func(t *rapid.T) {
		parts := rapid.SliceOfN(rapid.SampledFrom([]string{"person", "relatives", "relation", "0", "42", "187"}), 1, 6).Draw(t, "parts")
		path := strings.Join(parts, ".")
		if !hasField(answer, path) {
			return
		}
		numbers := 0
		for _, p := range parts {
			if isItem(p) {
				numbers++
			}
		}
		require.LessOrEqual(t, numbers, strings.Count(path, "relatives"))
	})
}

func TestTheHubsOwnReasonsAreRegistered(t *testing.T) {
	for r := range hubsOwn {
		require.True(t, r.Registered(), r)
	}
	require.False(t, hubsOwn[reason.RegistryFailed])
}

func FuzzPrintable(f *testing.F) {
	f.Add("HT-KS")
	f.Add("Hoà")
	f.Add("a\x00")
	f.Fuzz(func(t *testing.T, s string) {
		for _, r := range s {
			if (r < 0x20 || r > 0x7e) && printable(s) {
				t.Fatalf("%q is called printable", s)
			}
		}
	})
}
