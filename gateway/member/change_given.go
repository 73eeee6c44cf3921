package member

import (
	"context"
	"database/sql"
	"encoding/pem"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/lienthong/lienthong/gateway/state"
)

// ErrGivenUnknown says that there is no such authority.
var ErrGivenUnknown = errors.New("no such authority is believed; see: lienthong identity trusted")

// TrustCA lets the authority whose certificate, PEM, is given vouch for systems of some agencies, in the place of those
// that were named for it before. Its certificates are then believed like the hub's own, for those agencies alone.
func TrustCA(ctx context.Context, tx *state.Tx, certificate []byte, agencies []string) (GivenCA, error) {
	cert, err := parseCA(certificate, tx.Now)
	if err != nil {
		return GivenCA{}, fmt.Errorf("the authority's certificate: %w", err)
	}
	ca := GivenCA{Fingerprint: Fingerprint(cert), Certificate: cert, Agencies: slices.Compact(slices.Sorted(slices.Values(agencies))), Added: tx.Now}
	if len(ca.Agencies) == 0 {
		return GivenCA{}, errors.New("no agency was named for which the authority may vouch")
	}
	for _, code := range ca.Agencies {
		a, err := FindAgency(ctx, tx.Tx, code)
		if err != nil {
			return GivenCA{}, err
		}
		if !a.OpenOn(Today(tx.Now)) {
			return GivenCA{}, fmt.Errorf("%s: %w", code, ErrAgencyClosed)
		}
	}
	text := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert.Raw}))
	result, err := tx.ExecContext(ctx, `INSERT INTO trusted_ca (`+givenColumns+`, dropped, revision) VALUES ($1, $2, $3, $4, 0, $5)
		ON CONFLICT (fingerprint) DO UPDATE SET agencies = excluded.agencies, added = excluded.added, dropped = 0, revision = excluded.revision
		WHERE trusted_ca.dropped <> 0 OR trusted_ca.agencies <> excluded.agencies`,
		ca.Fingerprint, text, strings.Join(ca.Agencies, ","), ca.Added.UnixMilli(), tx.Revision)
	if err != nil {
		return GivenCA{}, fmt.Errorf("trust authority: %w", err)
	}
	rows, err := result.RowsAffected()
	if err != nil {
		return GivenCA{}, fmt.Errorf("trust authority: %w", err)
	}
	if rows > 0 {
		record(tx, "authority "+ca.Fingerprint, "believed for %s", strings.Join(ca.Agencies, ", "))
	}
	return ca, nil
}

// UntrustCA ends the trust in an authority, by the fingerprint of its certificate or the first 8 digits of it or more:
// the next call with a certificate of its is refused. It fails with ErrGivenUnknown.
func UntrustCA(ctx context.Context, tx *state.Tx, fingerprint string) (GivenCA, error) {
	all, err := ListGiven(ctx, tx.Tx)
	if err != nil {
		return GivenCA{}, err
	}
	prefix := strings.ToLower(strings.ReplaceAll(fingerprint, ":", ""))
	var found []GivenCA
	for _, ca := range all {
		if len(prefix) >= 8 && strings.HasPrefix(ca.Fingerprint, prefix) {
			found = append(found, ca)
		}
	}
	if len(found) != 1 {
		return GivenCA{}, fmt.Errorf("%q: %w", fingerprint, ErrGivenUnknown)
	}
	if _, err := tx.ExecContext(ctx, `UPDATE trusted_ca SET dropped = 1, revision = $1 WHERE fingerprint = $2`, tx.Revision, found[0].Fingerprint); err != nil {
		return GivenCA{}, fmt.Errorf("end trust in authority: %w", err)
	}
	record(tx, "authority "+found[0].Fingerprint, "believed no longer; it was for %s", strings.Join(found[0].Agencies, ", "))
	return found[0], nil
}

// ListGiven returns the given authorities that are believed, the oldest first.
func ListGiven(ctx context.Context, tx *sql.Tx) ([]GivenCA, error) {
	rows, err := tx.QueryContext(ctx, `SELECT `+givenColumns+` FROM trusted_ca WHERE dropped = 0 ORDER BY added, fingerprint`)
	if err != nil {
		return nil, fmt.Errorf("list authorities: %w", err)
	}
	defer rows.Close()
	var all []GivenCA
	for rows.Next() {
		ca, err := scanGiven(rows)
		if err != nil {
			return nil, fmt.Errorf("list authorities: %w", err)
		}
		all = append(all, ca)
	}
	return all, rows.Err()
}
