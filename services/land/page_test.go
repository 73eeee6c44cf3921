package land

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/lienthong/lienthong/proto/reason"
	"github.com/lienthong/lienthong/services/person"
)

func questions() *rapid.Generator[holdingsQuestion] {
	return rapid.Custom(func(t *rapid.T) holdingsQuestion {
		q := holdingsQuestion{
			province: rapid.SampledFrom([]uint8{1, 8, 42}).Draw(t, "province"),
			id:       person.ID(rapid.StringMatching(`0421870012[0-9]{2}`).Draw(t, "id")),
			oldID:    person.OldID(rapid.StringMatching(`(18345678[0-9])?`).Draw(t, "old id")),
			nameKey:  rapid.SampledFrom([]string{"", "nguyễn văn an", "trần thị bé"}).Draw(t, "name"),
		}
		if rapid.Bool().Draw(t, "in a commune") {
			q.commune = &commune{code: rapid.Uint32Range(1, 3).Draw(t, "commune")}
		}
		return q
	})
}

func TestATokenLeadsToItsPlaceInTheSameQuestionOnly(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		q, other := questions().Draw(t, "question"), questions().Draw(t, "other")
		last := rapid.Int64Range(1, 1<<40).Draw(t, "last")
		token := q.token(last)

		got, err := q.parseToken(token)
		require.NoError(t, err)
		require.Equal(t, last, got)

		_, err = other.parseToken(token)
		if sameQuestion(q, other) {
			require.NoError(t, err)
			return
		}
		require.ErrorIs(t, err, reason.PageTokenInvalid)
	})
}

func TestATokenIsBoundToEachPartOfItsQuestion(t *testing.T) {
	q := holdingsQuestion{province: 42, id: "042187001234", oldID: "183456789", nameKey: "trần thị bé", commune: &commune{code: 1}}
	token := q.token(7)
	for part, change := range map[string]func(*holdingsQuestion){
		"province": func(q *holdingsQuestion) { q.province = 8 },
		"id":       func(q *holdingsQuestion) { q.id = "042187001235" },
		"old id":   func(q *holdingsQuestion) { q.oldID = "" },
		"name":     func(q *holdingsQuestion) { q.nameKey = "" },
		"commune":  func(q *holdingsQuestion) { q.commune = nil },
	} {
		other := q
		change(&other)
		_, err := other.parseToken(token)
		require.ErrorIs(t, err, reason.PageTokenInvalid, part)
	}
}

func sameQuestion(a, b holdingsQuestion) bool {
	in := func(q holdingsQuestion) uint32 {
		if q.commune == nil {
			return 0
		}
		return q.commune.code
	}
	return a.province == b.province && a.id == b.id && a.oldID == b.oldID && a.nameKey == b.nameKey && in(a) == in(b)
}

func FuzzParseToken(f *testing.F) {
	q := holdingsQuestion{province: 42, id: "042187001234"}
	f.Add(q.token(7))
	f.Add(q.token(7) + "\n")
	f.Add("AAAA")
	f.Add("!")
	f.Fuzz(func(t *testing.T, token string) {
		last, err := q.parseToken(token)
		if err != nil {
			require.ErrorIs(t, err, reason.PageTokenInvalid)
			return
		}
		require.GreaterOrEqual(t, last, int64(0))
		require.Equal(t, q.token(last), token, "only what was given is taken")
	})
}
