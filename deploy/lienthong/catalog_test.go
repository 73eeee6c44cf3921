package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/descriptorpb"

	"github.com/lienthong/lienthong/gateway/agreement"
	"github.com/lienthong/lienthong/gateway/agreement/book"
	"github.com/lienthong/lienthong/gateway/catalog"
	"github.com/lienthong/lienthong/gateway/catalog/catalogtest"
	"github.com/lienthong/lienthong/gateway/exchange/exchangetest"
	"github.com/lienthong/lienthong/gateway/state"
	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
)

// write writes a file that a command reads.
func (d *desk) write(name string, data []byte) string {
	d.t.Helper()
	path := filepath.Join(d.dir, name)
	require.NoError(d.t, os.WriteFile(path, data, 0o600))
	return path
}

// descriptors writes the sample contract's descriptors, as a test changes them.
func (d *desk) descriptors(name string, change func(*descriptorpb.FileDescriptorProto)) string {
	d.t.Helper()
	f := catalogtest.Proto()
	change(f)
	data, err := proto.Marshal(&descriptorpb.FileDescriptorSet{File: []*descriptorpb.FileDescriptorProto{f}})
	require.NoError(d.t, err)
	return d.write(name, data)
}

func asItIs(*descriptorpb.FileDescriptorProto) {}

// renamed is the sample contract in another package.
func renamed(name string) func(*descriptorpb.FileDescriptorProto) {
	return func(f *descriptorpb.FileDescriptorProto) {
		to := strings.NewReplacer(".sample.v1.", "."+name+".v1.")
		f.Name, f.Package = proto.String(name+"/v1/people.proto"), proto.String(name+".v1")
		for _, m := range f.MessageType {
			for _, field := range m.Field {
				if field.TypeName != nil {
					field.TypeName = proto.String(to.Replace(field.GetTypeName()))
				}
			}
		}
		for _, m := range f.Service[0].Method {
			m.InputType, m.OutputType = proto.String(to.Replace(m.GetInputType())), proto.String(to.Replace(m.GetOutputType()))
		}
	}
}

// sample publishes the sample with its offer, which has items.
func (d *desk) sample() {
	offer := d.write("offer.yaml", []byte(catalogtest.Offer+"items:\n  - {item: person.birth_date, field: Person.birth_date}\n"))
	d.must("catalog", "publish", "-f", d.descriptors("sample.binpb", asItIs), "--offer", offer, "--yes")
}

// must runs a command that must succeed.
func (d *desk) must(args ...string) string {
	d.t.Helper()
	code, out, complaint := d.run(args...)
	require.Zero(d.t, code, "%v: %s", args, complaint)
	return out
}

// refused runs a command that must fail.
func (d *desk) refused(code int, want string, args ...string) (out string) {
	d.t.Helper()
	got, out, complaint := d.run(args...)
	require.Equal(d.t, code, got, "%v: %s", args, complaint)
	require.Contains(d.t, complaint, want, args)
	require.NotContains(d.t, out+complaint, "\x1b", args)
	return out
}

// agree puts the sample's agreement in force.
func (d *desk) agree() {
	doc, err := agreement.Parse("a.yaml", []byte(exchangetest.Agreement))
	require.NoError(d.t, err)
	_, err = d.state().Change(d.t.Context(), machine, func(tx *state.Tx) error {
		return book.Seed(d.t.Context(), tx, []*hubv1.Agreement{doc.Doc})
	})
	require.NoError(d.t, err)
}

