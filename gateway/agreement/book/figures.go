package book

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/lienthong/lienthong/gateway/member"
	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
)

// figures are counted by provider.
type figures map[string]*hubv1.ProviderProposals

func (f figures) of(provider string) *hubv1.ProviderProposals {
	if f[provider] == nil {
		f[provider] = &hubv1.ProviderProposals{Provider: provider, RefusedByGround: map[string]int32{}}
	}
	return f[provider]
}

// Proposals says how providers deal with what they are asked to share, for those that a system of an agency may see. A
// proposal waits for its provider until the provider has approved or refused it; what the hub does is not counted.
func Proposals(ctx context.Context, q queryer, who Who, agency string, now time.Time) ([]*hubv1.ProviderProposals, error) {
	f := figures{}
	for _, count := range []func(context.Context, queryer, int64) error{f.waiting, f.approved, f.refused} {
		if err := count(ctx, q, now.UnixMilli()); err != nil {
			return nil, fmt.Errorf("count proposals: %w", err)
		}
	}
	var shown []*hubv1.ProviderProposals
	for _, provider := range slices.Sorted(maps.Keys(f)) {
		if who.Roles.May(member.SeeProposals).Covers(agency, "", provider) {
			shown = append(shown, f[provider])
		}
	}
	return shown, nil
}

func (f figures) waiting(ctx context.Context, q queryer, now int64) error {
	rows, err := q.QueryContext(ctx, `SELECT provider, COUNT(*), MIN(proposed) FROM agreement a WHERE state = $1 AND until_ms > $2
		AND NOT EXISTS (SELECT 1 FROM agreement_approval p WHERE p.id = a.id AND p.version = a.version AND p.party = $3)
		GROUP BY provider`, int64(proposed), now, partyProvider)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var provider string
		var count int32
		var oldest int64
		if err := rows.Scan(&provider, &count, &oldest); err != nil {
			return err
		}
		p := f.of(provider)
		p.Waiting, p.Oldest = count, stamp(oldest)
	}
	return rows.Err()
}

func (f figures) approved(ctx context.Context, q queryer, _ int64) error {
	rows, err := q.QueryContext(ctx, `SELECT a.provider, COUNT(*) FROM agreement a
		JOIN agreement_approval p ON p.id = a.id AND p.version = a.version WHERE p.party = $1 GROUP BY a.provider`, partyProvider)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var provider string
		var count int32
		if err := rows.Scan(&provider, &count); err != nil {
			return err
		}
		f.of(provider).Approved = count
	}
	return rows.Err()
}

func (f figures) refused(ctx context.Context, q queryer, _ int64) error {
	rows, err := q.QueryContext(ctx, `SELECT provider, ground, COUNT(*) FROM agreement WHERE state = $1 AND refused_for = $2
		GROUP BY provider, ground`, int64(refused), partyProvider)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var provider string
		var ground hubv1.RefusalGround
		var count int32
		if err := rows.Scan(&provider, &ground, &count); err != nil {
			return err
		}
		p := f.of(provider)
		p.Refused += count
		p.RefusedByGround[Ground(ground)] += count
	}
	return rows.Err()
}
