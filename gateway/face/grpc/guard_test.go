package grpc_test

import (
	"context"
	"github.com/lienthong/lienthong/gateway/policy"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
	reflectionv1 "google.golang.org/grpc/reflection/grpc_reflection_v1"

	"github.com/lienthong/lienthong/gateway/catalog/catalogtest"
	"github.com/lienthong/lienthong/gateway/client"
	"github.com/lienthong/lienthong/gateway/courier"
	"github.com/lienthong/lienthong/gateway/exchange/exchangetest"
	grpcface "github.com/lienthong/lienthong/gateway/face/grpc"
	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
	"github.com/lienthong/lienthong/proto/peer"
)

func TestReflectionListsAndDescribesWhatIsPublishedAndNothingElse(t *testing.T) {
	f := newFace(t)
	conn := f.desk()
	services, err := client.Services(t.Context(), conn)
	require.NoError(t, err)
	require.Equal(t, []string{catalogtest.Service}, services)
	desc, err := client.Describe(t.Context(), conn, catalogtest.Service)
	require.NoError(t, err)
	require.Equal(t, 3, desc.Methods().Len())
	_, err = client.Describe(t.Context(), conn, healthv1.Health_ServiceDesc.ServiceName)
	require.NoError(t, err, "not listed, but known by name")
	for _, hidden := range []string{"hub.v1.Nobody", reflectionv1.ServerReflection_ServiceDesc.ServiceName} {
		_, err = client.Describe(t.Context(), conn, hidden)
		require.ErrorContains(t, err, "lienthong services", hidden)
	}

	f.change(func() { f.policy = &policy.Policy{Members: f.policy.Members, Agreements: f.policy.Agreements} })
	services, err = client.Services(t.Context(), conn)
	require.NoError(t, err)
	require.Empty(t, services, "what is withdrawn is not listed any more")
}

func TestHealthSaysThatTheHubServes(t *testing.T) {
	f := newFace(t)
	health := healthv1.NewHealthClient(f.desk())
	answer, err := health.Check(t.Context(), &healthv1.HealthCheckRequest{})
	require.NoError(t, err)
	require.Equal(t, healthv1.HealthCheckResponse_SERVING, answer.GetStatus())
	f.SetServing(false)
	answer, err = health.Check(t.Context(), &healthv1.HealthCheckRequest{})
	require.NoError(t, err)
	require.Equal(t, healthv1.HealthCheckResponse_NOT_SERVING, answer.GetStatus())
}

func TestARevokedCertificateIsRefusedAtTheNextRequestOnAnOpenConnection(t *testing.T) {
	f := newFace(t)
	id := f.authority.issue(exchangetest.Desk)
	conn := f.dial(id)
	health := healthv1.NewHealthClient(conn)
	_, _, err := f.getPerson(purpose(t.Context()), conn)
	require.NoError(t, err)
	reflection, err := reflectionv1.NewServerReflectionClient(conn).ServerReflectionInfo(t.Context())
	require.NoError(t, err)
	list := &reflectionv1.ServerReflectionRequest{MessageRequest: &reflectionv1.ServerReflectionRequest_ListServices{}}
	require.NoError(t, reflection.Send(list))
	_, err = reflection.Recv()
	require.NoError(t, err)
	watched, err := health.Watch(t.Context(), &healthv1.HealthCheckRequest{})
	require.NoError(t, err)
	_, err = watched.Recv()
	require.NoError(t, err)

	f.revoke(id)
	_, receipt, err := f.getPerson(purpose(t.Context()), conn)
	require.Equal(t, "CERTIFICATE_REVOKED", client.RefusalOf(err).Reason)
	require.NotEmpty(t, receipt.Exchange)
	require.NoError(t, reflection.Send(list))
	_, err = reflection.Recv()
	require.Equal(t, "CERTIFICATE_REVOKED", client.RefusalOf(err).Reason, "on a stream that was open")
	_, err = client.Services(t.Context(), conn)
	require.ErrorContains(t, err, "revoked", "on a new one")
	_, err = health.Check(t.Context(), &healthv1.HealthCheckRequest{})
	require.Equal(t, "CERTIFICATE_REVOKED", client.RefusalOf(err).Reason)
	f.SetServing(false)
	_, err = watched.Recv()
	require.Error(t, err, "the watch ends, and does not say what changed")
}

