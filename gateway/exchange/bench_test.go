package exchange_test

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lienthong/lienthong/gateway/agreement/agreementtest"
	"github.com/lienthong/lienthong/gateway/catalog"
	"github.com/lienthong/lienthong/gateway/catalog/catalogtest"
	"github.com/lienthong/lienthong/gateway/exchange"
	"github.com/lienthong/lienthong/gateway/exchange/exchangetest"
	"github.com/lienthong/lienthong/gateway/policy"
	"github.com/lienthong/lienthong/gateway/state"
	"github.com/lienthong/lienthong/services/store"
)

// forgetful is a recorder that keeps nothing, so that only the hub's own work is measured.
type forgetful struct{}

func (forgetful) Append(context.Context, exchange.Evidence) (exchange.Receipt, error) {
	return exchange.Receipt{Position: "G06/gateway:1", Key: "key"}, nil
}

// country is the policy of as many agreements over as many services, and a question under each agreement.
func country(b *testing.B, services, agreements int) (*policy.Policy, []*exchange.Call) {
	db, err := state.Open(b.Context(), state.Config{Config: store.Config{Path: filepath.Join(b.TempDir(), "hub.db")}})
	require.NoError(b, err)
	b.Cleanup(func() { _ = db.Close() })
	_, err = db.Change(b.Context(), state.Actor{}, func(tx *state.Tx) error {
		for i := range services {
			name := fmt.Sprintf("s%d", i)
			p, err := catalogtest.Publication(b, strings.Replace(catalogtest.Offer, "sample.v1", name+".v1", 1), catalogtest.Another(name))
			if err != nil {
				return err
			}
			if err := catalog.Publish(b.Context(), tx, nil, p, func(string) ([]catalog.Use, error) { return nil, nil }); err != nil {
				return err
			}
		}
		return nil
	})
	require.NoError(b, err)
	c, err := catalog.Read(b.Context(), db.Read, nil)
	require.NoError(b, err)
	texts, calls := make([]string, agreements), make([]*exchange.Call, agreements)
	for i := range agreements {
		purpose := fmt.Sprintf("P-%d", i/services)
		texts[i] = strings.NewReplacer("H27-G01", fmt.Sprintf("A-%d", i), "sample.v1", fmt.Sprintf("s%d.v1", i%services),
			exchangetest.Purpose, purpose).Replace(exchangetest.Agreement)
		q := question(b)
		q.Method, q.Purpose = strings.Replace(q.Method, "sample.v1", fmt.Sprintf("s%d.v1", i%services), 1), purpose
		calls[i] = q
	}
	set, err := agreementtest.Parse(c, texts...)
	require.NoError(b, err)
	return &policy.Policy{Revision: 7, Members: exchangetest.Members(b), Catalog: c, Agreements: set}, calls
}

// BenchmarkExchange is all that the gateway does for an exchange, but carry and record it; each agreement in its turn.
func BenchmarkExchange(b *testing.B) {
	for _, size := range []struct{ services, agreements int }{{1, 1}, {400, 10_000}} {
		b.Run(fmt.Sprintf("agreements=%d/services=%d", size.agreements, size.services), func(b *testing.B) {
			p, calls := country(b, size.services, size.agreements)
			hub := exchange.New(exchange.Config{
				Origin: "G06/gateway", Recorder: forgetful{}, Policy: func(time.Time) (*policy.Policy, error) { return p, nil },
				Carrier: exchangetest.Answers(exchangetest.Message(b, "GetPersonResponse", person)),
			})
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				call := *calls[i%len(calls)]
				if _, err := hub.Do(b.Context(), &call); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
