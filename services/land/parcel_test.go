package land

import (
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
	"github.com/lienthong/lienthong/proto/reason"
	landv1 "github.com/lienthong/lienthong/proto/registry/land/v1"
	"github.com/lienthong/lienthong/services/nation"
)

func TestAParcelIsReturnedAsTheBookHasIt(t *testing.T) {
	c, p := pick(t, func(n *nation.Nation, c *nation.Certificate, p *nation.Parcel) bool {
		return !p.Missing && c.Owners > 1 && !damaged(n, c, nation.NameWrong)
	})
	n := people(t)
	got, err := served(t, p).GetParcel(t.Context(), question(p))
	require.NoError(t, err)
	require.Equal(t, hubv1.Result_FOUND, got.Result.Code)
	require.Equal(t, c.SerialText(), got.CertificateSerial)
	require.Equal(t, p.Area, got.Parcel.AreaTenthM2)
	require.Equal(t, p.Use.String(), got.Parcel.LandUseCode)
	require.Equal(t, p.Use.Name(), got.Parcel.LandUseTitle)
	require.Equal(t, p.Origin.String(), got.Parcel.Origin)
	require.Equal(t, landv1.FormOfUse_FORM_OF_USE_JOINT, got.Parcel.FormOfUse)
	require.NotEmpty(t, got.Parcel.Term)
	require.Equal(t, p.Place.CommuneCode(), got.Parcel.CommuneCode)
	require.Len(t, got.Owners, int(c.Owners))
	for i, o := range owners(n, c) {
		require.Equal(t, o.Name.String(), got.Owners[i].FullName)
		require.Equal(t, o.Number.String(), got.Owners[i].PersonalId)
		require.Equal(t, o.OldNumber.String(), got.Owners[i].OldId)
		require.Equal(t, o.Birth.String(), got.Owners[i].BirthDate)
		require.Equal(t, n.Residence(o.Person).CommuneCode(), got.Owners[i].Address.CommuneCode)
		require.NotEmpty(t, got.Owners[i].Address.ProvinceName)
	}
}

func TestAnAddressKeepsTheCodesItWasWrittenWith(t *testing.T) {
	for name, old := range map[string]bool{"before July 2025": true, "since July 2025": false} {
		t.Run(name, func(t *testing.T) {
			_, p := pick(t, func(n *nation.Nation, c *nation.Certificate, p *nation.Parcel) bool {
				return !p.Missing && !damaged(n, c, nation.NameWrong) && (c.Issued < newCodes) == old && (p.OldCommune != 0 || !old)
			})
			got, err := served(t, p).GetParcel(t.Context(), question(p))
			require.NoError(t, err)
			system, code := hubv1.CodeSystem_CODE_SYSTEM_GSO_2025, p.Place.Commune
			if old {
				system, code = hubv1.CodeSystem_CODE_SYSTEM_GSO_2004, p.OldCommune
			}
			address := got.Parcel.Address
			require.Equal(t, system, address.CodeSystem)
			commune, ok := nation.FindCommune(nation.System(system), code)
			require.True(t, ok)
			want := &hubv1.Address{CodeSystem: system, ProvinceCode: address.ProvinceCode, ProvinceName: address.ProvinceName,
				CommuneCode: commune.CodeText(), CommuneName: commune.Name, Detail: p.Place.Detail()}
			require.True(t, proto.Equal(want, address), "%v", address)
			require.NotEmpty(t, address.ProvinceName)
		})
	}
}

func TestAnOwnerWithTheOldNumberHasNoPersonalNumber(t *testing.T) {
	c, p := pick(t, func(n *nation.Nation, c *nation.Certificate, p *nation.Parcel) bool {
		return !p.Missing && damaged(n, c, nation.OldNumberOnly) && !damaged(n, c, nation.NameWrong)
	})
	got, err := served(t, p).GetParcel(t.Context(), question(p))
	require.NoError(t, err)
	olds := 0
	for i, o := range owners(people(t), c) {
		if o.Number == 0 {
			olds++
			require.Empty(t, got.Owners[i].PersonalId)
			require.Len(t, got.Owners[i].OldId, 9)
		}
	}
	require.Positive(t, olds)
}

