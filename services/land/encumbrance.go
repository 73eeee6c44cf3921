package land

import (
	"context"
	"database/sql"
	"fmt"

	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
	landv1 "github.com/lienthong/lienthong/proto/registry/land/v1"
)

// Kinds of encumbrance, as the database has them.
const (
	mortgage    = 1
	seizure     = 2
	dispute     = 3
	restriction = 4
)

// CheckEncumbrance says whether anything rests on a parcel or a certificate's parcels, and what.
func (r *Registry) CheckEncumbrance(ctx context.Context, req *landv1.CheckEncumbranceRequest) (*landv1.CheckEncumbranceResponse, error) {
	onMap := req.GetMapSheet() != 0 || req.GetParcelNumber() != 0
	if req.GetCertificateSerial() != "" && !onMap {
		return r.checkSerial(ctx, req)
	}
	at, err := r.place(req.GetProvinceCode(), req.GetCommuneCode(), req.GetMapSheet(), req.GetParcelNumber())
	if err != nil {
		return nil, err
	}
	var serial Serial
	if s := req.GetCertificateSerial(); s != "" {
		if serial, err = ParseSerial(s); err != nil {
			return nil, err
		}
	}
	if !at.commune.digitised {
		return &landv1.CheckEncumbranceResponse{Result: found(hubv1.Result_MISSING)}, nil
	}
	l, err := r.restsOnPlace(ctx, at)
	if err != nil {
		return nil, err
	}
	if serial != "" && l.serial != string(serial) {
		l = &rests{}
	}
	return l.answer(), nil
}

func (r *Registry) checkSerial(ctx context.Context, req *landv1.CheckEncumbranceRequest) (*landv1.CheckEncumbranceResponse, error) {
	q, err := r.serialQuestion(req.GetProvinceCode(), req.GetCommuneCode(), req.GetCertificateSerial())
	if err != nil {
		return nil, err
	}
	if q.missing {
		return &landv1.CheckEncumbranceResponse{Result: found(hubv1.Result_MISSING)}, nil
	}
	l, err := r.restsOnSerial(ctx, q)
	if err != nil {
		return nil, err
	}
	return l.answer(), nil
}

func (r *Registry) restsOnPlace(ctx context.Context, at place) (*rests, error) {
	rows, err := ask(ctx, r.stmts.restsOnPlace, at.commune.code, at.sheet, at.plot)
	if err != nil {
		return nil, fmt.Errorf("read encumbrances: %w", err)
	}
	return readRests(rows)
}

func (r *Registry) restsOnSerial(ctx context.Context, q serialQuestion) (*rests, error) {
	rows, err := ask(ctx, r.stmts.restsOnSerial, string(q.serial), q.province)
	if err != nil {
		return nil, fmt.Errorf("read encumbrances: %w", err)
	}
	return readRests(rows)
}

// rests is what rests on some parcels.
type rests struct {
	serial string // of the certificate
	parcel int64  // the last parcel that was read; 0: there is none
	rank   uint32 // priorities given on it
	active bool   // something rests on one of them now
	all    *landv1.Encumbrances
}

// restRow is what restColumns selects; kind is 0 for a parcel on which nothing rests or rested.
type restRow struct {
	parcel           int64
	sheet, plot      uint32
	kind             int
	party, reference string
	registered       string
	removed          string
}

// readRests reads rows in the order of parcel and registration.
func readRests(rows *sql.Rows) (l *rests, err error) {
	defer func() { err = closeRows(rows, err, "read encumbrances") }()
	l = &rests{}
	var e restRow
	for rows.Next() {
		if err := rows.Scan(&l.serial, &e.parcel, &e.sheet, &e.plot, &e.kind, &e.party, &e.reference, &e.registered, &e.removed); err != nil {
			return nil, fmt.Errorf("read encumbrances: %w", err)
		}
		l.add(&e)
	}
	return l, nil
}

func (l *rests) add(e *restRow) {
	if e.parcel != l.parcel {
		l.parcel, l.rank = e.parcel, 0
	}
	if e.kind == 0 {
		return
	}
	if l.all == nil {
		l.all = &landv1.Encumbrances{}
	}
	var priority uint32
	if e.removed == "" {
		l.rank++
		priority, l.active = l.rank, true
	}
	switch e.kind {
	case mortgage:
		l.all.Mortgages = append(l.all.Mortgages, &landv1.Mortgage{Priority: priority, Bank: e.party, ContractNumber: e.reference,
			RegisteredAt: e.registered, RemovedAt: e.removed, MapSheet: e.sheet, ParcelNumber: e.plot})
	case seizure:
		l.all.Seizures = append(l.all.Seizures, &landv1.Seizure{Priority: priority, Authority: e.party, DecisionNumber: e.reference,
			RegisteredAt: e.registered, RemovedAt: e.removed, MapSheet: e.sheet, ParcelNumber: e.plot})
	case dispute:
		l.all.Disputes = append(l.all.Disputes, &landv1.Dispute{Priority: priority, Authority: e.party, NoticeNumber: e.reference,
			RegisteredAt: e.registered, RemovedAt: e.removed, MapSheet: e.sheet, ParcelNumber: e.plot})
	case restriction:
		l.all.PlanningRestrictions = append(l.all.PlanningRestrictions, &landv1.PlanningRestriction{Priority: priority, Authority: e.party,
			DecisionNumber: e.reference, RegisteredAt: e.registered, RemovedAt: e.removed, MapSheet: e.sheet, ParcelNumber: e.plot})
	}
}

func (l *rests) answer() *landv1.CheckEncumbranceResponse {
	if l.parcel == 0 {
		return &landv1.CheckEncumbranceResponse{Result: found(hubv1.Result_NO_MATCH)}
	}
	return &landv1.CheckEncumbranceResponse{Result: found(hubv1.Result_FOUND), Encumbered: l.active, Encumbrances: l.all}
}
