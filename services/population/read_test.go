package population

import (
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/text/unicode/norm"

	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
	"github.com/lienthong/lienthong/proto/reason"
	populationv1 "github.com/lienthong/lienthong/proto/registry/population/v1"
)

func TestIdentityMatchesWhateverTheSpelling(t *testing.T) {
	c := serve(t, fixture(t))
	for _, name := range []string{"Nguyễn Thị Hòa", "NGUYỄN THỊ HOÀ", norm.NFD.String("nguyễn  thị hoà")} {
		for _, birth := range []string{"1987-04-21", "1987-04", "1987"} {
			resp, err := c.VerifyIdentity(t.Context(), &populationv1.VerifyIdentityRequest{PersonalId: wife, FullName: name, BirthDate: birth})
			require.NoError(t, err)
			require.True(t, resp.Matched, name+birth)
			require.Equal(t, hubv1.Result_FOUND, resp.Result.Code)
			require.Equal(t, hubv1.Result_USE_DATA, resp.Result.Next)
			require.Empty(t, resp.DifferingFields)
		}
	}
}

func TestIdentitySaysWhatDiffersInAFieldOfItsOwn(t *testing.T) {
	c := serve(t, fixture(t))
	idField, nameField, birthField := populationv1.IdentityField_IDENTITY_FIELD_PERSONAL_ID, populationv1.IdentityField_IDENTITY_FIELD_FULL_NAME, populationv1.IdentityField_IDENTITY_FIELD_BIRTH_DATE
	for _, tc := range []struct {
		id, name, birth string
		differing       []populationv1.IdentityField
	}{
		{nobody, "Nguyễn Thị Hòa", "1987-04-21", []populationv1.IdentityField{idField}},
		{wife, "Nguyễn Thị Hoa", "1987-04-21", []populationv1.IdentityField{nameField}},
		{wife, "Nguyễn Thị Hòa", "1987-04-22", []populationv1.IdentityField{birthField}},
		{wife, "Nguyễn Hòa", "1988", []populationv1.IdentityField{nameField, birthField}},
	} {
		resp, err := c.VerifyIdentity(t.Context(), &populationv1.VerifyIdentityRequest{PersonalId: tc.id, FullName: tc.name, BirthDate: tc.birth})
		require.NoError(t, err)
		require.False(t, resp.Matched)
		require.Equal(t, hubv1.Result_NO_MATCH, resp.Result.Code)
		require.Equal(t, tc.differing, resp.DifferingFields)
	}
	resp, err := c.VerifyIdentity(t.Context(), &populationv1.VerifyIdentityRequest{PersonalId: dead, FullName: "Lê Văn Mất", BirthDate: "1940"})
	require.NoError(t, err)
	require.True(t, resp.Matched)
	require.Equal(t, hubv1.Result_DECEASED, resp.Result.Code)
}

func TestBadQuestionIsRefusedWithItsField(t *testing.T) {
	c := serve(t, fixture(t))
	for _, tc := range []struct {
		id, name, birth string
		want            reason.Reason
		field           string
	}{
		{"", "A", "1987", reason.FieldRequired, "personal_id"},
		{"04218700123", "A", "1987", reason.IDMalformed, "personal_id"},
		{wife, "", "1987", reason.FieldRequired, "full_name"},
		{wife, " \u00a0", "1987", reason.FieldRequired, "full_name"},
		{wife, strings.Repeat("a", 257), "1987", reason.FieldInvalid, "full_name"},
		{wife, "A", "", reason.FieldRequired, "birth_date"},
		{wife, "A", "1987-02-30", reason.DateMalformed, "birth_date"},
		{wife, "A", "2026-11-23", reason.DateInFuture, "birth_date"},
	} {
		_, err := c.VerifyIdentity(t.Context(), &populationv1.VerifyIdentityRequest{PersonalId: tc.id, FullName: tc.name, BirthDate: tc.birth})
		requireFault(t, err, tc.want, tc.field)
		_, err = c.GetPerson(t.Context(), &populationv1.GetPersonRequest{PersonalId: tc.id, FullName: tc.name, BirthDate: tc.birth})
		requireFault(t, err, tc.want, tc.field)
		_, err = c.GetHousehold(t.Context(), &populationv1.GetHouseholdRequest{PersonalId: tc.id, FullName: tc.name, BirthDate: tc.birth})
		requireFault(t, err, tc.want, tc.field)
	}
}