func TestSuspendedAndUnknownSystemsDoNotSeeTheCatalog(t *testing.T) {
	f := newFace(t)
	for id, want := range map[peer.ID]string{
		exchangetest.Suspended:            "SYSTEM_SUSPENDED",
		{Agency: "H30", System: "nobody"}: "IDENTITY_UNKNOWN",
	} {
		conn := f.dial(f.authority.issue(id))
		_, err := healthv1.NewHealthClient(conn).Check(t.Context(), &healthv1.HealthCheckRequest{})
		require.Equal(t, want, client.RefusalOf(err).Reason)
		_, err = client.Services(t.Context(), conn)
		require.Error(t, err)
		_, _, err = f.getPerson(purpose(t.Context()), conn)
		require.Equal(t, want, client.RefusalOf(err).Reason)
	}
}

func TestStoppingFinishesTheCallsUnderWay(t *testing.T) {
	f := newFace(t)
	asked, answer := f.hold()
	conn := f.desk()
	done := make(chan error)
	go func() {
		_, _, err := f.getPerson(purpose(context.Background()), conn)
		done <- err
	}()
	<-asked
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		f.Stop(context.Background())
	}()
	close(answer)
	require.NoError(t, <-done)
	<-stopped
	require.NoError(t, <-f.served)
	require.Len(t, f.recorder.Kept(), 1)
}

func TestStopReturnsOnlyAfterTheCallsItCutOffAreRecorded(t *testing.T) {
	f := newFace(t)
	asked, _ := f.hold()
	recording, disk := make(chan struct{}), make(chan struct{})
	f.recorder.Before = func(context.Context, *hubv1.LedgerRecord) error {
		close(recording)
		<-disk
		return nil
	}
	conn := f.desk()
	go func() { _, _, _ = f.getPerson(purpose(context.Background()), conn) }()
	<-asked
	now, cancel := context.WithCancel(t.Context())
	cancel()
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		f.Stop(now)
	}()
	<-recording
	select {
	case <-stopped:
		t.Fatal("it stopped while a record was not on disk")
	case <-time.After(100 * time.Millisecond):
	}
	close(disk)
	<-stopped
	require.Len(t, f.recorder.Kept(), 1)
	require.Equal(t, hubv1.Exchange_OUTCOME_CANCELLED, f.recorder.Kept()[0].GetOutcome())
}

// hold makes the registry wait with its answers: asked is closed at the first question.
func (f *face) hold() (asked, answer chan struct{}) {
	asked, answer = make(chan struct{}), make(chan struct{})
	carrier := f.carrier
	f.change(func() {
		f.carrier = func(ctx context.Context, q *courier.Question) (*hubv1.Answer, error) {
			close(asked)
			select {
			case <-answer:
				return carrier(ctx, q)
			case <-ctx.Done():
				return nil, ctx.Err()
			}
		}
	})
	return asked, answer
}

func TestAFaceThatIsStoppedBeforeItServesEndsWithoutError(t *testing.T) {
	f := newFace(t)
	s := grpcface.NewServer(grpcface.Config{Catalog: nil, Members: f.members, Credentials: clientTLS(f.authority.issue(gatewayID))})
	s.Stop(t.Context())
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, s.Serve(l))
}

func TestAConsumerThatLeavesIsRecorded(t *testing.T) {
	f := newFace(t)
	asked, _ := f.hold()
	ctx, leave := context.WithCancel(purpose(t.Context()))
	go func() {
		<-asked
		leave()
	}()
	_, _, err := f.getPerson(ctx, f.desk())
	require.Error(t, err)
	require.Eventually(t, func() bool { return len(f.recorder.Kept()) == 1 }, 10*time.Second, time.Millisecond)
	require.Equal(t, hubv1.Exchange_OUTCOME_CANCELLED, f.recorder.Kept()[0].GetOutcome())
}

func TestAConnectionMayNotOccupyMoreThanItsShare(t *testing.T) {
	f := newFace(t)
	var asked atomic.Int64
	f.change(func() {
		f.carrier = func(ctx context.Context, _ *courier.Question) (*hubv1.Answer, error) {
			asked.Add(1)
			<-ctx.Done()
			return nil, ctx.Err()
		}
	})
	greedy, other := f.desk(), f.desk()
	ctx, leave := context.WithCancel(purpose(t.Context()))
	var callers sync.WaitGroup
	for range 300 {
		callers.Go(func() { _, _, _ = f.getPerson(ctx, greedy) })
	}
	require.Eventually(t, func() bool { return asked.Load() == 256 }, 10*time.Second, time.Millisecond)
	_, err := healthv1.NewHealthClient(other).Check(t.Context(), &healthv1.HealthCheckRequest{})
	require.NoError(t, err, "others are served meanwhile")
	require.EqualValues(t, 256, asked.Load())
	leave()
	callers.Wait()
}