func TestAServiceIsPublishedByFlagsAloneAndComesIntoUse(t *testing.T) {
	d := newDesk(t)
	file := d.descriptors("sample.binpb", asItIs)
	flags := []string{"catalog", "publish", "-f", file, "--owner", "G01", "--jurisdiction", "vn"}
	out := d.refused(exitUsage, "nothing was published yet; add --yes", flags...)
	require.Regexp(t, `sample.v1.PeopleService +new +G01 +test`, out)
	require.Regexp(t, `added +provider +vn +G01/registry-sample`, out)
	require.Empty(t, done[[]catalogEntry](d, "catalog", "list"), "it was only tried")
	entry := done[publishEntry](d, append(flags, "--yes")...)
	require.True(t, entry.New && entry.Done)
	require.Len(t, entry.Changes, 4)
	entry = done[publishEntry](d, append(flags, "--yes")...)
	require.False(t, entry.New || entry.Done, "it is so already")
	d.must("catalog", "publish", "-f", file)

	listed := done[[]catalogEntry](d, "catalog", "list", "--state", "test")
	require.Equal(t, []answererEntry{{"vn", "G01/registry-sample"}}, listed[0].Providers)
	state := []string{"catalog", "state", catalogtest.Service}
	d.refused(exitUsage, "from test it can go to assessed, not to official", append(state, "official", "--yes")...)
	require.Contains(t, d.refused(exitUsage, "nothing was changed yet", append(state, "assessed", "--assessed", "2026-01-01")...), "assessed")
	require.Len(t, done[[]catalogEntry](d, "catalog", "list", "--state", "test"), 1, "it was only tried")
	d.must(append(state, "assessed", "--assessed", "2026-01-01", "--safety-level", "3", "--yes")...)
	changed := done[stateEntry](d, append(state, "official", "--yes")...)
	require.Equal(t, stateEntry{catalogtest.Service, standing{"assessed", 3, "2026-01-01"}, standing{"official", 3, "2026-01-01"}, true}, changed)
	require.Regexp(t, `sample.v1.PeopleService +G01 +official +3 +2026-01-01 +vn G01/registry-sample +3`, d.must("catalog", "list"))
	d.must(append(state, "official")...)

	out = d.refused(exitUsage, "add --yes", "catalog", "publish", "-f", file, "--jurisdiction", "42", "--system", "people-42")
	require.Regexp(t, `added +provider +42 +G01/people-42`, out)
	require.NotContains(t, out, "removed", "the other providers stay")
}

func TestAContractThatBreaksAgreementsIsRefusedWithTheirList(t *testing.T) {
	d := newDesk(t)
	d.sample()
	d.agree()
	file := d.descriptors("broken.binpb", func(f *descriptorpb.FileDescriptorProto) {
		person := f.MessageType[2]
		person.Field = append(person.Field[:2], person.Field[3:]...)
	})
	for _, more := range [][]string{nil, {"--yes"}} {
		args := append([]string{"catalog", "publish", "-f", file}, more...)
		out := d.refused(exitFailed, "breaks agreements (1)", args...)
		require.Regexp(t, `H27-G01 +GetPerson +person.birth_date +it is not there any more`, out)
		code, out, _ := d.run(append(args, "--json")...)
		require.Equal(t, exitFailed, code)
		entry := decoded[publishEntry](t, out)
		require.Equal(t, []catalog.Break{{Agreement: "H27-G01", Method: "GetPerson", Field: "person.birth_date", What: "it is not there any more"}}, entry.Breaks)
	}
	shown := done[shownService](d, "catalog", "show", catalogtest.Service)
	require.Equal(t, "H27-G01", shown.Agreements[0].ID)
	require.Equal(t, "active", shown.Agreements[0].State)
	require.Equal(t, []string{"GetPerson", "RegisterParcel"}, shown.Agreements[0].Methods)
	out := d.must("catalog", "show", catalogtest.Service)
	require.Regexp(t, `person.religion +sensitive`, out, "nothing of it was published")
	require.Regexp(t, `person.birth_date +basic`, out)
	require.Regexp(t, `H27-G01 +3 +active +H27/one-stop,suspended,auditor +G01`, out)
	require.Contains(t, out, "purpose, case, officer")
}

