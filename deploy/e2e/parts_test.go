package e2e_test

import (
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/stretchr/testify/require"

	"github.com/lienthong/lienthong/gateway/client"
)

// external is a NATS server outside the hub, run with the configuration that the hub writes.
type external struct {
	dir, address string
	server       *server.Server
}

func (e *external) url() string { return "nats://" + e.address }

func (e *external) start(t *testing.T) {
	t.Helper()
	opts, err := server.ProcessConfigFile(filepath.Join(e.dir, "nats", "nats.conf"))
	require.NoError(t, err)
	host, port, err := net.SplitHostPort(e.address)
	require.NoError(t, err)
	opts.Host, opts.NoSigs, opts.NoLog = host, true, true
	opts.Port, err = strconv.Atoi(port)
	require.NoError(t, err)
	e.server, err = server.NewServer(opts)
	require.NoError(t, err)
	e.server.Start()
	require.True(t, e.server.ReadyForConnections(patience))
	t.Cleanup(e.stop)
}

func (e *external) stop() {
	e.server.Shutdown()
	e.server.WaitForShutdown()
}

// country is a gateway and two copies of the population registry, each a process, on an external NATS server.
type country struct {
	*hub
	bus     *external
	gateway part
	copies  [2]*process
}

// startCountry starts the parts in an order that makes each wait for another: the gateway before there is a bus, and
// both copies at once on an empty directory.
func startCountry(t *testing.T) *country {
	t.Helper()
	c := &country{hub: &hub{dir: t.TempDir()}}
	c.bus = &external{dir: c.dir, address: freeAddress(t)}
	c.process, c.gateway = startPart(t, "gateway", "--dir", c.dir, "--nats", c.bus.url(), "--grpc", "127.0.0.1:0", "--http", "127.0.0.1:0")
	for i := range c.copies {
		c.copies[i] = start(t, "registry", "population", "--dir", c.dir, "--nats", c.bus.url(), "--population", people)
	}
	c.bus.start(t)
	for _, one := range c.copies {
		eventually(t, func() bool { return strings.Contains(one.out.String(), "population: bus") }, "a copy does not run")
	}
	return c
}

func TestCopiesOfARegistryThatStartTogetherFillItOnce(t *testing.T) {
	c := startCountry(t)
	said := c.copies[0].err.String() + c.copies[1].err.String()
	require.Equal(t, 1, strings.Count(said, `msg="registry filled"`))
	r := c.copies[0]
	r.signal(syscall.SIGTERM)
	require.Zero(t, r.code(t), r.err.String())
	c.answers(t)
}

// answers waits until the country answers.
func (c *country) answers(t *testing.T) {
	t.Helper()
	eventually(t, func() bool {
		return lienthong(t, "query", "registry."+residence, "personal_id=040094997317", "--purpose", "CT-TT", "--case", "E2E-1",
			"--addr", c.gateway.GRPC, "--dir", c.dir).code == 0
	}, "nobody answers")
}

func TestKillingOneCopyUnderLoadLosesOnlyWhatWasInFlightThere(t *testing.T) {
	c := startCountry(t)
	c.answers(t)
	l := startLoad(t, dial(t, c.dir, "H27/one-stop", client.Gateway, c.gateway.GRPC))
	began := time.Now()
	eventually(t, func() bool { return l.answered(began) > 200 }, "there is no load")
	killed := time.Now()
	c.copies[0].kill()
	gone := time.Now()
	eventually(t, func() bool { return l.answered(gone) > 400 }, "the other copy does not answer")
	all := l.end()

	failed := 0
	for _, o := range all {
		if o.err == nil {
			continue
		}
		failed++
		require.False(t, o.ended.Before(killed), "failed before anything happened: %v", o.err)
		require.False(t, o.began.After(gone.Add(500*time.Millisecond)), "failed long after: %v", o.err)
		require.Equal(t, "DEADLINE_EXCEEDED", o.reason, o.err)
	}
	require.LessOrEqual(t, failed, callers, "of %d calls", len(all))
	t.Logf("%d calls, %d lost", len(all), failed)
}

func TestABusThatWentAndCameBackIsSaidAndMendsItself(t *testing.T) {
	c := startCountry(t)
	c.answers(t)
	l := startLoad(t, dial(t, c.dir, "H27/one-stop", client.Gateway, c.gateway.GRPC))
	began := time.Now()
	eventually(t, func() bool { return l.answered(began) > 50 }, "there is no load")
	stopped := time.Now()
	c.bus.stop()
	eventually(t, func() bool { return time.Since(stopped) > soon }, "")
	c.bus.start(t)
	back := time.Now()
	eventually(t, func() bool { return l.answered(back) > 200 }, "it does not mend itself")

	reasons := map[string]int{}
	for _, o := range l.end() {
		if o.err != nil {
			reasons[o.reason]++
			require.False(t, o.ended.Before(stopped), "failed before anything happened: %v", o.err)
			require.Contains(t, []string{"BUS_OFFLINE", "REGISTRY_OFFLINE", "DEADLINE_EXCEEDED"}, o.reason, o.err)
		}
	}
	require.NotEmpty(t, reasons)
	t.Logf("failures: %v", reasons)
	require.Contains(t, get(t, "http://"+c.gateway.HTTP+"/healthz"), "")
	for _, one := range c.copies {
		require.True(t, one.running())
	}
}

func TestAGatewayThatIsToldToStopFinishesWhatItBegan(t *testing.T) {
	c := startCountry(t)
	c.answers(t)
	l := startLoad(t, dial(t, c.dir, "H27/one-stop", client.Gateway, c.gateway.GRPC))
	began := time.Now()
	eventually(t, func() bool { return l.answered(began) > 200 }, "there is no load")
	told := time.Now()
	c.signal(syscall.SIGTERM)
	require.Zero(t, c.code(t), c.err.String())
	kept := recorded(t, c.dir)
	for _, o := range l.end() {
		if o.err == nil {
			require.True(t, kept[o.exchange], "answered but not recorded: %s", o.exchange)
			continue
		}
		require.False(t, o.began.Before(told), "begun before it was told to stop, and lost: %v", o.err)
	}
}

func TestAnotherHubsBusIsRefusedAndAskedAgain(t *testing.T) {
	c := startCountry(t)
	c.answers(t)
	other := &external{dir: t.TempDir(), address: c.bus.address}
	p := start(t, "gateway", "--dir", other.dir, "--nats", c.bus.url(), "--grpc", "127.0.0.1:0", "--http", "127.0.0.1:0")
	eventually(t, func() bool {
		_, err := os.Stat(filepath.Join(other.dir, "nats", "nats.conf"))
		return err == nil
	}, "it has no configuration")
	c.bus.stop()
	other.start(t) // knows none of the country's credentials
	<-time.After(soon)
	other.stop()
	require.True(t, p.running())
	c.bus.start(t)
	c.answers(t)
}
