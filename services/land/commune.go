package land

import (
	"context"
	"fmt"

	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
	"github.com/lienthong/lienthong/proto/reason"
	landv1 "github.com/lienthong/lienthong/proto/registry/land/v1"
)

// commune is an administrative unit that the book names.
type commune struct {
	system       hubv1.CodeSystem
	code         uint32
	codeText     string
	name         string
	province     uint8
	provinceText string
	provinceName string
	digitised    bool
}

// address is a place in the commune.
func (c *commune) address(detail string) *hubv1.Address {
	if c == nil {
		return nil
	}
	return &hubv1.Address{
		CodeSystem:   c.system,
		ProvinceCode: c.provinceText,
		ProvinceName: c.provinceName,
		CommuneCode:  c.codeText,
		CommuneName:  c.name,
		Detail:       detail,
	}
}

// gazetteer holds the communes of one book in memory: a few thousand, and every question needs some. It does not
// change once it is made.
type gazetteer struct {
	units   map[unit]*commune
	missing map[uint8][]*landv1.MissingCommune // by province, of the jurisdiction's own
	all     map[uint8]int                      // how many communes a province has
}

// unit is a commune's code and the system it belongs to.
type unit struct {
	system hubv1.CodeSystem
	code   uint32
}

// now is the commune with a code of the system since July 2025, or nil.
func (g *gazetteer) now(code uint32) *commune {
	return g.units[unit{hubv1.CodeSystem_CODE_SYSTEM_GSO_2025, code}]
}

// in reads a request's commune_code. It fails with reason.CodeUnknown unless the province has such a commune.
func (g *gazetteer) in(province uint8, code string) (*commune, error) {
	n, ok := digits(code, 5)
	if c := g.now(n); ok && c != nil && c.province == province {
		return c, nil
	}
	return nil, reason.CodeUnknown.At("commune_code")
}

// maybeIn is in, and nil for an empty code.
func (g *gazetteer) maybeIn(province uint8, code string) (*commune, error) {
	if code == "" {
		return nil, nil
	}
	return g.in(province, code)
}

// readCommunes reads the gazetteer from the database.
func (r *Registry) readCommunes(ctx context.Context) (err error) {
	g := &gazetteer{units: map[unit]*commune{}, missing: map[uint8][]*landv1.MissingCommune{}, all: map[uint8]int{}}
	rows, err := r.db.Read.QueryContext(ctx,
		`SELECT system, code, name, province, province_name, digitised FROM communes ORDER BY system, code`)
	if err != nil {
		return fmt.Errorf("read communes: %w", err)
	}
	defer func() { err = closeRows(rows, err, "read communes") }()
	for rows.Next() {
		c := &commune{}
		var digitised int
		if err := rows.Scan(&c.system, &c.code, &c.name, &c.province, &c.provinceName, &digitised); err != nil {
			return fmt.Errorf("read communes: %w", err)
		}
		c.codeText, c.provinceText = fmt.Sprintf("%05d", c.code), fmt.Sprintf("%02d", c.province)
		c.digitised = digitised != 0
		g.add(c, r.jurisdiction)
	}
	r.communes.Store(g)
	return nil
}

func (g *gazetteer) add(c *commune, own Jurisdiction) {
	g.units[unit{c.system, c.code}] = c
	if c.system != hubv1.CodeSystem_CODE_SYSTEM_GSO_2025 || !own.serves(c.provinceText) {
		return
	}
	g.all[c.province]++
	if !c.digitised {
		g.missing[c.province] = append(g.missing[c.province],
			&landv1.MissingCommune{CommuneCode: c.codeText, CommuneName: c.name})
	}
}
