package agreement_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/lienthong/lienthong/gateway/agreement"
	"github.com/lienthong/lienthong/gateway/agreement/agreementtest"
	"github.com/lienthong/lienthong/gateway/catalog/catalogtest"
	"github.com/lienthong/lienthong/proto/peer"
	"github.com/lienthong/lienthong/proto/reason"
)

const (
	agreedFields = "person.birth_date,person.name.family,person.name.full,person.name.given,person.name.middle,person.personal_id"
	resultFields = "result.code,result.next"
)

func TestAnAgreedQuestionIsGrantedItsFields(t *testing.T) {
	f := load(t, sample)
	g, err := f.Admit(f.query(t))
	require.NoError(t, err)
	require.Equal(t, "H27-G01-01", g.Agreement)
	require.EqualValues(t, 3, g.Version)
	require.Equal(t, "Luật Hộ tịch 60/2014/QH13", g.LegalBasis)
	require.Equal(t, agreedFields+","+resultFields, g.Fields)
	require.False(t, g.Sensitive)
	for _, path := range []string{"person.ethnic_group", "person.religion", "person.sex", "person.residence.detail", "person.relatives.illness"} {
		require.Contains(t, strings.Split(g.Withheld, ","), path)
	}
	require.NotContains(t, g.Withheld, "person.birth_date")
}

func TestEachPurposeHasItsOwnLegalBasis(t *testing.T) {
	f := load(t, sample)
	q := f.query(t)
	q.Purpose = "CT-TT"
	g, err := f.Admit(q)
	require.NoError(t, err)
	require.Equal(t, "Luật Cư trú 68/2020/QH14", g.LegalBasis)
}

func TestARefusalSaysWhyAndByWhichAgreement(t *testing.T) {
	f := load(t, sample)
	method := func(full string) func(*agreement.Query) {
		return func(q *agreement.Query) { q.Method = catalogtest.Method(t, f.catalog, full) }
	}
	for name, c := range map[string]struct {
		change func(*agreement.Query)
		why    reason.Reason
		field  string
		by     string
	}{
		"another agency":       {func(q *agreement.Query) { q.Consumer.Agency = "H28" }, reason.NoAgreement, "", ""},
		"another system":       {func(q *agreement.Query) { q.Consumer.System = "archive" }, reason.NoAgreement, "", ""},
		"nobody":               {func(q *agreement.Query) { q.Consumer = peer.ID{} }, reason.NoAgreement, "", ""},
		"another provider":     {func(q *agreement.Query) { q.Provider = peer.ID{Agency: "H27", System: "registry-people"} }, reason.NoAgreement, "", ""},
		"no provider of two":   {func(q *agreement.Query) { q.Provider = peer.ID{} }, reason.NoAgreement, "", ""},
		"no method":            {func(q *agreement.Query) { q.Method = nil }, reason.NoAgreement, "", ""},
		"a stranger's purpose": {func(q *agreement.Query) { q.Consumer.Agency, q.Purpose = "H28", "" }, reason.NoAgreement, "", ""},
		"other catalog":        {func(q *agreement.Query) { q.Method = catalogtest.Method(t, catalogtest.Load(t), catalogtest.GetPerson) }, reason.NoAgreement, "", ""},
		"method":               {method(catalogtest.ListParcels), reason.MethodNotAgreed, "", "H27-G01-01"},
		"purpose left out":     {func(q *agreement.Query) { q.Purpose = "" }, reason.PurposeRequired, "lt-purpose", "H27-G01-01"},
		"purpose":              {func(q *agreement.Query) { q.Purpose = "ht-ks" }, reason.PurposeNotAgreed, "lt-purpose", "H27-G01-01"},
		"a moment too early":   {func(q *agreement.Query) { q.Now = f.All()[0].From.Add(-time.Nanosecond) }, reason.AgreementNotYet, "", "H27-G01-01"},
		"a moment too late":    {func(q *agreement.Query) { q.Now = f.All()[0].Until }, reason.AgreementExpired, "", "H27-G01-01"},
		"no case for a write":  {func(q *agreement.Query) { method(catalogtest.RegisterParcel)(q); q.Case = "" }, reason.CaseRequired, "lt-case", "H27-G01-01"},
		"no officer":           {func(q *agreement.Query) { method(catalogtest.RegisterParcel)(q); q.Officer = "" }, reason.OfficerRequired, "lt-officer", "H27-G01-01"},
		"unknown field":        {func(q *agreement.Query) { q.Fields = "person.name,person.shoe_size" }, reason.FieldUnknown, "lt-fields", "H27-G01-01"},
		"blank field":          {func(q *agreement.Query) { q.Fields = "person.name," }, reason.FieldUnknown, "lt-fields", "H27-G01-01"},
		"all fields":           {func(q *agreement.Query) { q.Fields = "*" }, reason.FieldUnknown, "lt-fields", "H27-G01-01"},
		"field not agreed":     {func(q *agreement.Query) { q.Fields = "person.religion, person.sex" }, reason.FieldsNotAgreed, "lt-fields", "H27-G01-01"},
		"fields without end":   {func(q *agreement.Query) { q.Fields = strings.Repeat("person.name,", 400) }, reason.MetadataInvalid, "lt-fields", "H27-G01-01"},
	} {
		t.Run(name, func(t *testing.T) {
			q := f.query(t)
			c.change(&q)
			g, err := f.Admit(q)
			require.Nil(t, g)
			require.ErrorIs(t, err, c.why)
			require.Equal(t, c.field, reason.Of(err).Field)
			var no *agreement.Refusal
			require.ErrorAs(t, err, &no)
			require.Equal(t, c.by, no.Agreement)
			require.Equal(t, c.why.Form().Code, status.Convert(reason.Of(err).GRPCStatus().Err()).Code())
			require.NotEqual(t, codes.Internal, c.why.Form().Code)
		})
	}
}

