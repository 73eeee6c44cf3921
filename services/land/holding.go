package land

import (
	"context"
	"database/sql"
	"fmt"

	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
	"github.com/lienthong/lienthong/proto/reason"
	landv1 "github.com/lienthong/lienthong/proto/registry/land/v1"
	"github.com/lienthong/lienthong/services/person"
)

const (
	defaultPage = 20
	maxPage     = 100
)

// ListHoldings lists what one person holds in one province or commune, a page at a time.
func (r *Registry) ListHoldings(ctx context.Context, req *landv1.ListHoldingsRequest) (*landv1.ListHoldingsResponse, error) {
	q, err := r.holdingsQuestion(req)
	if err != nil {
		return nil, err
	}
	answer := &landv1.ListHoldingsResponse{Result: found(hubv1.Result_NO_MATCH)}
	nothing := false
	if answer.MissingCommunes, nothing = r.communes.Load().missingIn(q.province, q.commune); nothing {
		answer.Result.Code = hubv1.Result_MISSING
		return answer, nil
	}
	if err := r.readHoldings(ctx, q, answer); err != nil {
		return nil, err
	}
	switch {
	case len(answer.MissingCommunes) > 0:
		answer.Result.Code = hubv1.Result_PARTIAL
	case len(answer.Holdings) > 0 || q.after > 0:
		answer.Result.Code = hubv1.Result_FOUND
	}
	return answer, nil
}

// holdingsQuestion is what a request asks.
type holdingsQuestion struct {
	province uint8
	id       person.ID
	oldID    person.OldID // may be empty
	nameKey  string       // may be empty
	commune  *commune     // nil: the whole province
	page     int
	after    int64 // the last parcel of the page before; 0: from the beginning
}

func (r *Registry) holdingsQuestion(req *landv1.ListHoldingsRequest) (q holdingsQuestion, err error) {
	if q.province, err = r.jurisdiction.province(req.GetProvinceCode()); err != nil {
		return q, err
	}
	if err := q.readPerson(req); err != nil {
		return q, err
	}
	if q.commune, err = r.communes.Load().maybeIn(q.province, req.GetCommuneCode()); err != nil {
		return q, err
	}
	switch n := req.GetPageSize(); {
	case n == 0:
		q.page = defaultPage
	case n > maxPage:
		return q, reason.FieldInvalid.At("page_size")
	default:
		q.page = int(n)
	}
	if token := req.GetPageToken(); token != "" {
		if q.after, err = q.parseToken(token); err != nil {
			return q, err
		}
	}
	return q, nil
}

func (q *holdingsQuestion) readPerson(req *landv1.ListHoldingsRequest) (err error) {
	if req.GetPersonalId() == "" {
		return reason.FieldRequired.At("personal_id")
	}
	if q.id, err = person.ParseID(req.GetPersonalId()); err != nil {
		return reason.IDMalformed.At("personal_id")
	}
	q.nameKey = person.NameKey(req.GetFullName())
	if req.GetOldId() == "" {
		return nil
	}
	if q.oldID, err = person.ParseOldID(req.GetOldId()); err != nil {
		return reason.IDMalformed.At("old_id")
	}
	if q.nameKey == "" {
		return reason.FieldRequired.At("full_name")
	}
	return nil
}

// missingIn lists the communes of an area that have no land database, and reports whether none of it has one.
func (g *gazetteer) missingIn(province uint8, c *commune) ([]*landv1.MissingCommune, bool) {
	switch {
	case c == nil:
		missing := g.missing[province]
		return missing, len(missing) == g.all[province]
	case c.digitised:
		return nil, false
	}
	return []*landv1.MissingCommune{{CommuneCode: c.codeText, CommuneName: c.name}}, true
}

// readHoldings puts one page into the answer, and the token for the next if there is one.
func (r *Registry) readHoldings(ctx context.Context, q holdingsQuestion, answer *landv1.ListHoldingsResponse) (err error) {
	var in uint32
	if q.commune != nil {
		in = q.commune.code
	}
	stmt, args := r.stmts.holdings, []any{q.province, string(q.id), q.nameKey, in, q.after, q.page + 1}
	if q.oldID != "" {
		stmt, args = r.stmts.holdingsOld, append(args, string(q.oldID))
	}
	rows, err := ask(ctx, stmt, args...)
	if err != nil {
		return fmt.Errorf("read holdings: %w", err)
	}
	defer func() { err = closeRows(rows, err, "read holdings") }()
	g := r.communes.Load()
	last := q.after
	for rows.Next() {
		if len(answer.Holdings) == q.page {
			answer.NextPageToken = q.token(last)
			return nil
		}
		var h *landv1.Holding
		if last, h, err = readHolding(rows, g); err != nil {
			return fmt.Errorf("read holdings: %w", err)
		}
		answer.Holdings = append(answer.Holdings, h)
	}
	return nil
}

func readHolding(rows *sql.Rows, g *gazetteer) (id int64, h *landv1.Holding, err error) {
	var (
		wrong int
		p     parcelRow
		o     ownerRow
	)
	h = &landv1.Holding{Result: found(hubv1.Result_FOUND)}
	if err := rows.Scan(o.into(p.into([]any{&id, &h.CertificateSerial, &wrong}))...); err != nil {
		return 0, nil, err
	}
	if wrong != 0 {
		h.Result.Code, h.Parcel = hubv1.Result_WRONG, p.key(g)
		return id, h, nil
	}
	h.Parcel, h.Owner = p.message(g), o.message(g)
	return id, h, nil
}