func TestAPublicationThatIsWrongSaysWhatToDo(t *testing.T) {
	d := newDesk(t)
	d.sample()
	file, other := d.descriptors("sample.binpb", asItIs), d.descriptors("other.binpb", renamed("other"))
	noise := d.write("noise.binpb", []byte("\xff\x1b[31mnoise"))
	hostile := d.descriptors("hostile.binpb", func(f *descriptorpb.FileDescriptorProto) { f.Service[0].Name = proto.String("x\x1b[31m") })
	two := d.descriptors("two.binpb", func(f *descriptorpb.FileDescriptorProto) {
		more := proto.CloneOf(f.Service[0])
		more.Name = proto.String("MoreService")
		f.Service = append(f.Service, more)
	})
	claims := d.write("claims.yaml", []byte(strings.Replace(catalogtest.Offer, "sample", "other", 1)+"items:\n  - {item: person.birth_date, field: Person.birth_date}\n"))
	for _, c := range []struct{ args, want string }{
		{"-f " + noise, "not a FileDescriptorSet"},
		{"-f " + hostile, `is no service's full name`},
		{"-f " + hostile + " --service sample.v1.PeopleService", `x\x1b[31m`},
		{"-f " + two, "have 2 services"},
		{"-f " + file + " --service a.B", `do not describe service "a.B"; they have: ["sample.v1.PeopleService"]`},
		{"-f " + file + " --owner H27", "belongs to another agency: G01"},
		{"-f " + file + " --system x", "--system without --jurisdiction"},
		{"-f " + file + " --jurisdiction 02", `jurisdiction "02" is not known`},
		{"-f " + file + " --jurisdiction 42 --system X/Y", "is no agency's system"},
		{"-f " + other, "needs --owner"},
		{"-f " + other + " --owner G01", "needs --jurisdiction"},
		{"-f " + other + " --owner G99.99 --jurisdiction vn", "no such agency"},
		{"-f " + other + " --owner \x1b[31m --jurisdiction vn", "is no agency's system"},
		{"-f " + other + " --owner G01 --jurisdiction 42", "no provider has jurisdiction vn"},
		{"-f " + other + " --offer " + claims, "copy: true"},
		{"-f " + other + " --offer " + claims + " --owner G01", "leave one out"},
		{"-f " + file + " --offer " + noise, "noise.binpb"},
		{"-f " + filepath.Join(d.dir, "none"), "no such file"},
	} {
		d.refused(exitUsage, c.want, append(strings.Split("catalog publish "+c.args, " "), "--yes")...)
	}
	require.Len(t, done[[]catalogEntry](d, "catalog", "list"), 1)
}

func TestItemsHaveOneSourceAndDeclaredCopies(t *testing.T) {
	d := newDesk(t)
	d.sample()
	offer := d.write("other.yaml", []byte(strings.Replace(catalogtest.Offer, "sample", "other", 1)+
		"items:\n  - {item: person.birth_date, field: Person.birth_date, copy: true}\n  - {item: parcel.area, field: Parcel.area}\n"))
	d.must("catalog", "publish", "-f", d.descriptors("other.binpb", renamed("other")), "--offer", offer, "--yes")
	const other = "other.v1.PeopleService"
	require.Equal(t, []itemEntry{
		{"parcel.area", other, "Parcel.area", "G01", []copyEntry{}},
		{"person.birth_date", catalogtest.Service, "Person.birth_date", "G01", []copyEntry{{other, "Person.birth_date"}}},
	}, done[[]itemEntry](d, "catalog", "items"))
	require.Regexp(t, `person.birth_date +sample.v1.PeopleService +Person.birth_date +G01 +other.v1.PeopleService Person.birth_date`, d.must("catalog", "items"))
	require.Len(t, done[[]itemEntry](d, "catalog", "items", "--service", catalogtest.Service), 1)
	d.refused(exitUsage, "no such service", "catalog", "items", "--service", "a.B")
	d.refused(exitUsage, "is no service's full name", "catalog", "items", "--service", "\x1b[31m")
}

