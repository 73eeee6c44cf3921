package insurance

import (
	"context"
	"fmt"
	"time"

	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
	"github.com/lienthong/lienthong/proto/reason"
	insurancev1 "github.com/lienthong/lienthong/proto/registry/insurance/v1"
	"github.com/lienthong/lienthong/services/person"
)

const (
	defaultPage = 20
	maxPage     = 100
)

// ListContributions returns one page of the contribution periods of the one person who matches.
func (r *Registry) ListContributions(ctx context.Context, req *insurancev1.ListContributionsRequest) (*insurancev1.ListContributionsResponse, error) {
	now := r.Clock()
	if len(req.GetInsuranceNumber()) == cardLength {
		return nil, reason.IDMalformed.At("insurance_number")
	}
	q, err := newQuestion(req, req.GetInsuranceNumber(), "insurance_number", now)
	if err != nil {
		return nil, err
	}
	size := int(req.GetPageSize())
	if size == 0 {
		size = defaultPage
	}
	if size > maxPage {
		return nil, reason.FieldInvalid.At("page_size")
	}
	after, err := q.position(req.GetPageToken())
	if err != nil {
		return nil, err
	}
	i, c, err := r.one(ctx, &q)
	if err != nil || c != hubv1.Result_FOUND {
		return &insurancev1.ListContributionsResponse{Result: resultOf(c)}, err
	}
	return r.contributionPage(ctx, &q, i, after, size, monthOf(now))
}

func (r *Registry) contributionPage(ctx context.Context, q *question, i *insured, after int64, size int, month int64) (*insurancev1.ListContributionsResponse, error) {
	resp := &insurancev1.ListContributionsResponse{
		Result: resultOf(hubv1.Result_FOUND), InsuranceNumber: i.number, PersonalId: i.personalID,
	}
	var total int64
	if err := r.st.totalMonths.QueryRow(ctx, month, i.number).Scan(&total); err != nil {
		return nil, fmt.Errorf("sum contributions: %w", err)
	}
	resp.TotalMonths = uint32(max(total, 0))
	// One more than the page shows whether another page follows.
	rows, err := r.st.contributions.Query(ctx, i.number, after, size+1)
	if err != nil {
		return nil, fmt.Errorf("list contributions: %w", err)
	}
	defer rows.Close()
	var seq int64
	for rows.Next() {
		if len(resp.Contributions) == size {
			resp.NextPageToken = q.token(seq)
			break
		}
		var kind, first, last int64
		p := &insurancev1.Contribution{}
		if err := rows.Scan(&seq, &kind, &first, &last, &p.UnitCode, &p.WageBase); err != nil {
			return nil, fmt.Errorf("list contributions: %w", err)
		}
		p.Type = insurancev1.ContributionType(kind)
		p.FromMonth, p.Months = monthText(first), uint32(max(month-first+1, 0))
		if last != 0 {
			p.ToMonth, p.Months = monthText(last), uint32(last-first+1)
		}
		resp.Contributions = append(resp.Contributions, p)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("list contributions: %w", err)
	}
	return resp, nil
}

// month counts months from year 0, so that they can be subtracted.
func month(year, month int) int64 { return int64(year)*12 + int64(month) - 1 }

func monthOf(t time.Time) int64 {
	d := person.DateOf(t)
	return month(d.Year, d.Month)
}

func monthText(m int64) string { return person.Date{Year: int(m / 12), Month: int(m%12) + 1}.String() }
