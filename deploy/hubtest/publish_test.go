package hubtest_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/dynamicpb"
	"google.golang.org/protobuf/types/known/emptypb"

	"github.com/lienthong/lienthong/deploy/hubtest"
	"github.com/lienthong/lienthong/gateway/catalog"
	"github.com/lienthong/lienthong/gateway/catalog/catalogtest"
	"github.com/lienthong/lienthong/gateway/client"
	"github.com/lienthong/lienthong/gateway/exchange/exchangetest"
	"github.com/lienthong/lienthong/gateway/state"
	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
	"github.com/lienthong/lienthong/proto/peer"
	populationv1 "github.com/lienthong/lienthong/proto/registry/population/v1"
	"github.com/lienthong/lienthong/services/connector"
)

// republished is how often a contract is published anew while another service is asked.
const republished = 30

// publish puts the sample contract, or files in its place, into a hub's catalog.
func publish(t *testing.T, hub *hubtest.Hub, files ...*descriptorpb.FileDescriptorProto) {
	t.Helper()
	p, err := catalogtest.Publication(t, catalogtest.Offer, files...)
	require.NoError(t, err)
	hub.Change(t, func(ctx context.Context, tx *state.Tx) error {
		return catalog.Publish(ctx, tx, nil, p, func(string) ([]catalog.Use, error) { return nil, nil })
	})
}

// TestAServicePublishedWhileTheHubRunsIsCallableAtOnce publishes a service that the hub never heard of, and then many more
// versions of it, while callers ask another service: none of their calls may fail. The registry is on the bus before.
func TestAServicePublishedWhileTheHubRunsIsCallableAtOnce(t *testing.T) {
	if _, err := protoregistry.GlobalFiles.FindFileByPath(catalogtest.File(t).Path()); err != nil {
		require.NoError(t, protoregistry.GlobalFiles.RegisterFile(catalogtest.File(t)))
	}
	asked := make(chan connector.Caller, 1)
	hub := hubtest.Start(t, hubtest.Config{Registries: []hubtest.Registry{
		{Name: "population", Register: overfull(population[:len(population)-1])},
		{Name: "people", Register: people(t, asked), Service: catalogtest.Service, ID: peer.ID{Agency: "G01", System: "registry-people"}},
	}})
	conn := hub.Dial(t, "H27/one-stop") // one connection: from before the service was there
	services, err := client.Services(within(t), conn)
	require.NoError(t, err)
	require.NotContains(t, services, catalogtest.Service)

	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var calls atomic.Int64
	var callers sync.WaitGroup
	for range 4 {
		callers.Go(func() {
			registry := populationv1.NewPopulationServiceClient(conn)
			for ctx.Err() == nil {
				if _, err := registry.GetResidence(client.With(context.Background(), desk), &populationv1.GetResidenceRequest{PersonalId: "042187001234"}); err != nil {
					t.Errorf("a call of another service failed: %v", err)
					return
				}
				calls.Add(1)
			}
		})
	}
	flows := func() { // so that calls are in flight before and after
		before := calls.Load()
		hubtest.Eventually(t, "calls of another service", func() bool { return calls.Load() >= before+20 || t.Failed() })
	}
	flows()
	publish(t, hub)
	hub.Agree(t, strings.Replace(exchangetest.Agreement, "version: 3\n", "", 1))

	services, err = client.Services(within(t), conn)
	require.NoError(t, err)
	require.Contains(t, services, catalogtest.Service)
	desc, err := client.Describe(within(t), conn, catalogtest.Service)
	require.NoError(t, err)
	out := dynamicpb.NewMessage(desc.Methods().ByName("GetPerson").Output())
	words := client.Words{Purpose: exchangetest.Purpose, Case: "H27-1"}
	require.NoError(t, conn.Invoke(client.With(within(t), words), catalogtest.GetPerson, new(emptypb.Empty), out))
	require.Equal(t, "one-stop", (<-asked).System)
	raw, err := proto.Marshal(out)
	require.NoError(t, err)
	require.Contains(t, string(raw), "1987-04-21")
	require.NotContains(t, string(raw), canary)

	for i := range republished {
		f := catalogtest.Proto()
		title := &hubv1.Title{Vi: fmt.Sprintf("mẫu, lần %d", i), En: fmt.Sprintf("people, edition %d", i)}
		proto.SetExtension(f.Service[0].Options, hubv1.E_Service, &hubv1.ServicePolicy{Title: title})
		publish(t, hub, f)
	}
	flows()
	desc, err = client.Describe(within(t), conn, catalogtest.Service)
	require.NoError(t, err)
	published, ok := hub.Policy().Catalog.Service(catalogtest.Service)
	require.True(t, ok)
	require.Equal(t, fmt.Sprintf("people, edition %d", republished-1), published.Title.GetEn())
	require.NotNil(t, desc.Methods().ByName("GetPerson"))
	stop()
	callers.Wait()
	t.Logf("%d calls of another service during %d publications", calls.Load(), republished+1)
}
