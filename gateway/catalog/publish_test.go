package catalog_test

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/descriptorpb"

	"github.com/lienthong/lienthong/gateway/catalog"
	"github.com/lienthong/lienthong/gateway/catalog/catalogtest"
	"github.com/lienthong/lienthong/gateway/state"
	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
	"github.com/lienthong/lienthong/proto/peer"
	"github.com/lienthong/lienthong/proto/reason"
	"github.com/lienthong/lienthong/services/store"
)

// monday is a Monday morning in Hà Nội.
var monday = time.Date(2026, 11, 23, 2, 0, 0, 0, time.UTC)

// shelf is a state with a catalog in it.
type shelf struct {
	t  *testing.T
	db *state.DB
}

func newShelf(t *testing.T) *shelf {
	db, err := state.Open(t.Context(), state.Config{Config: store.Config{Path: filepath.Join(t.TempDir(), "hub.db")}, Now: func() time.Time { return monday }})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	return &shelf{t, db}
}

func (s *shelf) change(do func(context.Context, *state.Tx) error) (state.Made, error) {
	return s.db.Change(s.t.Context(), state.Actor{ID: peer.ID{Agency: "G06", System: "gateway"}}, func(tx *state.Tx) error { return do(s.t.Context(), tx) })
}

// uses are what agreements name in these tests.
func uses(named ...catalog.Use) catalog.Uses {
	return func(string) ([]catalog.Use, error) { return named, nil }
}

func (s *shelf) publish(offer string, named []catalog.Use, files ...*descriptorpb.FileDescriptorProto) (state.Made, error) {
	p, err := catalogtest.Publication(s.t, offer, files...)
	require.NoError(s.t, err)
	return s.change(func(ctx context.Context, tx *state.Tx) error { return catalog.Publish(ctx, tx, nil, p, uses(named...)) })
}

func (s *shelf) read(before *catalog.Catalog) *catalog.Catalog {
	c, err := catalog.Read(s.t.Context(), s.db.Read, before)
	require.NoError(s.t, err)
	return c
}

func offerOf(name, rest string) string {
	return strings.Replace(catalogtest.Offer, "sample.v1", name+".v1", 1) + rest
}

func TestWhatIsPublishedIsReadAndWhatDidNotChangeStaysTheSame(t *testing.T) {
	s := newShelf(t)
	made, err := s.publish(catalogtest.Offer, nil)
	require.NoError(t, err)
	require.EqualValues(t, 1, made.Revision)
	first := s.read(nil)
	sample, ok := first.Service(catalogtest.Service)
	require.True(t, ok)
	require.Equal(t, "G01", sample.Owner)

	made, err = s.publish(catalogtest.Offer, nil)
	require.NoError(t, err)
	require.Zero(t, made.Revision, "nothing has changed")

	f := catalogtest.Proto()
	proto.SetExtension(f.Service[0].Options, hubv1.E_Service, &hubv1.ServicePolicy{Title: &hubv1.Title{Vi: "dân cư", En: "everybody"}})
	made, err = s.publish(catalogtest.Offer, nil, f)
	require.NoError(t, err)
	require.NotZero(t, made.Revision, "a title is no part of the digest, and can be mended")
	first = s.read(first)
	sample, _ = first.Service(catalogtest.Service)
	require.Equal(t, "everybody", sample.Title.GetEn())

	_, err = s.publish(offerOf("other", ""), nil, catalogtest.Another("other"))
	require.NoError(t, err)
	second := s.read(first)
	require.Len(t, second.Services(), 2)
	same, _ := second.Service(catalogtest.Service)
	require.Same(t, sample, same)
	m, ok := second.Method("/other.v1.PeopleService/GetPerson")
	require.True(t, ok)
	require.NoError(t, m.Service.Admits("vn", monday))
}

