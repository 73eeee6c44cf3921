package catalog

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/descriptorpb"

	"github.com/lienthong/lienthong/gateway/state"
	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
	"github.com/lienthong/lienthong/proto/peer"
)

// minSafety is the safety level that official use needs (R18).
const minSafety = 3

// Failures that callers tell apart.
var (
	ErrUnknown = errors.New("the catalog has no such service; see: lienthong catalog list")
	ErrOwner   = errors.New("the service belongs to another agency")
	ErrState   = errors.New("a service cannot go from its state to that one")
)

// Publication is a service as its owner publishes it.
type Publication struct {
	Files       *descriptorpb.FileDescriptorSet // its file with all imports; what it does not import is left out
	Service     string                          // full name
	Owner       string                          // agency code
	State       State                           // of a service that is new; default Test
	SafetyLevel int                             // of the system; 0 as it was
	Assessed    string                          // day of the assessment; "" as it was
	Providers   map[string]peer.ID              // by jurisdiction; none: as it was
	Items       []Item                          // of which it is the source, or has copies; none: as it was
}

// Uses says what agreements name of a service.
type Uses func(service string) ([]Use, error)

// Publish puts a service into the catalog, or its contract in the place of the one that it has. It is refused whole, with
// what is wrong: a contract that is not complete, another owner's service, a change that breaks agreements (*BreakError),
// an item that has its source elsewhere. What is as it was is no change. A catalog that was read before saves building again
// what has not changed since; it may be nil, and not one from between two changes of a service in this transaction.
func Publish(ctx context.Context, tx *state.Tx, read *Catalog, p Publication, uses Uses) error {
	before, err := Read(ctx, tx, read)
	if err != nil {
		return err
	}
	old, known := before.Service(p.Service)
	if err := p.fill(old, known, tx.Now); err != nil {
		return fmt.Errorf("publish %s: %w", p.Service, err)
	}
	next, files, err := p.build()
	if err != nil {
		return fmt.Errorf("publish %s: %w", p.Service, err)
	}
	if err := p.against(before, next, uses); err != nil {
		return fmt.Errorf("publish %s: %w", p.Service, err)
	}
	if err := p.checkItems(ctx, tx, next.Desc); err != nil {
		return fmt.Errorf("publish %s: %w", p.Service, err)
	}
	if known && next.Digest == old.Digest && clash(old, next) == "" && maps.Equal(next.Providers, old.Providers) && p.sameItems(before) &&
		next.SafetyLevel == old.SafetyLevel && next.Assessed == old.Assessed {
		return nil
	}
	if err := p.write(ctx, tx, next, files); err != nil {
		return fmt.Errorf("publish %s: %w", p.Service, err)
	}
	text := "published"
	if known {
		text = "published anew"
	}
	tx.Record(&hubv1.Change{Kind: hubv1.Change_KIND_CATALOG, Object: p.Service, Text: text + ", owner " + p.Owner + ", state " + string(p.State), Digest: next.Digest[:]})
	return nil
}

// fill completes what the publication leaves as it was, and refuses what cannot be.
func (p *Publication) fill(old *Service, known bool, now time.Time) error {
	if _, err := peer.ParseID(p.Owner + "/owner"); err != nil {
		return fmt.Errorf("owner %q is no agency code; expected one such as H27.14", p.Owner)
	}
	if !known {
		if p.State == "" {
			p.State = Test
		}
		if len(p.Providers) == 0 {
			return errors.New("nobody provides it; say who answers where")
		}
		return mayBe(p.State, p.SafetyLevel, p.Assessed, now)
	}
	if old.Owner != p.Owner {
		return fmt.Errorf("%w: %s", ErrOwner, old.Owner)
	}
	p.State = old.State // which is changed by SetState alone
	if p.SafetyLevel == 0 {
		p.SafetyLevel = old.SafetyLevel
	}
	if p.Assessed == "" {
		p.Assessed = old.Assessed
	}
	if len(p.Providers) == 0 {
		p.Providers = old.Providers
	}
	return mayBe(p.State, p.SafetyLevel, p.Assessed, now)
}

// build makes the service of its files.
func (p *Publication) build() (*Service, []byte, error) {
	set, err := only(p.Files, p.Service)
	if err != nil {
		return nil, nil, err
	}
	files, err := proto.MarshalOptions{Deterministic: true}.Marshal(set)
	if err != nil {
		return nil, nil, err
	}
	for where := range p.Providers {
		if where != Country && !isProvince(where) {
			return nil, nil, fmt.Errorf("jurisdiction %q is not known; expected vn or one of the 34 province codes", where)
		}
	}
	s, err := newService(Entry{
		Name: p.Service, Owner: p.Owner, State: p.State, SafetyLevel: p.SafetyLevel, Assessed: p.Assessed, Files: files, Providers: p.Providers,
	})
	return s, files, err
}

// against compares the service with the one that it takes the place of, and with the files of all others.
func (p *Publication) against(before *Catalog, next *Service, uses Uses) error {
	for _, other := range before.Services() {
		if other.Name == next.Name {
			continue
		}
		if path := clash(other, next); path != "" {
			return fmt.Errorf("%s differs from the file of the same name that %s was published with; publish both from the same source, or rename one", path, other.Name)
		}
	}
	old, known := before.Service(next.Name)
	if !known || old.Digest == next.Digest {
		return nil
	}
	named, err := uses(next.Name)
	if err != nil {
		return err
	}
	return broken(old, next, named)
}