func TestBatchJudgesEachPersonAlone(t *testing.T) {
	c := serve(t, fixture(t))
	resp, err := c.BatchVerify(t.Context(), &populationv1.BatchVerifyRequest{People: []*populationv1.VerifyIdentityRequest{
		{PersonalId: wife, FullName: "Nguyễn Thị Hoà", BirthDate: "1987"},
		{PersonalId: "bad", FullName: "A", BirthDate: "1987"},
		{PersonalId: husband, FullName: "Nguyễn Văn Năm", BirthDate: "1985"},
		{PersonalId: dead, FullName: "Lê Văn Mất", BirthDate: "1940"},
	}})
	require.NoError(t, err)
	require.Equal(t, hubv1.Result_PARTIAL, resp.Result.Code)
	require.EqualValues(t, 2, resp.Matched)
	var codes []hubv1.Result_Code
	for _, item := range resp.Items {
		codes = append(codes, item.Result.Code)
	}
	require.Equal(t, []hubv1.Result_Code{hubv1.Result_FOUND, hubv1.Result_NO_MATCH, hubv1.Result_NO_MATCH, hubv1.Result_DECEASED}, codes)
	require.Equal(t, "ID_MALFORMED", resp.Items[1].Fault)
	require.Equal(t, "personal_id", resp.Items[1].FaultField)
	require.Equal(t, husband, resp.Items[2].PersonalId)
}

func TestBatchTakesAThousandAndNoMore(t *testing.T) {
	c := serve(t, fixture(t))
	req := &populationv1.BatchVerifyRequest{}
	_, err := c.BatchVerify(t.Context(), req)
	requireFault(t, err, reason.FieldRequired, "people")
	for range 1000 {
		req.People = append(req.People, &populationv1.VerifyIdentityRequest{PersonalId: wife, FullName: "Nguyễn Thị Hoà", BirthDate: "1987"})
	}
	resp, err := c.BatchVerify(t.Context(), req)
	require.NoError(t, err)
	require.EqualValues(t, 1000, resp.Matched)
	req.People = append(req.People, req.People[0])
	_, err = c.BatchVerify(t.Context(), req)
	requireFault(t, err, reason.BatchTooLarge, "people")
}

func TestOldNumberLeadsToItsOneHolder(t *testing.T) {
	c := serve(t, fixture(t))
	for _, tc := range []struct {
		old, name, birth string
		want             hubv1.Result_Code
		id               string
	}{
		{sharedOld, "", "", hubv1.Result_MULTIPLE, ""},
		{sharedOld, "Nguyễn Thị Hoà", "", hubv1.Result_FOUND, wife},
		{sharedOld, "", "1957-07-07", hubv1.Result_FOUND, loner},
		{sharedOld, "Nguyễn Thị Hoà", "1957", hubv1.Result_NO_MATCH, ""},
		{doubleOld, "Phạm Văn Đôi", "1990-01-01", hubv1.Result_MULTIPLE, ""},
		{"999999999", "", "", hubv1.Result_NO_MATCH, ""},
	} {
		resp, err := c.ResolveIdentifier(t.Context(), &populationv1.ResolveIdentifierRequest{OldId: tc.old, FullName: tc.name, BirthDate: tc.birth})
		require.NoError(t, err)
		require.Equal(t, tc.want, resp.Result.Code)
		require.Equal(t, tc.id, resp.PersonalId)
	}
	_, err := c.ResolveIdentifier(t.Context(), &populationv1.ResolveIdentifierRequest{OldId: "12"})
	requireFault(t, err, reason.IDMalformed, "old_id")
	_, err = c.ResolveIdentifier(t.Context(), &populationv1.ResolveIdentifierRequest{OldId: sharedOld, FullName: " "})
	requireFault(t, err, reason.FieldRequired, "full_name")
}

