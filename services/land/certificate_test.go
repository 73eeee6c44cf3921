package land

import (
	"testing"

	"github.com/stretchr/testify/require"

	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
	"github.com/lienthong/lienthong/proto/reason"
	landv1 "github.com/lienthong/lienthong/proto/registry/land/v1"
	"github.com/lienthong/lienthong/services/nation"
)

func serialOf(c *nation.Certificate, p *nation.Parcel) *landv1.GetCertificateRequest {
	return &landv1.GetCertificateRequest{ProvinceCode: p.Place.ProvinceCode(), CertificateSerial: c.SerialText()}
}

func TestACertificateHasItsFiveSections(t *testing.T) {
	mortgaged := map[int32]bool{}
	for _, m := range people(t).Mortgages {
		mortgaged[m.Parcel] = true
	}
	c, p := pick(t, func(n *nation.Nation, c *nation.Certificate, p *nation.Parcel) bool {
		house := draw(p)
		return !p.Missing && !damaged(n, c, nation.NameWrong) && mortgaged[c.First] && house.houseArea > 0
	})
	answer, err := served(t, p).GetCertificate(t.Context(), serialOf(c, p))
	require.NoError(t, err)
	require.Equal(t, hubv1.Result_FOUND, answer.Result.Code)
	got := answer.Certificate
	require.Equal(t, c.SerialText(), got.Serial)
	require.Equal(t, c.BookText(), got.BookNumber)
	require.Equal(t, c.Issued.String(), got.IssuedOn)
	require.Len(t, got.Owners, int(c.Owners), "section 1")
	require.Len(t, got.Parcels, int(c.Parcels), "section 2")
	first := got.Parcels[0]
	require.Equal(t, uint32(p.Plot), first.Parcel.ParcelNumber)
	require.Len(t, first.Assets, 1, "section 3")
	require.Positive(t, first.Assets[0].Floors)
	require.Len(t, first.Corners, 4, "section 4")
	require.NotEmpty(t, got.Notes.GetMortgages(), "section 5")
}

func TestASerialIsFoundHoweverItIsTyped(t *testing.T) {
	c, p := pick(t, func(n *nation.Nation, c *nation.Certificate, p *nation.Parcel) bool {
		return !p.Missing && !damaged(n, c, nation.NameWrong)
	})
	client := served(t, p)
	ask := serialOf(c, p)
	ask.CertificateSerial = string(c.Letters[0]+'a'-'A') + string(c.Letters[1]) + c.SerialText()[3:]
	got, err := client.GetCertificate(t.Context(), ask)
	require.NoError(t, err)
	require.Equal(t, c.SerialText(), got.Certificate.GetSerial())
}

func TestASerialOfAnotherProvinceIsNoMatch(t *testing.T) {
	c, p := pick(t, func(_ *nation.Nation, _ *nation.Certificate, p *nation.Parcel) bool {
		return p.Place.ProvinceCode() != "01" && Rest.serves(p.Place.ProvinceCode())
	})
	ask := serialOf(c, p)
	ask.ProvinceCode = "01"
	got, err := serve(t, Rest).GetCertificate(t.Context(), ask)
	require.NoError(t, err)
	require.Equal(t, hubv1.Result_NO_MATCH, got.Result.Code)
	require.Nil(t, got.Certificate)
}

func TestASerialInACommuneWithoutLandDatabaseIsMissingOnceTheCommuneIsSaid(t *testing.T) {
	c, p := pick(t, func(_ *nation.Nation, _ *nation.Certificate, p *nation.Parcel) bool { return p.Missing })
	client := serve(t, TuyenQuang)
	ask := serialOf(c, p)
	got, err := client.GetCertificate(t.Context(), ask)
	require.NoError(t, err)
	require.Equal(t, hubv1.Result_NO_MATCH, got.Result.Code)

	ask.CommuneCode = p.Place.CommuneCode()
	got, err = client.GetCertificate(t.Context(), ask)
	require.NoError(t, err)
	require.Equal(t, hubv1.Result_MISSING, got.Result.Code)

	check, err := client.CheckEncumbrance(t.Context(), &landv1.CheckEncumbranceRequest{
		ProvinceCode: ask.ProvinceCode, CommuneCode: ask.CommuneCode, CertificateSerial: ask.CertificateSerial})
	require.NoError(t, err)
	require.Equal(t, hubv1.Result_MISSING, check.Result.Code)
}

func TestWhatIsNoSerialIsRefusedAsAField(t *testing.T) {
	_, err := serve(t, HaTinh).GetCertificate(t.Context(), &landv1.GetCertificateRequest{ProvinceCode: "42", CertificateSerial: "x"})
	require.Equal(t, reason.FieldInvalid, reason.Of(err).Reason)
	require.Equal(t, "certificate_serial", reason.Of(err).Field)
}

func TestASketchIsARectangleOfTheParcelsArea(t *testing.T) {
	n := people(t)
	for i := range n.Parcels {
		p := &n.Parcels[i]
		s := draw(p)
		c := s.corners()
		require.Equal(t, draw(p), s)
		require.Equal(t, s.north-s.depth, c[2].NorthingCm)
		require.InEpsilon(t, float64(p.Area)*1000, float64(s.width)*float64(s.depth), 0.02)
		require.LessOrEqual(t, s.houseArea, p.Area/2*s.houseFloors)
	}
}