func (p *Publication) sameItems(before *Catalog) bool {
	if len(p.Items) == 0 {
		return true
	}
	var old []Item
	for _, i := range before.Items() {
		if i.Service == p.Service {
			old = append(old, i)
		}
	}
	own := slices.Clone(p.Items)
	sortItems(own)
	return slices.Equal(own, old)
}

func (p *Publication) write(ctx context.Context, tx *state.Tx, s *Service, files []byte) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO service (name, owner, state, safety_level, assessed, files, digest, revision)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
		ON CONFLICT (name) DO UPDATE SET safety_level = excluded.safety_level, assessed = excluded.assessed,
			files = excluded.files, digest = excluded.digest, revision = excluded.revision`,
		s.Name, s.Owner, string(s.State), s.SafetyLevel, s.Assessed, files, s.Digest[:], tx.Revision)
	if err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, `DELETE FROM service_provider WHERE service = $1`, s.Name); err != nil {
		return err
	}
	for _, where := range slices.Sorted(maps.Keys(s.Providers)) {
		id := s.Providers[where]
		if _, err := tx.ExecContext(ctx, `INSERT INTO service_provider (service, jurisdiction, agency, system) VALUES ($1, $2, $3, $4)`,
			s.Name, where, id.Agency, id.System); err != nil {
			return err
		}
	}
	if len(p.Items) == 0 {
		return nil
	}
	if _, err := tx.ExecContext(ctx, `DELETE FROM service_item WHERE service = $1`, s.Name); err != nil {
		return err
	}
	for _, i := range p.Items {
		isCopy := 0
		if i.Copy {
			isCopy = 1
		}
		if _, err := tx.ExecContext(ctx, `INSERT INTO service_item (item, service, field, copy) VALUES ($1, $2, $3, $4)`,
			i.Name, s.Name, i.Field, isCopy); err != nil {
			return err
		}
	}
	return nil
}

// mayBe refuses a state that the system's safety does not bear.
func mayBe(s State, level int, assessed string, now time.Time) error {
	day, err := time.Parse(time.DateOnly, assessed)
	if assessed != "" && err != nil {
		return fmt.Errorf("assessed %q is not a day; expected one such as 2026-01-01", assessed)
	}
	switch s {
	case Test, Suspended:
		return nil
	case Assessed, Official:
	default:
		return fmt.Errorf("state %q; expected %s, %s, %s or %s", s, Test, Assessed, Official, Suspended)
	}
	switch {
	case err != nil:
		return fmt.Errorf("state %s needs the day of the security assessment, such as 2026-01-01 (R19)", s)
	case day.After(now.Add(7 * time.Hour)): // the day in Hà Nội
		return fmt.Errorf("the security assessment of %s lies in the future", assessed)
	case s == Official && level < minSafety:
		return fmt.Errorf("state %s needs safety level %d at least, not %d (R18)", s, minSafety, level)
	}
	return nil
}

// onward says from which state a service may go to which.
var onward = map[State][]State{
	Test:      {Assessed},
	Assessed:  {Official, Test},
	Official:  {Suspended},
	Suspended: {Official, Assessed, Test},
}

// SetState moves a service to another state (R19). safetyLevel 0 and assessed "" leave these as they were.
func SetState(ctx context.Context, tx *state.Tx, service string, to State, safetyLevel int, assessed string) error {
	var from State
	var oldLevel int
	var oldDay string
	row := tx.QueryRowContext(ctx, `SELECT state, safety_level, assessed FROM service WHERE name = $1`, service)
	found, err := scanOne(row, &from, &oldLevel, &oldDay)
	if err != nil {
		return fmt.Errorf("read state of %s: %w", service, err)
	}
	if !found {
		return fmt.Errorf("%s: %w", service, ErrUnknown)
	}
	level, day := cmp.Or(safetyLevel, oldLevel), cmp.Or(assessed, oldDay)
	if level < 0 || level > 5 {
		return fmt.Errorf("safety level %d; expected 1 to 5", level)
	}
	if from != to && !slices.Contains(onward[from], to) {
		return fmt.Errorf("%w: from %s it can go to %s, not to %s", ErrState, from, words(onward[from]), to)
	}
	if err := mayBe(to, level, day, tx.Now); err != nil {
		return fmt.Errorf("%s: %w", service, err)
	}
	if to == from && level == oldLevel && day == oldDay {
		return nil // it is so already
	}
	if _, err := tx.ExecContext(ctx, `UPDATE service SET state = $1, safety_level = $2, assessed = $3, revision = $4 WHERE name = $5`,
		string(to), level, day, tx.Revision, service); err != nil {
		return fmt.Errorf("set state of %s: %w", service, err)
	}
	tx.Record(&hubv1.Change{Kind: hubv1.Change_KIND_CATALOG, Object: service, Text: fmt.Sprintf("state %s, was %s; safety level %d, assessed %s", to, from, level, day)})
	return nil
}

func words(states []State) string {
	var all []string
	for _, s := range states {
		all = append(all, string(s))
	}
	return strings.Join(all, " or ")
}

// Alone is a catalog with this publication and nothing else, in no state's hands: what publishing it would show.
func (p Publication) Alone(now time.Time) (*Catalog, error) {
	if err := p.fill(nil, false, now); err != nil {
		return nil, fmt.Errorf("publish %s: %w", p.Service, err)
	}
	s, files, err := p.build()
	if err != nil {
		return nil, fmt.Errorf("publish %s: %w", p.Service, err)
	}
	return New([]Entry{{
		Name: s.Name, Owner: s.Owner, State: s.State, SafetyLevel: s.SafetyLevel, Assessed: s.Assessed, Files: files, Providers: s.Providers,
	}}, p.Items, nil)
}