func TestAContractThatBreaksAgreementsIsRefusedWithTheirNames(t *testing.T) {
	named := catalog.Use{Agreement: "H27-G01", Method: "GetPerson", Fields: []string{"person.birth_date", "person.name.full"}, RequestFields: []string{"personal_id"}}
	other := catalog.Use{Agreement: "H28-G01", Method: "ListParcels", Fields: []string{"parcels.area"}}
	person := func(f *descriptorpb.FileDescriptorProto) *descriptorpb.DescriptorProto { return f.MessageType[2] }
	for name, c := range map[string]struct {
		change func(*descriptorpb.FileDescriptorProto)
		want   string // empty: it may be published
	}{
		"a field is gone": {func(f *descriptorpb.FileDescriptorProto) {
			person(f).Field = append(person(f).Field[:2], person(f).Field[3:]...)
		}, "H27-G01: GetPerson, person.birth_date: it is not there any more"},
		"another type": {func(f *descriptorpb.FileDescriptorProto) {
			person(f).Field[2].Type = descriptorpb.FieldDescriptorProto_TYPE_INT64.Enum()
		}, "H27-G01: GetPerson, person.birth_date: its type was string and is int64"},
		"another number": {func(f *descriptorpb.FileDescriptorProto) { person(f).Field[2].Number = proto.Int32(99) }, "its number was 3 and is 99"},
		"many of it": {func(f *descriptorpb.FileDescriptorProto) {
			person(f).Field[2].Label = descriptorpb.FieldDescriptorProto_LABEL_REPEATED.Enum()
		}, "it was one value and is many"},
		"sensitive now":      {func(f *descriptorpb.FileDescriptorProto) { person(f).Field[2].Options = person(f).Field[4].Options }, "it is sensitive now"},
		"a question's field": {func(f *descriptorpb.FileDescriptorProto) { f.MessageType[0].Field = f.MessageType[0].Field[1:] }, "H27-G01: GetPerson, request.personal_id: it is not there any more"},
		"a method": {func(f *descriptorpb.FileDescriptorProto) {
			f.Service[0].Method = append(f.Service[0].Method[:1], f.Service[0].Method[2:]...)
		}, "H28-G01: ListParcels: the method is gone"},
		"a field nobody named": {func(f *descriptorpb.FileDescriptorProto) {
			person(f).Field = append(person(f).Field[:5], person(f).Field[6:]...)
		}, ""},
		"a field more": {func(f *descriptorpb.FileDescriptorProto) {
			more := proto.CloneOf(person(f).Field[2])
			more.Name, more.Number = proto.String("death_date"), proto.Int32(20)
			person(f).Field = append(person(f).Field, more)
		}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			s := newShelf(t)
			_, err := s.publish(catalogtest.Offer, nil)
			require.NoError(t, err)
			f := catalogtest.Proto()
			c.change(f)
			made, err := s.publish(catalogtest.Offer, []catalog.Use{named, other}, f)
			if c.want == "" {
				require.NoError(t, err)
				require.NotZero(t, made.Revision)
				return
			}
			var broken *catalog.BreakError
			require.ErrorAs(t, err, &broken)
			require.ErrorContains(t, err, c.want)
			revision, err := s.db.Revision(t.Context())
			require.NoError(t, err)
			require.EqualValues(t, 1, revision, "nothing was changed")
		})
	}
}

func TestAServiceBelongsToItsOwner(t *testing.T) {
	s := newShelf(t)
	_, err := s.publish(catalogtest.Offer, nil)
	require.NoError(t, err)
	_, err = s.publish(catalogtest.Offer+"owner: H27\n", nil)
	require.ErrorIs(t, err, catalog.ErrOwner)
	_, err = s.publish(strings.Replace(catalogtest.Offer, "sample.v1", "thief.v1", 1), nil, func() *descriptorpb.FileDescriptorProto {
		f := catalogtest.Another("thief")
		f.Name = catalogtest.Proto().Name // the file of another service
		return f
	}())
	require.ErrorContains(t, err, "sample/v1/people.proto differs from the file of the same name that sample.v1.PeopleService was published with")
}