func TestAStopIsAnnouncedAndCancelled(t *testing.T) {
	d, until := newDesk(t), tomorrow()
	d.sample()
	stop := []string{"catalog", "stop", catalogtest.Service}
	planned := append(stop, "--from", "2099-12-10 22:00", "--until", "2099-12-11", "--jurisdiction", "42", "--text", "new disks")
	out := d.refused(exitUsage, "nothing was announced yet", planned...)
	require.Regexp(t, `42 +2099-12-10 22:00 +2099-12-12 00:00 +planned +new disks`, out)
	require.Empty(t, done[shownService](d, "catalog", "show", catalogtest.Service).Stops)
	announced := done[stopOf](d, append(planned, "--yes")...)
	require.EqualValues(t, 1, announced.Number)
	done[stopOf](d, append(stop, "--until", "2099-01-01T00:00:00+07:00", "--from", "2098-12-30", "--yes")...)
	require.Contains(t, d.must("catalog", "list"), "official")
	d.must(append(stop, "--force-majeure", "--text", "flood", "--from", "1h", "--until", until, "--yes")...)
	require.Contains(t, d.must("catalog", "list"), "stopped until "+until)
	require.Regexp(t, `\* .* force majeure +flood`, d.must("catalog", "show", catalogtest.Service))

	cancel := []string{"catalog", "cancel-stop", "1"}
	require.Contains(t, d.refused(exitUsage, "nothing was cancelled yet", cancel...), "new disks")
	require.Len(t, done[shownService](d, "catalog", "show", catalogtest.Service).Stops, 3)
	require.Equal(t, catalogtest.Service, done[stopOf](d, append(cancel, "--yes")...).Service)
	require.Len(t, done[shownService](d, "catalog", "show", catalogtest.Service).Stops, 2)
	d.refused(exitUsage, "no stop has number 1", append(cancel, "--yes")...)
	d.refused(exitUsage, "number", "catalog", "cancel-stop", "x", "--yes")

	for _, c := range []struct {
		want string
		args []string
	}{
		{"--from is missing", []string{"--until", "2099-12-11"}},
		{"--until", []string{"--from", "2099-12-11"}},
		{"--from: \"soon\" is no point in time", []string{"--from", "soon", "--until", "2099-12-11"}},
		{"ends before it begins", []string{"--from", "2099-12-12", "--until", "2099-12-10"}},
		{"7 working days", []string{"--from", tomorrow(), "--until", minute(time.Now().Add(48 * time.Hour))}},
		{"longer than", []string{"--from", "2099-01-01", "--until", "2099-12-10"}},
		{"nobody answers for jurisdiction", []string{"--from", "2099-12-10", "--until", "2099-12-10", "--jurisdiction", "08"}},
		{"needs a text", []string{"--until", tomorrow(), "--force-majeure"}},
		{"do not show", []string{"--from", "2099-12-10", "--until", "2099-12-10", "--text", "\x1b[31m"}},
	} {
		d.refused(exitUsage, c.want, append(append(stop, c.args...), "--yes")...)
	}
}

func TestHostileAndUnknownServicesAreRefused(t *testing.T) {
	d := newDesk(t)
	for _, name := range []string{"a.B", "\x1b[31mred", "../../etc/passwd", "a b", "'; DROP TABLE service; --", strings.Repeat("x.", 5000)} {
		want := "is no service's full name"
		if name == "a.B" {
			want = "no such service"
		}
		d.refused(exitUsage, want, "catalog", "show", name)
		d.refused(exitUsage, want, "catalog", "state", "--yes", name, "suspended")
		d.refused(exitUsage, want, "catalog", "stop", "--from", "2099-12-10", "--until", "2099-12-10", "--yes", name)
	}
	d.refused(exitUsage, `state "\x1b[31m"`, "catalog", "state", "a.B", "\x1b[31m")
	d.refused(exitUsage, "expected test", "catalog", "list", "--state", "ready")
	d.refused(exitUsage, "catalog", "catalog", "list", "\x1b[31m")
	none := &desk{t, t.TempDir()}
	none.refused(exitFailed, "lienthong up", "catalog", "list")
}

// tomorrow is a moment a day from now, as it is given and shown.
func tomorrow() string { return minute(time.Now().Add(24 * time.Hour)) }

func decoded[T any](t *testing.T, out string) (v T) {
	t.Helper()
	require.NoError(t, json.Unmarshal([]byte(out), &v), out)
	return v
}
