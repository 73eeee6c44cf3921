package civilstatus_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
	"github.com/lienthong/lienthong/proto/reason"
	civilstatusv1 "github.com/lienthong/lienthong/proto/registry/civilstatus/v1"
	"github.com/lienthong/lienthong/services/nation"
	"github.com/lienthong/lienthong/services/person"
)

type bearing = civilstatusv1.RegisterBirthRequest

func childKey(b *civilstatusv1.BirthRecord) *civilstatusv1.PersonKey {
	return &civilstatusv1.PersonKey{PersonalId: b.PersonalId, FullName: b.Name.Full, BirthDate: b.BirthDate}
}

func TestBirthIsEnteredAndSeenAtOnce(t *testing.T) {
	w := newWorld(t)
	mother := w.wife()
	req := w.newborn(mother, 10)
	made, err := w.RegisterBirth(t.Context(), req)
	require.NoError(t, err)
	b := made.Record
	require.Equal(t, req.Child.PersonalId, b.PersonalId)
	require.Equal(t, w.nation.Births[mother].Name.FamilyName()+" Thị Hoà", b.Name.Full)
	require.Equal(t, "Ngày hai mươi hai, tháng mười, năm hai nghìn không trăm hai mươi sáu", b.BirthDateWords)
	require.Equal(t, civilstatusv1.BirthKind_BIRTH_KIND_BOTH_PARENTS, b.BirthKind)
	require.Equal(t, req.Mother.PersonalId, b.Mother.PersonalId)
	require.Equal(t, req.Father.PersonalId, b.Father.PersonalId)
	require.Equal(t, "VN", b.Nationality)
	require.Equal(t, "Hà Tĩnh", b.Birthplace.ProvinceName)
	require.Equal(t, civilstatusv1.RegistrationKind_REGISTRATION_KIND_ON_TIME, b.Head.Kind)

	found, err := w.GetBirth(t.Context(), birthOf(childKey(b)))
	require.NoError(t, err)
	require.True(t, proto.Equal(b, found.Record))
	status := w.marital(childKey(b))
	require.Equal(t, civilstatusv1.MaritalStatus_MARITAL_STATUS_NEVER_MARRIED, status.Status)
	require.False(t, status.GetFreeToMarry())
	require.True(t, proto.Equal(b.Mother.Residence, status.Person.Residence), "a newborn lives with the mother")

	again, err := w.RegisterBirth(t.Context(), req)
	require.NoError(t, err)
	require.True(t, proto.Equal(made, again))
}

func TestBirthAfterSixtyDaysIsLate(t *testing.T) {
	w := newWorld(t)
	for days, want := range map[int]civilstatusv1.RegistrationKind{
		0:  civilstatusv1.RegistrationKind_REGISTRATION_KIND_ON_TIME,
		60: civilstatusv1.RegistrationKind_REGISTRATION_KIND_ON_TIME,
		61: civilstatusv1.RegistrationKind_REGISTRATION_KIND_LATE,
	} {
		made, err := w.RegisterBirth(t.Context(), w.newborn(w.wife(), days))
		require.NoError(t, err)
		require.Equal(t, want, made.Record.Head.Kind, days)
	}
}

func TestChildIsNotRegisteredTwice(t *testing.T) {
	w := newWorld(t)
	mother := w.wife()
	first := w.newborn(mother, 10)
	_, err := w.RegisterBirth(t.Context(), first)
	require.NoError(t, err)

	sameNumber := w.newborn(w.wife(), 10)
	sameNumber.Child.PersonalId = first.Child.PersonalId
	_, err = w.RegisterBirth(t.Context(), sameNumber)
	refused(t, err, reason.AlreadyRegistered, "child.personal_id")

	_, err = w.RegisterBirth(t.Context(), w.newborn(mother, 10))
	refused(t, err, reason.AlreadyRegistered, "")

	_, err = w.RegisterBirth(t.Context(), change(w.newborn(mother, 10), func(r *bearing) { r.Child.Name.Given = "Bình" }))
	require.NoError(t, err, "a twin has another name")
}

func TestChildOfAFatherAloneIsNotRegisteredTwice(t *testing.T) {
	w := newWorld(t)
	mother := w.wife()
	father := w.nation.People[mother].Spouse
	alone := func() *bearing {
		return change(w.newborn(mother, 10), func(r *bearing) {
			r.Mother, r.Child.Name.Family = nil, w.nation.Births[father].Name.FamilyName()
			r.Child.EthnicCode = ethnicOf(&w.nation.People[father])
		})
	}
	made, err := w.RegisterBirth(t.Context(), alone())
	require.NoError(t, err)
	require.Equal(t, civilstatusv1.BirthKind_BIRTH_KIND_NO_MOTHER, made.Record.BirthKind)
	_, err = w.RegisterBirth(t.Context(), alone())
	refused(t, err, reason.AlreadyRegistered, "")
}

func ethnicOf(p *nation.Person) string { return string([]byte{'0' + p.Ethnic/10, '0' + p.Ethnic%10}) }