func TestARecordKnownToBeWrongIsNotGivenOut(t *testing.T) {
	c, p := pick(t, func(n *nation.Nation, c *nation.Certificate, p *nation.Parcel) bool {
		return !p.Missing && damaged(n, c, nation.NameWrong)
	})
	client := served(t, p)
	parcel, err := client.GetParcel(t.Context(), question(p))
	require.NoError(t, err)
	require.True(t, proto.Equal(&landv1.GetParcelResponse{Result: found(hubv1.Result_WRONG)}, parcel), "%v", parcel)

	certificate, err := client.GetCertificate(t.Context(), &landv1.GetCertificateRequest{
		ProvinceCode: p.Place.ProvinceCode(), CertificateSerial: c.SerialText()})
	require.NoError(t, err)
	require.True(t, proto.Equal(&landv1.GetCertificateResponse{Result: found(hubv1.Result_WRONG)}, certificate), "%v", certificate)
}

func TestACommuneWithoutLandDatabaseIsMissingNotUnknown(t *testing.T) {
	_, p := pick(t, func(_ *nation.Nation, _ *nation.Certificate, p *nation.Parcel) bool { return p.Missing })
	require.Equal(t, "08", p.Place.ProvinceCode())
	got, err := serve(t, TuyenQuang).GetParcel(t.Context(), question(p))
	require.NoError(t, err)
	require.True(t, proto.Equal(&landv1.GetParcelResponse{Result: found(hubv1.Result_MISSING)}, got), "%v", got)
}

func TestNoSuchParcelIsNoMatch(t *testing.T) {
	_, p := pick(t, func(_ *nation.Nation, _ *nation.Certificate, p *nation.Parcel) bool { return !p.Missing })
	ask := question(p)
	ask.ParcelNumber = 1 << 30
	got, err := served(t, p).GetParcel(t.Context(), ask)
	require.NoError(t, err)
	require.Equal(t, hubv1.Result_NO_MATCH, got.Result.Code)
}

func TestAQuestionThatCannotBeAnsweredSaysWhichFieldIsAtFault(t *testing.T) {
	_, p := pick(t, func(_ *nation.Nation, _ *nation.Certificate, p *nation.Parcel) bool {
		return !p.Missing && Rest.serves(p.Place.ProvinceCode())
	})
	client := serve(t, Rest)
	cases := map[string]struct {
		change func(*landv1.GetParcelRequest)
		reason reason.Reason
		field  string
	}{
		"no province":             {func(q *landv1.GetParcelRequest) { q.ProvinceCode = "" }, reason.FieldRequired, "province_code"},
		"province that is none":   {func(q *landv1.GetParcelRequest) { q.ProvinceCode = "99" }, reason.CodeUnknown, "province_code"},
		"province of before 2025": {func(q *landv1.GetParcelRequest) { q.ProvinceCode = "02" }, reason.CodeUnknown, "province_code"},
		"signed province":         {func(q *landv1.GetParcelRequest) { q.ProvinceCode = "+1" }, reason.CodeUnknown, "province_code"},
		"another's province":      {func(q *landv1.GetParcelRequest) { q.ProvinceCode = "42" }, reason.JurisdictionWrong, "province_code"},
		"no commune":              {func(q *landv1.GetParcelRequest) { q.CommuneCode = "" }, reason.FieldRequired, "commune_code"},
		"commune that is none":    {func(q *landv1.GetParcelRequest) { q.CommuneCode = "99999" }, reason.CodeUnknown, "commune_code"},
		"short commune":           {func(q *landv1.GetParcelRequest) { q.CommuneCode = "7" }, reason.CodeUnknown, "commune_code"},
		"commune elsewhere": {func(q *landv1.GetParcelRequest) {
			q.CommuneCode = nation.Communes(42)[0].CodeText()
		}, reason.CodeUnknown, "commune_code"},
		"no sheet":  {func(q *landv1.GetParcelRequest) { q.MapSheet = 0 }, reason.FieldRequired, "map_sheet"},
		"no parcel": {func(q *landv1.GetParcelRequest) { q.ParcelNumber = 0 }, reason.FieldRequired, "parcel_number"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			ask := question(p)
			c.change(ask)
			_, err := client.GetParcel(t.Context(), ask)
			fault := reason.Of(err)
			require.NotNil(t, fault)
			require.Equal(t, c.reason, fault.Reason)
			require.Equal(t, c.field, fault.Field)
		})
	}
}