func TestPersonIsReturnedWholeWhenAllAgrees(t *testing.T) {
	c := serve(t, fixture(t))
	resp, err := c.GetPerson(t.Context(), &populationv1.GetPersonRequest{PersonalId: wife, FullName: "Nguyễn Thị Hoà", BirthDate: "1987-04-21"})
	require.NoError(t, err)
	require.Equal(t, hubv1.Result_FOUND, resp.Result.Code)
	p := resp.Person
	require.Equal(t, "Nguyễn Thị Hòa", p.Name.Full)
	require.Equal(t, "Kinh", p.EthnicGroup)
	require.Equal(t, "Không", p.Religion)
	require.Equal(t, "O+", p.BloodType)
	require.Equal(t, sharedOld, p.OldId)
	require.Equal(t, "Xã Thạch Khê", p.BirthPlace.CommuneName)
	require.Equal(t, hubv1.CodeSystem_CODE_SYSTEM_GSO_2004, p.BirthPlace.CodeSystem)
	require.Equal(t, "Xã Thạch Hà", p.CurrentResidence.CommuneName)
	require.Equal(t, "42HK00000001", p.ResidenceFileNumber)
	require.Equal(t, husband, p.HouseholdHead.PersonalId)
	require.Equal(t, populationv1.Relation_RELATION_WIFE, p.RelationToHead)
	require.Equal(t, "2027-04-21", p.IdentityDocuments[0].ExpiresOn)
	kinds := map[populationv1.RelativeKind]string{}
	for _, rel := range p.Relatives {
		kinds[rel.Kind] = rel.FullName + rel.PersonalId
	}
	require.Equal(t, map[populationv1.RelativeKind]string{
		populationv1.RelativeKind_RELATIVE_KIND_FATHER: "Nguyễn Văn Cha",
		populationv1.RelativeKind_RELATIVE_KIND_MOTHER: "Trần Thị Mẹ",
		populationv1.RelativeKind_RELATIVE_KIND_SPOUSE: "Nguyễn Văn Nam" + husband,
		populationv1.RelativeKind_RELATIVE_KIND_CHILD:  "Nguyễn Thị Mai" + child,
	}, kinds)
}

func TestMinorHasARepresentative(t *testing.T) {
	c := serve(t, fixture(t))
	resp, err := c.GetPerson(t.Context(), &populationv1.GetPersonRequest{PersonalId: child, FullName: "Nguyễn Thị Mai", BirthDate: "2015-06-01"})
	require.NoError(t, err)
	last := resp.Person.Relatives[len(resp.Person.Relatives)-1]
	require.Equal(t, populationv1.RelativeKind_RELATIVE_KIND_REPRESENTATIVE, last.Kind)
	require.Equal(t, wife, last.PersonalId)
}

func TestPersonIsNotReturnedWhenSomethingDiffers(t *testing.T) {
	c := serve(t, fixture(t))
	for _, req := range []*populationv1.GetPersonRequest{
		{PersonalId: nobody, FullName: "Nguyễn Thị Hoà", BirthDate: "1987"},
		{PersonalId: wife, FullName: "Nguyễn Thị Hoa", BirthDate: "1987"},
		{PersonalId: wife, FullName: "Nguyễn Thị Hoà", BirthDate: "1986"},
		{OldId: sharedOld, FullName: "Nguyễn Thị Hoà", BirthDate: "1986"},
		{PersonalId: husband, OldId: sharedOld, FullName: "Nguyễn Văn Nam", BirthDate: "1985"},
	} {
		resp, err := c.GetPerson(t.Context(), req)
		require.NoError(t, err)
		require.Equal(t, hubv1.Result_NO_MATCH, resp.Result.Code)
		require.Equal(t, hubv1.Result_CHECK_INPUT, resp.Result.Next)
		require.Nil(t, resp.Person)
	}
	resp, err := c.GetPerson(t.Context(), &populationv1.GetPersonRequest{OldId: doubleOld, FullName: "Phạm Văn Đôi", BirthDate: "1990"})
	require.NoError(t, err)
	require.Equal(t, hubv1.Result_MULTIPLE, resp.Result.Code)
	require.Nil(t, resp.Person)
	resp, err = c.GetPerson(t.Context(), &populationv1.GetPersonRequest{OldId: sharedOld, FullName: "trần cũ", BirthDate: "1957-12-31"})
	require.NoError(t, err)
	require.Equal(t, loner, resp.Person.PersonalId)
	require.True(t, resp.Person.TemporaryAbsence)
	resp, err = c.GetPerson(t.Context(), &populationv1.GetPersonRequest{PersonalId: dead, FullName: "Lê Văn Mất", BirthDate: "1940"})
	require.NoError(t, err)
	require.Equal(t, hubv1.Result_DECEASED, resp.Result.Code)
	require.Equal(t, "2020-05-05", resp.Person.DeathDate)
	require.Nil(t, resp.Person.CurrentResidence)
	_, err = c.GetPerson(t.Context(), &populationv1.GetPersonRequest{OldId: "1", FullName: "A", BirthDate: "1990"})
	requireFault(t, err, reason.IDMalformed, "old_id")
}

