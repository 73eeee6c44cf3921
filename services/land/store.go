package land

import (
	"context"
	"database/sql"
	"embed"
	"fmt"

	"github.com/lienthong/lienthong/services/store"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Columns that one scan reads together, see parcelRow, ownerRow and restRow.
const (
	parcelColumns = `p.commune, p.sheet, p.plot, p.area, p.use_code, p.use_title, p.term, p.form, p.origin, p.system, p.recorded, p.detail`
	ownerColumns  = `o.name, COALESCE(o.personal_id, ''), COALESCE(o.old_id, ''), o.birth, o.home, o.home_detail`
	restColumns   = `p.id, p.sheet, p.plot, COALESCE(e.kind, 0), COALESCE(e.party, ''), COALESCE(e.reference, ''),
	COALESCE(e.registered_at, ''), COALESCE(e.removed_at, '')`
)

// Whose holdings: parameters are 1 province, 2 personal number, 3 name key or empty, 4 commune or 0, 5 the last
// parcel of the page before, 6 how many, 7 old number. An entry known to be wrong does not testify to a name.
const (
	byPersonalID = `o.personal_id = $2 AND o.province = $1 AND ($3 = '' OR EXISTS (SELECT 1 FROM owners n
		WHERE n.personal_id = $2 AND n.province = $1 AND (n.name_key = $3 OR n.wrong = 1)))`
	byOldID = `o.old_id = $7 AND o.province = $1 AND o.name_key = $3`
)

func holdings(whose string) string {
	return `SELECT p.id, p.serial, p.wrong, ` + parcelColumns + `, ` + ownerColumns + `
		FROM owners o JOIN parcels p ON p.certificate = o.certificate
		WHERE ` + whose + ` AND ($4 = 0 OR p.commune = $4) AND p.id > $5 ORDER BY p.id LIMIT $6`
}

// statements are the questions that the registry asks of its database.
type statements struct {
	parcel             *store.Stmt // parcel with its owners, by place on the map
	certificate        *store.Stmt // certificate with its owners, by serial
	certificateParcels *store.Stmt // parcels of a certificate
	holdings           *store.Stmt // a person's parcels, a page, by personal number
	holdingsOld        *store.Stmt // the same, and those by old number
	restsOnPlace       *store.Stmt // what rests on a parcel, by place on the map
	restsOnSerial      *store.Stmt // what rests on a certificate's parcels
}

// statement is one statement's place, name and text.
type statement struct {
	to   **store.Stmt
	name string
	text string
}

func (s *statements) list() []statement {
	return []statement{
		{&s.parcel, "parcel", `SELECT p.serial, p.wrong, ` + parcelColumns + `, ` + ownerColumns + `
			FROM parcels p JOIN owners o ON o.certificate = p.certificate
			WHERE p.commune = $1 AND p.sheet = $2 AND p.plot = $3 ORDER BY o.position`},
		{&s.certificate, "certificate", `SELECT c.id, c.wrong, c.book_number, c.issued_on, ` + ownerColumns + `
			FROM certificates c JOIN owners o ON o.certificate = c.id
			WHERE c.serial = $1 AND c.province = $2 ORDER BY o.position`},
		{&s.certificateParcels, "certificate_parcels", `SELECT p.encumbrances, p.house_area, p.house_floors,
			p.north, p.east, p.width, p.depth, ` + parcelColumns + ` FROM parcels p WHERE p.certificate = $1 ORDER BY p.id`},
		{&s.holdings, "holdings", holdings(byPersonalID)},
		{&s.holdingsOld, "holdings_old", holdings("(" + byPersonalID + " OR " + byOldID + ")")},
		{&s.restsOnPlace, "rests_on_place", `SELECT p.serial, ` + restColumns + `
			FROM parcels p LEFT JOIN encumbrances e ON e.parcel = p.id
			WHERE p.commune = $1 AND p.sheet = $2 AND p.plot = $3 ORDER BY p.id, e.registered_at, e.id`},
		{&s.restsOnSerial, "rests_on_serial", `SELECT p.serial, ` + restColumns + `
			FROM certificates c JOIN parcels p ON p.certificate = c.id LEFT JOIN encumbrances e ON e.parcel = p.id
			WHERE c.serial = $1 AND c.province = $2 ORDER BY p.id, e.registered_at, e.id`},
	}
}

// prepare brings the schema up to date, reads the communes and prepares all statements.
func (r *Registry) prepare(ctx context.Context) error {
	if err := r.db.Migrate(ctx, migrations); err != nil {
		return err
	}
	if err := r.readCommunes(ctx); err != nil {
		return err
	}
	for _, s := range r.stmts.list() {
		stmt, err := store.Prepare(ctx, r.db.Read, "land."+s.name, s.text)
		if err != nil {
			return err
		}
		*s.to = stmt
	}
	return nil
}

// ask asks for the few rows that an index leads to. Like store.Stmt.Find it does not begin when ctx is done, and
// is not interrupted once begun: being ready to stop it costs half as much again.
func ask(ctx context.Context, s *store.Stmt, args ...any) (*sql.Rows, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return s.Query(context.WithoutCancel(ctx), args...)
}

// closeRows ends a reading of rows: it keeps the first of the error so far, the rows' own and that of closing.
func closeRows(rows *sql.Rows, err error, doing string) error {
	closed := rows.Close()
	if err != nil {
		return err
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("%s: %w", doing, err)
	}
	if closed != nil {
		return fmt.Errorf("%s: %w", doing, closed)
	}
	return nil
}
