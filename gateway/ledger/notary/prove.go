package notary

import (
	"context"
	"errors"
	"fmt"

	"github.com/transparency-dev/merkle/proof"
	"github.com/transparency-dev/merkle/rfc6962"
	"github.com/transparency-dev/tessera/client"
)

// Inclusion shows that a record is in the log: RFC 6962's proof from its leaf to the root of the checkpoint.
type Inclusion struct {
	Index      uint64   // the record's number, and its leaf's
	Size       uint64   // leaves in the tree of the checkpoint
	Hashes     [][]byte // from the leaf's sibling up
	Checkpoint []byte   // a signed note
}

// Prove makes the proof of one record against the last published checkpoint. It fails with ErrNotYet if that does not
// cover the record yet, and with ErrDisagrees if the tiles do not lead from the journal's record to the root.
func (n *Notary) Prove(ctx context.Context, seq uint64) (Inclusion, error) {
	cp := n.published.Load()
	if cp == nil || seq >= cp.Size {
		return Inclusion{}, fmt.Errorf("record %d: %w", seq, ErrNotYet)
	}
	b, err := client.NewProofBuilder(ctx, cp.Size, n.store.ReadTile)
	if err != nil {
		return Inclusion{}, fmt.Errorf("prove record %d: %w", seq, err)
	}
	hashes, err := b.InclusionProof(ctx, seq)
	if err != nil {
		return Inclusion{}, fmt.Errorf("prove record %d: %w", seq, err)
	}
	digest, err := n.digest(ctx, seq)
	if err != nil {
		return Inclusion{}, fmt.Errorf("prove record %d: %w", seq, err)
	}
	leaf := leafHash(digest[:])
	if err := proof.VerifyInclusion(rfc6962.DefaultHasher, seq, cp.Size, leaf[:], hashes, cp.Root); err != nil {
		return Inclusion{}, fmt.Errorf("prove record %d: %w; run lienthong ledger check", seq, ErrDisagrees)
	}
	return Inclusion{Index: seq, Size: cp.Size, Hashes: hashes, Checkpoint: append([]byte(nil), cp.raw...)}, nil
}

func (n *Notary) digest(ctx context.Context, seq uint64) (digest [32]byte, err error) {
	for digest, err = range n.cfg.Source.Digests(ctx, seq, seq+1) {
		return digest, err
	}
	return digest, errors.New("the journal does not have it")
}

// Consistency makes RFC 6962's proof that the log of the first size is the beginning of that of the second. It fails
// with ErrNotYet if no published checkpoint covers the second.
func (n *Notary) Consistency(ctx context.Context, from, to uint64) ([][]byte, error) {
	cp := n.published.Load()
	if cp == nil || to > cp.Size {
		return nil, fmt.Errorf("size %d: %w", to, ErrNotYet)
	}
	if from > to {
		return nil, fmt.Errorf("size %d is not before %d", from, to)
	}
	hashes, err := n.consistency(ctx, from, to, cp.Size)
	if err != nil {
		return nil, fmt.Errorf("prove that %d leaves are the beginning of %d: %w", from, to, err)
	}
	return hashes, nil
}
