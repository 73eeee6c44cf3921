package population

import (
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
	"github.com/lienthong/lienthong/proto/reason"
	populationv1 "github.com/lienthong/lienthong/proto/registry/population/v1"
	"github.com/lienthong/lienthong/services/person"
	"github.com/lienthong/lienthong/services/store"
)

// birth is a request that issues a number to the couple's second child.
func birth(requestID string) *populationv1.IssueNumberRequest {
	return &populationv1.IssueNumberRequest{
		RequestId: requestID, ProvinceCode: "42", CommuneCode: "18073", EthnicGroupCode: "01",
		Name: &hubv1.PersonName{Family: "Nguyễn", Middle: "Văn", Given: "Út"}, Sex: hubv1.Sex_SEX_MALE,
		BirthDate: "2026-11-02", FatherPersonalId: husband, MotherPersonalId: wife,
	}
}

func death(requestID string) *populationv1.CancelNumberRequest {
	return &populationv1.CancelNumberRequest{RequestId: requestID, PersonalId: wife, FullName: "Nguyễn Thị Hoà", BirthDate: "1987-04-21",
		DeathDate: "2026-11-20", DeathEntryNumber: "117/2026"}
}

func TestIssuedNumberTellsTheBirthAndIsOnRecord(t *testing.T) {
	c := serve(t, fixture(t))
	resp, err := c.IssueNumber(t.Context(), birth("birth-0001"))
	require.NoError(t, err)
	require.Equal(t, hubv1.Result_FOUND, resp.Result.Code)
	require.Equal(t, "2026-11-22T03:04:05Z", resp.IssuedAt)
	id, err := person.ParseID(resp.PersonalId)
	require.NoError(t, err)
	require.Equal(t, "42", id.Province())
	require.Equal(t, hubv1.Sex_SEX_MALE, id.Sex())
	require.Equal(t, 2026, id.BirthYear())

	got, err := c.GetPerson(t.Context(), &populationv1.GetPersonRequest{PersonalId: resp.PersonalId, FullName: "Nguyễn Văn Út", BirthDate: "2026-11-02"})
	require.NoError(t, err)
	require.Equal(t, "Xã Thạch Hà", got.Person.BirthRegistrationPlace.CommuneName)
	require.Equal(t, "Hà Tĩnh", got.Person.Hometown.ProvinceName, "the father's")
	require.Equal(t, husband, got.Person.Relatives[0].PersonalId)
	require.Equal(t, wife, got.Person.Relatives[1].PersonalId)
	residence, err := c.GetResidence(t.Context(), &populationv1.GetResidenceRequest{PersonalId: resp.PersonalId})
	require.NoError(t, err)
	require.Equal(t, hubv1.Result_PARTIAL, residence.Result.Code, "residence is registered in a procedure of its own")
}

func TestRepeatedRequestHasTheSameAnswer(t *testing.T) {
	r := fixture(t)
	c := serve(t, r)
	first, err := c.IssueNumber(t.Context(), birth("birth-0001"))
	require.NoError(t, err)
	again, err := c.IssueNumber(t.Context(), birth("birth-0001"))
	require.NoError(t, err)
	require.Equal(t, first.PersonalId, again.PersonalId)
	require.Equal(t, first.IssuedAt, again.IssuedAt)

	other := birth("birth-0001")
	other.Name.Given = "Hai"
	_, err = c.IssueNumber(t.Context(), other)
	requireFault(t, err, reason.IdempotencyConflict, "request_id")
	_, err = c.CancelNumber(t.Context(), death("birth-0001"))
	requireFault(t, err, reason.IdempotencyConflict, "request_id")
	_, err = c.IssueNumber(t.Context(), birth("birth-0002"))
	requireFault(t, err, reason.AlreadyRegistered, "")
	require.Equal(t, len(fixturePeople)+1, count(t, r, "person"))
	require.Equal(t, 1, count(t, r, "request"), "a refused request leaves nothing")
}

func count(t testing.TB, r *Registry, table string) (n int) {
	require.NoError(t, r.db.Read.QueryRowContext(t.Context(), "SELECT COUNT(*) FROM "+table).Scan(&n))
	return n
}

func TestOneRequestAtOnceFromManyCallersIssuesOneNumber(t *testing.T) {
	r := fixture(t)
	c := serve(t, r)
	ids := make([]string, 16)
	var wg sync.WaitGroup
	for i := range ids {
		wg.Go(func() {
			resp, err := c.IssueNumber(t.Context(), birth("birth-0001"))
			if err == nil {
				ids[i] = resp.PersonalId
			}
		})
	}
	wg.Wait()
	for _, id := range ids {
		require.NotEmpty(t, id)
		require.Equal(t, ids[0], id)
	}
	require.Equal(t, len(fixturePeople)+1, count(t, r, "person"))
}

