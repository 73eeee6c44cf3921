package civilstatus

import (
	"context"
	"fmt"

	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
	civilstatusv1 "github.com/lienthong/lienthong/proto/registry/civilstatus/v1"
)

// catalogue is the shared catalogue in memory: the names that pages leave out. It is read-only, and a name in it never
// changes, for pages lean on it.
type catalogue struct {
	communes map[communeKey]commune
	ethnic   map[string]string
}

type communeKey struct {
	system hubv1.CodeSystem
	code   string
}

func newCatalogue() *catalogue {
	return &catalogue{communes: map[communeKey]commune{}, ethnic: map[string]string{}}
}

func (c *catalogue) add(system hubv1.CodeSystem, u commune) {
	u.agency = "UBND " + u.name + ", " + u.provinceName
	c.communes[communeKey{system, u.code}] = u
}

// readCatalogue reads the catalogue into memory.
func (r *Registry) readCatalogue(ctx context.Context) error {
	c := newCatalogue()
	rows, err := r.db.Read.QueryContext(ctx, `SELECT system, code, name, province, province_name, old_province FROM commune`)
	if err != nil {
		return fmt.Errorf("read communes: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var system hubv1.CodeSystem
		var u commune
		if err := rows.Scan(&system, &u.code, &u.name, &u.province, &u.provinceName, &u.oldProvince); err != nil {
			return fmt.Errorf("read communes: %w", err)
		}
		c.add(system, u)
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("read communes: %w", err)
	}
	groups, err := r.db.Read.QueryContext(ctx, `SELECT code, name FROM ethnic`)
	if err != nil {
		return fmt.Errorf("read ethnic groups: %w", err)
	}
	defer groups.Close()
	for groups.Next() {
		var code, name string
		if err := groups.Scan(&code, &name); err != nil {
			return fmt.Errorf("read ethnic groups: %w", err)
		}
		c.ethnic[code] = name
	}
	r.catalogue.Store(c)
	return groups.Err()
}

// firstOfNewCodes is the day from which communes have the codes of GSO-2025.
const firstOfNewCodes = "2025-07-01"

// agency is how a commune is called that registered something on a day.
func (c *catalogue) agency(h *civilstatusv1.RecordHead) string {
	system := hubv1.CodeSystem_CODE_SYSTEM_GSO_2025
	if h.RegisteredOn < firstOfNewCodes {
		system = hubv1.CodeSystem_CODE_SYSTEM_GSO_2004
	}
	return c.communes[communeKey{system, h.AgencyCode}].agency
}
