package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"sync"
	"text/tabwriter"
	"time"

	"google.golang.org/grpc"

	"github.com/lienthong/lienthong/gateway/client"
	"github.com/lienthong/lienthong/gateway/member"
	"github.com/lienthong/lienthong/gateway/member/authority"
	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
	"github.com/lienthong/lienthong/proto/peer"
	populationv1 "github.com/lienthong/lienthong/proto/registry/population/v1"
)

// load asks one gateway at half the load's rate until ctx ends.
func (r *revoking) load(ctx context.Context, wait *sync.WaitGroup, gateway int) error {
	conn, err := r.dial(gateway, "H27/one-stop")
	if err != nil {
		return err
	}
	population := populationv1.NewPopulationServiceClient(conn)
	calls := make(chan int, loadRate)
	for range 8 {
		wait.Go(func() {
			for i := range calls {
				_, err := population.GetResidence(client.With(context.WithoutCancel(ctx), words),
					&populationv1.GetResidenceRequest{PersonalId: r.people[i%len(r.people)].PersonalID})
				r.asked.Add(1)
				if err != nil {
					r.failed.Add(1)
				}
			}
		})
	}
	wait.Go(func() {
		defer close(calls)
		tick := time.NewTicker(time.Second * 2 / loadRate)
		defer tick.Stop()
		for i := 0; ; i++ {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
			select {
			case calls <- i:
			default: // the hub is behind: more would only wait
			}
		}
	})
	context.AfterFunc(ctx, func() { time.AfterFunc(turnWithin, func() { _ = conn.Close() }) })
	return nil
}

// suspend suspends the agreement and says how long it was still served; then it is put in force again.
func (r *revoking) suspend(ctx context.Context) (time.Duration, error) {
	conn, err := r.dial(0, steward.String())
	if err != nil {
		return 0, err
	}
	defer conn.Close()
	agreements := hubv1.NewAgreementServiceClient(conn)
	took, err := r.turn(ctx, "AGREEMENT_SUSPENDED", func() error {
		_, err := agreements.SuspendAgreement(ctx, &hubv1.SuspendAgreementRequest{Id: contract, Reason: "measured"})
		return err
	})
	if err != nil {
		return 0, err
	}
	if _, err := agreements.ResumeAgreement(ctx, &hubv1.ResumeAgreementRequest{Id: contract, Reason: "measured"}); err != nil {
		return 0, err
	}
	return took, r.served(ctx)
}

// revoke revokes the certificates of the victim, as a command on the hub's machine does, and issues a new one.
func (r *revoking) revoke(ctx context.Context) (time.Duration, error) {
	return r.revokeBy(ctx, func() error { return r.dir.Ring(ctx, 0) })
}

// revokeUnheard is revoke without the bell.
func (r *revoking) revokeUnheard(ctx context.Context) (time.Duration, error) {
	return r.revokeBy(ctx, func() error { return nil })
}

func (r *revoking) revokeBy(ctx context.Context, ring func() error) (time.Duration, error) {
	db, err := r.dir.OpenState(ctx)
	if err != nil {
		return 0, err
	}
	defer db.Close()
	ca, err := authority.Open(string(r.dir), db)
	if err != nil {
		return 0, err
	}
	took, err := r.turn(ctx, "CERTIFICATE_REVOKED", func() error {
		_, err := ca.Revoke(victim)
		return errors.Join(err, ring())
	})
	if err != nil {
		return 0, err
	}
	id, err := peer.ParseID(victim)
	if err != nil {
		return 0, err
	}
	if _, err := ca.Issue(authority.Order{ID: id, Roles: member.Consumer}); err != nil {
		return 0, err
	}
	return took, errors.Join(r.dir.Ring(ctx, 0), r.served(ctx))
}

// turn asks both gateways without pause, on connections that are open, gives the command, and says how long after it
// was given the slower of the two first refused.
func (r *revoking) turn(ctx context.Context, want string, command func() error) (time.Duration, error) {
	var wait sync.WaitGroup
	var refused [2]time.Time
	var errs [2]error
	asking := make(chan struct{}, len(r.addresses))
	for gateway := range r.addresses {
		conn, err := r.dial(gateway, victim)
		if err != nil {
			return 0, err
		}
		defer conn.Close()
		if why, err := r.ask(ctx, conn); err != nil || why != "" {
			return 0, fmt.Errorf("it is refused already: %s %w", why, err)
		}
		wait.Go(func() { refused[gateway], errs[gateway] = r.untilRefused(ctx, conn, want, asking) })
	}
	for range r.addresses {
		<-asking
	}
	given := time.Now()
	err := command()
	wait.Wait()
	if err = errors.Join(err, errs[0], errs[1]); err != nil {
		return 0, err
	}
	return max(refused[0].Sub(given), refused[1].Sub(given)), nil
}

// untilRefused asks until it is refused, and says when that call had been sent: it may not be served any more.
func (r *revoking) untilRefused(ctx context.Context, conn *grpc.ClientConn, want string, asking chan<- struct{}) (time.Time, error) {
	limit := time.Now().Add(turnWithin)
	for first := true; ; first = false {
		why, err := r.ask(ctx, conn)
		now := time.Now()
		switch {
		case err != nil:
			return now, err
		case why == want:
			return now, nil
		case why != "":
			return now, fmt.Errorf("refused for %s, not %s", why, want)
		case now.After(limit):
			return now, fmt.Errorf("still served after %v", turnWithin)
		}
		if first {
			asking <- struct{}{}
		}
		time.Sleep(askEvery)
	}
}

// served waits until both gateways answer again.
func (r *revoking) served(ctx context.Context) error {
	for gateway := range r.addresses {
		conn, err := r.dial(gateway, victim)
		if err != nil {
			return err
		}
		defer conn.Close()
		limit := time.Now().Add(turnWithin)
		for {
			why, err := r.ask(ctx, conn)
			if err == nil && why == "" {
				break
			}
			if time.Now().After(limit) {
				return fmt.Errorf("not served again after %v: %s %w", turnWithin, why, err)
			}
			time.Sleep(askEvery)
		}
	}
	return nil
}

func rowOf(what string, took []time.Duration) revokeRow {
	slices.Sort(took)
	ms := func(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
	return revokeRow{
		What: what, Rounds: len(took),
		P50: ms(took[len(took)/2]), P99: ms(took[min(len(took)-1, len(took)*99/100)]), Max: ms(took[len(took)-1]),
	}
}

func (rep *revokeReport) print() {
	fmt.Printf("%s\n%.0f calls/s at two gateways meanwhile\n\n", rep.Machine, rep.Load)
	w := tabwriter.NewWriter(os.Stdout, 0, 4, 2, ' ', 0)
	fmt.Fprintln(w, "FROM COMMAND TO REFUSAL AT BOTH\tROUNDS\tP50 MS\tP99 MS\tMAX MS")
	for _, row := range rep.Rows {
		fmt.Fprintf(w, "%s\t%d\t%.1f\t%.1f\t%.1f\n", row.What, row.Rounds, row.P50, row.P99, row.Max)
	}
	_ = w.Flush()
	fmt.Println()
	rep.Goals.Print(os.Stdout)
}
