package main

import "context"

// searches asks the ledger for some of the answers that were received.
func (w *world) searches(ctx context.Context, j *judge, h *hub, notes []*note) error { return nil }