func TestAnItemHasOneSource(t *testing.T) {
	s := newShelf(t)
	_, err := s.publish(catalogtest.Offer+"items:\n  - {item: person.birth_date, field: Person.birth_date}\n", nil)
	require.NoError(t, err)
	_, err = s.publish(offerOf("other", "items:\n  - {item: person.birth_date, field: Person.birth_date}\n"), nil, catalogtest.Another("other"))
	require.ErrorContains(t, err, "item person.birth_date has its source already: sample.v1.PeopleService, field Person.birth_date; one item has one source (R06)")
	_, err = s.publish(offerOf("other", "items:\n  - {item: person.birth_date, field: Person.birth_date, copy: true}\n"), nil, catalogtest.Another("other"))
	require.NoError(t, err)
	_, err = s.publish(offerOf("third", "items:\n  - {item: person.shoe, field: Person.shoe}\n"), nil, catalogtest.Another("third"))
	require.ErrorContains(t, err, "has no field Person.shoe")
	require.Equal(t, []catalog.Item{
		{Name: "person.birth_date", Service: catalogtest.Service, Field: "Person.birth_date"},
		{Name: "person.birth_date", Service: "other.v1.PeopleService", Field: "Person.birth_date", Copy: true},
	}, s.read(nil).Items())
}

func TestAServiceGoesFromStateToState(t *testing.T) {
	s := newShelf(t)
	_, err := s.publish(strings.Replace(catalogtest.Offer, "official\nsafety_level: 3\nassessed: 2025-06-01", "test", 1), nil)
	require.NoError(t, err)
	set := func(to catalog.State, level int, assessed string) error {
		_, err := s.change(func(ctx context.Context, tx *state.Tx) error {
			return catalog.SetState(ctx, tx, catalogtest.Service, to, level, assessed)
		})
		return err
	}
	admits := func() error {
		service, _ := s.read(nil).Service(catalogtest.Service)
		return service.Admits("vn", monday)
	}
	require.ErrorIs(t, admits(), reason.ServiceNotOfficial)
	require.ErrorIs(t, set(catalog.Official, 3, "2026-01-01"), catalog.ErrState, "it was not assessed")
	require.ErrorContains(t, set(catalog.Assessed, 3, ""), "needs the day")
	require.ErrorContains(t, set(catalog.Assessed, 3, "2026-11-30"), "in the future")
	require.ErrorContains(t, set(catalog.Test, 0, "yesterday"), "is not a day")
	require.NoError(t, set(catalog.Assessed, 2, "2026-01-01"))
	require.ErrorIs(t, admits(), reason.ServiceNotOfficial)
	require.ErrorContains(t, set(catalog.Official, 0, ""), "safety level 3 at least, not 2")
	require.NoError(t, set(catalog.Official, 3, ""))
	require.NoError(t, admits())
	require.ErrorIs(t, set(catalog.Test, 0, ""), catalog.ErrState)
	require.NoError(t, set(catalog.Suspended, 0, ""))
	require.ErrorIs(t, admits(), reason.ServiceNotOfficial)
	require.NoError(t, set(catalog.Official, 0, ""))
	require.NoError(t, admits())
	_, err = s.change(func(ctx context.Context, tx *state.Tx) error {
		return catalog.SetState(ctx, tx, "no.Such", catalog.Test, 0, "")
	})
	require.ErrorIs(t, err, catalog.ErrUnknown)
}

