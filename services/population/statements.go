package population

import (
	"context"
	"database/sql"

	"github.com/lienthong/lienthong/services/store"
)

// statements are all questions asked of the database.
type statements struct {
	identity, residence, membership, members, head      *store.Stmt
	person, holders, childrenOfFather, childrenOfMother *store.Stmt

	request, keepRequest, insert, parent, siblingsByFather, siblingsByMother *store.Stmt
	mortal, cancel, widow                                                    *store.Stmt
}

// statement is one of them: where it is kept, and its text.
type statement struct {
	to         **store.Stmt
	name, text string
}

const (
	identityColumns = `family, middle, given, birth_date, COALESCE(death_date, '')`
	memberColumns   = `id, family, middle, given, birth_date, COALESCE(death_date, ''), sex, relation`
	personColumns   = `id, COALESCE(old_id, ''), family, middle, given, birth_date, sex,
		COALESCE(ethnic, ''), COALESCE(religion, ''), COALESCE(blood, ''), COALESCE(phone, ''), COALESCE(card_issued, ''),
		COALESCE(birth_system, 0), COALESCE(birth_unit, ''), COALESCE(birth_detail, ''),
		COALESCE(hometown_system, 0), COALESCE(hometown_unit, ''),
		COALESCE(father_id, ''), COALESCE(father_name, ''), COALESCE(mother_id, ''), COALESCE(mother_name, ''),
		COALESCE(spouse_id, ''), marital, COALESCE(household, ''), relation,
		COALESCE(permanent_unit, ''), COALESCE(permanent_detail, ''),
		COALESCE(temporary_unit, ''), COALESCE(temporary_detail, ''), absent, COALESCE(death_date, '')`

	// A column costs about as much as finding the row, so a residence is one column, its parts joined by $2.
	residenceColumns = `COALESCE(permanent_unit, '') || $2 || COALESCE(permanent_old_unit, '') || $2 ||
		COALESCE(permanent_detail, '') || $2 || COALESCE(permanent_since, '') || $2 || COALESCE(temporary_unit, '') || $2 ||
		COALESCE(temporary_detail, '') || $2 || COALESCE(temporary_until, '') || $2 || COALESCE(death_date, '')`
)

func (s *statements) reads() []statement {
	return []statement{
		{&s.identity, "identity", `SELECT ` + identityColumns + ` FROM person WHERE id = $1`},
		{&s.residence, "residence", `SELECT ` + residenceColumns + ` FROM person WHERE id = $1`},
		{&s.membership, "membership", `SELECT ` + identityColumns + `, COALESCE(household, ''), relation,
			COALESCE(permanent_unit, ''), COALESCE(permanent_detail, '') FROM person WHERE id = $1`},
		{&s.members, "members", `SELECT ` + memberColumns + ` FROM person WHERE household = $1`},
		{&s.head, "head", `SELECT ` + memberColumns + ` FROM person WHERE household = $1 AND relation = 1`},
		{&s.person, "person", `SELECT ` + personColumns + ` FROM person WHERE id = $1`},
		{&s.holders, "holders", `SELECT id, ` + identityColumns + ` FROM person WHERE old_id = $1`},
		{&s.childrenOfFather, "children_of_father", `SELECT ` + memberColumns + ` FROM person WHERE father_id = $1`},
		{&s.childrenOfMother, "children_of_mother", `SELECT ` + memberColumns + ` FROM person WHERE mother_id = $1`},
	}
}

func (s *statements) writes() []statement {
	return []statement{
		{&s.request, "request", `SELECT method, digest, person_id, done FROM request WHERE request_id = $1`},
		{&s.keepRequest, "keep_request", `INSERT INTO request (request_id, method, digest, person_id, done, note)
			VALUES ($1, $2, $3, $4, $5, $6)`},
		{&s.parent, "parent", `SELECT ` + identityColumns + `, sex, COALESCE(hometown_system, 0), COALESCE(hometown_unit, '')
			FROM person WHERE id = $1`},
		{&s.siblingsByFather, "siblings_by_father", `SELECT ` + memberColumns + ` FROM person WHERE father_id = $1`},
		{&s.siblingsByMother, "siblings_by_mother", `SELECT ` + memberColumns + ` FROM person WHERE mother_id = $1`},
		{&s.mortal, "mortal", `SELECT ` + identityColumns + ` FROM person WHERE id = $1`},
		{&s.insert, "insert", `INSERT INTO person (id, family, middle, given, birth_date, sex, ethnic, birth_system, birth_unit,
			hometown_system, hometown_unit, father_id, father_name, mother_id, mother_name, marital, relation, absent)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, 1, 0, 0) ON CONFLICT (id) DO NOTHING`},
		// A dead head stays the household's head until the family registers another.
		{&s.cancel, "cancel", `UPDATE person SET death_date = $2, temporary_unit = NULL, temporary_detail = NULL,
			temporary_until = NULL, absent = 0, household = CASE WHEN relation = 1 THEN household END
			WHERE id = $1 AND death_date IS NULL`},
		{&s.widow, "widow", `UPDATE person SET marital = 4, spouse_id = NULL
			WHERE id = (SELECT spouse_id FROM person WHERE id = $1) AND spouse_id = $1 AND death_date IS NULL`},
	}
}

// prepare prepares the reads on the readers and the writes on the writer.
func (s *statements) prepare(ctx context.Context, db *store.DB) error {
	for pool, all := range map[*sql.DB][]statement{db.Read: s.reads(), db.Write: s.writes()} {
		for _, st := range all {
			var err error
			if *st.to, err = store.Prepare(ctx, pool, "population."+st.name, st.text); err != nil {
				return err
			}
		}
	}
	return nil
}
