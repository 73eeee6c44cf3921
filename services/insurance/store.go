package insurance

import (
	"context"
	"database/sql"
	"fmt"
	"strconv"
	"strings"

	"github.com/lienthong/lienthong/services/store"
)

// insured is a row of the table insured. See the migration for what each column holds.
type insured struct {
	number, personalID, oldID string
	family, middle, given     string
	birth                     string
	sex                       int64
	codeSystem                int64
	provinceCode              string
	provinceName              string
	communeCode               string
	communeName               string
	detail                    string
	prefix, formerPrefix      string
	validFrom, validTo        string
	fiveYears                 string
	facility                  string
	livingArea                string
	endedOn, endedCode        string
	deceased                  int64
}

// columns are those of the table insured, in the order of insured.values and insured.targets.
var columns = []string{"insurance_number", "personal_id", "old_id", "family_name", "middle_name", "given_name",
	"birth_date", "sex", "code_system", "province_code", "province_name", "commune_code", "commune_name",
	"address_detail", "card_prefix", "former_prefix", "valid_from", "valid_to", "five_year_date", "facility_code",
	"living_area", "ended_on", "ended_code", "deceased"}

// appendValues appends the row to a list of statement values, in the order of columns.
func (i *insured) appendValues(v []any) []any {
	return append(v, i.number, i.personalID, i.oldID, i.family, i.middle, i.given, i.birth, i.sex, i.codeSystem,
		i.provinceCode, i.provinceName, i.communeCode, i.communeName, i.detail, i.prefix, i.formerPrefix, i.validFrom,
		i.validTo, i.fiveYears, i.facility, i.livingArea, i.endedOn, i.endedCode, i.deceased)
}

func (i *insured) targets() []any {
	return []any{&i.number, &i.personalID, &i.oldID, &i.family, &i.middle, &i.given, &i.birth, &i.sex, &i.codeSystem,
		&i.provinceCode, &i.provinceName, &i.communeCode, &i.communeName, &i.detail, &i.prefix, &i.formerPrefix,
		&i.validFrom, &i.validTo, &i.fiveYears, &i.facility, &i.livingArea, &i.endedOn, &i.endedCode, &i.deceased}
}

// maxNumbers bounds how many insurance numbers of one person are read. More than two are not known to exist.
const maxNumbers = 8

// Every query of the registry. Each is answered by an index, which a test asserts.
var (
	byNumber      = `SELECT ` + strings.Join(columns, ", ") + ` FROM insured WHERE insurance_number = $1`
	byPerson      = `SELECT ` + strings.Join(columns, ", ") + ` FROM insured WHERE personal_id = $1 ORDER BY insurance_number LIMIT ` + strconv.Itoa(maxNumbers)
	formerCard    = `SELECT valid_from, valid_to FROM former_card WHERE insurance_number = $1 AND card_prefix = $2`
	numberTaken   = `SELECT 1 FROM insured WHERE insurance_number = $1`
	issuedRequest = `SELECT digest, answer FROM issued WHERE request_id = $1`
	contributions = `SELECT seq, type, first_month, last_month, unit_code, wage_base FROM contribution
		WHERE insurance_number = $1 AND seq > $2 ORDER BY seq LIMIT $3`
	totalMonths = `SELECT COALESCE(SUM(CASE WHEN last_month = 0 THEN $1 ELSE last_month END - first_month + 1), 0)
		FROM contribution WHERE insurance_number = $2`
)

// What the registry writes.
var (
	saveInsured = upsert("insured", "insurance_number", columns)
	saveFormer  = `INSERT INTO former_card (insurance_number, card_prefix, valid_from, valid_to) VALUES ($1, $2, $3, $4)
		ON CONFLICT (insurance_number, card_prefix) DO UPDATE SET valid_from = excluded.valid_from, valid_to = excluded.valid_to`
	dropFormer = `DELETE FROM former_card WHERE insurance_number = $1 AND card_prefix = $2`
	saveIssued = `INSERT INTO issued (request_id, digest, answer, registration_number, registration_date, issued_on)
		VALUES ($1, $2, $3, $4, $5, $6)`
)

// upsert is the statement that saves a whole row under its key.
func upsert(table, key string, columns []string) string {
	values, sets := make([]string, len(columns)), make([]string, 0, len(columns))
	for i, c := range columns {
		values[i] = "$" + strconv.Itoa(i+1)
		if c != key {
			sets = append(sets, c+" = excluded."+c)
		}
	}
	return fmt.Sprintf("INSERT INTO %s (%s) VALUES (%s) ON CONFLICT (%s) DO UPDATE SET %s", table,
		strings.Join(columns, ", "), strings.Join(values, ", "), key, strings.Join(sets, ", "))
}

// statements are the registry's prepared statements: on the readers, and the same again on the writer where a
// write must look before it changes.
type statements struct {
	byNumber, byPerson, formerCard, contributions, totalMonths *store.Stmt

	writerByPerson, numberTaken, issuedRequest      *store.Stmt
	saveInsured, saveFormer, dropFormer, saveIssued *store.Stmt
}

func (s *statements) prepare(ctx context.Context, db *store.DB) error {
	for _, p := range []struct {
		stmt  **store.Stmt
		pool  *sql.DB
		name  string
		query string
	}{
		{&s.byNumber, db.Read, "insurance.by_number", byNumber},
		{&s.byPerson, db.Read, "insurance.by_person", byPerson},
		{&s.formerCard, db.Read, "insurance.former_card", formerCard},
		{&s.contributions, db.Read, "insurance.contributions", contributions},
		{&s.totalMonths, db.Read, "insurance.total_months", totalMonths},
		{&s.writerByPerson, db.Write, "insurance.by_person", byPerson},
		{&s.numberTaken, db.Write, "insurance.number_taken", numberTaken},
		{&s.issuedRequest, db.Write, "insurance.issued_request", issuedRequest},
		{&s.saveInsured, db.Write, "insurance.save_insured", saveInsured},
		{&s.saveFormer, db.Write, "insurance.save_former", saveFormer},
		{&s.dropFormer, db.Write, "insurance.drop_former", dropFormer},
		{&s.saveIssued, db.Write, "insurance.save_issued", saveIssued},
	} {
		stmt, err := store.Prepare(ctx, p.pool, p.name, p.query)
		if err != nil {
			return err
		}
		*p.stmt = stmt
	}
	return nil
}

// readInsured returns the rows of a query over the columns of insured. Like store.Stmt.Find it does not begin when ctx
// is done, and is not interrupted once begun: an index leads to the few rows.
func readInsured(ctx context.Context, stmt *store.Stmt, key string) ([]insured, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	rows, err := stmt.Query(context.WithoutCancel(ctx), key)
	if err != nil {
		return nil, fmt.Errorf("read insured: %w", err)
	}
	defer rows.Close()
	var found []insured
	for rows.Next() {
		found = append(found, insured{})
		if err := rows.Scan(found[len(found)-1].targets()...); err != nil {
			return nil, fmt.Errorf("read insured: %w", err)
		}
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read insured: %w", err)
	}
	return found, nil
}
