package main

import (
	"context"
	"fmt"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/proto"

	"github.com/lienthong/lienthong/gateway/client"
	"github.com/lienthong/lienthong/gateway/ledger/proof"
	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
	"github.com/lienthong/lienthong/proto/peer"
	populationv1 "github.com/lienthong/lienthong/proto/registry/population/v1"
)

const (
	callers   = 12                    // at a time
	callLimit = 5 * time.Second       // of one call
	oneWrite  = 4                     // one call in so many changes the registry
	backOff   = 20 * time.Millisecond // after a call that failed
)

// Who asks: the desk reads, civil status writes.
var (
	desk        = peer.ID{Agency: "H27", System: "one-stop"}
	civilStatus = peer.ID{Agency: "G15", System: "civil-status"}
)

// note is what a client wrote down about one call.
type note struct {
	Case    string // of this call alone: by it records and effects are found
	Write   bool   // RequestID is the same text as Case
	Receipt client.Receipt
	Bytes   int    // of the answer
	Digest  []byte // of the answer under the receipt's key; nil without one
	Refusal client.Refusal
	Began   time.Time
	Ended   time.Time
}

// answered reports whether an answer came.
func (n *note) answered() bool { return n.Refusal == (client.Refusal{}) }

// unrecorded reports whether the hub said that it cannot record.
func (n *note) unrecorded() bool { return n.Refusal.Reason == "LEDGER_UNAVAILABLE" }

// load is callers who ask until they are told to stop.
type load struct {
	world    *world
	name     string
	reads    *grpc.ClientConn
	writes   *grpc.ClientConn
	stop     context.CancelFunc
	done     sync.WaitGroup
	mu       sync.Mutex
	notes    []*note
	answered int
}

// startLoad begins to ask. Calls under way when the hub dies fail; the callers then stop.
func (w *world) startLoad(h *hub, name string) (*load, error) {
	l := &load{world: w, name: name}
	var err error
	if l.reads, err = dial(h, desk); err != nil {
		return nil, err
	}
	if l.writes, err = dial(h, civilStatus); err != nil {
		_ = l.reads.Close()
		return nil, err
	}
	ctx, stop := context.WithCancel(context.Background())
	l.stop = stop
	for i := range callers {
		l.done.Go(func() {
			for n := 0; ctx.Err() == nil && h.running(); n++ {
				if !l.ask(fmt.Sprintf("%s-%d-%d", name, i, n), n%oneWrite == oneWrite-1).answered() {
					wait(ctx, backOff)
				}
			}
		})
	}
	return l, nil
}

func dial(h *hub, as peer.ID) (*grpc.ClientConn, error) {
	identity, err := h.dir.LoadIdentity(as)
	if err != nil {
		return nil, err
	}
	return client.Dial(h.ready.Addresses["grpc"], identity, grpc.WithDefaultCallOptions(grpc.ForceCodecV2(raw{})))
}

// end stops asking and returns what was written down, when the last call has ended.
func (l *load) end() []*note {
	l.stop()
	l.done.Wait()
	_ = l.reads.Close()
	_ = l.writes.Close()
	return l.notes
}

// count is how many answers came so far.
func (l *load) count() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.answered
}

// ask makes one call and writes down what came of it.
func (l *load) ask(name string, write bool) *note {
	n := &note{Case: name, Write: write, Began: time.Now()}
	conn, method, words, request := l.reads, populationv1.PopulationService_GetResidence_FullMethodName, readWords, l.read()
	if write {
		conn, method, words, request = l.writes, populationv1.PopulationService_IssueNumber_FullMethodName, writeWords, newborn(name)
	}
	words.Case = name
	ctx, cancel := context.WithTimeout(client.With(context.Background(), words), callLimit)
	defer cancel()
	var header metadata.MD
	var answer []byte
	err := conn.Invoke(ctx, method, request, &answer, grpc.Header(&header))
	n.Ended = time.Now()
	n.Receipt = client.ReceiptOf(header)
	n.Bytes = len(answer)
	if err != nil {
		n.Refusal = client.RefusalOf(err)
	} else if key, kerr := proof.ParseReceiptKey(n.Receipt.Key); kerr == nil {
		n.Digest = proof.AnswerDigest(key, answer)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.notes = append(l.notes, n)
	if err == nil {
		l.answered++
	}
	return n
}

var (
	readWords  = client.Words{Purpose: "CT-TT", Officer: "can.bo"}
	writeWords = client.Words{Purpose: "HT-KS", Officer: "can.bo"}
)

// read asks where somebody lives.
func (l *load) read() proto.Message {
	l.mu.Lock()
	defer l.mu.Unlock()
	person := l.world.people[len(l.notes)%len(l.world.people)]
	return &populationv1.GetResidenceRequest{PersonalId: person.Number.String()}
}

// newborn asks for a number for a child that is born under this name alone.
func newborn(id string) proto.Message {
	return &populationv1.IssueNumberRequest{
		RequestId: id, ProvinceCode: "42", CommuneCode: "14983", BirthDate: time.Now().AddDate(0, 0, -10).Format(time.DateOnly),
		Name: &hubv1.PersonName{Family: "Lê", Middle: "Minh", Given: "An " + id}, Sex: hubv1.Sex_SEX_MALE,
	}
}
