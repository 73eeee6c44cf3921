package book

import (
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"fmt"
	"slices"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/lienthong/lienthong/gateway/state"
	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
	"github.com/lienthong/lienthong/proto/reason"
)

// row is one version as the table has it. Times are Unix ms.
type row struct {
	id                          string
	version, edition            int64
	state                       hubv1.AgreementState
	doc                         *hubv1.Agreement // not to be changed
	digest                      []byte
	consumer, provider, service string
	draftedBy, draftedFor       string
	proposed                    int64
	proposedBy, proposedFor     string
	from, until                 int64
	reason                      string
	ground                      hubv1.RefusalGround
	refusedFor                  string
	revision                    int64

	approvals []approval
}

// approval is one party's word.
type approval struct {
	party, by, officer string
	at                 int64
}

const columns = `id, version, edition, state, document, digest, consumer, provider, service, drafted_by, drafted_for,
	proposed, proposed_by, proposed_for, from_ms, until_ms, reason, ground, refused_for, revision`

// queryer is a transaction or a pool that reads.
type queryer interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// rowsOf reads versions, without their approvals: what follows FROM agreement.
func rowsOf(ctx context.Context, q queryer, where string, args ...any) ([]*row, error) {
	rows, err := q.QueryContext(ctx, `SELECT `+columns+` FROM agreement `+where, args...)
	if err != nil {
		return nil, fmt.Errorf("read agreements: %w", err)
	}
	defer rows.Close()
	var all []*row
	for rows.Next() {
		r, err := scan(rows)
		if err != nil {
			return nil, fmt.Errorf("read agreements: %w", err)
		}
		all = append(all, r)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read agreements: %w", err)
	}
	return all, nil
}

func scan(rows *sql.Rows) (*row, error) {
	r := &row{doc: new(hubv1.Agreement)}
	var document []byte
	if err := rows.Scan(&r.id, &r.version, &r.edition, &r.state, &document, &r.digest, &r.consumer, &r.provider, &r.service,
		&r.draftedBy, &r.draftedFor, &r.proposed, &r.proposedBy, &r.proposedFor, &r.from, &r.until, &r.reason, &r.ground,
		&r.refusedFor, &r.revision); err != nil {
		return nil, err
	}
	if sum := sha256.Sum256(document); !bytes.Equal(sum[:], r.digest) {
		return nil, fmt.Errorf("version %d of agreement %s is not what it was: its document was altered in the database", r.version, r.id)
	}
	if err := proto.Unmarshal(document, r.doc); err != nil {
		return nil, fmt.Errorf("version %d of agreement %s: %w", r.version, r.id, err)
	}
	return r, nil
}

// load reads all versions of an agreement with their approvals, the newest first.
func load(ctx context.Context, q queryer, id string) ([]*row, error) {
	all, err := rowsOf(ctx, q, `WHERE id = $1 ORDER BY version DESC`, id)
	if err != nil {
		return nil, err
	}
	return all, approve(ctx, q, all, id)
}

// approve fills in the approvals of an agreement's versions.
func approve(ctx context.Context, q queryer, all []*row, id string) error {
	rows, err := q.QueryContext(ctx, `SELECT version, party, by_id, officer, at_ms FROM agreement_approval WHERE id = $1 ORDER BY at_ms, party`, id)
	if err != nil {
		return fmt.Errorf("read approvals: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var version int64
		var a approval
		if err := rows.Scan(&version, &a.party, &a.by, &a.officer, &a.at); err != nil {
			return fmt.Errorf("read approvals: %w", err)
		}
		if i := slices.IndexFunc(all, func(r *row) bool { return r.version == version }); i >= 0 {
			all[i].approvals = append(all[i].approvals, a)
		}
	}
	return rows.Err()
}

// insert writes a version for the first and last time, as far as its document goes.
func (r *row) insert(ctx context.Context, tx *state.Tx) error {
	document, digest, err := seal(r.doc)
	if err != nil {
		return err
	}
	r.digest, r.edition, r.revision = digest, 1, tx.Revision
	_, err = tx.ExecContext(ctx, `INSERT INTO agreement (`+columns+`)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20)`,
		r.id, r.version, r.edition, int64(r.state), document, r.digest, r.consumer, r.provider, r.service, r.draftedBy, r.draftedFor,
		r.proposed, r.proposedBy, r.proposedFor, r.from, r.until, r.reason, int64(r.ground), r.refusedFor, r.revision)
	if err != nil {
		return fmt.Errorf("write version %d of agreement %s: %w", r.version, r.id, err)
	}
	return nil
}

// update writes how far a version has come. It fails with VERSION_CONFLICT if somebody else did since it was read.
func (r *row) update(ctx context.Context, tx *state.Tx) error {
	done, err := tx.ExecContext(ctx, `UPDATE agreement SET edition = edition + 1, state = $1, proposed = $2, proposed_by = $3,
		proposed_for = $4, from_ms = $5, until_ms = $6, reason = $7, ground = $8, refused_for = $9, revision = $10
		WHERE id = $11 AND version = $12 AND edition = $13`,
		int64(r.state), r.proposed, r.proposedBy, r.proposedFor, r.from, r.until, r.reason, int64(r.ground), r.refusedFor, tx.Revision,
		r.id, r.version, r.edition)
	if err != nil {
		return fmt.Errorf("write version %d of agreement %s: %w", r.version, r.id, err)
	}
	if n, err := done.RowsAffected(); err != nil || n != 1 {
		return reason.VersionConflict.Because(err)
	}
	r.edition, r.revision = r.edition+1, tx.Revision
	return nil
}

// told is the state as it is at a moment: what is over is told by time.
func (r *row) told(now int64) hubv1.AgreementState {
	if now < r.until {
		return r.state
	}
	switch r.state {
	case draft, proposed:
		return expired
	case active, suspended:
		if _, until, err := days(r.doc); err == nil && r.until < until {
			return superseded // another version has cut it short
		}
		return expired
	}
	return r.state
}

// lives reports whether a version decides or will, or would if it were not suspended.
func (r *row) lives(now int64) bool {
	told := r.told(now)
	return told == active || told == suspended
}

// decides reports whether it is this version that decides, if only by refusing because it is suspended.
func (r *row) decides(now int64) bool { return r.lives(now) && r.from <= now }

// shown is the version as the service shows it.
func (r *row) shown(now int64) *hubv1.AgreementVersion {
	v := &hubv1.AgreementVersion{
		Agreement: r.doc, State: r.told(now), Digest: r.digest, Edition: r.edition, ProposedBy: r.proposedBy,
		Reason: r.reason, Ground: r.ground, From: stamp(r.from), Until: stamp(r.until),
	}
	if r.proposed > 0 {
		v.Proposed = stamp(r.proposed)
	}
	for _, a := range r.approvals {
		v.Approvals = append(v.Approvals, &hubv1.Approval{Party: a.party, By: a.by, Officer: a.officer, At: stamp(a.at)})
	}
	return v
}

func stamp(ms int64) *timestamppb.Timestamp { return timestamppb.New(time.UnixMilli(ms)) }
