package ledger

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"
	"google.golang.org/protobuf/proto"

	"github.com/lienthong/lienthong/gateway/ledger"
	"github.com/lienthong/lienthong/gateway/ledger/index"
	"github.com/lienthong/lienthong/gateway/ledger/ledgertest"
	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
)

// ask takes how long proofs, searches and citizens' lists take.
func (b *bench) ask(ctx context.Context) (err error) {
	c, err := b.chooser(ctx)
	if err != nil {
		return wrong("look at the ledger", err)
	}
	l, err := b.open(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, l.Close()) }()
	running, stop := context.WithCancel(ctx)
	tasks, running := errgroup.WithContext(running)
	tasks.Go(func() error { return l.Run(running) })
	tasks.Go(func() error {
		defer stop()
		return b.askAll(running, l, c)
	})
	return tasks.Wait()
}

// askAll asks a ledger that runs, when all of it can be found.
func (b *bench) askAll(ctx context.Context, l *ledger.Ledger, c *chooser) error {
	before := time.Now()
	if err := l.Index().Wait(ctx, l.Status().Records-1); err != nil {
		return wrong("index", err)
	}
	b.report.Opens = append(b.report.Opens, Opening{Name: "from there until all records are found", Seconds: time.Since(before).Seconds()})
	if err := b.prove(ctx, l); err != nil {
		return wrong("prove", err)
	}
	if err := b.search(ctx, l.Index(), c.searches()); err != nil {
		return err
	}
	return b.citizens(ctx, l.Index(), c)
}

// chooser reads a sample of the ledger.
func (b *bench) chooser(ctx context.Context) (*chooser, error) {
	reader, err := ledger.OpenStored(b.path())
	if err != nil {
		return nil, err
	}
	var sample []*hubv1.LedgerRecord
	made := uint64(b.cfg.Records)
	for _, seq := range append(positions(made, b.effort.sample), firstMade, firstMade+made-1) {
		entry, err := reader.Get(ctx, seq)
		if err != nil {
			return nil, err
		}
		record := new(hubv1.LedgerRecord)
		if err := proto.Unmarshal(entry.Payload, record); err != nil {
			return nil, err
		}
		sample = append(sample, record)
	}
	n := len(sample)
	return newChooser(sample[:n-2], sample[n-2].GetTime().AsTime(), sample[n-1].GetTime().AsTime()), nil
}

// firstMade is the position of the first generated record. Those before it say that the ledger was made.
const firstMade = 2

// prove makes proofs of random records, whole documents.
func (b *bench) prove(ctx context.Context, l *ledger.Ledger) error {
	var times []time.Duration
	for _, seq := range positions(uint64(b.cfg.Records), b.effort.proofs) {
		before := time.Now()
		if _, err := l.Prove(ctx, firstMade+seq); err != nil {
			return err
		}
		times = append(times, time.Since(before))
	}
	b.report.Lookups = append(b.report.Lookups, lookup(lookupProof, "proof.json", times))
	b.cfg.Say("proofs made")
	return nil
}

// search asks for the first page of each search, and again: the first time counts too.
func (b *bench) search(ctx context.Context, x *index.Index, all []search) error {
	type name struct {
		kind lookupKind
		name string
	}
	times := map[name][]time.Duration{}
	var names []name
	for _, s := range all {
		n := name{s.kind, s.name}
		if times[n] == nil {
			names = append(names, n)
		}
		for range b.effort.repeats {
			before := time.Now()
			page, err := x.Search(ctx, s.query)
			took := time.Since(before)
			if err == nil && s.hits && len(page.Hits) == 0 {
				err = errors.New("nothing was found, but there is something")
			}
			if err != nil {
				return fmt.Errorf("search by %s, %+v: %w", s.name, s.query, err)
			}
			times[n] = append(times[n], took)
		}
	}
	for _, n := range names {
		b.report.Lookups = append(b.report.Lookups, lookup(n.kind, "search by "+n.name, times[n]))
	}
	b.cfg.Say("%d searches made", len(all)*b.effort.repeats)
	return nil
}

// citizens lists what is recorded about people: some about whom many ask, some of the sample, some about whom nobody
// asked.
func (b *bench) citizens(ctx context.Context, x *index.Index, c *chooser) error {
	var hashes [][16]byte
	for i := range b.effort.people {
		hashes = append(hashes, ledgertest.Subject(i), ledgertest.Subject(ledgertest.People+i))
	}
	known := c.tallies["subject"].byCount()
	for _, text := range known[:min(len(known), b.effort.people)] {
		hashes = append(hashes, [16]byte(unhex(text)))
	}
	var times []time.Duration
	for _, hash := range hashes {
		for range b.effort.repeats {
			before := time.Now()
			if _, err := x.Search(ctx, index.Query{Kinds: ofPeople, Subjects: [][16]byte{hash}}); err != nil {
				return wrong("list of a citizen", err)
			}
			times = append(times, time.Since(before))
		}
	}
	b.report.Lookups = append(b.report.Lookups, lookup(lookupCitizen, "list of a citizen", times))
	return nil
}

// ofPeople are the kinds of records that a citizen's list has.
var ofPeople = []index.Kind{index.KindExchange, index.KindIntent, index.KindAccess}
