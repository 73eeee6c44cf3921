package civilstatus_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
	"github.com/lienthong/lienthong/proto/reason"
	civilstatusv1 "github.com/lienthong/lienthong/proto/registry/civilstatus/v1"
	"github.com/lienthong/lienthong/services/nation"
)

func birthOf(key *civilstatusv1.PersonKey) *civilstatusv1.GetBirthRequest {
	return &civilstatusv1.GetBirthRequest{PersonalId: key.PersonalId, FullName: key.FullName, BirthDate: key.BirthDate}
}

func marriageOf(key *civilstatusv1.PersonKey) *civilstatusv1.GetMarriageRequest {
	return &civilstatusv1.GetMarriageRequest{PersonalId: key.PersonalId, FullName: key.FullName, BirthDate: key.BirthDate}
}

func deathOf(key *civilstatusv1.PersonKey) *civilstatusv1.GetDeathRequest {
	return &civilstatusv1.GetDeathRequest{PersonalId: key.PersonalId, FullName: key.FullName, BirthDate: key.BirthDate}
}

func TestEveryBirthOfTheNationIsInTheBooks(t *testing.T) {
	w := newWorld(t)
	codes := map[hubv1.Result_Code]int{}
	for i := range w.nation.People {
		p, b := &w.nation.People[i], &w.nation.Births[i]
		resp, err := w.GetBirth(t.Context(), birthOf(w.key(int32(i))))
		require.NoError(t, err)
		codes[resp.Result.Code]++
		switch {
		case b.Undigitised:
			require.Equal(t, hubv1.Result_MISSING, resp.Result.Code)
			require.Nil(t, resp.Record)
			continue
		case p.Living():
			require.Equal(t, hubv1.Result_FOUND, resp.Result.Code)
		default:
			require.Equal(t, hubv1.Result_DECEASED, resp.Result.Code)
		}
		r := resp.Record
		require.Equal(t, p.Number.String(), r.PersonalId)
		require.Equal(t, b.Name.String(), r.Name.Full)
		require.Equal(t, b.Date.String(), r.BirthDate)
		require.Contains(t, r.BirthDateWords, "ăm ")
		require.Equal(t, b.NumberText(), r.Head.Number)
		require.Equal(t, b.Place.CommuneCode(), r.Head.AgencyCode)
		require.Equal(t, nation.EthnicName(p.Ethnic), r.EthnicName)
		require.Equal(t, b.NoFather, r.Father == nil)
		require.NotEmpty(t, r.Mother.Name.Full)
		for _, parent := range []struct {
			i     int32
			party *civilstatusv1.Party
		}{{p.Mother, r.Mother}, {p.Father, r.Father}} {
			if parent.i != nation.None {
				require.Equal(t, w.nation.People[parent.i].Number.String(), parent.party.PersonalId)
			}
		}
	}
	require.Len(t, codes, 3, "the nation has births of every kind: %v", codes)
}

func TestDivorceIsNotedInTheMargin(t *testing.T) {
	w := newWorld(t)
	for i := range w.nation.Marriages {
		m := &w.nation.Marriages[i]
		if m.End != nation.EndedByDivorce || m.Undigitised {
			continue
		}
		resp, err := w.GetMarriage(t.Context(), &civilstatusv1.GetMarriageRequest{FullName: w.key(m.Wife).FullName,
			Number: m.NumberText(), AgencyCode: m.Place.CommuneCode()})
		require.NoError(t, err)
		require.Equal(t, civilstatusv1.MarriageState_MARRIAGE_STATE_DIVORCED, resp.Record.State)
		require.Equal(t, m.EndDate.String(), resp.Record.EndedOn)
		require.Contains(t, resp.Record.Head.Note, m.DecisionText())
		return
	}
	require.FailNow(t, "nobody is divorced")
}

func TestEveryMarriageAndDeathOfTheNationIsInTheBooks(t *testing.T) {
	w := newWorld(t)
	for i := range w.nation.Marriages {
		m := &w.nation.Marriages[i]
		if m.End != nation.NotEnded || m.Undigitised {
			continue
		}
		resp, err := w.GetMarriage(t.Context(), marriageOf(w.key(m.Wife)))
		require.NoError(t, err)
		require.Equal(t, hubv1.Result_FOUND, resp.Result.Code)
		require.Equal(t, w.nation.People[m.Husband].Number.String(), resp.Record.Husband.PersonalId)
		require.Equal(t, civilstatusv1.MarriageState_MARRIAGE_STATE_CURRENT, resp.Record.State)
		require.Equal(t, m.Entry.Date.String(), resp.Record.Head.RegisteredOn)
	}
	for i := range w.nation.Deaths {
		d := &w.nation.Deaths[i]
		resp, err := w.GetDeath(t.Context(), deathOf(w.key(d.Person)))
		require.NoError(t, err)
		if d.Undigitised {
			require.Equal(t, hubv1.Result_MISSING, resp.Result.Code)
			continue
		}
		require.Equal(t, hubv1.Result_FOUND, resp.Result.Code)
		require.Equal(t, d.When.String(), resp.Record.DiedOn)
		require.Equal(t, d.Cause.String(), resp.Record.Cause)
	}
}

