package notary

import (
	"context"
	"fmt"

	"github.com/transparency-dev/tessera/api/layout"

	"github.com/lienthong/lienthong/gateway/internal/safefile"
)

// publish signs the tree as it is and publishes the checkpoint. It first makes sure that it is the journal's, and
// contains what was signed before. The head file is written before the checkpoint is: of what the world has seen, the
// head knows.
func (n *Notary) publish(ctx context.Context) error {
	if n.size < n.signed[len(n.signed)-1].Size {
		return nil // the log is being built again
	}
	t, err := n.store.tree()
	if err != nil {
		return err
	}
	if t.Size != n.size {
		return &Fault{File: treeState, Leaf: -1, What: fmt.Sprintf("the tree has %d leaves, not %d: something else changed it", t.Size, n.size)}
	}
	if err := n.own(t); err != nil {
		return err
	}
	if err := n.contains(ctx, t, n.signed); err != nil {
		return err
	}
	raw, err := n.gateway.sign(ctx, t.Size, t.Root)
	if err != nil {
		return fmt.Errorf("sign checkpoint of %d leaves: %w", t.Size, err)
	}
	cp, err := parseCheckpoint(raw, n.key, n.gateway.cosigners...)
	if err != nil {
		return fmt.Errorf("sign checkpoint of %d leaves: %w", t.Size, err)
	}
	if n.cfg.HeadFile != "" {
		if err := safefile.Write(n.cfg.HeadFile, cp.raw, 0o644); err != nil {
			return fmt.Errorf("keep head: %w", err)
		}
	}
	n.signed = []*checkpoint{cp}
	if err := safefile.Write(n.store.path(layout.CheckpointPath), cp.raw, 0o644); err != nil {
		return fmt.Errorf("publish checkpoint: %w", err)
	}
	n.published.Store(cp)
	return nil
}
