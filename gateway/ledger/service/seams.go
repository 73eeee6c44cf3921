package service

import (
	"context"
	"time"

	"github.com/lienthong/lienthong/gateway/ledger/index"
	"github.com/lienthong/lienthong/gateway/ledger/service/token"
	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
	"github.com/lienthong/lienthong/proto/peer"
)

// Hash is a data subject as the ledger keeps it: a keyed hash.
type Hash = [16]byte

// Searcher finds entries: *index.Index.
type Searcher interface {
	// Search finds entries.
	Search(ctx context.Context, q index.Query) (index.Page, error)
	// Volumes adds up exchanges.
	Volumes(ctx context.Context, q index.VolumeQuery) ([]*hubv1.Volume, error)
	// Fields returns the text of a field list by its SHA-256.
	Fields(digest [32]byte) (text string, known bool)
	// Indexed is how many positions searches cover: all below it.
	Indexed() uint64
	// Wait waits until Indexed() > after, or fails with ctx's error.
	Wait(ctx context.Context, after uint64) error
}

// Prover builds the proof of one entry: a JSON document. It fails with reason.NotYetProven when no published
// checkpoint covers the position yet.
type Prover interface {
	Prove(ctx context.Context, seq uint64) ([]byte, error)
}

// Recorder keeps the records of who read the ledger. AppendAccess returns when the record is durable; on an error
// nothing is answered.
type Recorder interface {
	AppendAccess(ctx context.Context, record *hubv1.LedgerRecord) error
}

// Hasher hashes data subjects under every key of the ledger, the newest first. Key is that one's number.
type Hasher interface {
	Hash(kind hubv1.Subject, number string) (hashes []Hash, key uint32)
}

// Rotator makes a new key for the hashes of data subjects and records that, with by for who did it: agency, system and
// certificate are filled in, kind, object and version are the Rotator's.
type Rotator interface {
	RotateSubjectKey(ctx context.Context, by *hubv1.Change) (key uint32, err error)
}

// Statuser says in which state the ledger is.
type Statuser interface {
	Status(ctx context.Context) (*hubv1.GetStatusResponse, error)
}

// Tokens makes and reads citizens' tokens; see package token.
type Tokens interface {
	Make(subjects []token.Hash, key uint32, holder peer.ID, life time.Duration) (text string, expires time.Time, err error)
	Read(text string) (*token.Claims, error)
}

// Signer signs exported files: it makes a C2SP signed note of a text, with the key of the transparency log.
type Signer interface {
	SignNote(text string) ([]byte, error)
}