func TestMaritalStatusIsWhatTheNationSays(t *testing.T) {
	w := newWorld(t)
	seen := map[nation.Marital]int{}
	for i := range w.nation.People {
		p := &w.nation.People[i]
		resp := w.marital(w.key(int32(i)))
		switch {
		case !p.Living():
			require.Equal(t, hubv1.Result_DECEASED, resp.Result.Code)
		case resp.Result.Code == hubv1.Result_MISSING:
			seen[0]++
		default:
			require.Equal(t, hubv1.Result_FOUND, resp.Result.Code)
			require.EqualValues(t, p.Marital, resp.Status, "%d", i)
			require.Equal(t, p.Number.String(), resp.Person.PersonalId)
			seen[p.Marital]++
		}
		if resp.Result.Code != hubv1.Result_FOUND {
			require.Nil(t, resp.FreeToMarry)
			require.Zero(t, resp.Status)
		}
	}
	require.Len(t, seen, 5, "every status, and some that only paper knows: %v", seen)
}

func TestNoMatchDoesNotSayWhichPartFailed(t *testing.T) {
	w := newWorld(t)
	married := w.wife()
	right := w.key(married)
	other := w.key(w.pick("another", func(i int32, p *nation.Person) bool { return p.Living() }))
	var answers [][]byte
	for _, wrong := range []*civilstatusv1.PersonKey{
		{PersonalId: "042299999999", FullName: right.FullName, BirthDate: right.BirthDate},
		{PersonalId: other.PersonalId, FullName: right.FullName, BirthDate: right.BirthDate},
		{PersonalId: right.PersonalId, FullName: right.FullName + " Anh", BirthDate: right.BirthDate},
		{PersonalId: right.PersonalId, FullName: right.FullName, BirthDate: "1911-11-11"},
	} {
		birth, err := w.GetBirth(t.Context(), birthOf(wrong))
		require.NoError(t, err)
		marriage, err := w.GetMarriage(t.Context(), marriageOf(wrong))
		require.NoError(t, err)
		death, err := w.GetDeath(t.Context(), deathOf(wrong))
		require.NoError(t, err)
		for _, m := range []proto.Message{birth, marriage, death, w.marital(wrong)} {
			b, err := proto.Marshal(m)
			require.NoError(t, err)
			answers = append(answers, b)
		}
	}
	want, err := proto.Marshal(&civilstatusv1.GetBirthResponse{Result: &hubv1.Result{Code: hubv1.Result_NO_MATCH}})
	require.NoError(t, err)
	for _, a := range answers {
		require.Equal(t, want, a)
	}
}

func TestLivingHasNoDeathAndUnmarriedNoMarriage(t *testing.T) {
	w := newWorld(t)
	key := w.key(w.bachelor())
	death, err := w.GetDeath(t.Context(), deathOf(key))
	require.NoError(t, err)
	require.Equal(t, hubv1.Result_NO_MATCH, death.Result.Code)
	marriage, err := w.GetMarriage(t.Context(), marriageOf(key))
	require.NoError(t, err)
	require.Equal(t, hubv1.Result_NO_MATCH, marriage.Result.Code)
}

func TestNameMatchesHoweverItIsWritten(t *testing.T) {
	w := newWorld(t)
	key := w.key(w.wife())
	key.FullName = "  " + strings.ToUpper(key.FullName) + " "
	resp := w.marital(key)
	require.Equal(t, hubv1.Result_FOUND, resp.Result.Code)
	key.BirthDate = key.BirthDate[:4]
	require.Equal(t, hubv1.Result_FOUND, w.marital(key).Result.Code, "the year agrees")
}

