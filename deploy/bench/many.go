package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/known/emptypb"

	"github.com/lienthong/lienthong/deploy/parts"
	"github.com/lienthong/lienthong/gateway/agreement/book"
	"github.com/lienthong/lienthong/gateway/catalog"
	"github.com/lienthong/lienthong/gateway/client"
	"github.com/lienthong/lienthong/gateway/state"
	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
	populationv1 "github.com/lienthong/lienthong/proto/registry/population/v1"
	"github.com/lienthong/lienthong/services/store"
)

// withMany is the path to a hub with its ledger in memory that has a country's agreements beside the sandbox's. What it
// is slower than the other with its ledger in memory is what they cost.
const withMany = "hub-many"

// A country's agreements.
const (
	// manyWarmUp is long, for such a hub has some 200 MB that are live, and its heap grows to five times that before it is
	// collected: until then each call touches memory that is new, and costs almost twice as much.
	manyWarmUp = 15 * time.Second

	manyServices   = 400
	manyAgreements = 10_000
	manyWithin     = 30 * time.Second // that the hub may take to read them
)

// addMany publishes services of a hub that runs, which nobody answers for, and puts agreements about them in force. It
// returns when they decide.
func addMany(ctx context.Context, p *path) (err error) {
	began := time.Now()
	db, err := state.Open(ctx, state.Config{Config: store.Config{Path: p.dir.State()}})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	_, err = db.Change(ctx, state.Actor{ID: parts.GatewayID}, func(tx *state.Tx) error {
		contract, err := protojson.Marshal(catalog.FileSet(populationv1.File_registry_population_v1_population_proto))
		if err != nil {
			return err
		}
		var known *catalog.Catalog
		for i := range manyServices {
			if known, err = catalog.Read(ctx, tx.Tx, known); err != nil {
				return err
			}
			if err := publishOneOfMany(ctx, tx, known, string(contract), i); err != nil {
				return err
			}
		}
		docs := make([]*hubv1.Agreement, manyAgreements)
		for i := range docs {
			docs[i] = oneOfMany(i)
		}
		return book.Seed(ctx, tx, docs)
	})
	if err != nil {
		return fmt.Errorf("put %d agreements in force: %w", manyAgreements, err)
	}
	if err := untilMany(ctx, p); err != nil {
		return err
	}
	say("%s: %d agreements over %d services published and in force after %.1f s", p.name, manyAgreements, manyServices, time.Since(began).Seconds())
	return nil
}

// packageOfMany is the name of a service's package.
func packageOfMany(i int) string { return fmt.Sprintf("registry.s%d.v1", i) }

// publishOneOfMany publishes the population registry's contract under another name.
func publishOneOfMany(ctx context.Context, tx *state.Tx, known *catalog.Catalog, contract string, i int) error {
	text := strings.NewReplacer("registry.population.v1", packageOfMany(i), "registry/population/v1", fmt.Sprintf("registry/s%d/v1", i)).Replace(contract)
	set := new(descriptorpb.FileDescriptorSet)
	if err := protojson.Unmarshal([]byte(text), set); err != nil {
		return err
	}
	offer, err := catalog.ParseOffer("offer", fmt.Appendf(nil, `service: %s.PopulationService
state: official
safety_level: 3
assessed: 2025-06-01
providers:
  - {jurisdiction: vn, agency: G01, system: registry-population}
`, packageOfMany(i)))
	if err != nil {
		return err
	}
	return catalog.Publish(ctx, tx, known, offer.Publication(set), func(string) ([]catalog.Use, error) { return nil, nil })
}

// oneOfMany is an agreement of the one that asks, about one of the services and for a purpose of its own.
func oneOfMany(i int) *hubv1.Agreement {
	return &hubv1.Agreement{
		Id: fmt.Sprintf("H27-many-%d", i), Title: "made for a measurement", Provider: "G01",
		Consumer: &hubv1.Agreement_Consumer{Agency: desk.Agency, Systems: []string{desk.System}},
		Service:  packageOfMany(i%manyServices) + ".PopulationService", ValidFrom: "2025-07-01", ValidTo: "2035-12-31",
		Purposes: []*hubv1.Agreement_Purpose{{Code: purposeOfMany(i), Title: "measured", LegalBasis: "none"}},
		Methods:  []*hubv1.Agreement_Method{{Name: "GetResidence", Fields: []string{"permanent", "permanent_since"}}},
	}
}

func purposeOfMany(i int) string { return fmt.Sprintf("M-%d", i/manyServices) }

// untilMany waits until the last of the agreements decides: then its question fails for want of a registry alone.
func untilMany(ctx context.Context, p *path) error {
	identity, err := p.dir.LoadIdentity(p.asker)
	if err != nil {
		return err
	}
	conn, err := client.DialGateway(p.address, identity, p.server)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	const last = manyAgreements - 1
	ctx, cancel := context.WithTimeout(ctx, manyWithin)
	defer cancel()
	asked := client.With(ctx, client.Words{Purpose: purposeOfMany(last), Case: words.Case})
	for {
		err := conn.Invoke(asked, "/"+packageOfMany(last%manyServices)+".PopulationService/GetResidence",
			&populationv1.GetResidenceRequest{PersonalId: "040094997317"}, new(emptypb.Empty))
		if client.RefusalOf(err).Reason == "REGISTRY_OFFLINE" {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s: %d agreements are not in force after %v: %w", p.name, manyAgreements, manyWithin, err)
		case <-time.After(100 * time.Millisecond):
		}
	}
}
