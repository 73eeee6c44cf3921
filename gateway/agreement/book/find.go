package book

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"google.golang.org/protobuf/proto"

	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
	"github.com/lienthong/lienthong/proto/reason"
)

// Filter says which agreements are looked for; what is empty is any.
type Filter struct {
	Consumer, Provider, Service string
	States                      []hubv1.AgreementState
	After                       string // only ids after this one
	Limit                       int    // at most so many
	Size                        int    // and so many bytes, but at least one
}

// List returns the version that decides, or else the newest, of each agreement that a system of an agency may see, by
// id, and whether there are more.
func List(ctx context.Context, q queryer, who Who, agency string, now time.Time, f Filter) (found []*hubv1.AgreementVersion, more bool, err error) {
	where, args := f.where()
	rows, err := q.QueryContext(ctx, `SELECT DISTINCT id FROM agreement `+where+` ORDER BY id`, args...)
	if err != nil {
		return nil, false, fmt.Errorf("list agreements: %w", err)
	}
	var ids []string
	for rows.Next() {
		var id string
		if err := rows.Scan(&id); err != nil {
			_ = rows.Close()
			return nil, false, fmt.Errorf("list agreements: %w", err)
		}
		ids = append(ids, id)
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		return nil, false, fmt.Errorf("list agreements: %w", err)
	}
	size := 0
	for _, id := range ids {
		r, err := first(ctx, q, who, agency, now.UnixMilli(), id)
		if err != nil {
			return nil, false, err
		}
		if r == nil || len(f.States) > 0 && !slices.Contains(f.States, r.told(now.UnixMilli())) {
			continue
		}
		v := r.shown(now.UnixMilli())
		if size += proto.Size(v); len(found) > 0 && (len(found) >= f.Limit || size > f.Size) {
			return found, true, nil
		}
		found = append(found, v)
	}
	return found, false, nil
}

func (f *Filter) where() (string, []any) {
	words, args := []string{"id > $1"}, []any{f.After}
	for _, w := range []struct{ column, value string }{{"consumer", f.Consumer}, {"provider", f.Provider}, {"service", f.Service}} {
		if w.value != "" {
			args = append(args, w.value)
			words = append(words, fmt.Sprintf("%s = $%d", w.column, len(args)))
		}
	}
	return "WHERE " + strings.Join(words, " AND "), args
}

// first is the version that decides, or else the newest that may be seen; nil if none may.
func first(ctx context.Context, q queryer, who Who, agency string, now int64, id string) (*row, error) {
	all, err := visible(ctx, q, who, agency, id)
	if err != nil || len(all) == 0 {
		return nil, err
	}
	if i := slices.IndexFunc(all, func(r *row) bool { return r.decides(now) }); i >= 0 {
		return all[i], nil
	}
	return all[0], nil
}

// visible loads the versions of an agreement that may be seen, the newest first.
func visible(ctx context.Context, q queryer, who Who, agency, id string) ([]*row, error) {
	all, err := load(ctx, q, id)
	return slices.DeleteFunc(all, func(r *row) bool { return !r.visible(who, agency) }), err
}

// Find returns all versions of an agreement that a system of an agency may see, the newest first; AGREEMENT_UNKNOWN if
// there is none.
func Find(ctx context.Context, q queryer, who Who, agency string, now time.Time, id string) ([]*hubv1.AgreementVersion, error) {
	all, err := visible(ctx, q, who, agency, id)
	if err != nil {
		return nil, err
	}
	if len(all) == 0 {
		return nil, reason.AgreementUnknown
	}
	versions := make([]*hubv1.AgreementVersion, len(all))
	for i, r := range all {
		versions[i] = r.shown(now.UnixMilli())
	}
	return versions, nil
}

// Event is what a change of an agreement was, as AgreementService shows it.
func Event(c *hubv1.Change, position string) *hubv1.AgreementEvent {
	act, why, _ := strings.Cut(c.GetText(), ": ")
	return &hubv1.AgreementEvent{
		At: c.GetMade(), Version: c.GetVersion(), Act: act, By: c.GetAgency() + "/" + c.GetSystem(), Officer: c.GetOfficer(),
		Reason: why, Ledger: position,
	}
}

// Parties are the agencies between which an agreement is; AGREEMENT_UNKNOWN if there is none of that id.
func Parties(ctx context.Context, q queryer, id string) (consumer, provider string, err error) {
	all, err := load(ctx, q, id)
	if err != nil {
		return "", "", err
	}
	if len(all) == 0 {
		return "", "", reason.AgreementUnknown
	}
	return all[0].consumer, all[0].provider, nil
}