func TestEntryIsFoundByItsNumber(t *testing.T) {
	w := newWorld(t)
	made, err := w.RegisterMarriage(t.Context(), w.wedding(w.bachelor(), w.maid()))
	require.NoError(t, err)
	head := made.Record.Head
	ask := func(change func(*civilstatusv1.GetMarriageRequest)) *civilstatusv1.GetMarriageResponse {
		req := &civilstatusv1.GetMarriageRequest{Number: head.Number, AgencyCode: head.AgencyCode, FullName: made.Record.Husband.Name.Full}
		change(req)
		resp, err := w.GetMarriage(t.Context(), req)
		require.NoError(t, err)
		return resp
	}
	for name, change := range map[string]func(*civilstatusv1.GetMarriageRequest){
		"the husband's name": func(*civilstatusv1.GetMarriageRequest) {},
		"the wife's name":    func(r *civilstatusv1.GetMarriageRequest) { r.FullName = made.Record.Wife.Name.Full },
		"the book":           func(r *civilstatusv1.GetMarriageRequest) { r.Book = head.Book },
		"no leading zero":    func(r *civilstatusv1.GetMarriageRequest) { r.Number = strings.TrimLeft(r.Number, "0") },
		"the birth date":     func(r *civilstatusv1.GetMarriageRequest) { r.BirthDate = made.Record.Husband.BirthDate },
	} {
		require.True(t, proto.Equal(made.Record, ask(change).Record), name)
	}
	for name, change := range map[string]func(*civilstatusv1.GetMarriageRequest){
		"another name":   func(r *civilstatusv1.GetMarriageRequest) { r.FullName = "Nguyễn Không Ai" },
		"another number": func(r *civilstatusv1.GetMarriageRequest) { r.Number = "999/2026" },
		"another book":   func(r *civilstatusv1.GetMarriageRequest) { r.Book = "77/2026" },
		"another agency": func(r *civilstatusv1.GetMarriageRequest) { r.AgencyCode = "99999" },
		"another birth":  func(r *civilstatusv1.GetMarriageRequest) { r.BirthDate = "1911" },
	} {
		require.Equal(t, hubv1.Result_NO_MATCH, ask(change).Result.Code, name)
	}
}

func TestEntriesOfTheNationAreFoundByTheirNumbers(t *testing.T) {
	w := newWorld(t)
	for i := range w.nation.People {
		b := &w.nation.Births[i]
		resp, err := w.GetBirth(t.Context(), &civilstatusv1.GetBirthRequest{FullName: b.Name.String(), BirthDate: b.Date.String(),
			Number: b.NumberText(), Book: b.Book(), AgencyCode: b.Place.CommuneCode()})
		require.NoError(t, err)
		if b.Undigitised {
			require.Equal(t, hubv1.Result_MISSING, resp.Result.Code)
			continue
		}
		require.Equal(t, w.nation.People[i].Number.String(), resp.GetRecord().GetPersonalId())
	}
}

func TestBadQuestionIsRefused(t *testing.T) {
	w := newWorld(t)
	for name, c := range map[string]struct {
		req   *civilstatusv1.GetBirthRequest
		want  reason.Reason
		field string
	}{
		"nothing":             {&civilstatusv1.GetBirthRequest{}, reason.FieldRequired, "personal_id"},
		"short number":        {&civilstatusv1.GetBirthRequest{PersonalId: "0421", FullName: "A", BirthDate: "1987"}, reason.IDMalformed, "personal_id"},
		"no name":             {&civilstatusv1.GetBirthRequest{PersonalId: "042187001234", BirthDate: "1987"}, reason.FieldRequired, "full_name"},
		"long name":           {&civilstatusv1.GetBirthRequest{PersonalId: "042187001234", FullName: strings.Repeat("a", 300), BirthDate: "1987"}, reason.FieldInvalid, "full_name"},
		"no birth":            {&civilstatusv1.GetBirthRequest{PersonalId: "042187001234", FullName: "A"}, reason.FieldRequired, "birth_date"},
		"no such day":         {&civilstatusv1.GetBirthRequest{PersonalId: "042187001234", FullName: "A", BirthDate: "1987-02-30"}, reason.DateMalformed, "birth_date"},
		"tomorrow":            {&civilstatusv1.GetBirthRequest{PersonalId: "042187001234", FullName: "A", BirthDate: "2099"}, reason.DateInFuture, "birth_date"},
		"both ways":           {&civilstatusv1.GetBirthRequest{PersonalId: "042187001234", FullName: "A", Number: "1/2024"}, reason.FieldInvalid, "number"},
		"number without name": {&civilstatusv1.GetBirthRequest{Number: "1/2024", AgencyCode: "18073"}, reason.FieldRequired, "full_name"},
		"no agency":           {&civilstatusv1.GetBirthRequest{FullName: "A", Number: "1/2024"}, reason.FieldRequired, "agency_code"},
		"agency of letters":   {&civilstatusv1.GetBirthRequest{FullName: "A", Number: "1/2024", AgencyCode: "H27.1"}, reason.FieldInvalid, "agency_code"},
		"number without year": {&civilstatusv1.GetBirthRequest{FullName: "A", Number: "12", AgencyCode: "18073"}, reason.FieldInvalid, "number"},
		"number zero":         {&civilstatusv1.GetBirthRequest{FullName: "A", Number: "0/2024", AgencyCode: "18073"}, reason.FieldInvalid, "number"},
		"book of words":       {&civilstatusv1.GetBirthRequest{FullName: "A", Number: "1/2024", Book: "one", AgencyCode: "18073"}, reason.FieldInvalid, "book"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := w.GetBirth(t.Context(), c.req)
			refused(t, err, c.want, c.field)
		})
	}
}
