package land

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/text/unicode/norm"

	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
	"github.com/lienthong/lienthong/proto/reason"
	landv1 "github.com/lienthong/lienthong/proto/registry/land/v1"
	"github.com/lienthong/lienthong/services/nation"
	"github.com/lienthong/lienthong/services/person"
)

// held are the parcels, by serial and number on the map, on which a registry has an entry with the personal number.
func held(n *nation.Nation, j Jurisdiction, province string, number nation.Number) []string {
	var all []string
	for i := range n.Certificates {
		c := &n.Certificates[i]
		p := &n.Parcels[c.First]
		if p.Missing || !j.serves(p.Place.ProvinceCode()) || p.Place.ProvinceCode() != province {
			continue
		}
		for _, o := range owners(n, c) {
			for k := c.First; o.Number == number && k < c.First+int32(c.Parcels); k++ {
				all = append(all, keyOf(n.Parcels[k].Place.CommuneCode(), uint32(n.Parcels[k].Sheet), uint32(n.Parcels[k].Plot)))
			}
		}
	}
	return all
}

func keyOf(commune string, sheet, plot uint32) string {
	return strings.Join([]string{commune, string(rune(sheet)), string(rune(plot))}, "/")
}

func keys(holdings []*landv1.Holding) []string {
	all := make([]string, 0, len(holdings))
	for _, h := range holdings {
		all = append(all, keyOf(h.Parcel.CommuneCode, h.Parcel.MapSheet, h.Parcel.ParcelNumber))
	}
	return all
}

// undamagedHolder is somebody with several parcels in one province that has no gaps, whose entries are right.
func undamagedHolder(t *testing.T) (*nation.Owner, *nation.Parcel) {
	t.Helper()
	c, p := pick(t, func(n *nation.Nation, c *nation.Certificate, p *nation.Parcel) bool {
		o := &n.Owners[c.FirstOwner]
		return Rest.serves(p.Place.ProvinceCode()) && o.Number != 0 && !damaged(n, c, nation.NameWrong) &&
			o.Name == n.People[o.Person].Name && len(held(n, Rest, p.Place.ProvinceCode(), o.Number)) > 1
	})
	return &people(t).Owners[c.FirstOwner], p
}

func TestAPersonsHoldingsAreListedWholePageByPage(t *testing.T) {
	o, p := undamagedHolder(t)
	client := serve(t, Rest)
	want := held(people(t), Rest, p.Place.ProvinceCode(), o.Number)
	ask := &landv1.ListHoldingsRequest{ProvinceCode: p.Place.ProvinceCode(), PersonalId: o.Number.String(), PageSize: 1}
	var got []string
	for {
		page, err := client.ListHoldings(t.Context(), ask)
		require.NoError(t, err)
		require.Equal(t, hubv1.Result_FOUND, page.Result.Code)
		require.Len(t, page.Holdings, 1)
		got = append(got, keys(page.Holdings)...)
		if page.NextPageToken == "" {
			break
		}
		ask.PageToken = page.NextPageToken
	}
	require.Equal(t, want, got)

	ask.PageSize, ask.PageToken = 100, ""
	whole, err := client.ListHoldings(t.Context(), ask)
	require.NoError(t, err)
	require.Equal(t, want, keys(whole.Holdings))
	require.Empty(t, whole.NextPageToken)
}

func TestANameThatTheBookDoesNotHaveIsNoMatch(t *testing.T) {
	o, p := undamagedHolder(t)
	client := serve(t, Rest)
	name := o.Name.String()
	for asked, code := range map[string]hubv1.Result_Code{
		name:                                   hubv1.Result_FOUND,
		norm.NFD.String(strings.ToUpper(name)): hubv1.Result_FOUND,
		name + " Khác":                         hubv1.Result_NO_MATCH,
	} {
		got, err := client.ListHoldings(t.Context(), &landv1.ListHoldingsRequest{
			ProvinceCode: p.Place.ProvinceCode(), PersonalId: o.Number.String(), FullName: asked})
		require.NoError(t, err)
		require.Equal(t, code, got.Result.Code)
		require.Equal(t, code == hubv1.Result_FOUND, len(got.Holdings) > 0)
	}
}

