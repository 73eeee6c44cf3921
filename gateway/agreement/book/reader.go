package book

import (
	"context"
	"database/sql"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/lienthong/lienthong/gateway/agreement"
	"github.com/lienthong/lienthong/gateway/catalog"
	"github.com/lienthong/lienthong/gateway/state"
)

// Reader makes the Set that decides of what is in the state, and remembers what it has read: it reads again only what
// has changed since. It is for one goroutine. The zero value has read nothing.
type Reader struct {
	Now func() time.Time // default time.Now

	seen  int64           // revision up to which rows are known
	kept  map[string]kept // by id
	stops []agreement.Suspension

	set     *agreement.Set
	catalog *catalog.Catalog // that set was compiled against
	stale   bool             // rows are known that set was not made of
}

// kept are the versions of one agreement that may matter, by version.
type kept map[int64]*row

// Read returns the Set as a transaction sees it; the same one as before if nothing has changed.
func (r *Reader) Read(ctx context.Context, tx *sql.Tx, c *catalog.Catalog) (*agreement.Set, error) {
	revision, err := state.RevisionOf(ctx, tx)
	if err != nil {
		return nil, err
	}
	if r.set != nil && !r.stale && revision == r.seen && c == r.catalog {
		return r.set, nil
	}
	if err := r.learn(ctx, tx, revision); err != nil {
		return nil, err
	}
	if r.set != nil && !r.stale && c == r.catalog {
		return r.set, nil
	}
	set, err := agreement.Compile(r.versions(), r.stops, c, r.set)
	if err != nil {
		return nil, err
	}
	r.set, r.catalog, r.stale = set, c, false
	return set, nil
}

// learn reads what has changed since the last time.
func (r *Reader) learn(ctx context.Context, tx *sql.Tx, revision int64) error {
	if revision < r.seen { // another database, or one that was restored
		r.seen, r.kept, r.stale = 0, nil, true
	}
	where, args := `WHERE revision > $1`, []any{r.seen}
	if r.kept == nil { // nothing to forget: what cannot matter is not even read
		where = `WHERE revision > $1 AND (state IN ($2, $3, $4) OR state = $5
			AND version = (SELECT MAX(o.version) FROM agreement o WHERE o.id = agreement.id AND o.state = $5))`
		args = append(args, int64(proposed), int64(active), int64(suspended), int64(terminated))
	}
	rows, err := rowsOf(ctx, tx, where, args...)
	if err != nil {
		return err
	}
	suspensions, err := suspensionsOf(ctx, tx)
	if err != nil {
		return err
	}
	r.stale = r.stale || len(rows) > 0 || !slices.Equal(suspensions, r.stops)
	r.seen, r.stops = revision, suspensions
	if r.kept == nil {
		r.kept = map[string]kept{}
	}
	for _, x := range rows {
		if r.kept[x.id] == nil {
			r.kept[x.id] = kept{}
		}
		r.kept[x.id][x.version] = x
		r.kept[x.id].forget()
	}
	return nil
}

// forget drops versions that cannot matter any more, whatever becomes of the others.
func (k kept) forget() {
	newest := int64(0) // that was terminated
	for version, r := range k {
		if r.state == terminated {
			newest = max(newest, version)
		}
	}
	for version, r := range k {
		if r.state == draft || r.state == refused || r.state == superseded || r.state == terminated && version != newest {
			delete(k, version)
		}
	}
}

// versions are what the Set is made of: of each agreement what lives and what waits, and if nothing lives what did.
func (r *Reader) versions() []agreement.Version {
	now := time.Now
	if r.Now != nil {
		now = r.Now
	}
	at := now().UnixMilli()
	var all []agreement.Version
	for _, id := range slices.Sorted(maps.Keys(r.kept)) {
		var live, waiting, past *row
		for _, version := range slices.Sorted(maps.Keys(r.kept[id])) {
			x := r.kept[id][version]
			switch {
			case x.lives(at):
				live, all = x, append(all, x.compiled(at))
			case x.state == proposed:
				waiting = x
			default:
				past = x
			}
		}
		if live == nil && past != nil {
			all = append(all, past.compiled(at))
		}
		if waiting != nil {
			all = append(all, waiting.compiled(at))
		}
	}
	return all
}

// compiled is a version as the decision needs it. It counts from its first day on: before the moment at which it was
// put in force another version decided, or none, and that is over; so gateways whose clocks are a little behind put it
// in force too.
func (r *row) compiled(now int64) agreement.Version {
	v := agreement.Version{Doc: r.doc, State: r.told(now), From: time.UnixMilli(r.from), Until: time.UnixMilli(r.until), Edition: r.edition}
	if from, _, err := days(r.doc); err == nil {
		v.From = time.UnixMilli(from)
	}
	copy(v.Digest[:], r.digest)
	return v
}

func suspensionsOf(ctx context.Context, tx *sql.Tx) ([]agreement.Suspension, error) {
	all, err := stops(ctx, tx)
	if err != nil {
		return nil, err
	}
	found := make([]agreement.Suspension, len(all))
	for i, s := range all {
		found[i] = agreement.Suspension{Provider: s.provider, Agency: s.agency, System: s.system}
	}
	return found, nil
}

// Uses says what the agreements about a service name of it, for who changes its contract: those that decide, will, are
// suspended or wait.
func Uses(ctx context.Context, tx *sql.Tx, c *catalog.Catalog, service string, now time.Time) ([]catalog.Use, error) {
	rows, err := rowsOf(ctx, tx, `WHERE service = $1 AND state IN ($2, $3, $4) AND until_ms > $5 ORDER BY id, version`,
		service, int64(proposed), int64(active), int64(suspended), now.UnixMilli())
	if err != nil {
		return nil, fmt.Errorf("read uses of %s: %w", service, err)
	}
	var uses []catalog.Use
	for _, r := range rows {
		uses = append(uses, agreement.Uses(r.doc, c)...)
	}
	return uses, nil
}
