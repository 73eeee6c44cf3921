package hubtest

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"

	"github.com/lienthong/lienthong/deploy/parts"
	"github.com/lienthong/lienthong/gateway/client"
	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
	"github.com/lienthong/lienthong/proto/journal"
	"github.com/lienthong/lienthong/proto/peer"
	"github.com/lienthong/lienthong/services/nation"
)

// GRPC is the address of the gRPC face.
func (h *Hub) GRPC() string { return h.gateway.GRPC() }

// HTTP is the address of health and metrics.
func (h *Hub) HTTP() string { return h.gateway.HTTP() }

// Identity loads an identity of the hub, such as "H27/one-stop".
func (h *Hub) Identity(t testing.TB, id string) *peer.Identity {
	t.Helper()
	identity, err := h.Dir.LoadIdentity(h.id(t, id))
	if err != nil {
		t.Fatal(err)
	}
	return identity
}

// id reads the name of a system.
func (h *Hub) id(t testing.TB, text string) peer.ID {
	t.Helper()
	id, err := peer.ParseID(text)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// Dial opens a connection to the gRPC face as a system, such as "H27/one-stop", until the test ends.
func (h *Hub) Dial(t testing.TB, id string, opts ...grpc.DialOption) *grpc.ClientConn {
	t.Helper()
	conn, err := client.Dial(h.GRPC(), h.Identity(t, id), opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// Get asks the HTTP address for a path, such as "/readyz".
func (h *Hub) Get(t testing.TB, path string) (status int, body string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+h.HTTP()+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	raw, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(raw)
}

// Nation is the synthetic nation behind the registries.
func (h *Hub) Nation(t testing.TB) *nation.Nation {
	t.Helper()
	n, err := h.nation()
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// Sample picks people of a kind, such as "married"; see nation.Kinds. The test fails if there are not as many.
func (h *Hub) Sample(t testing.TB, kind string, count int) []nation.Sampled {
	t.Helper()
	found, err := h.Nation(t).Sample(kind, count)
	if err != nil {
		t.Fatal(err)
	}
	if len(found) < count {
		t.Fatalf("the nation has %d people of kind %s, not %d; use a larger Population or another Seed", len(found), kind, count)
	}
	return found
}

// remember makes the nation when it is first asked for.
func (h *Hub) remember() func() (*nation.Nation, error) {
	return sync.OnceValues(func() (*nation.Nation, error) {
		return parts.Nation{Population: h.cfg.Population, Seed: h.cfg.Seed}.Generate(context.Background(), nil)
	})
}

// Record is a record of the ledger, and its position.
type Record struct {
	*hubv1.LedgerRecord
	Seq uint64
}

// Records returns all records of the ledger so far, in order.
func (h *Hub) Records(t testing.TB) []Record {
	t.Helper()
	reader, err := journal.OpenReader(h.Dir.Ledger().Journal())
	if err != nil {
		t.Fatal(err)
	}
	first, next := reader.Bounds()
	var records []Record
	for entry, err := range reader.Scan(t.Context(), first, next) {
		if err != nil {
			t.Fatal(err)
		}
		if entry.Void {
			continue
		}
		r := new(hubv1.LedgerRecord)
		if err := proto.Unmarshal(entry.Payload, r); err != nil {
			t.Fatalf("record %d: %v", entry.Seq, err)
		}
		records = append(records, Record{r, entry.Seq})
	}
	return records
}

// Exchanges returns the records of exchanges so far, in order.
func (h *Hub) Exchanges(t testing.TB) []*hubv1.Exchange {
	t.Helper()
	var all []*hubv1.Exchange
	for _, r := range h.Records(t) {
		if e := r.GetExchange(); e != nil {
			all = append(all, e)
		}
	}
	return all
}

// Exchange returns the record of an exchange by its id, which comes as lt-exchange. The test fails unless there is one.
func (h *Hub) Exchange(t testing.TB, id string) *hubv1.Exchange {
	t.Helper()
	found := slices.DeleteFunc(h.Exchanges(t), func(e *hubv1.Exchange) bool {
		known, err := uuid.FromBytes(e.GetId())
		return err != nil || known.String() != id
	})
	if len(found) != 1 {
		t.Fatalf("exchange %q has %d records", id, len(found))
	}
	return found[0]
}

// Log is all that gateway and connectors have logged so far.
func (h *Hub) Log() string { return h.log.String() }

// Ready waits until the registries that run can all be asked.
func (h *Hub) Ready(t testing.TB) {
	t.Helper()
	if err := h.await(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// await waits until everything that was started can be asked.
func (h *Hub) await(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for {
		missing := h.missing()
		if len(missing) == 0 {
			return nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("not ready: %v", missing)
		}
	}
}

// missing says what does not answer yet of what was started.
func (h *Hub) missing() []string {
	started := map[string]bool{"the bus is not connected": true}
	for _, r := range h.registries {
		started["nobody answers for "+r.seat.Service+" in "+r.seat.Jurisdiction] = true
	}
	return slices.DeleteFunc(h.gateway.Reasons(), func(why string) bool { return !started[why] })
}

// Eventually waits until it holds, and fails the test if that takes too long.
func Eventually(t testing.TB, what string, holds func() bool) {
	t.Helper()
	limit := time.Now().Add(patience)
	for !holds() {
		if time.Now().After(limit) {
			t.Fatalf("not within %v: %s", patience, what)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// logBook collects what is logged.
type logBook struct {
	mu   sync.Mutex
	text bytes.Buffer
}

// Write implements io.Writer.
func (b *logBook) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

// String returns all of it.
func (b *logBook) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

// layOver copies files into a directory, over those that are there.
func layOver(dir string, files fs.FS) error {
	return fs.WalkDir(files, ".", func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		to := filepath.Join(dir, filepath.FromSlash(path))
		if e.IsDir() {
			return os.MkdirAll(to, 0o700)
		}
		data, err := fs.ReadFile(files, path)
		if err != nil {
			return err
		}
		return os.WriteFile(to, data, 0o600)
	})
}
