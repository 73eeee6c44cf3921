package land

import (
	"context"
	"fmt"

	"github.com/lienthong/lienthong/services/nation"
	"github.com/lienthong/lienthong/services/store"
)

// Fill puts the jurisdiction's part of a nation into the database, unless it was filled before. Nobody may ask the
// registry meanwhile.
func (r *Registry) Fill(ctx context.Context, n *nation.Nation) error {
	if err := r.db.Fill(ctx, partOf(n, r.jurisdiction).tables()...); err != nil {
		return fmt.Errorf("fill land %s: %w", r.jurisdiction, err)
	}
	return r.readCommunes(ctx)
}

// tables are all tables of a book, with their columns in the order in which rows have them.
func (p *part) tables() []store.Table {
	return []store.Table{
		{Name: "communes", Columns: []string{"system", "code", "name", "province", "province_name", "digitised"}, Rows: p.communeRows},
		{Name: "certificates", Columns: []string{"id", "serial", "province", "book_number", "issued_on", "wrong"}, Rows: p.certificateRows},
		{Name: "parcels", Columns: []string{"id", "certificate", "serial", "wrong", "commune", "sheet", "plot", "area", "use_code",
			"use_title", "term", "form", "origin", "system", "recorded", "detail", "encumbrances", "house_area", "house_floors",
			"north", "east", "width", "depth"}, Rows: p.parcelRows},
		{Name: "owners", Columns: []string{"certificate", "position", "province", "name", "name_key", "wrong", "personal_id",
			"old_id", "birth", "home", "home_detail"}, Rows: p.ownerRows},
		{Name: "encumbrances", Columns: []string{"id", "parcel", "kind", "party", "reference", "registered_at", "removed_at"},
			Rows: p.encumbranceRows},
	}
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
