package civilstatus

import (
	"context"
	"database/sql"
	"embed"

	"github.com/lienthong/lienthong/services/store"
)

//go:embed migrations/*.sql
var migrations embed.FS

// A look-up answers rows of: name key, birth, day of death, whether there is an entry, state, end, page.
const (
	birthColumns = `p.name_key, p.birth, p.died_on, CASE WHEN b.person_id IS NULL THEN 0 ELSE 1 END, 0, '', b.page`
	deathColumns = `p.name_key, p.birth, '', CASE WHEN d.person_id IS NULL THEN 0 ELSE 1 END, 0, '', d.page`
	marrColumns  = `p.name_key, p.birth, p.died_on, CASE WHEN m.id IS NULL THEN 0 ELSE 1 END,
	COALESCE(m.state, 0), COALESCE(m.ended_on, ''), m.page`
	citizenColumns = `name_key, birth, sex, died_on, marital, marital_since, marital_known, marriage_id, mother_id, father_id, file`
)

// reads are the statements of the reading methods.
type reads struct {
	birthOf, birthAt       *store.Stmt
	marriageOf, marriageAt *store.Stmt
	deathOf, deathAt       *store.Stmt
	citizen                *store.Stmt
}

// writes are the statements of the registering methods, which run in transactions of the writer.
type writes struct {
	citizen, parents          *store.Stmt
	siblings, fathersChildren *store.Stmt
	commune, ethnic           *store.Stmt
	number                    *store.Stmt

	claim, claimed, answer *store.Stmt

	addPerson, addBirth, addMarriage, addDeath *store.Stmt

	marry, die, endMarriage, widow *store.Stmt
}

// statement is one statement's place, name and text.
type statement struct {
	to   **store.Stmt
	name string
	text string
}

func (q *reads) statements() []statement {
	return []statement{
		{&q.birthOf, "birth_of", `SELECT ` + birthColumns + ` FROM person p LEFT JOIN birth b ON b.person_id = p.id WHERE p.id = $1`},
		{&q.birthAt, "birth_at", `SELECT ` + birthColumns + ` FROM birth b JOIN person p ON p.id = b.person_id WHERE b.entry = $1`},
		{&q.marriageOf, "marriage_of", `SELECT ` + marrColumns + ` FROM person p LEFT JOIN marriage m ON m.id = p.marriage_id WHERE p.id = $1`},
		{&q.marriageAt, "marriage_at", `SELECT ` + marrColumns + ` FROM marriage m JOIN person p ON p.id = m.husband_id WHERE m.entry = $1
			UNION ALL SELECT ` + marrColumns + ` FROM marriage m JOIN person p ON p.id = m.wife_id WHERE m.entry = $1`},
		{&q.deathOf, "death_of", `SELECT ` + deathColumns + ` FROM person p LEFT JOIN death d ON d.person_id = p.id WHERE p.id = $1`},
		{&q.deathAt, "death_at", `SELECT ` + deathColumns + ` FROM death d JOIN person p ON p.id = d.person_id WHERE d.entry = $1`},
		{&q.citizen, "citizen", `SELECT ` + citizenColumns + ` FROM person WHERE id = $1`},
	}
}

func (q *writes) statements() []statement {
	return []statement{
		{&q.citizen, "citizen", `SELECT ` + citizenColumns + ` FROM person WHERE id = $1`},
		{&q.parents, "parents", `SELECT mother_id, father_id FROM person WHERE id = $1`},
		{&q.siblings, "siblings", `SELECT name_key, birth FROM person WHERE mother_id = $1 AND mother_id <> ''`},
		{&q.fathersChildren, "fathers_children", `SELECT name_key, birth FROM person WHERE father_id = $1 AND mother_id = '' AND father_id <> ''`},
		{&q.commune, "commune", `SELECT name, province, province_name, old_province FROM commune WHERE system = 2 AND code = $1`},
		{&q.ethnic, "ethnic", `SELECT name FROM ethnic WHERE code = $1`},
		{&q.number, "number", `INSERT INTO counter (kind, agency_code, year, last) VALUES ($1, $2, $3, 1)
			ON CONFLICT (kind, agency_code, year) DO UPDATE SET last = counter.last + 1 RETURNING last`},

		{&q.claim, "claim", `INSERT INTO request (request_id, digest) VALUES ($1, $2) ON CONFLICT DO NOTHING`},
		{&q.claimed, "claimed", `SELECT digest, page FROM request WHERE request_id = $1`},
		{&q.answer, "answer", `UPDATE request SET page = $2 WHERE request_id = $1`},

		{&q.addPerson, "add_person", `INSERT INTO person (id, name_key, birth, sex, mother_id, father_id, file)
			VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING`},
		{&q.addBirth, "add_birth", `INSERT INTO birth (person_id, entry, page) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING`},
		{&q.addMarriage, "add_marriage", `INSERT INTO marriage (id, entry, husband_id, wife_id, state, page)
			VALUES ($1, $2, $3, $4, 1, $5) ON CONFLICT DO NOTHING`},
		{&q.addDeath, "add_death", `INSERT INTO death (person_id, entry, page) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING`},

		{&q.marry, "marry", `UPDATE person SET marital = 2, marital_since = $2, marital_known = 1, marriage_id = $3
			WHERE id = $1 AND died_on = '' AND marital <> 2`},
		{&q.die, "die", `UPDATE person SET died_on = $2 WHERE id = $1 AND died_on = ''`},
		{&q.endMarriage, "end_marriage", `UPDATE marriage SET state = 3, ended_on = $2 WHERE id = $1 AND state = 1 RETURNING husband_id, wife_id`},
		{&q.widow, "widow", `UPDATE person SET marital = 4, marital_since = $2 WHERE id = $1 AND died_on = ''`},
	}
}

// prepare brings the schema up to date and prepares all statements.
func (r *Registry) prepare(ctx context.Context) error {
	if err := r.db.Migrate(ctx, migrations); err != nil {
		return err
	}
	if err := prepareAll(ctx, r.db.Read, r.read.statements()); err != nil {
		return err
	}
	if err := prepareAll(ctx, r.db.Write, r.write.statements()); err != nil {
		return err
	}
	return r.readCatalogue(ctx)
}

func prepareAll(ctx context.Context, pool *sql.DB, all []statement) error {
	for _, s := range all {
		stmt, err := store.Prepare(ctx, pool, "civilstatus."+s.name, s.text)
		if err != nil {
			return err
		}
		*s.to = stmt
	}
	return nil
}