func TestImpossibleBirthIsRefused(t *testing.T) {
	w := newWorld(t)
	mother := w.wife()
	man := w.bachelor()
	deadWoman := w.pick("a dead woman", func(_ int32, p *nation.Person) bool { return !p.Living() && p.Sex == nation.Female })
	deadMan := w.pick("a man dead for long", func(_ int32, p *nation.Person) bool {
		return !p.Living() && p.Sex == nation.Male && w.nation.Deaths[p.Death].When.Year() < 2025
	})
	number := func(province string, sex hubv1.Sex, year int) string {
		id, err := person.NewID(province, sex, year, 999_999)
		require.NoError(t, err)
		return string(id)
	}
	const girl, boy = hubv1.Sex_SEX_FEMALE, hubv1.Sex_SEX_MALE
	for name, c := range map[string]struct {
		change func(*bearing)
		want   reason.Reason
		field  string
	}{
		"no child":          {func(r *bearing) { r.Child = nil }, reason.FieldRequired, "child.personal_id"},
		"malformed number":  {func(r *bearing) { r.Child.PersonalId = "42" }, reason.IDMalformed, "child.personal_id"},
		"other province":    {func(r *bearing) { r.Child.PersonalId = number("01", girl, 2026) }, reason.NumberDisagrees, "child.personal_id"},
		"other sex":         {func(r *bearing) { r.Child.PersonalId = number("42", boy, 2026) }, reason.NumberDisagrees, "child.personal_id"},
		"other year":        {func(r *bearing) { r.Child.PersonalId = number("42", girl, 2025) }, reason.NumberDisagrees, "child.personal_id"},
		"no sex":            {func(r *bearing) { r.Child.Sex = 0 }, reason.FieldInvalid, "child.sex"},
		"tomorrow":          {func(r *bearing) { r.Child.BirthDate = "2026-11-02" }, reason.DateInFuture, "child.birth_date"},
		"only a month":      {func(r *bearing) { r.Child.BirthDate = "2026-10" }, reason.DateMalformed, "child.birth_date"},
		"no family name":    {func(r *bearing) { r.Child.Name.Family = "" }, reason.FieldRequired, "child.name.family"},
		"no given name":     {func(r *bearing) { r.Child.Name.Given = " " }, reason.FieldRequired, "child.name.given"},
		"another full name": {func(r *bearing) { r.Child.Name.Full = "Ai Đó" }, reason.FieldInvalid, "child.name.full"},
		"strange family":    {func(r *bearing) { r.Child.Name.Family = "Tôn Nữ" }, reason.FieldInvalid, "child.name.family"},
		"strange group":     {func(r *bearing) { r.Child.EthnicCode = "54" }, reason.FieldInvalid, "child.ethnic_code"},
		"unknown group":     {func(r *bearing) { r.Child.EthnicCode = "99" }, reason.CodeUnknown, "child.ethnic_code"},
		"no group":          {func(r *bearing) { r.Child.EthnicCode = "" }, reason.FieldRequired, "child.ethnic_code"},
		"no birthplace":     {func(r *bearing) { r.Child.Birthplace = nil }, reason.FieldRequired, "child.birthplace.commune_code"},
		"unknown mother":    {func(r *bearing) { r.Mother.PersonalId = "042199999999" }, reason.PersonNotFound, "mother"},
		"misspelt father":   {func(r *bearing) { r.Father.FullName = "Ai" }, reason.PersonNotFound, "father"},
		"a male mother":     {func(r *bearing) { r.Mother = w.key(man) }, reason.FieldInvalid, "mother.personal_id"},
		"a dead mother":     {func(r *bearing) { r.Mother = w.key(deadWoman) }, reason.PersonDeceased, "mother"},
		"a long-dead man":   {func(r *bearing) { r.Father = w.key(deadMan) }, reason.PersonDeceased, "father"},
		"abandoned, named":  {func(r *bearing) { r.Child.Abandoned = true }, reason.FieldInvalid, "child.abandoned"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := w.RegisterBirth(t.Context(), change(w.newborn(mother, 10), c.change))
			refused(t, err, c.want, c.field)
		})
	}
}

func TestFatherMayHaveDiedBeforeTheBirth(t *testing.T) {
	w := newWorld(t)
	mother := w.wife()
	_, err := w.RegisterDeath(t.Context(), w.funeral(w.nation.People[mother].Spouse))
	require.NoError(t, err)
	w.setNow(w.clock().AddDate(0, 0, 299))
	_, err = w.RegisterBirth(t.Context(), w.newborn(mother, 0))
	require.NoError(t, err)
	w.setNow(w.clock().AddDate(0, 0, 2))
	_, err = w.RegisterBirth(t.Context(), change(w.newborn(mother, 0), func(r *bearing) { r.Child.Name.Given = "Bình" }))
	refused(t, err, reason.PersonDeceased, "father")
}

func TestAbandonedChildMayHaveAnyName(t *testing.T) {
	w := newWorld(t)
	made, err := w.RegisterBirth(t.Context(), change(w.newborn(w.wife(), 10), func(r *bearing) {
		r.Mother, r.Father, r.Child.Abandoned, r.Child.Name.Family = nil, nil, true, "Thị"
	}))
	require.NoError(t, err)
	require.Equal(t, civilstatusv1.BirthKind_BIRTH_KIND_ABANDONED, made.Record.BirthKind)
	require.Nil(t, made.Record.Mother)
}