func TestAPlannedStopIsRefusedUntilItsReturn(t *testing.T) {
	s := newShelf(t)
	_, err := s.publish(catalogtest.Offer, nil)
	require.NoError(t, err)
	plan := func(stop catalog.Stop) (number int64, err error) {
		_, err = s.change(func(ctx context.Context, tx *state.Tx) error {
			number, err = catalog.PlanStop(ctx, tx, catalogtest.Service, stop)
			return err
		})
		return number, err
	}
	day := func(d int) time.Time { return time.Date(2026, 12, d, 0, 0, 0, 0, time.FixedZone("", 7*60*60)) }
	_, err = plan(catalog.Stop{From: day(1), Until: day(5)})
	require.ErrorContains(t, err, "it can begin on 2026-12-02", "seven working days after Monday, 23 November")
	_, err = plan(catalog.Stop{From: day(5), Until: day(5)})
	require.ErrorContains(t, err, "ends before it begins")
	_, err = plan(catalog.Stop{From: monday, Until: day(5), Unforeseen: true})
	require.ErrorContains(t, err, "needs a text")
	_, err = plan(catalog.Stop{From: day(3), Until: day(5), Jurisdiction: "08"})
	require.ErrorContains(t, err, `nobody answers for jurisdiction "08"`)
	number, err := plan(catalog.Stop{From: day(3), Until: day(5), Jurisdiction: "42"})
	require.NoError(t, err)
	_, err = plan(catalog.Stop{From: monday, Until: monday.Add(time.Hour), Unforeseen: true, Text: "flood"})
	require.NoError(t, err)

	service, _ := s.read(nil).Service(catalogtest.Service)
	for _, c := range []struct {
		where   string
		at      time.Time
		stopped bool
	}{
		{"42", day(3), true}, {"42", day(5).Add(-1), true}, {"42", day(5), false}, {"42", day(3).Add(-1), false}, {"vn", day(3), false},
		{"vn", monday, true}, {"42", monday, true}, {"vn", monday.Add(time.Hour), false},
	} {
		err := service.Admits(c.where, c.at)
		require.Equal(t, c.stopped, err != nil, "%s at %s", c.where, c.at)
	}
	fault := reason.Of(service.Admits("42", day(4)))
	require.Equal(t, reason.ServicePlannedStop, fault.Reason)
	require.True(t, fault.Until.Equal(day(5)))
	require.Zero(t, testing.AllocsPerRun(100, func() { _ = service.Admits("42", day(4)) }))

	_, err = s.change(func(ctx context.Context, tx *state.Tx) error { return catalog.CancelStop(ctx, tx, number) })
	require.NoError(t, err)
	service, _ = s.read(nil).Service(catalogtest.Service)
	require.NoError(t, service.Admits("42", day(4)))
	_, err = s.change(func(ctx context.Context, tx *state.Tx) error { return catalog.CancelStop(ctx, tx, 99) })
	require.ErrorContains(t, err, "no stop has number 99")
}

func TestEveryChangeOfTheCatalogIsRecorded(t *testing.T) {
	s := newShelf(t)
	_, err := s.publish(catalogtest.Offer, nil)
	require.NoError(t, err)
	_, err = s.change(func(ctx context.Context, tx *state.Tx) error {
		return catalog.SetState(ctx, tx, catalogtest.Service, catalog.Suspended, 0, "")
	})
	require.NoError(t, err)
	history, err := s.db.History(t.Context(), hubv1.Change_KIND_CATALOG, catalogtest.Service, 10)
	require.NoError(t, err)
	require.Len(t, history, 2)
	require.Contains(t, history[0].GetText(), "state suspended, was official")
	require.Len(t, history[1].GetDigest(), 32)
	require.False(t, errors.Is(err, catalog.ErrUnknown))
}

func BenchmarkReadWhenNothingChanged(b *testing.B) {
	db, err := state.Open(b.Context(), state.Config{Config: store.Config{Path: filepath.Join(b.TempDir(), "hub.db")}})
	require.NoError(b, err)
	b.Cleanup(func() { _ = db.Close() })
	_, err = db.Change(b.Context(), state.Actor{}, func(tx *state.Tx) error {
		p, err := catalogtest.Publication(b, catalogtest.Offer)
		if err != nil {
			return err
		}
		return catalog.Publish(b.Context(), tx, nil, p, uses())
	})
	require.NoError(b, err)
	c, err := catalog.Read(b.Context(), db.Read, nil)
	require.NoError(b, err)
	for b.Loop() {
		if c, err = catalog.Read(b.Context(), db.Read, c); err != nil {
			b.Fatal(err)
		}
	}
}