func TestResidenceIsInBothCodeSystems(t *testing.T) {
	c := serve(t, fixture(t))
	resp, err := c.GetResidence(t.Context(), &populationv1.GetResidenceRequest{PersonalId: wife})
	require.NoError(t, err)
	require.Equal(t, hubv1.Result_FOUND, resp.Result.Code)
	require.Equal(t, "18073", resp.Permanent.CommuneCode)
	require.Equal(t, "Hà Tĩnh", resp.Permanent.ProvinceName)
	require.Equal(t, "Thôn Đông, số 12", resp.Permanent.Detail)
	require.Equal(t, "18001", resp.PermanentAsRegistered.CommuneCode)
	require.Equal(t, "2012-09-14", resp.PermanentSince)
	require.Nil(t, resp.Temporary)
	require.Equal(t, "18073", resp.Current.CommuneCode)

	resp, err = c.GetResidence(t.Context(), &populationv1.GetResidenceRequest{PersonalId: loner})
	require.NoError(t, err)
	require.Equal(t, "00070", resp.Current.CommuneCode)
	require.Equal(t, "2027-03-31", resp.TemporaryUntil)
	require.Nil(t, resp.PermanentAsRegistered)

	resp, err = c.GetResidence(t.Context(), &populationv1.GetResidenceRequest{PersonalId: dead})
	require.NoError(t, err)
	require.Equal(t, hubv1.Result_DECEASED, resp.Result.Code)
	require.Equal(t, "Thôn Tây", resp.Permanent.Detail)
	require.Nil(t, resp.Current)

	resp, err = c.GetResidence(t.Context(), &populationv1.GetResidenceRequest{PersonalId: double1})
	require.NoError(t, err)
	require.Equal(t, hubv1.Result_PARTIAL, resp.Result.Code)

	for _, req := range []*populationv1.GetResidenceRequest{
		{PersonalId: nobody}, {PersonalId: wife, FullName: "Nguyễn Thị Hoa"}, {PersonalId: wife, BirthDate: "1986"},
	} {
		resp, err = c.GetResidence(t.Context(), req)
		require.NoError(t, err)
		require.Equal(t, hubv1.Result_NO_MATCH, resp.Result.Code)
		require.Nil(t, resp.Permanent)
	}
	_, err = c.GetResidence(t.Context(), &populationv1.GetResidenceRequest{PersonalId: "x"})
	requireFault(t, err, reason.IDMalformed, "personal_id")
	_, err = c.GetResidence(t.Context(), &populationv1.GetResidenceRequest{PersonalId: wife, BirthDate: "2030"})
	requireFault(t, err, reason.DateInFuture, "birth_date")
}

