package land

import (
	"context"
	"database/sql"
	"fmt"

	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
	"github.com/lienthong/lienthong/proto/reason"
	landv1 "github.com/lienthong/lienthong/proto/registry/land/v1"
)

// GetParcel returns one parcel by its place on the map.
func (r *Registry) GetParcel(ctx context.Context, req *landv1.GetParcelRequest) (*landv1.GetParcelResponse, error) {
	at, err := r.place(req.GetProvinceCode(), req.GetCommuneCode(), req.GetMapSheet(), req.GetParcelNumber())
	if err != nil {
		return nil, err
	}
	if !at.commune.digitised {
		return &landv1.GetParcelResponse{Result: found(hubv1.Result_MISSING)}, nil
	}
	rows, err := ask(ctx, r.stmts.parcel, at.commune.code, at.sheet, at.plot)
	if err != nil {
		return nil, fmt.Errorf("read parcel: %w", err)
	}
	return r.parcelAnswer(rows)
}

// parcelAnswer reads one row for each owner of one parcel.
func (r *Registry) parcelAnswer(rows *sql.Rows) (answer *landv1.GetParcelResponse, err error) {
	defer func() { err = closeRows(rows, err, "read parcel") }()
	g := r.communes.Load()
	answer = &landv1.GetParcelResponse{Result: found(hubv1.Result_NO_MATCH)}
	var (
		serial string
		wrong  int
		p      parcelRow
		o      ownerRow
	)
	to := append(p.into(append(make([]any, 0, 20), &serial, &wrong)), o.into(nil)...)
	for rows.Next() {
		if err := rows.Scan(to...); err != nil {
			return nil, fmt.Errorf("read parcel: %w", err)
		}
		if wrong != 0 {
			return &landv1.GetParcelResponse{Result: found(hubv1.Result_WRONG)}, nil
		}
		if answer.Parcel == nil {
			answer.Result.Code, answer.Parcel, answer.CertificateSerial = hubv1.Result_FOUND, p.message(g), serial
		}
		answer.Owners = append(answer.Owners, o.message(g))
	}
	return answer, nil
}

// place is a parcel's place on the map.
type place struct {
	commune     *commune
	sheet, plot uint32
}

// place reads a request's place on the map. It fails with the reason of the first field at fault.
func (r *Registry) place(province, code string, sheet, plot uint32) (place, error) {
	in, err := r.jurisdiction.province(province)
	if err != nil {
		return place{}, err
	}
	switch {
	case code == "":
		return place{}, reason.FieldRequired.At("commune_code")
	case sheet == 0:
		return place{}, reason.FieldRequired.At("map_sheet")
	case plot == 0:
		return place{}, reason.FieldRequired.At("parcel_number")
	}
	c, err := r.communes.Load().in(in, code)
	if err != nil {
		return place{}, err
	}
	return place{c, sheet, plot}, nil
}

// parcelRow is what parcelColumns selects.
type parcelRow struct {
	commune, sheet, plot, area uint32
	useCode, useTitle, term    string
	form                       landv1.FormOfUse
	origin                     string
	system                     hubv1.CodeSystem
	recorded                   uint32
	detail                     string
}

func (p *parcelRow) into(to []any) []any {
	return append(to, &p.commune, &p.sheet, &p.plot, &p.area, &p.useCode, &p.useTitle, &p.term, &p.form, &p.origin,
		&p.system, &p.recorded, &p.detail)
}

// key is the parcel with its place on the map only.
func (p *parcelRow) key(g *gazetteer) *landv1.Parcel {
	m := &landv1.Parcel{MapSheet: p.sheet, ParcelNumber: p.plot}
	if c := g.now(p.commune); c != nil {
		m.CommuneCode = c.codeText
	}
	return m
}

func (p *parcelRow) message(g *gazetteer) *landv1.Parcel {
	m := p.key(g)
	m.AreaTenthM2 = p.area
	m.LandUseCode, m.LandUseTitle = p.useCode, p.useTitle
	m.Term, m.FormOfUse, m.Origin = p.term, p.form, p.origin
	m.Address = g.units[unit{p.system, p.recorded}].address(p.detail)
	return m
}

// ownerRow is what ownerColumns selects.
type ownerRow struct {
	name, personalID, oldID, birth string
	home                           uint32
	homeDetail                     string
}

func (o *ownerRow) into(to []any) []any {
	return append(to, &o.name, &o.personalID, &o.oldID, &o.birth, &o.home, &o.homeDetail)
}

func (o *ownerRow) message(g *gazetteer) *landv1.Owner {
	return &landv1.Owner{
		FullName:   o.name,
		PersonalId: o.personalID,
		OldId:      o.oldID,
		BirthDate:  o.birth,
		Address:    g.now(o.home).address(o.homeDetail),
	}
}