func TestNumberIsNeverGivenTwice(t *testing.T) {
	r := fixture(t)
	draws := 0
	r.serial = func() (int, error) { draws++; return draws / 3, nil } // 0 0 1 1 1 2 2 2 …
	c := serve(t, r)
	seen := map[string]bool{}
	for _, given := range []string{"Một", "Hai", "Ba"} {
		req := birth("birth-" + person.NameKey(strings.Map(ascii, given)) + "-0001")
		req.Name.Given = given
		resp, err := c.IssueNumber(t.Context(), req)
		require.NoError(t, err)
		require.False(t, seen[resp.PersonalId])
		seen[resp.PersonalId] = true
	}
	r.serial = func() (int, error) { return 1, nil }
	req := birth("birth-last")
	req.Name.Given = "Bốn"
	_, err := c.IssueNumber(t.Context(), req)
	requireFault(t, err, reason.NumbersExhausted, "")
}

func ascii(r rune) rune {
	if r < 0x80 {
		return r
	}
	return -1
}

func TestBadBirthIsRefusedWithItsField(t *testing.T) {
	r := fixture(t)
	c := serve(t, r)
	for _, tc := range []struct {
		change func(*populationv1.IssueNumberRequest)
		want   reason.Reason
		field  string
	}{
		{func(b *populationv1.IssueNumberRequest) { b.RequestId = "" }, reason.FieldRequired, "request_id"},
		{func(b *populationv1.IssueNumberRequest) { b.RequestId = "short" }, reason.FieldInvalid, "request_id"},
		{func(b *populationv1.IssueNumberRequest) { b.RequestId = "birth 0001" }, reason.FieldInvalid, "request_id"},
		{func(b *populationv1.IssueNumberRequest) { b.ProvinceCode = "" }, reason.FieldRequired, "province_code"},
		{func(b *populationv1.IssueNumberRequest) { b.ProvinceCode = "99" }, reason.CodeUnknown, "province_code"},
		{func(b *populationv1.IssueNumberRequest) { b.CommuneCode = "00070" }, reason.CodeUnknown, "commune_code"},
		{func(b *populationv1.IssueNumberRequest) { b.EthnicGroupCode = "99" }, reason.CodeUnknown, "ethnic_group_code"},
		{func(b *populationv1.IssueNumberRequest) { b.Name = nil }, reason.FieldRequired, "name.family"},
		{func(b *populationv1.IssueNumberRequest) { b.Name.Given = " " }, reason.FieldRequired, "name.given"},
		{func(b *populationv1.IssueNumberRequest) { b.Name.Full = "Ai Khác" }, reason.FieldInvalid, "name.full"},
		{func(b *populationv1.IssueNumberRequest) { b.Name.Middle = "a\x1f" }, reason.FieldInvalid, "name"},
		{func(b *populationv1.IssueNumberRequest) { b.Sex = hubv1.Sex_SEX_UNDETERMINED }, reason.FieldInvalid, "sex"},
		{func(b *populationv1.IssueNumberRequest) { b.BirthDate = "" }, reason.FieldRequired, "birth_date"},
		{func(b *populationv1.IssueNumberRequest) { b.BirthDate = "2026-13" }, reason.DateMalformed, "birth_date"},
		{func(b *populationv1.IssueNumberRequest) { b.BirthDate = "2026-11-23" }, reason.DateInFuture, "birth_date"},
		{func(b *populationv1.IssueNumberRequest) { b.BirthDate = "1899" }, reason.FieldInvalid, "birth_date"},
		{func(b *populationv1.IssueNumberRequest) { b.BirthDate = "1980" }, reason.FieldInvalid, "mother_personal_id"},
		{func(b *populationv1.IssueNumberRequest) { b.FatherPersonalId = "1" }, reason.IDMalformed, "father_personal_id"},
		{func(b *populationv1.IssueNumberRequest) { b.FatherPersonalId = nobody }, reason.PersonNotFound, "father_personal_id"},
		{func(b *populationv1.IssueNumberRequest) { b.MotherPersonalId = husband }, reason.FieldInvalid, "mother_personal_id"},
	} {
		req := birth("birth-0001")
		tc.change(req)
		_, err := c.IssueNumber(t.Context(), req)
		requireFault(t, err, tc.want, tc.field)
	}
	require.Equal(t, len(fixturePeople), count(t, r, "person"))
	require.Zero(t, count(t, r, "request"))
}

