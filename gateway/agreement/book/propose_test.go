package book_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	"github.com/lienthong/lienthong/gateway/agreement/book"
	"github.com/lienthong/lienthong/gateway/state"
	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
	"github.com/lienthong/lienthong/proto/reason"
)

// versioned numbers a document.
func versioned(n int64) func(*hubv1.Agreement) { return func(d *hubv1.Agreement) { d.Version = n } }

// dump is all that the tables have.
func (w *world) dump() (all []string) {
	for _, query := range []string{
		`SELECT id || ' ' || version || ' ' || edition || ' ' || state || ' ' || until_ms || ' ' || revision || ' ' || hex(document) FROM agreement ORDER BY id, version`,
		`SELECT id || ' ' || version || ' ' || party FROM agreement_approval ORDER BY id, version, party`,
		`SELECT provider || ' ' || agency || ' ' || system || ' ' || ended_ms FROM agreement_suspension ORDER BY 1`,
		`SELECT number || ' ' || object FROM change ORDER BY number`, `SELECT number || '' FROM revision`,
	} {
		rows, err := w.db.Read.Query(query)
		require.NoError(w.t, err)
		for rows.Next() {
			var line string
			require.NoError(w.t, rows.Scan(&line))
			all = append(all, line)
		}
		require.NoError(w.t, errors.Join(rows.Err(), rows.Close()))
	}
	return all
}

func TestAProposalIsTakenWholeOrNotAtAll(t *testing.T) {
	w := newWorld(t)
	w.must("old", "propose", "approve")
	before := w.dump()
	for name, c := range map[string]struct {
		bad   *hubv1.Agreement
		place string
		want  reason.Reason
	}{
		"twice in the list":     {document("b-1"), "20.id", reason.AgreementInvalid},
		"no id":                 {document(""), "20.id", reason.AgreementInvalid},
		"days that are over":    {document("c", lasting("2025-01-01", "2025-12-31")), "20.valid_to", reason.AgreementInvalid},
		"an id of others":       {document("old", func(d *hubv1.Agreement) { d.Provider = "H27" }), "20.id", reason.AgreementInvalid},
		"a version that is not": {document("c", versioned(2)), "20.version", reason.VersionConflict},
		"a stale version":       {document("old", titled("more"), versioned(1)), "20.version", reason.VersionConflict},
		"a version too far":     {document("old", titled("more"), versioned(3)), "20.version", reason.VersionConflict},
		"fields of another hub": {document("c", func(d *hubv1.Agreement) { d.ProtoReflect().SetUnknown([]byte{0xa0, 0x7d, 1}) }), "20", reason.AgreementInvalid},
		"too long":              {document("c", func(d *hubv1.Agreement) { d.Methods[0].Fields = make([]string, 40_000) }), "20", reason.AgreementInvalid},
		"too many fields":       {document("c", func(d *hubv1.Agreement) { d.Methods[0].Fields = make([]string, 4_001) }), "20.methods", reason.AgreementInvalid},
		"nothing":               {nil, "20.id", reason.AgreementInvalid},
		"of another consumer":   {document("c", func(d *hubv1.Agreement) { d.Consumer.Agency = "G24" }), "", reason.ActNotAllowed},
	} {
		t.Run(name, func(t *testing.T) {
			var docs []*hubv1.Agreement
			for i := range 20 {
				docs = append(docs, document(fmt.Sprint("b-", i)))
			}
			_, err := w.propose(desk, false, append(docs, c.bad)...)
			isRefused(t, err, c.want)
			require.Equal(t, before, w.dump())
			if invalid := (*book.Invalid)(nil); c.place != "" {
				require.ErrorAs(t, err, &invalid)
				require.Equal(t, c.place, invalid.Problems[0].Place(), err)
			}
		})
	}
}

func TestAProposalSaysWhatItChangesAndADryRunSaysTheSame(t *testing.T) {
	w := newWorld(t)
	w.must("same", "propose")
	w.must("other", "propose", "approve")
	docs := []*hubv1.Agreement{
		document("same"), document("new"),
		document("other", func(d *hubv1.Agreement) {
			d.Methods[0].Fields = []string{"person.name", "person.sex"}
			d.Methods = append(d.Methods, &hubv1.Agreement_Method{Name: "RegisterParcel", Fields: []string{"parcel_id"}})
			d.ValidTo = "2027-12-31"
			d.CaseRequired = proto.Bool(false)
			d.Quota = &hubv1.Agreement_Quota{PerDay: 1000}
		}),
	}
	before := w.dump()
	var dry []*hubv1.ProposedAgreement
	made, err := w.do(desk, func(ctx context.Context, tx *state.Tx, who book.Who) (err error) {
		dry, err = book.Propose(ctx, tx, w.rules, who, book.Proposal{Documents: docs, DryRun: true})
		return err
	})
	require.NoError(t, err)
	require.Zero(t, made)
	require.Equal(t, before, w.dump())
	done, err := w.propose(desk, false, docs...)
	require.NoError(t, err)
	for i, want := range []*hubv1.ProposedAgreement{
		{Id: "same", Version: 1, What: "unchanged", State: proposed},
		{Id: "new", Version: 1, What: "new", State: proposed},
		{Id: "other", Version: 2, What: "changed", State: proposed, Differences: []string{
			`valid_to: "2026-12-31" → "2027-12-31"`, `case_required: none → false`,
			`methods[GetPerson].fields: + person.sex`, `methods[GetPerson].fields: - person.birth_date`,
			`methods: + RegisterParcel`, `methods[RegisterParcel].fields: + parcel_id`, `quota.per_day: none → 1000`,
		}},
	} {
		require.True(t, proto.Equal(want, done[i]), "%v", done[i])
		require.True(t, proto.Equal(dry[i], done[i]), "%v", dry[i])
	}
	require.Equal(t, []hubv1.AgreementState{active, proposed}, w.states("other"), "the one in force goes on")
}

