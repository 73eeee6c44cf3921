package main

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/lienthong/lienthong/deploy/parts"
	"github.com/lienthong/lienthong/gateway/client"
	"github.com/lienthong/lienthong/proto/peer"
)

// Who asks, and who answers. The registry answers systems of its own agency only; the hub and the proxies take the desk.
var (
	desk    = peer.ID{Agency: "H27", System: "one-stop"}
	steward = peer.ID{Agency: "G01", System: "steward"}
)

// Who answers, besides the gateway.
var (
	registryID = peer.ID{Agency: "G01", System: "registry-population"}
	front      = peer.ID{Agency: "G01", System: "bench-proxy"} // the proxies, to both sides
)

// path is one way to the population registry.
type path struct {
	name    string
	address string
	dir     parts.Dir // whose authority both sides trust
	asker   peer.ID
	server  peer.ID    // who answers there
	servers []*process // all that works for a call

	warm  time.Duration // how long it is asked before it is measured
	quiet time.Duration // how long the servers idle before they have surely finished with the last calls
}

// followers is longer than the transparency log rests between two looks at the journal.
const followers = 1200 * time.Millisecond

// slowestToSettle bounds how long a path is waited for.
const slowestToSettle = 10 * time.Second

// settle waits until the servers have finished what the last calls left them to do, such as adding the records to the
// index: it belongs to these calls, and would disturb the next measurement.
func (p *path) settle(ctx context.Context) error {
	const look = 100 * time.Millisecond
	before, idle := p.usage().cpu, time.Duration(0)
	for began := time.Now(); idle < p.quiet && time.Since(began) < slowestToSettle; {
		select {
		case <-time.After(look):
		case <-ctx.Done():
			return ctx.Err()
		}
		now := p.usage().cpu
		if idle += look; now-before > look/10 {
			idle = 0
		}
		before = now
	}
	return nil
}

// usage adds up the servers of the path.
func (p *path) usage() usage {
	var sum usage
	for _, s := range p.servers {
		u := s.usage()
		sum.cpu += u.cpu
		sum.resident += u.resident
	}
	return sum
}

// servers are all that runs. Close it, also when opening failed half-way.
type servers struct {
	paths   []*path
	started []*process
}

func (s *servers) close() {
	for i := len(s.started) - 1; i >= 0; i-- {
		s.started[i].stop()
	}
}

func (s *servers) names() string {
	var names []string
	for _, p := range s.paths {
		names = append(names, p.name)
	}
	return strings.Join(names, ", ")
}

// describe says where each path is and as whom it is asked.
func (s *servers) describe() {
	for _, p := range s.paths {
		say("%s: %s --cacert %s --cert %s --key %s", p.name, p.address, p.dir.CA(), p.dir.Certificate(p.asker), p.dir.Key(p.asker))
		for _, server := range p.servers {
			say("  %s is process %d", server.name, server.cmd.Process.Pid)
		}
	}
	say("Ctrl-C stops them")
}

// openServers starts the registry with the proxies before it, and the hubs, each from a directory of its own.
func (b *bench) openServers(ctx context.Context) (*servers, error) {
	s := new(servers)
	if b.opt.wants("direct") || b.opt.wants("nginx") || b.opt.wants("haproxy") {
		dir, err := b.copyNation(ctx, "registry")
		if err == nil {
			err = b.openRegistry(ctx, s, parts.Dir(dir))
		}
		if err != nil {
			return s, err
		}
	}
	for _, name := range ledgersInMemory {
		if !b.opt.wants(name) {
			continue
		}
		dir, err := b.copyNation(ctx, name)
		if err == nil {
			err = b.openHub(ctx, s, name, dir, "--ledger", filepath.Join(b.memory, name))
		}
		if err == nil && name == withMany {
			err = addMany(ctx, s.paths[len(s.paths)-1])
		}
		if err != nil {
			return s, err
		}
	}
	if b.opt.wants("hub") { // last: no directory is copied while it is open
		return s, b.openHub(ctx, s, "hub", b.hubDir())
	}
	return s, nil
}

// openHub starts a hub as the path of this name.
func (b *bench) openHub(ctx context.Context, s *servers, name, dir string, flags ...string) error {
	hub, ready, err := b.startHub(ctx, name, dir, flags...)
	if err != nil {
		return err
	}
	s.started = append(s.started, hub)
	s.paths = append(s.paths, &path{
		name: name, address: ready.Addresses["grpc"], dir: parts.Dir(dir), asker: desk, server: client.Gateway,
		servers: []*process{hub}, warm: cmp.Or(warmUps[name], warmUp), quiet: followers,
	})
	return nil
}

// openRegistry starts the registry as an ordinary gRPC server, and the proxies.
func (b *bench) openRegistry(ctx context.Context, s *servers, dir parts.Dir) error {
	lienthong := filepath.Join(b.tools, "lienthong")
	issue := exec.CommandContext(ctx, lienthong, "identity", "issue", front.String(), "--dir", string(dir), "--hosts", "localhost")
	if out, err := issue.CombinedOutput(); err != nil {
		return fmt.Errorf("issue a certificate to the proxies: %w\n%s", err, out)
	}
	address, err := freeAddress()
	if err != nil {
		return err
	}
	registry, err := startProcess("registry", filepath.Join(b.dir, "registry.log"), lienthong, "registry", "population", "--dir", string(dir), "--listen", address)
	if err != nil {
		return err
	}
	s.started = append(s.started, registry)
	if err := registry.until(ctx, startLimit, func() bool { return listens(address) }); err != nil {
		return err
	}
	if b.opt.wants("direct") {
		s.paths = append(s.paths, &path{
			name: "direct", address: address, dir: dir, asker: steward, server: registryID, servers: []*process{registry}, warm: warmUp})
	}
	for _, kind := range proxies {
		if !b.opt.wants(kind.name) {
			continue
		}
		proxy, at, err := b.startProxy(ctx, kind, dir, address)
		if err != nil {
			return err
		}
		s.started = append(s.started, proxy)
		s.paths = append(s.paths, &path{
			name: kind.name, address: at, dir: dir, asker: desk, server: front, servers: []*process{registry, proxy}, warm: warmUp})
	}
	return nil
}

// startProxy writes a proxy's settings and runs it.
func (b *bench) startProxy(ctx context.Context, kind proxyKind, dir parts.Dir, registry string) (*process, string, error) {
	at, err := freeAddress()
	if err != nil {
		return nil, "", err
	}
	home, err := filepath.Abs(filepath.Join(b.dir, kind.name))
	if err != nil {
		return nil, "", err
	}
	if err := os.Mkdir(home, 0o755); err != nil {
		return nil, "", err
	}
	argv, err := kind.prepare(home, dir, at, registry)
	if err != nil {
		return nil, "", fmt.Errorf("settings of %s: %w", kind.name, err)
	}
	proxy, err := startProcess(kind.name, filepath.Join(b.dir, kind.name+".log"), argv...)
	if err != nil {
		return nil, "", err
	}
	if err := proxy.until(ctx, startLimit, func() bool { return listens(at) }); err != nil {
		proxy.stop()
		return nil, "", err
	}
	return proxy, at, nil
}
