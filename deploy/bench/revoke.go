package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"

	"github.com/lienthong/lienthong/deploy/bench/figures"
	"github.com/lienthong/lienthong/deploy/parts"
	"github.com/lienthong/lienthong/gateway/client"
	"github.com/lienthong/lienthong/proto/peer"
	populationv1 "github.com/lienthong/lienthong/proto/registry/population/v1"
)

// How revocation is measured.
const (
	loadRate      = 300                    // calls a second at the two gateways together, beside the one that is revoked
	revokePeople  = 2000                   // of the nation
	askEvery      = 500 * time.Microsecond // between two calls of the one that is revoked, at each gateway
	turnWithin    = 10 * time.Second       // that a change may take at most
	slowRounds    = 10                     // with the bell lost: each takes about a second
	goalRung      = 100.0                  // ms, p99
	goalUnrung    = 2000.0                 // ms, max
	secondGateway = "gateway-2"
)

// The one that is revoked, and by whom; none of the load is theirs.
const (
	victim   = "G24/claims"
	contract = "G24-G01-population"
)

// revokeReport is what the run found.
type revokeReport struct {
	Machine figures.Machine `json:"machine"`
	When    time.Time       `json:"when"`
	Load    float64         `json:"load_calls_per_second"`
	Rows    []revokeRow     `json:"rows"`
	Goals   figures.Goals   `json:"goals"`
}

// revokeRow is how long it took from a command until both gateways refused, in ms.
type revokeRow struct {
	What   string  `json:"what"`
	Rounds int     `json:"rounds"`
	P50    float64 `json:"p50_ms"`
	P99    float64 `json:"p99_ms"`
	Max    float64 `json:"max_ms"`
}

// revoking is a hub with two gateways, each a process, under load.
type revoking struct {
	*bench
	dir       parts.Dir
	people    []question // that the load is about
	about     somebody   // whom the one that is revoked asks about
	addresses [2]string  // of the gateways
	asked     atomic.Int64
	failed    atomic.Int64
}

// runRevoke measures how long a suspended agreement, and a revoked certificate, are still served.
func runRevoke(ctx context.Context, opt *options) error {
	work, err := os.MkdirTemp(opt.Work, "revoke-")
	if err != nil {
		return err
	}
	if !opt.Keep {
		defer os.RemoveAll(work)
	}
	tools, err := filepath.Abs(opt.Tools)
	if err != nil {
		return err
	}
	opt.Population = revokePeople
	r := &revoking{bench: &bench{opt: opt, tools: tools, dir: work}, dir: parts.Dir(filepath.Join(work, "hub"))}
	first, ready, err := r.startHub(ctx, "hub", string(r.dir))
	if err != nil {
		return err
	}
	defer first.stop()
	if r.people, err = r.samplePeople(ctx, string(r.dir)); err != nil {
		return err
	}
	var one []somebody
	if err := r.sample(ctx, string(r.dir), 1, &one); err != nil {
		return err
	}
	r.about, r.addresses[0] = one[0], ready.Addresses["grpc"]
	second, err := r.startSecond(ctx, ready.Addresses["nats"])
	if err != nil {
		return err
	}
	defer second.stop()
	report, err := r.measure(ctx, opt.Revocations)
	if err != nil {
		return err
	}
	report.print()
	out := opt.out("bench-revoke.json")
	say("figures written to %s", out)
	return figures.Write(out, report)
}

// startSecond starts another gateway on the same state and bus.
func (r *revoking) startSecond(ctx context.Context, nats string) (*process, error) {
	address, err := freeAddress()
	if err != nil {
		return nil, err
	}
	r.addresses[1] = address
	p, err := startProcess(secondGateway, filepath.Join(r.bench.dir, secondGateway+".log"), filepath.Join(r.tools, "lienthong"), "gateway",
		"--dir", string(r.dir), "--name", secondGateway, "--nats", nats, "--grpc", address, "--http", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	conn, err := r.dial(1, victim)
	if err == nil {
		defer conn.Close()
		err = p.until(ctx, time.Minute, func() bool {
			why, err := r.ask(ctx, conn)
			return why == "" && err == nil
		})
	}
	if err != nil {
		p.stop()
		return nil, err
	}
	return p, nil
}

// dial opens a connection to one of the gateways.
func (r *revoking) dial(gateway int, as string) (*grpc.ClientConn, error) {
	id, err := peer.ParseID(as)
	if err != nil {
		return nil, err
	}
	identity, err := r.dir.LoadIdentity(id)
	if err != nil {
		return nil, err
	}
	which := client.Gateway
	if gateway == 1 {
		which.System = secondGateway
	}
	return client.DialGateway(r.addresses[gateway], identity, which)
}

// ask asks about somebody as the one that is revoked, and returns the reason of a refusal; empty: it was answered.
func (r *revoking) ask(ctx context.Context, conn *grpc.ClientConn) (string, error) {
	ctx, cancel := context.WithTimeout(client.With(ctx, client.Words{Purpose: "BHXH-CD", Case: "G24-bench", Officer: "bench"}), turnWithin)
	defer cancel()
	_, err := populationv1.NewPopulationServiceClient(conn).GetPerson(ctx, &populationv1.GetPersonRequest{
		PersonalId: r.about.PersonalID, FullName: r.about.FullName, BirthDate: r.about.BirthDate,
	})
	if err == nil {
		return "", nil
	}
	if refusal := client.RefusalOf(err); refusal.Reason != "" {
		return refusal.Reason, nil
	}
	return "", err
}

// measure runs the rounds, under load.
func (r *revoking) measure(ctx context.Context, rounds int) (*revokeReport, error) {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	var loading sync.WaitGroup
	defer loading.Wait()
	defer stop()
	began := time.Now()
	for gateway := range r.addresses {
		if err := r.load(ctx, &loading, gateway); err != nil {
			return nil, err
		}
	}
	report := &revokeReport{Machine: figures.Describe(), When: began}
	for _, what := range []struct {
		name   string
		rounds int
		round  func(context.Context) (time.Duration, error)
	}{
		{"suspend an agreement", rounds, r.suspend},
		{"revoke a certificate", rounds, r.revoke},
		{"revoke a certificate, bell lost", slowRounds, r.revokeUnheard},
	} {
		say("%s, %d times", what.name, what.rounds)
		took := make([]time.Duration, 0, what.rounds)
		for range what.rounds {
			d, err := what.round(ctx)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", what.name, err)
			}
			took = append(took, d)
		}
		report.Rows = append(report.Rows, rowOf(what.name, took))
	}
	report.Load = float64(r.asked.Load()) / time.Since(began).Seconds()
	if failed := r.failed.Load(); failed > 0 {
		return nil, fmt.Errorf("%d calls of the load failed, of %d", failed, r.asked.Load())
	}
	report.Goals.AtMost("p99 from a suspension to its refusal, ms", report.Rows[0].P99, goalRung)
	report.Goals.AtMost("p99 from a revocation to its refusal, ms", report.Rows[1].P99, goalRung)
	report.Goals.AtMost("the slowest with the bell lost, ms", report.Rows[2].Max, goalUnrung)
	return report, nil
}
