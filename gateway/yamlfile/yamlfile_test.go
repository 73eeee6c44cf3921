package yamlfile_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lienthong/lienthong/gateway/yamlfile"
)

type sample struct {
	Code  yamlfile.Text   `yaml:"code"`
	Since yamlfile.Text   `yaml:"since"`
	On    yamlfile.Flag   `yaml:"on"`
	Items []yamlfile.Text `yaml:"items"`
}

func write(t *testing.T, text string) string {
	path := filepath.Join(t.TempDir(), "a.yaml")
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

func TestValuesStayAsWrittenAndKeepTheirLine(t *testing.T) {
	var s sample
	_, err := yamlfile.Read(write(t, "code: 08\nsince: 2026-01-01\n\non: true\nitems:\n  - 1.000110\n"), &s)
	require.NoError(t, err)
	require.Equal(t, sample{
		Code:  yamlfile.Text{Value: "08", Line: 1},
		Since: yamlfile.Text{Value: "2026-01-01", Line: 2},
		On:    yamlfile.Flag{Value: true, Line: 4},
		Items: []yamlfile.Text{{Value: "1.000110", Line: 6}},
	}, s)
}

func TestWhatIsWrongIsSaidWithFileAndLine(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"unknown key":    {"code: 1\nextra: 2\n", ":2: unknown key extra"},
		"key twice":      {"code: 1\ncode: 2\n", ":2: mapping key \"code\" already defined at line 1"},
		"not yaml":       {"code: 1\nsince: [\n", ":2: "},
		"list for value": {"code: [1]\n", ":1: expected one value, found a list"},
		"not a flag":     {"code: 1\non: perhaps\n", ":2: expected true or false"},
		"empty":          {"", ":1: the file is empty"},
		"two documents":  {"code: 1\n---\ncode: 2\n", ":1: expected one document"},
		"too large":      {strings.Repeat("#", 1<<20+1), ":1: the file is over"},
	} {
		t.Run(name, func(t *testing.T) {
			path := write(t, c.text)
			_, err := yamlfile.Read(path, new(sample))
			require.ErrorContains(t, err, path+c.want)
		})
	}
}

func TestALeftOutKeyIsNotedAtItsEntry(t *testing.T) {
	var s sample
	path := write(t, "code: 1\n")
	f, err := yamlfile.Read(path, &s)
	require.NoError(t, err)
	require.True(t, f.Require(s.Code, 1, "code", "a code"))
	require.NoError(t, f.Err())
	require.False(t, f.Require(s.Since, 1, "since", "a date such as 2026-01-01"))
	require.EqualError(t, f.Err(), path+":1: since is missing; expected a date such as 2026-01-01")
}

func TestAFileThatWouldBePassedOverIsRefused(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"b.yaml", "a.yaml", "c.txt"} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), nil, 0o600))
	}
	paths, err := yamlfile.List(dir)
	require.NoError(t, err)
	require.Equal(t, []string{filepath.Join(dir, "a.yaml"), filepath.Join(dir, "b.yaml")}, paths)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "d.yml"), nil, 0o600))
	_, err = yamlfile.List(dir)
	require.ErrorContains(t, err, "d.yml:1:")
	none, err := yamlfile.List(filepath.Join(dir, "not-there"))
	require.NoError(t, err)
	require.Empty(t, none)
}

func FuzzReadNeverPanics(f *testing.F) {
	f.Add("code: 08\nitems: [a, b]\n")
	f.Add("&a [*a]")
	f.Add("on: !!binary x\n<<: {code: 1}\n")
	f.Fuzz(func(t *testing.T, text string) {
		path := filepath.Join(t.TempDir(), "a.yaml")
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		file, err := yamlfile.Read(path, new(sample))
		if err != nil {
			require.ErrorContains(t, err, file.Path+":")
		}
	})
}