func TestResidenceIsConfirmedForTheRightArea(t *testing.T) {
	c := serve(t, fixture(t))
	old, temporary, current := hubv1.CodeSystem_CODE_SYSTEM_GSO_2004, populationv1.ResidenceKind_RESIDENCE_KIND_TEMPORARY, populationv1.ResidenceKind_RESIDENCE_KIND_CURRENT
	for _, tc := range []struct {
		who               string
		system            hubv1.CodeSystem
		province, commune string
		kind              populationv1.ResidenceKind
		want              hubv1.Result_Code
		confirmed         bool
	}{
		{who: wife, province: "42", want: hubv1.Result_FOUND, confirmed: true},
		{who: wife, commune: "18073", want: hubv1.Result_FOUND, confirmed: true},
		{who: wife, province: "42", commune: "18073", want: hubv1.Result_FOUND, confirmed: true},
		{who: wife, province: "01", want: hubv1.Result_FOUND},
		{who: wife, commune: "00070", want: hubv1.Result_FOUND},
		{who: wife, province: "42", system: old, want: hubv1.Result_FOUND, confirmed: true},
		{who: wife, commune: "18001", system: old, want: hubv1.Result_FOUND, confirmed: true},
		{who: wife, province: "42", kind: temporary, want: hubv1.Result_FOUND},
		{who: wife, province: "42", kind: current, want: hubv1.Result_FOUND, confirmed: true},
		{who: loner, province: "42", kind: current, want: hubv1.Result_FOUND},
		{who: loner, province: "01", kind: current, want: hubv1.Result_FOUND, confirmed: true},
		{who: loner, province: "01", kind: temporary, want: hubv1.Result_FOUND, confirmed: true},
		{who: loner, province: "42", system: old, want: hubv1.Result_PARTIAL},
		{who: loner, province: "42", system: old, kind: temporary, want: hubv1.Result_PARTIAL},
	} {
		names := map[string][2]string{wife: {"Nguyễn Thị Hoà", "1987"}, loner: {"Trần Cũ", "1957"}}
		resp, err := c.ConfirmResidence(t.Context(), &populationv1.ConfirmResidenceRequest{
			PersonalId: tc.who, FullName: names[tc.who][0], BirthDate: names[tc.who][1],
			CodeSystem: tc.system, ProvinceCode: tc.province, CommuneCode: tc.commune, Kind: tc.kind})
		require.NoError(t, err)
		require.Equal(t, tc.want, resp.Result.Code, tc)
		require.Equal(t, tc.confirmed, resp.Confirmed, tc)
	}
}

func TestResidenceIsNotConfirmedForABadQuestion(t *testing.T) {
	c := serve(t, fixture(t))
	ask := func(name, province, commune string, system hubv1.CodeSystem, kind populationv1.ResidenceKind) (*populationv1.ConfirmResidenceResponse, error) {
		return c.ConfirmResidence(t.Context(), &populationv1.ConfirmResidenceRequest{PersonalId: wife, FullName: name, BirthDate: "1987",
			ProvinceCode: province, CommuneCode: commune, CodeSystem: system, Kind: kind})
	}
	resp, err := ask("Nguyễn Thị Hoa", "42", "", 0, 0)
	require.NoError(t, err)
	require.Equal(t, hubv1.Result_NO_MATCH, resp.Result.Code)
	require.False(t, resp.Confirmed)
	_, err = ask("A", "", "", 0, 0)
	requireFault(t, err, reason.FieldRequired, "province_code")
	_, err = ask("A", "99", "", 0, 0)
	requireFault(t, err, reason.CodeUnknown, "province_code")
	_, err = ask("A", "18073", "", 0, 0)
	requireFault(t, err, reason.CodeUnknown, "province_code")
	_, err = ask("A", "01", "18073", 0, 0)
	requireFault(t, err, reason.CodeUnknown, "commune_code")
	_, err = ask("A", "", "42", 0, 0)
	requireFault(t, err, reason.CodeUnknown, "commune_code")
	_, err = ask("A", "42", "", 9, 0)
	requireFault(t, err, reason.FieldInvalid, "code_system")
	_, err = ask("A", "42", "", 0, 9)
	requireFault(t, err, reason.FieldInvalid, "kind")
	dead, err := c.ConfirmResidence(t.Context(), &populationv1.ConfirmResidenceRequest{PersonalId: dead, FullName: "Lê Văn Mất", BirthDate: "1940", ProvinceCode: "42"})
	require.NoError(t, err)
	require.Equal(t, hubv1.Result_DECEASED, dead.Result.Code)
	require.False(t, dead.Confirmed)
}