func TestADocumentThatSaysItsVersionMustBeTheNextOne(t *testing.T) {
	w := newWorld(t)
	_, err := w.propose(desk, false, document("a", versioned(1)))
	require.NoError(t, err)
	got, err := w.propose(desk, false, document("a", versioned(1)))
	require.NoError(t, err)
	require.Equal(t, "unchanged", got[0].GetWhat())
	got, err = w.propose(desk, false, document("a", versioned(2), titled("more")))
	require.NoError(t, err)
	require.Equal(t, "changed", got[0].GetWhat())
	_, err = w.propose(desk, false, document("a", versioned(2), titled("other")))
	isRefused(t, err, reason.VersionConflict)
}

func TestOfTwoWhoChangeOneVersionAtOnceOneIsTold(t *testing.T) {
	w := newWorld(t)
	w.must("a", "propose")
	sides := []*state.DB{w.db, w.open()}
	errs := make([]error, 6)
	var wait sync.WaitGroup
	for i := range errs {
		wait.Go(func() {
			_, errs[i] = sides[i%2].Change(context.Background(), desk.actor(t), func(tx *state.Tx) error {
				docs := []*hubv1.Agreement{document("a", versioned(2), titled(fmt.Sprint("by ", i)))}
				_, err := book.Propose(context.Background(), tx, w.rules, book.Who{Roles: desk.roles}, book.Proposal{Documents: docs})
				return err
			})
		})
	}
	wait.Wait()
	won := 0
	for _, err := range errs {
		if err == nil {
			won++
			continue
		}
		isRefused(t, err, reason.VersionConflict)
	}
	require.Equal(t, 1, won)
	require.Equal(t, []hubv1.AgreementState{superseded, proposed}, w.states("a"))
}

func TestADraftIsItsAuthorsUntilItIsSubmitted(t *testing.T) {
	w := newWorld(t)
	w.must("a", "draft")
	_, err := w.act(steward, "approve", book.Motion{ID: "a"})
	isRefused(t, err, reason.AgreementUnknown)
	got, err := w.propose(desk, false, document("a", titled("better")))
	require.NoError(t, err)
	require.EqualValues(t, 2, got[0].GetVersion())
	require.Equal(t, []hubv1.AgreementState{superseded, proposed}, w.states("a"), "a draft that is older than a proposal is over")
	seen, err := book.Find(context.Background(), w.db.Read, book.Who{Roles: steward.roles}, "G01", w.now, "a")
	require.NoError(t, err)
	require.Len(t, seen, 1)
}

func TestAPartyThatNobodyKnowsIsNamed(t *testing.T) {
	w := newWorld(t)
	w.rules.Known = func(agency, system string) bool { return agency != "G01" && (system == "" || system == "one-stop") }
	_, err := w.propose(desk, false, document("a", func(d *hubv1.Agreement) { d.Consumer.Systems = []string{"one-stop", "nobody"} }))
	isRefused(t, err, reason.AgreementInvalid)
	require.ErrorContains(t, err, "0.provider: no agency G01 is a member")
	require.ErrorContains(t, err, "0.consumer.systems[1]: H27 has no system nobody")
	_, err = w.propose(desk, false, document("a", func(d *hubv1.Agreement) { d.Provider = "" }))
	require.ErrorContains(t, err, "0.provider: provider is missing")
	require.NotContains(t, err.Error(), "is a member", "what is missing is not unknown besides")
}

func TestAnAlteredDocumentIsNotRead(t *testing.T) {
	w := newWorld(t)
	w.must("a", "propose", "approve")
	document, err := proto.Marshal(document("a", versioned(1), titled("altered")))
	require.NoError(t, err)
	_, err = w.db.Write.Exec(`UPDATE agreement SET document = $1`, document)
	require.NoError(t, err)
	_, err = book.Find(context.Background(), w.db.Read, book.Who{Roles: operator.roles}, "G06", w.now, "a")
	require.ErrorContains(t, err, "altered")
	_, err = w.act(steward, "suspend", book.Motion{ID: "a"})
	require.ErrorContains(t, err, "altered")
}
