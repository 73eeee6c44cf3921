package main

import (
	"context"
	"fmt"
	"time"

	"github.com/lienthong/lienthong/gateway/client"
	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
	"github.com/lienthong/lienthong/proto/peer"
)

// searched is how many of the answers of a round are searched for: the newest, which a cut may have taken, and some
// from before.
const searched = 20

// operator reads the whole ledger.
var operator = peer.ID{Agency: "G06", System: "operator-a"}

// searches has a hub that was started again find answers that clients have, by their exchange and by their dossier.
func (w *world) searches(ctx context.Context, j *judge, h *hub, notes []*note) error {
	identity, err := h.dir.LoadIdentity(operator)
	if err != nil {
		return err
	}
	conn, err := client.Dial(h.ready.Addresses["grpc"], identity)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	ctx, cancel := context.WithTimeout(client.With(ctx, client.Words{Officer: "kiem.tra"}), sayLimit)
	defer cancel()
	ledger := hubv1.NewLedgerServiceClient(conn)
	if err := indexed(ctx, ledger); err != nil {
		j.add(unfound, "the index does not catch up: %v", err)
		return nil
	}
	for _, n := range pickAnswers(notes) {
		found, err := ledger.Show(ctx, &hubv1.ShowRequest{ExchangeId: n.Receipt.Exchange})
		if err != nil || position(found.GetEntry()) != n.Receipt.Position {
			j.add(unfound, "exchange %s is not shown at %s: %v %v", n.Receipt.Exchange, n.Receipt.Position, position(found.GetEntry()), err)
		}
		page, err := ledger.Search(ctx, &hubv1.SearchRequest{Filter: &hubv1.Filter{Case: n.Case, Kind: "exchange"}})
		if err != nil || len(page.GetEntries()) != 1 || position(page.GetEntries()[0]) != n.Receipt.Position {
			j.add(unfound, "dossier %s is not found once, at %s: %d entries, %v", n.Case, n.Receipt.Position, len(page.GetEntries()), err)
		}
		j.result.tell("searches", 2)
	}
	return nil
}

// indexed waits until searches find all that there was.
func indexed(ctx context.Context, ledger hubv1.LedgerServiceClient) error {
	first, err := ledger.GetStatus(ctx, &hubv1.GetStatusRequest{})
	for last := first; err == nil && last.GetIndexed() < first.GetRecords(); {
		wait(ctx, 10*time.Millisecond)
		last, err = ledger.GetStatus(ctx, &hubv1.GetStatusRequest{})
	}
	return err
}

// pickAnswers picks the newest answers, and some from all over.
func pickAnswers(notes []*note) (picked []*note) {
	var answers []*note
	for _, n := range notes {
		if n.answered() {
			answers = append(answers, n)
		}
	}
	newest := max(0, len(answers)-searched/2)
	picked = append(picked, answers[newest:]...)
	for i := 0; i < newest; i += newest/(searched/2) + 1 {
		picked = append(picked, answers[i])
	}
	return picked
}

func position(e *hubv1.LedgerEntry) string {
	if e == nil {
		return ""
	}
	return fmt.Sprintf("%s:%d", e.GetOrigin(), e.GetSeq())
}