func TestCancelledNumberIsKeptAndDeceased(t *testing.T) {
	c := serve(t, fixture(t))
	resp, err := c.CancelNumber(t.Context(), death("death-0001"))
	require.NoError(t, err)
	require.Equal(t, hubv1.Result_DECEASED, resp.Result.Code)
	require.Equal(t, wife, resp.PersonalId)
	again, err := c.CancelNumber(t.Context(), death("death-0001"))
	require.NoError(t, err)
	require.Equal(t, resp.CancelledAt, again.CancelledAt)
	_, err = c.CancelNumber(t.Context(), death("death-0002"))
	requireFault(t, err, reason.AlreadyRegistered, "personal_id")

	got, err := c.GetPerson(t.Context(), &populationv1.GetPersonRequest{PersonalId: wife, FullName: "Nguyễn Thị Hoà", BirthDate: "1987"})
	require.NoError(t, err)
	require.Equal(t, hubv1.Result_DECEASED, got.Result.Code)
	require.Equal(t, hubv1.Result_STOP, got.Result.Next)
	require.Equal(t, "2026-11-20", got.Person.DeathDate)
	widower, err := c.GetPerson(t.Context(), &populationv1.GetPersonRequest{PersonalId: husband, FullName: "Nguyễn Văn Nam", BirthDate: "1985"})
	require.NoError(t, err)
	require.Equal(t, populationv1.MaritalStatus_MARITAL_STATUS_WIDOWED, widower.Person.MaritalStatus)
	household, err := c.GetHousehold(t.Context(), &populationv1.GetHouseholdRequest{PersonalId: husband, FullName: "Nguyễn Văn Nam", BirthDate: "1985"})
	require.NoError(t, err)
	require.Len(t, household.Members, 2)
}

func TestDeadHeadStaysHeadUntilAnotherIsRegistered(t *testing.T) {
	c := serve(t, fixture(t))
	req := death("death-0001")
	req.PersonalId, req.FullName, req.BirthDate = husband, "Nguyễn Văn Nam", "1985-01-30"
	_, err := c.CancelNumber(t.Context(), req)
	require.NoError(t, err)
	household, err := c.GetHousehold(t.Context(), &populationv1.GetHouseholdRequest{PersonalId: wife, FullName: "Nguyễn Thị Hoà", BirthDate: "1987"})
	require.NoError(t, err)
	require.Len(t, household.Members, 3)
	require.True(t, household.Members[0].Deceased)
	confirmed, err := c.ConfirmHousehold(t.Context(), &populationv1.ConfirmHouseholdRequest{HeadPersonalId: husband, Members: []*populationv1.ClaimedMember{{PersonalId: wife}}})
	require.NoError(t, err)
	require.Equal(t, hubv1.Result_DECEASED, confirmed.Result.Code)
}

func TestBadDeathIsRefusedWithItsField(t *testing.T) {
	r := fixture(t)
	c := serve(t, r)
	for _, tc := range []struct {
		change func(*populationv1.CancelNumberRequest)
		want   reason.Reason
		field  string
	}{
		{func(d *populationv1.CancelNumberRequest) { d.RequestId = "" }, reason.FieldRequired, "request_id"},
		{func(d *populationv1.CancelNumberRequest) { d.PersonalId = "1" }, reason.IDMalformed, "personal_id"},
		{func(d *populationv1.CancelNumberRequest) { d.PersonalId = nobody }, reason.PersonNotFound, "personal_id"},
		{func(d *populationv1.CancelNumberRequest) { d.FullName = "Nguyễn Thị Hoa" }, reason.PersonNotFound, "personal_id"},
		{func(d *populationv1.CancelNumberRequest) { d.BirthDate = "1986" }, reason.PersonNotFound, "personal_id"},
		{func(d *populationv1.CancelNumberRequest) { d.DeathDate = "" }, reason.FieldRequired, "death_date"},
		{func(d *populationv1.CancelNumberRequest) { d.DeathDate = "2026-11-23" }, reason.DateInFuture, "death_date"},
		{func(d *populationv1.CancelNumberRequest) { d.DeathDate = "1987-04-20" }, reason.FieldInvalid, "death_date"},
		{func(d *populationv1.CancelNumberRequest) { d.DeathEntryNumber = strings.Repeat("1", 33) }, reason.FieldInvalid, "death_entry_number"},
	} {
		req := death("death-0001")
		tc.change(req)
		_, err := c.CancelNumber(t.Context(), req)
		requireFault(t, err, tc.want, tc.field)
	}
	require.Zero(t, count(t, r, "request"))
	resp, err := c.GetResidence(t.Context(), &populationv1.GetResidenceRequest{PersonalId: wife})
	require.NoError(t, err)
	require.Equal(t, hubv1.Result_FOUND, resp.Result.Code)
}

func TestWritesSurviveReopening(t *testing.T) {
	path := filepath.Join(t.TempDir(), "population.db")
	r, err := Open(t.Context(), path)
	require.NoError(t, err)
	require.NoError(t, r.db.Fill(t.Context(),
		store.Table{Name: "person", Columns: personTable, Rows: seq(fixturePeople)},
		store.Table{Name: "unit", Columns: []string{"system", "code", "province", "name"}, Rows: seq(fixtureUnits)}))
	require.NoError(t, r.readCatalogue(t.Context()))
	req := birth("birth-0001")
	req.EthnicGroupCode = ""
	first, err := r.IssueNumber(t.Context(), req)
	require.NoError(t, err)
	require.NoError(t, r.Close())

	r = open(t, path)
	again, err := r.IssueNumber(t.Context(), req)
	require.NoError(t, err)
	require.Equal(t, first.PersonalId, again.PersonalId)
}
