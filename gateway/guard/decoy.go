package guard

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"database/sql"
	"fmt"
	"hash"
	"sync"

	"github.com/lienthong/lienthong/gateway/state"
	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
)

// decoySecret is the name of the state's secret under which decoys are hashed.
const decoySecret = "decoy"

// mostAsked is how many officers are remembered to have asked for decoys, until that is recorded.
const mostAsked = 1024

type decoyHash [sha256.Size]byte

// decoys are persons whom nobody has reason to ask for. Their numbers are nowhere, only hashes under a secret.
type decoys struct {
	set     map[decoyHash]struct{}
	hashers sync.Pool // of *hasher
}

// hasher hashes one number after another without making garbage.
type hasher struct {
	mac hash.Hash
	in  []byte
	out decoyHash
}

func newHasher(key []byte) *hasher { return &hasher{mac: hmac.New(sha256.New, key)} }

func (h *hasher) hash(s *hubv1.DataSubject) decoyHash {
	h.in = append(append(h.in[:0], byte(s.GetKind())), s.GetValue()...)
	h.mac.Reset()
	h.mac.Write(h.in)
	h.mac.Sum(h.out[:0])
	return h.out
}

// among reports whether one of the subjects is a decoy.
func (d *decoys) among(subjects []*hubv1.DataSubject) bool {
	h := d.hashers.Get().(*hasher)
	defer d.hashers.Put(h)
	for _, s := range subjects {
		if _, found := d.set[h.hash(s)]; found {
			return true
		}
	}
	return false
}

// decoyAsked is how often somebody asked for decoys since that was recorded last.
type decoyAsked struct{ exchanges int }

func (a *decoyAsked) text() string {
	if a.exchanges == 1 {
		return "asked for a decoy: a person for whom nobody has reason to ask"
	}
	return fmt.Sprintf("asked for decoys in %d exchanges: persons for whom nobody has reason to ask", a.exchanges)
}

// noteDecoy has it recorded, and the alarm raised, that somebody asked for a decoy.
func (g *Guard) noteDecoy(w who) {
	g.events.Lock()
	defer g.events.Unlock()
	g.addAsked(w, 1)
	if len(g.alarms) < mostAsked {
		g.alarms = append(g.alarms, Alarm{Agency: w.agency, Purpose: w.purpose, Officer: w.officer, Decoy: true, At: g.now().UTC()})
	}
	wake(g.counted)
	wake(g.stopped)
}

// addAsked adds exchanges to what is to be recorded. When it is too much for one record each, an agency's officers
// share one. The lock of events is held.
func (g *Guard) addAsked(w who, exchanges int) {
	if _, known := g.asked[w]; !known && len(g.asked) >= mostAsked {
		w.officer = ""
	}
	if g.asked[w] == nil {
		g.asked[w] = new(decoyAsked)
	}
	g.asked[w].exchanges += exchanges
}

// decoysRead tells whether decoys have changed: a revision is given once, and a removal changes the number.
type decoysRead struct{ number, revision int64 }

// readDecoys reads the decoys if they have changed.
func (g *Guard) readDecoys(ctx context.Context, tx *sql.Tx) error {
	var now decoysRead
	if err := tx.QueryRowContext(ctx, `SELECT COUNT(*), COALESCE(MAX(revision), 0) FROM decoy`).Scan(&now.number, &now.revision); err != nil {
		return fmt.Errorf("read decoys: %w", err)
	}
	if now == g.known {
		return nil
	}
	if now.number == 0 {
		g.decoys.Store(nil)
		g.known = now
		return nil
	}
	d := &decoys{set: make(map[decoyHash]struct{}, now.number)}
	rows, err := tx.QueryContext(ctx, `SELECT hash FROM decoy`)
	if err != nil {
		return fmt.Errorf("read decoys: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var h []byte
		if err := rows.Scan(&h); err != nil {
			return fmt.Errorf("read decoys: %w", err)
		}
		if len(h) == sha256.Size {
			d.set[decoyHash(h)] = struct{}{}
		}
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("read decoys: %w", err)
	}
	d.hashers.New = func() any { return newHasher(g.decoyKey) }
	g.decoys.Store(d)
	g.known = now
	return nil
}

// DecoyKey returns the secret under which AddDecoys and RemoveDecoys hash.
func DecoyKey(ctx context.Context, db *state.DB) ([]byte, error) { return db.Secret(ctx, decoySecret) }

// AddDecoys makes persons decoys, and returns how many were none before. Only their hashes are kept.
func AddDecoys(ctx context.Context, tx *state.Tx, key []byte, people []*hubv1.DataSubject) (added int64, err error) {
	added, err = changeDecoys(ctx, tx, key, people, func(hash []byte) (sql.Result, error) {
		return tx.ExecContext(ctx, `INSERT INTO decoy (hash, revision) VALUES ($1, $2) ON CONFLICT (hash) DO NOTHING`, hash, tx.Revision)
	})
	if added > 0 {
		tx.Record(&hubv1.Change{Kind: hubv1.Change_KIND_GUARD, Object: "decoys", Text: fmt.Sprintf("%d added", added)})
	}
	return added, err
}

// RemoveDecoys makes persons decoys no more, and returns how many were.
func RemoveDecoys(ctx context.Context, tx *state.Tx, key []byte, people []*hubv1.DataSubject) (removed int64, err error) {
	removed, err = changeDecoys(ctx, tx, key, people, func(hash []byte) (sql.Result, error) {
		return tx.ExecContext(ctx, `DELETE FROM decoy WHERE hash = $1`, hash)
	})
	if removed > 0 {
		tx.Record(&hubv1.Change{Kind: hubv1.Change_KIND_GUARD, Object: "decoys", Text: fmt.Sprintf("%d removed", removed)})
	}
	return removed, err
}

func changeDecoys(ctx context.Context, tx *state.Tx, key []byte, people []*hubv1.DataSubject, change func([]byte) (sql.Result, error)) (n int64, err error) {
	h := newHasher(key)
	for _, s := range people {
		hash := h.hash(s)
		result, err := change(hash[:])
		if err != nil {
			return 0, fmt.Errorf("change decoys: %w", err)
		}
		rows, err := result.RowsAffected()
		if err != nil {
			return 0, fmt.Errorf("change decoys: %w", err)
		}
		n += rows
	}
	return n, nil
}

// CountDecoys returns how many decoys there are.
func CountDecoys(ctx context.Context, db *state.DB) (n int64, err error) {
	if err := db.Read.QueryRowContext(ctx, `SELECT COUNT(*) FROM decoy`).Scan(&n); err != nil {
		return 0, fmt.Errorf("count decoys: %w", err)
	}
	return n, nil
}
