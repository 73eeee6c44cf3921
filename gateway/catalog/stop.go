package catalog

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"

	"github.com/lienthong/lienthong/gateway/state"
	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
)

// noticeDays are the working days between the notice of a planned stop and the stop (R14). Monday to Friday are working
// days here; public holidays are not known.
const noticeDays = 7

// maxStop is how long a stop may be at most: what stays away longer is suspended.
const maxStop = 90 * 24 * time.Hour

const maxText = 500 // bytes

// PlanStop announces that a service will not answer for a while: in one jurisdiction, or all of them. A stop that nobody
// could foresee (R15) needs no notice, and a text.
func PlanStop(ctx context.Context, tx *state.Tx, service string, s Stop) (number int64, err error) {
	if err := s.check(tx.Now); err != nil {
		return 0, fmt.Errorf("stop of %s: %w", service, err)
	}
	var where string
	row := tx.QueryRowContext(ctx, `SELECT name FROM service WHERE name = $1`, service)
	found, err := scanOne(row, &where)
	if err != nil {
		return 0, fmt.Errorf("stop of %s: %w", service, err)
	}
	if !found {
		return 0, fmt.Errorf("%s: %w", service, ErrUnknown)
	}
	if s.Jurisdiction != "" {
		row := tx.QueryRowContext(ctx, `SELECT jurisdiction FROM service_provider WHERE service = $1 AND jurisdiction = $2`, service, s.Jurisdiction)
		if found, err := scanOne(row, &where); err != nil || !found {
			return 0, errors.Join(err, fmt.Errorf("stop of %s: nobody answers for jurisdiction %q", service, s.Jurisdiction))
		}
	}
	unforeseen := 0
	if s.Unforeseen {
		unforeseen = 1
	}
	err = tx.QueryRowContext(ctx, `INSERT INTO service_stop (number, service, jurisdiction, from_ms, until_ms, announced_ms, unforeseen, text)
		VALUES ((SELECT COALESCE(MAX(number), 0) + 1 FROM service_stop), $1, $2, $3, $4, $5, $6, $7) RETURNING number`,
		service, s.Jurisdiction, s.From.UnixMilli(), s.Until.UnixMilli(), tx.Now.UnixMilli(), unforeseen, s.Text).Scan(&number)
	if err != nil {
		return 0, fmt.Errorf("stop of %s: %w", service, err)
	}
	if err := touch(ctx, tx, service); err != nil {
		return 0, err
	}
	tx.Record(&hubv1.Change{Kind: hubv1.Change_KIND_CATALOG, Object: service,
		Text: fmt.Sprintf("stop %d from %s until %s announced", number, s.From.UTC().Format(time.RFC3339), s.Until.UTC().Format(time.RFC3339))})
	return number, nil
}

func (s *Stop) check(now time.Time) error {
	switch {
	case !s.From.Before(s.Until):
		return errors.New("it ends before it begins")
	case !now.Before(s.Until):
		return errors.New("it is over already")
	case s.Until.Sub(s.From) > maxStop:
		return fmt.Errorf("it is longer than %d days; suspend the service instead", int(maxStop.Hours()/24))
	case len(s.Text) > maxText || strings.ContainsFunc(s.Text, func(r rune) bool { return unicode.In(r, unicode.Cc, unicode.Cf) }):
		return fmt.Errorf("its text is over %d bytes, or has characters that do not show", maxText)
	case s.Unforeseen && strings.TrimSpace(s.Text) == "":
		return errors.New("a stop that nobody could foresee needs a text that says what happened")
	case !s.Unforeseen && s.From.Before(notice(now)):
		return fmt.Errorf("it needs a notice of %d working days (R14): it can begin on %s; if nobody could foresee it, say so (R15)",
			noticeDays, notice(now).Format(time.DateOnly))
	}
	return nil
}

// notice is when a stop that is announced now may begin: in Hà Nội, after so many working days.
func notice(now time.Time) time.Time {
	y, m, d := now.In(hanoi).Date()
	day := time.Date(y, m, d, 0, 0, 0, 0, hanoi)
	for left := noticeDays; left > 0; {
		day = day.AddDate(0, 0, 1)
		if w := day.Weekday(); w != time.Saturday && w != time.Sunday {
			left--
		}
	}
	return day
}

// hanoi is the time that days are in: Asia/Ho_Chi_Minh, which has had no other offset since 1975.
var hanoi = time.FixedZone("Asia/Ho_Chi_Minh", 7*60*60)

// CancelStop takes an announced stop back, or ends one that has begun.
func CancelStop(ctx context.Context, tx *state.Tx, number int64) error {
	var service string
	row := tx.QueryRowContext(ctx, `DELETE FROM service_stop WHERE number = $1 RETURNING service`, number)
	found, err := scanOne(row, &service)
	if err != nil {
		return fmt.Errorf("cancel stop %d: %w", number, err)
	}
	if !found {
		return fmt.Errorf("no stop has number %d; see: lienthong catalog show SERVICE", number)
	}
	if err := touch(ctx, tx, service); err != nil {
		return err
	}
	tx.Record(&hubv1.Change{Kind: hubv1.Change_KIND_CATALOG, Object: service, Text: fmt.Sprintf("stop %d cancelled", number)})
	return nil
}

// touch lets readers see that something of a service has changed.
func touch(ctx context.Context, tx *state.Tx, service string) error {
	if _, err := tx.ExecContext(ctx, `UPDATE service SET revision = $1 WHERE name = $2`, tx.Revision, service); err != nil {
		return fmt.Errorf("change %s: %w", service, err)
	}
	return nil
}
