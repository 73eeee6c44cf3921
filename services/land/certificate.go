package land

import (
	"context"
	"database/sql"
	"fmt"

	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
	landv1 "github.com/lienthong/lienthong/proto/registry/land/v1"
)

// GetCertificate returns a certificate by its serial number, sections 1 to 5.
func (r *Registry) GetCertificate(ctx context.Context, req *landv1.GetCertificateRequest) (*landv1.GetCertificateResponse, error) {
	q, err := r.serialQuestion(req.GetProvinceCode(), req.GetCommuneCode(), req.GetCertificateSerial())
	if err != nil {
		return nil, err
	}
	if q.missing {
		return &landv1.GetCertificateResponse{Result: found(hubv1.Result_MISSING)}, nil
	}
	h, err := r.certificateHead(ctx, q)
	if err != nil {
		return nil, err
	}
	switch {
	case h.id == 0:
		return &landv1.GetCertificateResponse{Result: found(hubv1.Result_NO_MATCH)}, nil
	case h.wrong != 0:
		return &landv1.GetCertificateResponse{Result: found(hubv1.Result_WRONG)}, nil
	}
	encumbered, err := r.certificateParcels(ctx, h)
	if err != nil {
		return nil, err
	}
	if encumbered {
		book, err := r.restsOnSerial(ctx, q)
		if err != nil {
			return nil, err
		}
		h.message.Notes = book.all
	}
	return &landv1.GetCertificateResponse{Result: found(hubv1.Result_FOUND), Certificate: h.message}, nil
}

// serialQuestion names a certificate.
type serialQuestion struct {
	province uint8
	serial   Serial
	missing  bool // the commune it was asked with has no land database
}

// serialQuestion reads what a request asks about a certificate; the commune may be empty.
func (r *Registry) serialQuestion(province, commune, serial string) (q serialQuestion, err error) {
	if q.province, err = r.jurisdiction.province(province); err != nil {
		return q, err
	}
	if q.serial, err = ParseSerial(serial); err != nil {
		return q, err
	}
	c, err := r.communes.Load().maybeIn(q.province, commune)
	if err != nil {
		return q, err
	}
	q.missing = c != nil && !c.digitised
	return q, nil
}

// head is a certificate with its section 1.
type head struct {
	id      int64 // 0: no such certificate
	wrong   int
	message *landv1.Certificate
}

// certificateHead reads a certificate and its owners.
func (r *Registry) certificateHead(ctx context.Context, q serialQuestion) (h head, err error) {
	rows, err := ask(ctx, r.stmts.certificate, string(q.serial), q.province)
	if err != nil {
		return h, fmt.Errorf("read certificate: %w", err)
	}
	defer func() { err = closeRows(rows, err, "read certificate") }()
	h.message = &landv1.Certificate{Serial: string(q.serial)}
	g := r.communes.Load()
	var o ownerRow
	to := o.into([]any{&h.id, &h.wrong, &h.message.BookNumber, &h.message.IssuedOn})
	for rows.Next() {
		if err := rows.Scan(to...); err != nil {
			return h, fmt.Errorf("read certificate: %w", err)
		}
		h.message.Owners = append(h.message.Owners, o.message(g))
	}
	return h, nil
}

// certificateParcels reads sections 2 to 4 and reports whether anything rests or rested on the parcels.
func (r *Registry) certificateParcels(ctx context.Context, h head) (encumbered bool, err error) {
	rows, err := ask(ctx, r.stmts.certificateParcels, h.id)
	if err != nil {
		return false, fmt.Errorf("read certificate's parcels: %w", err)
	}
	defer func() { err = closeRows(rows, err, "read certificate's parcels") }()
	for rows.Next() {
		m, count, err := r.certifiedParcel(rows)
		if err != nil {
			return false, fmt.Errorf("read certificate's parcels: %w", err)
		}
		encumbered = encumbered || count > 0
		h.message.Parcels = append(h.message.Parcels, m)
	}
	return encumbered, nil
}

func (r *Registry) certifiedParcel(rows *sql.Rows) (*landv1.CertifiedParcel, int, error) {
	var (
		count int
		s     sketch
		p     parcelRow
	)
	if err := rows.Scan(p.into([]any{&count, &s.houseArea, &s.houseFloors, &s.north, &s.east, &s.width, &s.depth})...); err != nil {
		return nil, 0, err
	}
	return &landv1.CertifiedParcel{
		Parcel:  p.message(r.communes.Load()),
		Assets:  s.assets(p.form),
		Corners: s.corners(),
	}, count, nil
}
