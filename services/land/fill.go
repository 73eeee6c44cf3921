package land

import (
	"context"
	"fmt"
	"iter"

	"github.com/lienthong/lienthong/services/nation"
)

// Fill puts the jurisdiction's part of a nation into the database, unless it was filled to the end before. What an
// earlier Fill left half done is thrown away.
func (r *Registry) Fill(ctx context.Context, n *nation.Nation) error {
	if err := r.db.Fill(ctx, tables, func(ctx context.Context) error { return r.load(ctx, n) }); err != nil {
		return fmt.Errorf("fill land %s: %w", r.jurisdiction, err)
	}
	return r.readCommunes(ctx)
}

// columns of each table, in the order in which rows have them.
var columns = map[string][]string{
	"communes":     {"system", "code", "name", "province", "province_name", "digitised"},
	"certificates": {"id", "serial", "province", "book_number", "issued_on", "wrong"},
	"parcels": {"id", "certificate", "serial", "wrong", "commune", "sheet", "plot", "area", "use_code", "use_title", "term",
		"form", "origin", "system", "recorded", "detail", "encumbrances", "house_area", "house_floors",
		"north", "east", "width", "depth"},
	"owners": {"certificate", "position", "province", "name", "name_key", "wrong", "personal_id", "old_id", "birth",
		"home", "home_detail"},
	"encumbrances": {"id", "parcel", "kind", "party", "reference", "registered_at", "removed_at"},
}

func (r *Registry) load(ctx context.Context, n *nation.Nation) error {
	p := partOf(n, r.jurisdiction)
	sources := map[string]iter.Seq[[]any]{
		"communes": p.communeRows, "certificates": p.certificateRows, "parcels": p.parcelRows,
		"owners": p.ownerRows, "encumbrances": p.encumbranceRows,
	}
	for _, table := range tables {
		if _, err := r.db.Load(ctx, table, columns[table], sources[table]); err != nil {
			return err
		}
	}
	if _, err := r.db.Write.ExecContext(ctx, indices); err != nil {
		return fmt.Errorf("make indices: %w", err)
	}
	return nil
}

// part is what of a nation belongs into one land book.
type part struct {
	n            *nation.Nation
	serves       [100]bool      // by code of the 34 provinces
	wrongOwner   map[int32]bool // entries known to be wrong, by index in Owners
	encumbrances map[int32]int  // how many, by index in Parcels
}

func partOf(n *nation.Nation, own Jurisdiction) *part {
	p := &part{n: n, wrongOwner: map[int32]bool{}, encumbrances: map[int32]int{}}
	for _, province := range own.provinces() {
		p.serves[province.Code] = true
	}
	// The cleaning campaign (KH 515/KH-BCA-BNN&MT) found the entries that name somebody else. Lesser differences,
	// a missing middle name or another birth date, are in the book unnoticed.
	for _, d := range n.Damages {
		if d.Registry == nation.Land && d.Kind == nation.NameWrong {
			p.wrongOwner[d.Record] = true
		}
	}
	for i := range n.Mortgages {
		p.encumbrances[n.Mortgages[i].Parcel]++
	}
	for i := range n.Restrictions {
		p.encumbrances[n.Restrictions[i].Parcel]++
	}
	return p
}

// holds reports whether a parcel is in this book: in an own province, and in a commune with a land database.
func (p *part) holds(parcel *nation.Parcel) bool {
	return p.serves[parcel.Place.Province] && !parcel.Missing
}

// certificates are the certificates of this book and their indices. A certificate's parcels lie in one commune, so
// its first parcel decides.
func (p *part) certificates(yield func(int32, *nation.Certificate) bool) {
	for i := range p.n.Certificates {
		c := &p.n.Certificates[i]
		if p.holds(&p.n.Parcels[c.First]) && !yield(int32(i), c) {
			return
		}
	}
}

// wrong reports whether a certificate names somebody who is known not to be its holder.
func (p *part) wrong(c *nation.Certificate) bool {
	for i := range int32(c.Owners) {
		if p.wrongOwner[c.FirstOwner+i] {
			return true
		}
	}
	return false
}

// id is a row's number: from 1, so that 0 can mean none.
func id(index int32) int64 { return int64(index) + 1 }

func flag(b bool) int64 {
	if b {
		return 1
	}
	return 0
}
