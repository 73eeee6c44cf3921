package service_test

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/lienthong/lienthong/gateway/ledger/service/token"
	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
	"github.com/lienthong/lienthong/proto/peer"
	"github.com/lienthong/lienthong/proto/reason"
)

func TestACitizenReadsTheirOwnListThroughAPortal(t *testing.T) {
	w := newWorld(t)
	w.keep(exchange("H27/one-stop", "G01", "An", "Bình"), exchange("H27/one-stop", "G01", "Chi"))
	portal := w.as("G22/portal")
	issued, err := portal.IssueCitizenToken(t.Context(), &hubv1.IssueCitizenTokenRequest{Subject: subject("An")})
	require.NoError(t, err)
	require.WithinDuration(t, time.Now().Add(15*time.Minute), issued.GetExpires().AsTime(), 10*time.Second)
	require.Equal(t, hashes("An")[0], w.journal.last(t).GetSubjectHashes()[1], "so that it is on the person's list")
	w.indexed()

	list, err := portal.ListCitizen(with(t.Context(), issued.GetToken()), &hubv1.ListCitizenRequest{})
	require.NoError(t, err)
	require.Len(t, list.GetEntries(), 2, "the exchange, and that a token was made")
	require.Equal(t, "IssueCitizenToken", list.GetEntries()[0].GetRecord().GetAccess().GetMethod())
	x := list.GetEntries()[1].GetRecord().GetExchange()
	require.Equal(t, hashes("An"), x.GetSubjectHashes(), "nobody else's")

	a := w.journal.last(t)
	require.Equal(t, hubv1.Access_ROLE_CITIZEN, a.GetRole())
	require.Equal(t, "G22/portal", a.GetAgency()+"/"+a.GetSystem())
	require.Equal(t, hashes("An")[0], a.GetSubjectHashes()[1])
	_, err = w.as("H27/one-stop").ListCitizen(with(t.Context(), issued.GetToken()), &hubv1.ListCitizenRequest{})
	require.NoError(t, err)
	require.Equal(t, "token_of=G22/portal", w.journal.last(t).GetFilter())
}

func TestATokenOpensOnePersonsListAndNothingElse(t *testing.T) {
	w := newWorld(t)
	w.keep(exchange("H27/one-stop", "G01", "An"), exchange("H27/one-stop", "G01", "Bình"))
	operator, ctx := w.as("G06/operator"), with(t.Context(), w.token("An"))
	_, err := operator.ListCitizen(ctx, &hubv1.ListCitizenRequest{Subject: subject("Bình")})
	refused(t, err, reason.LedgerReadNotAllowed, "subject")
	require.Contains(t, w.journal.last(t).GetSubjectHashes(), hashes("Bình")[0], "whom they tried to look for is on record")
	_, err = operator.Search(ctx, &hubv1.SearchRequest{Filter: &hubv1.Filter{Subject: subject("Bình")}})
	refused(t, err, reason.LedgerReadNotAllowed, "filter.subject")
	got, err := operator.Search(ctx, &hubv1.SearchRequest{})
	require.NoError(t, err)
	for _, e := range got.GetEntries() {
		for _, h := range slices.Concat(e.GetRecord().GetExchange().GetSubjectHashes(), e.GetRecord().GetAccess().GetSubjectHashes()) {
			require.NotEqual(t, hashes("Bình")[0], h)
		}
	}
	_, err = operator.IssueCitizenToken(ctx, &hubv1.IssueCitizenTokenRequest{Subject: subject("Bình")})
	refused(t, err, reason.LedgerReadNotAllowed)
}

func TestATokenThatIsNotGoodIsRefusedWhoeverShowsIt(t *testing.T) {
	w := newWorld(t)
	good := w.token("An")
	subjects, key := hasher{}.Hash(hubv1.Subject_SUBJECT_PERSONAL_ID, people["An"])
	make := func(b *token.Book, holder peer.ID) string {
		text, _, err := b.Make(subjects, key, holder, time.Hour)
		require.NoError(t, err)
		return text
	}
	other, err := token.New("G06/elsewhere", []byte("kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk"), nil)
	require.NoError(t, err)
	portal := peer.ID{Agency: "G22", System: "portal"}
	for name, text := range map[string]string{
		"altered": good[:len(good)-8] + "AAAAAAAA", "another ledger": make(other, portal), "empty": "", "none": "eyJhbGciOiJub25lIn0.e30.",
		"of who may make none": make(w.tokens, peer.ID{Agency: "H27", System: "one-stop"}), "of nobody": make(w.tokens, peer.ID{Agency: "H99", System: "x"}),
	} {
		for _, reader := range []string{"G06/operator", "G22/portal"} {
			ctx := with(t.Context(), text)
			if text == "" {
				ctx = with(t.Context(), " ")
			}
			_, err := w.as(reader).Search(ctx, &hubv1.SearchRequest{})
			refused(t, err, reason.TokenInvalid, "lt-citizen")
			require.Equal(t, string(reason.TokenInvalid), w.journal.last(t).GetReason(), name)
		}
	}
	_, err = w.as("G22/portal").Search(with(with(t.Context(), good), good), &hubv1.SearchRequest{})
	refused(t, err, reason.MetadataInvalid, "lt-citizen")
	w.clock.Store(int64(61 * time.Minute))
	_, err = w.as("G22/portal").Search(with(t.Context(), good), &hubv1.SearchRequest{})
	refused(t, err, reason.TokenInvalid)
}

func TestTheTokensOfASuspendedPortalAreWorthNothing(t *testing.T) {
	w := newWorld(t)
	good := w.token("An")
	reader := w.as("H27/one-stop")
	_, err := reader.ListCitizen(with(t.Context(), good), &hubv1.ListCitizenRequest{})
	require.NoError(t, err)
	w.suspend("G22/portal")
	_, err = reader.ListCitizen(with(t.Context(), good), &hubv1.ListCitizenRequest{})
	refused(t, err, reason.TokenInvalid)
}

func TestATokenIsMadeForAnHourAtMostAndByTheTwelveDigitsAlone(t *testing.T) {
	w := newWorld(t)
	c := w.as("G06/operator")
	for _, life := range []*durationpb.Duration{durationpb.New(0), durationpb.New(-time.Minute), durationpb.New(time.Hour + 1), {Nanos: -1, Seconds: 5}} {
		_, err := c.IssueCitizenToken(t.Context(), &hubv1.IssueCitizenTokenRequest{Subject: subject("An"), Lifetime: life})
		refused(t, err, reason.FilterInvalid, "lifetime")
	}
	for _, s := range []*hubv1.DataSubject{nil, {}, {Kind: hubv1.Subject_SUBJECT_OLD_ID, Value: "042187001"}, {Kind: 1, Value: "04218700123"}, {Kind: 1, Value: "04218700123x"}} {
		_, err := c.IssueCitizenToken(t.Context(), &hubv1.IssueCitizenTokenRequest{Subject: s})
		refused(t, err, reason.FilterInvalid, "subject")
	}
}