func TestHouseholdHasItsHeadFirst(t *testing.T) {
	c := serve(t, fixture(t))
	resp, err := c.GetHousehold(t.Context(), &populationv1.GetHouseholdRequest{PersonalId: child, FullName: "Nguyễn Thị Mai", BirthDate: "2015"})
	require.NoError(t, err)
	require.Equal(t, hubv1.Result_FOUND, resp.Result.Code)
	require.Equal(t, "42HK00000001", resp.ResidenceFileNumber)
	require.Equal(t, "18073", resp.Address.CommuneCode)
	var ids []string
	for _, m := range resp.Members {
		ids = append(ids, m.PersonalId)
	}
	require.Equal(t, []string{husband, wife, child}, ids)
	require.Equal(t, hubv1.Sex_SEX_MALE, resp.Members[0].Sex)
	for id, want := range map[string]struct {
		name string
		code hubv1.Result_Code
	}{
		dead: {"Lê Văn Mất", hubv1.Result_DECEASED}, double1: {"Phạm Văn Đôi", hubv1.Result_PARTIAL}, wife: {"Ai", hubv1.Result_NO_MATCH},
	} {
		resp, err := c.GetHousehold(t.Context(), &populationv1.GetHouseholdRequest{PersonalId: id, FullName: want.name, BirthDate: map[string]string{dead: "1940", double1: "1990", wife: "1987"}[id]})
		require.NoError(t, err)
		require.Equal(t, want.code, resp.Result.Code)
		require.Empty(t, resp.Members)
	}
}

func TestHouseholdIsConfirmedMemberByMember(t *testing.T) {
	c := serve(t, fixture(t))
	resp, err := c.ConfirmHousehold(t.Context(), &populationv1.ConfirmHouseholdRequest{HeadPersonalId: husband, Members: []*populationv1.ClaimedMember{
		{PersonalId: wife, Relation: populationv1.Relation_RELATION_WIFE},
		{PersonalId: child, Relation: populationv1.Relation_RELATION_SIBLING},
		{PersonalId: child}, {PersonalId: loner}, {PersonalId: nobody},
	}})
	require.NoError(t, err)
	require.Equal(t, hubv1.Result_FOUND, resp.Result.Code)
	var got []string
	for _, m := range resp.Members {
		got = append(got, m.Result.Code.String()+" "+strconv.FormatBool(m.Member)+" "+strconv.FormatBool(m.RelationMatches)+" "+m.Relation.String())
	}
	require.Equal(t, []string{
		"FOUND true true RELATION_WIFE", "FOUND true false RELATION_CHILD", "FOUND true true RELATION_CHILD",
		"NO_MATCH false false RELATION_UNSPECIFIED", "NO_MATCH false false RELATION_UNSPECIFIED",
	}, got)
	for _, head := range []string{wife, nobody} {
		resp, err = c.ConfirmHousehold(t.Context(), &populationv1.ConfirmHouseholdRequest{HeadPersonalId: head, Members: []*populationv1.ClaimedMember{{PersonalId: wife}}})
		require.NoError(t, err)
		require.Equal(t, hubv1.Result_NO_MATCH, resp.Result.Code)
		require.Empty(t, resp.Members)
	}
}

func TestHouseholdIsNotConfirmedForABadQuestion(t *testing.T) {
	c := serve(t, fixture(t))
	ask := func(head string, members ...*populationv1.ClaimedMember) error {
		_, err := c.ConfirmHousehold(t.Context(), &populationv1.ConfirmHouseholdRequest{HeadPersonalId: head, Members: members})
		return err
	}
	requireFault(t, ask("1"), reason.IDMalformed, "head_personal_id")
	requireFault(t, ask(husband), reason.FieldRequired, "members")
	requireFault(t, ask(husband, make([]*populationv1.ClaimedMember, 51)...), reason.FieldInvalid, "members")
	requireFault(t, ask(husband, &populationv1.ClaimedMember{PersonalId: wife}, &populationv1.ClaimedMember{PersonalId: "1"}), reason.IDMalformed, "members.1.personal_id")
	requireFault(t, ask(husband, &populationv1.ClaimedMember{PersonalId: wife, Relation: 99}), reason.FieldInvalid, "members.0.relation")
}
