package member

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"

	"github.com/lienthong/lienthong/gateway/state"
)

// Bounds on officers.
const (
	MaxAccounts = 1000    // that one change may name
	maxOfficers = 500_000 // of one agency, disabled ones too
)

// ErrTooManyOfficers says that an agency would have more officers than are kept.
var ErrTooManyOfficers = fmt.Errorf("an agency has %d officers at most, disabled ones among them", maxOfficers)

// EnrolOfficers enrols accounts of an agency; those that are disabled are enabled again. It returns how many were not
// enrolled before, and records nothing if that is none.
func EnrolOfficers(ctx context.Context, tx *state.Tx, agency string, accounts []string) (enrolled int, err error) {
	if err := checkAccounts(ctx, tx, agency, accounts); err != nil {
		return 0, err
	}
	var have int64
	if err := tx.QueryRowContext(ctx, `SELECT COUNT(*) FROM officer WHERE agency = $1`, agency).Scan(&have); err != nil {
		return 0, fmt.Errorf("count officers: %w", err)
	}
	if have+int64(len(accounts)) > maxOfficers {
		return 0, fmt.Errorf("%s has %d: %w", agency, have, ErrTooManyOfficers)
	}
	return each(ctx, tx, "enrolled", agency, "", accounts, `INSERT INTO officer (agency, account, enrolled, disabled, reason, revision)
		VALUES ($1, $2, $3, 0, $4, $5) ON CONFLICT (agency, account) DO UPDATE SET enrolled = excluded.enrolled, disabled = 0,
		reason = '', revision = excluded.revision WHERE officer.disabled <> 0`)
}

// DisableOfficers disables accounts of an agency: calls that name one are refused. It returns how many were enabled
// before, and records nothing if that is none. Accounts that are not enrolled are left as they are.
func DisableOfficers(ctx context.Context, tx *state.Tx, agency string, accounts []string, why string) (disabled int, err error) {
	if err := checkAccounts(ctx, tx, agency, accounts); err != nil {
		return 0, err
	}
	if err := checkName("reason", why); err != nil {
		return 0, err
	}
	return each(ctx, tx, "disabled", agency, why, accounts,
		`UPDATE officer SET disabled = $3, reason = $4, revision = $5 WHERE agency = $1 AND account = $2 AND disabled = 0`)
}

func checkAccounts(ctx context.Context, tx *state.Tx, agency string, accounts []string) error {
	if len(accounts) == 0 || len(accounts) > MaxAccounts {
		return fmt.Errorf("%d accounts were named; name 1 to %d", len(accounts), MaxAccounts)
	}
	for _, account := range accounts {
		if err := CheckAccount(account); err != nil {
			return err
		}
	}
	_, err := FindAgency(ctx, tx.Tx, agency)
	return err
}

// each runs a statement for each account, and records what came of it.
func each(ctx context.Context, tx *state.Tx, done, agency, why string, accounts []string, query string) (int, error) {
	statement, err := tx.PrepareContext(ctx, query)
	if err != nil {
		return 0, fmt.Errorf("write officers of %s: %w", agency, err)
	}
	defer statement.Close()
	var changed []string
	for _, account := range accounts {
		result, err := statement.ExecContext(ctx, agency, account, tx.Now.UnixMilli(), why, tx.Revision)
		if err != nil {
			return 0, fmt.Errorf("write officer of %s: %w", agency, err)
		}
		rows, err := result.RowsAffected()
		if err != nil {
			return 0, fmt.Errorf("write officer of %s: %w", agency, err)
		}
		if rows > 0 {
			changed = append(changed, account)
		}
	}
	if len(changed) == 0 {
		return 0, nil
	}
	text := fmt.Sprintf("officers %s: %s", done, some(changed))
	if why != "" {
		text += "; " + why
	}
	record(tx, agency, "%s", text)
	return len(changed), nil
}

// some names the first of many.
func some(names []string) string {
	const shown = 20
	if len(names) <= shown {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:shown], ", "), len(names)-shown)
}

// ListOfficers returns the officers of an agency, disabled ones too, by account.
func ListOfficers(ctx context.Context, tx *sql.Tx, agency string) ([]Officer, error) {
	rows, err := tx.QueryContext(ctx, `SELECT account, enrolled, disabled FROM officer WHERE agency = $1`, agency)
	if err != nil {
		return nil, fmt.Errorf("list officers: %w", err)
	}
	defer rows.Close()
	var all []Officer
	for rows.Next() {
		o := Officer{Agency: agency}
		var enrolled, disabled int64
		if err := rows.Scan(&o.Account, &enrolled, &disabled); err != nil {
			return nil, fmt.Errorf("list officers: %w", err)
		}
		o.Enrolled, o.Disabled = moment(enrolled), moment(disabled)
		all = append(all, o)
	}
	slices.SortFunc(all, func(a, b Officer) int { return strings.Compare(a.Account, b.Account) })
	return all, rows.Err()
}