func TestAnOldNumberFindsWhatTheBookHasUnderItOnlyWithTheName(t *testing.T) {
	c, p := pick(t, func(n *nation.Nation, c *nation.Certificate, p *nation.Parcel) bool {
		o := &n.Owners[c.FirstOwner]
		return Rest.serves(p.Place.ProvinceCode()) && o.Number == 0 && !damaged(n, c, nation.NameWrong) &&
			person.NameKey(o.Name.String()) == person.NameKey(n.People[o.Person].Name.String())
	})
	n := people(t)
	o := &n.Owners[c.FirstOwner]
	who := &n.People[o.Person]
	client := serve(t, Rest)
	ask := &landv1.ListHoldingsRequest{ProvinceCode: p.Place.ProvinceCode(), PersonalId: who.Number.String(),
		FullName: who.Name.String(), PageSize: 100}
	serials := func() (all []string) {
		got, err := client.ListHoldings(t.Context(), ask)
		require.NoError(t, err)
		for _, h := range got.Holdings {
			all = append(all, h.CertificateSerial)
		}
		return all
	}
	require.NotContains(t, serials(), c.SerialText())
	ask.OldId = o.OldNumber.String()
	require.Contains(t, serials(), c.SerialText())

	ask.FullName += " Khác"
	require.NotContains(t, serials(), c.SerialText())
	ask.FullName = ""
	_, err := client.ListHoldings(t.Context(), ask)
	require.Equal(t, reason.FieldRequired, reason.Of(err).Reason)
	require.Equal(t, "full_name", reason.Of(err).Field)
}

func TestAWrongEntryIsListedWithoutItsData(t *testing.T) {
	c, p := pick(t, func(n *nation.Nation, c *nation.Certificate, p *nation.Parcel) bool {
		return !p.Missing && c.Owners == 1 && n.Owners[c.FirstOwner].Number != 0 && damaged(n, c, nation.NameWrong)
	})
	n := people(t)
	o := &n.Owners[c.FirstOwner]
	got, err := served(t, p).ListHoldings(t.Context(), &landv1.ListHoldingsRequest{ProvinceCode: p.Place.ProvinceCode(),
		PersonalId: o.Number.String(), FullName: n.People[o.Person].Name.String(), PageSize: 100})
	require.NoError(t, err)
	wrong := 0
	for _, h := range got.Holdings {
		if h.CertificateSerial != c.SerialText() {
			continue
		}
		wrong++
		require.Equal(t, hubv1.Result_WRONG, h.Result.Code)
		require.Nil(t, h.Owner)
		require.Zero(t, h.Parcel.AreaTenthM2)
		require.NotZero(t, h.Parcel.ParcelNumber)
	}
	require.Equal(t, int(c.Parcels), wrong)
}

func TestAnAreaWithCommunesWithoutLandDatabaseIsPartial(t *testing.T) {
	n := people(t)
	client := serve(t, TuyenQuang)
	ask := &landv1.ListHoldingsRequest{ProvinceCode: "08", PersonalId: "008187001234"}
	got, err := client.ListHoldings(t.Context(), ask)
	require.NoError(t, err)
	require.Equal(t, hubv1.Result_PARTIAL, got.Result.Code, "that there is nothing cannot be said")
	require.Len(t, got.MissingCommunes, len(n.LandGaps))

	ask.CommuneCode = got.MissingCommunes[0].CommuneCode
	got, err = client.ListHoldings(t.Context(), ask)
	require.NoError(t, err)
	require.Equal(t, hubv1.Result_MISSING, got.Result.Code)
	require.Len(t, got.MissingCommunes, 1)

	_, p := pick(t, func(_ *nation.Nation, _ *nation.Certificate, p *nation.Parcel) bool {
		return p.Place.ProvinceCode() == "08" && !p.Missing
	})
	ask.CommuneCode = p.Place.CommuneCode()
	got, err = client.ListHoldings(t.Context(), ask)
	require.NoError(t, err)
	require.Equal(t, hubv1.Result_NO_MATCH, got.Result.Code)
	require.Empty(t, got.MissingCommunes)
}

func TestAListingThatCannotBeAnsweredSaysWhichFieldIsAtFault(t *testing.T) {
	client := serve(t, HaTinh)
	for field, c := range map[string]struct {
		ask    *landv1.ListHoldingsRequest
		reason reason.Reason
	}{
		"province_code": {&landv1.ListHoldingsRequest{ProvinceCode: "08", PersonalId: "042187001234"}, reason.JurisdictionWrong},
		"personal_id":   {&landv1.ListHoldingsRequest{ProvinceCode: "42", PersonalId: "42187001234"}, reason.IDMalformed},
		"old_id":        {&landv1.ListHoldingsRequest{ProvinceCode: "42", PersonalId: "042187001234", OldId: "1"}, reason.IDMalformed},
		"commune_code":  {&landv1.ListHoldingsRequest{ProvinceCode: "42", PersonalId: "042187001234", CommuneCode: "00000"}, reason.CodeUnknown},
		"page_size":     {&landv1.ListHoldingsRequest{ProvinceCode: "42", PersonalId: "042187001234", PageSize: 101}, reason.FieldInvalid},
		"page_token":    {&landv1.ListHoldingsRequest{ProvinceCode: "42", PersonalId: "042187001234", PageToken: "x"}, reason.PageTokenInvalid},
	} {
		_, err := client.ListHoldings(t.Context(), c.ask)
		fault := reason.Of(err)
		require.NotNil(t, fault, field)
		require.Equal(t, c.reason, fault.Reason)
		require.Equal(t, field, fault.Field)
	}
}