func TestANilSetRefusesEverything(t *testing.T) {
	var none *agreement.Set
	_, err := none.Admit(load(t).query(t))
	require.ErrorIs(t, err, reason.NoAgreement)
	require.Empty(t, none.All())
}

func TestTheProviderMayBeLeftOutWhereThereIsOne(t *testing.T) {
	c := catalogtest.Load(t)
	s, _ := c.Service(catalogtest.Service)
	delete(s.Providers, "42")
	set, err := agreementtest.Load(write(t, sample), c)
	require.NoError(t, err)
	q := fixture{set, c}.query(t)
	q.Provider = peer.ID{}
	_, err = set.Admit(q)
	require.NoError(t, err)
}

func TestTheVersionInForceDecides(t *testing.T) {
	last := edit(t, "version: 3", "version: 2", "2026-12-31", "2025-06-30", "2026-01-01", "2025-01-01", "person.personal_id, ", "")
	next := edit(t, "version: 3", "version: 4", "2026-12-31", "2027-12-31", "2026-01-01", "2027-01-01")
	f := load(t, next, sample, last)
	q := f.query(t)
	at := func(date string) (*agreement.Grant, error) {
		now, err := time.Parse(time.DateOnly, date)
		require.NoError(t, err)
		q.Now = now
		return f.Admit(q)
	}
	for date, version := range map[string]int64{"2025-03-01": 2, "2026-03-01": 3, "2027-03-01": 4} {
		g, err := at(date)
		require.NoError(t, err)
		require.Equal(t, version, g.Version)
		require.Equal(t, version > 2, strings.Contains(g.Fields, "person.personal_id"))
	}
	for date, want := range map[string]struct {
		why     reason.Reason
		version int64
	}{
		"2024-03-01": {reason.AgreementNotYet, 2},
		"2025-08-01": {reason.AgreementNotYet, 3}, // between two: the next is agreed already
		"2028-01-01": {reason.AgreementExpired, 4},
	} {
		_, err := at(date)
		var no *agreement.Refusal
		require.ErrorAs(t, err, &no)
		require.ErrorIs(t, err, want.why)
		require.Equal(t, want.version, no.Version)
	}
}

func TestAnAgreementMayAskForMoreOrLessThanTheContract(t *testing.T) {
	f := load(t, edit(t, "provider: G01", "provider: G01\ncase_required: true\nofficer_required: false"))
	q := f.query(t)
	q.Case = ""
	_, err := f.Admit(q)
	require.ErrorIs(t, err, reason.CaseRequired, "the contract does not ask for a case here")
	q = f.query(t)
	q.Method, q.Officer = catalogtest.Method(t, f.catalog, catalogtest.RegisterParcel), ""
	_, err = f.Admit(q)
	require.NoError(t, err, "the contract would ask for an officer")
}
