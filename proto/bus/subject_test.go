package bus_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lienthong/lienthong/proto/bus"
)

const (
	people    = "registry.population.v1.PopulationService"
	getPerson = people + "/GetPerson"
)

func TestSubjectsAreMadeOfRegisteredNames(t *testing.T) {
	call, err := bus.CallSubject("vn", getPerson, "Ab3")
	require.NoError(t, err)
	require.Equal(t, "lt.call.vn.registry.population.v1.PopulationService.GetPerson.Ab3", call)
	key, err := bus.KeySubject("42", people)
	require.NoError(t, err)
	require.Equal(t, "lt.key.42.registry.population.v1.PopulationService", key)
	cancel, err := bus.CancelSubject("vn", people, "Ab3")
	require.NoError(t, err)
	require.Equal(t, "lt.call.vn.registry.population.v1.PopulationService._cancel.Ab3", cancel)
	calls, err := bus.ServiceCalls("vn", people)
	require.NoError(t, err)
	for _, subject := range []string{call, cancel} {
		require.True(t, matches(calls, subject), subject)
		require.True(t, matches(bus.AllCalls, subject), subject)
	}
	require.True(t, matches(bus.AllKeys, key))
}

func TestNamesThatCouldMeanMoreThanOneSubjectAreRefused(t *testing.T) {
	long := strings.Repeat("a", 64)
	for _, c := range []struct{ name, jurisdiction, method, instance string }{
		{"no service", "vn", "GetPerson", "i"},
		{"empty method", "vn", people + "/", "i"},
		{"empty service", "vn", "/GetPerson", "i"},
		{"empty jurisdiction", "", getPerson, "i"},
		{"empty instance", "vn", getPerson, ""},
		{"empty token in the service", "vn", "a..b/C", "i"},
		{"leading dot", "vn", ".a/C", "i"},
		{"trailing dot", "vn", "a./C", "i"},
		{"method of two tokens", "vn", "a/B.C", "i"},
		{"method after method", "vn", "a/B/C", "i"},
		{"jurisdiction of two tokens", "vn.42", getPerson, "i"},
		{"instance of two tokens", "vn", getPerson, "i.j"},
		{"star", "*", getPerson, "i"},
		{"greater", "vn", getPerson, ">"},
		{"star in the service", "vn", "a.*/B", "i"},
		{"space", "vn", "a/B C", "i"},
		{"carriage return", "vn", "a/B\r\nPUB x", "i"},
		{"zero", "vn", "a/B\x00", "i"},
		{"system", "$SRV", getPerson, "i"},
		{"Vietnamese", "vn", "a/TênNgười", "i"},
		{"what cancellations stand in for", "vn", "a/_cancel", "i"},
		{"long token", "vn", "a/" + long + "a", "i"},
		{"long subject", "vn", strings.Join([]string{long, long, long, long}, ".") + "/B", "i"},
	} {
		_, err := bus.CallSubject(c.jurisdiction, c.method, c.instance)
		require.ErrorIs(t, err, bus.ErrSubject, c.name)
	}
	_, err := bus.KeySubject("vn", "a.>")
	require.ErrorIs(t, err, bus.ErrSubject)
	_, err = bus.ServiceCalls("*", people)
	require.ErrorIs(t, err, bus.ErrSubject)
	_, err = bus.CancelSubject("vn", people, "*")
	require.ErrorIs(t, err, bus.ErrSubject)
}

func TestASubjectMayHave255BytesAndNoMore(t *testing.T) {
	service := strings.Repeat("a", 64) + "." + strings.Repeat("b", 64) + "." + strings.Repeat("c", 64)
	room := 255 - len("lt.call.vn.") - len(service) - len(".M.")
	longest, err := bus.CallSubject("vn", service+"/M", strings.Repeat("i", room))
	require.NoError(t, err)
	require.Len(t, longest, 255)
	_, err = bus.CallSubject("vn", service+"/M", strings.Repeat("i", room+1))
	require.ErrorIs(t, err, bus.ErrSubject)
}

func TestAServiceHearsNoCallsOfAnother(t *testing.T) {
	for _, c := range []struct{ mine, other string }{
		{"registry", "registry.population.v1.PopulationService"},
		{"registry.population", "registry.population.v1.PopulationService"},
		{"registry.population.v1", "registry.population.v1.PopulationService"},
		{"registry.population.v1.PopulationService", "registry.population.v1.PopulationService.Inner"},
	} {
		calls, err := bus.ServiceCalls("vn", c.mine)
		require.NoError(t, err)
		subject, err := bus.CallSubject("vn", c.other+"/Get", "i")
		require.NoError(t, err)
		require.False(t, matches(calls, subject), c.mine)
	}
}

// matches is NATS's rule for subjects.
func matches(pattern, subject string) bool {
	p, s := strings.Split(pattern, "."), strings.Split(subject, ".")
	for i, token := range p {
		if token == ">" {
			return len(s) > i
		}
		if i >= len(s) || token != "*" && token != s[i] {
			return false
		}
	}
	return len(p) == len(s)
}

func FuzzCallSubject(f *testing.F) {
	f.Add("vn", people, "GetPerson", "Ab3")
	f.Add("42", "a.b", "_cancel", "i")
	f.Add("*", "a..b", "C\r\n", ">")
	f.Fuzz(func(t *testing.T, jurisdiction, service, method, instance string) {
		subject, err := bus.CallSubject(jurisdiction, service+"/"+method, instance)
		if err != nil {
			require.ErrorIs(t, err, bus.ErrSubject)
			require.Empty(t, subject)
			return
		}
		require.LessOrEqual(t, len(subject), 255)
		require.False(t, strings.ContainsAny(subject, "*> \r\n\t\x00$/"), "%q", subject)
		require.NotContains(t, subject, "..")
		require.Equal(t, "lt.call."+jurisdiction+"."+service+"."+method+"."+instance, subject)
		calls, err := bus.ServiceCalls(jurisdiction, service)
		require.NoError(t, err)
		require.True(t, matches(calls, subject))
		cancel, err := bus.CancelSubject(jurisdiction, service, instance)
		if err == nil { // a cancel subject may be longer than the call's
			require.NotEqual(t, cancel, subject)
		}
	})
}
