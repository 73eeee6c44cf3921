package population

import (
	"context"
	"fmt"

	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
)

// catalogue is the shared catalogue in memory: some 14,000 names that nearly every answer needs. It is read-only.
type catalogue struct {
	units    map[unitKey]unit
	ethnic   map[string]string
	religion map[string]string
}

type unitKey struct {
	system hubv1.CodeSystem
	code   string
}

type unit struct{ name, province, provinceName string }

const (
	provinceDigits = 2
	communeDigits  = 5
)

func (r *Registry) readCatalogue(ctx context.Context) error {
	c := &catalogue{units: map[unitKey]unit{}, ethnic: map[string]string{}, religion: map[string]string{}}
	if err := r.readUnits(ctx, c); err != nil {
		return fmt.Errorf("read units: %w", err)
	}
	if err := r.readLists(ctx, c); err != nil {
		return fmt.Errorf("read catalogue: %w", err)
	}
	r.catalogue.Store(c)
	return nil
}

func (r *Registry) readUnits(ctx context.Context, c *catalogue) error {
	rows, err := r.db.Read.QueryContext(ctx, `SELECT u.system, u.code, u.name, u.province, p.name
		FROM unit p JOIN unit u ON u.system = p.system AND u.province = p.code`)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var k unitKey
		var u unit
		if err := rows.Scan(&k.system, &k.code, &u.name, &u.province, &u.provinceName); err != nil {
			return err
		}
		c.units[k] = u
	}
	return rows.Err()
}

func (r *Registry) readLists(ctx context.Context, c *catalogue) error {
	rows, err := r.db.Read.QueryContext(ctx, `SELECT list, code, name FROM catalogue`)
	if err != nil {
		return err
	}
	defer rows.Close()
	lists := map[string]map[string]string{listEthnic: c.ethnic, listReligion: c.religion}
	for rows.Next() {
		var list, code, name string
		if err := rows.Scan(&list, &code, &name); err != nil {
			return err
		}
		if lists[list] == nil {
			return fmt.Errorf("unknown list %q", list)
		}
		lists[list][code] = name
	}
	return rows.Err()
}

// address spells out a unit: nil for none, codes without names for one that the catalogue does not have.
func (c *catalogue) address(system hubv1.CodeSystem, code, detail string) *hubv1.Address {
	if code == "" {
		return nil
	}
	u := c.units[unitKey{system, code}]
	a := &hubv1.Address{CodeSystem: system, ProvinceCode: u.province, ProvinceName: u.provinceName, Detail: detail}
	if len(code) == provinceDigits {
		a.ProvinceCode = code
		return a
	}
	a.CommuneCode, a.CommuneName = code, u.name
	return a
}

// has reports whether the catalogue has a province or commune.
func (c *catalogue) has(system hubv1.CodeSystem, code string) bool {
	_, ok := c.units[unitKey{system, code}]
	return ok
}

// province is the province of a unit, "" when the catalogue does not have it.
func (c *catalogue) province(system hubv1.CodeSystem, code string) string {
	return c.units[unitKey{system, code}].province
}
