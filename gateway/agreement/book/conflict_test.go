package book_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/lienthong/lienthong/gateway/agreement/book"
	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
	"github.com/lienthong/lienthong/proto/reason"
)

// about gives a document a purpose and a method that others may have too.
func about(purpose, method string) func(*hubv1.Agreement) {
	return func(d *hubv1.Agreement) {
		d.Purposes[0].Code = purpose
		d.Methods[0] = &hubv1.Agreement_Method{Name: method, Fields: []string{"result"}}
	}
}

func TestTwoAgreementsThatCouldDecideOneQuestionAreRefused(t *testing.T) {
	w := newWorld(t)
	_, err := w.propose(desk, false, document("a", about("P", "GetPerson")), document("b", about("P", "GetPerson")))
	isRefused(t, err, reason.AgreementInvalid)
	require.ErrorContains(t, err, "1.id: b overlaps a")
	_, err = w.propose(desk, false, document("a", about("P", "GetPerson")))
	require.NoError(t, err)
	_, err = w.propose(desk, false, document("other", about("Q", "GetPerson")), document("b", about("P", "GetPerson")))
	isRefused(t, err, reason.AgreementInvalid)
	require.ErrorContains(t, err, "1.id: b overlaps a")
	w.must("a", "refuse")
	_, err = w.propose(desk, false, document("b", about("P", "GetPerson")))
	require.NoError(t, err, "what was refused is in nobody's way")
}

func TestWhatWasProposedTogetherIsNotPutInForceTooEarly(t *testing.T) {
	w := newWorld(t)
	_, err := w.propose(desk, false, document("a", about("P", "GetPerson")))
	require.NoError(t, err)
	w.must("a", "approve")
	_, err = w.propose(desk, false, document("a", about("Q", "GetPerson")), document("b", about("P", "GetPerson")))
	require.NoError(t, err, "b takes over what a leaves")
	_, err = w.act(steward, "approve", book.Motion{ID: "b"})
	isRefused(t, err, reason.AgreementInvalid, "as long as a has not left it")
	w.must("a", "approve")
	w.must("b", "approve")
	w.read(w.reader())
}

func TestAnAgreementThatIsOverIsInNobodysWay(t *testing.T) {
	w := newWorld(t)
	_, err := w.propose(desk, false, document("a", about("P", "GetPerson"), lasting("2026-01-01", "2026-07-10")))
	require.NoError(t, err)
	w.must("a", "approve")
	r := w.reader()
	w.read(r)
	w.now = w.now.AddDate(0, 0, 10)
	_, err = w.propose(desk, false, document("b", about("P", "GetPerson")))
	require.NoError(t, err)
	w.must("b", "approve")
	w.read(r)
	require.Equal(t, []string{"a1 EXPIRED", "b1 ACTIVE"}, known(r))
}

// Whatever parties propose and approve, gateways can make a set of it: one that they could not make would stop them all.
func TestWhatIsInForceAlwaysFitsTogether(t *testing.T) {
	w := newWorld(t)
	n := 0
	rapid.Check(t, func(rt *rapid.T) {
		n++
		w.now = summer
		ids := []string{fmt.Sprintf("x-%d", n), fmt.Sprintf("y-%d", n), fmt.Sprintf("z-%d", n)}
		r := w.reader()
		for range rapid.IntRange(1, 12).Draw(rt, "steps") {
			id := rapid.SampledFrom(ids).Draw(rt, "id")
			switch act := rapid.SampledFrom([]string{"propose", "propose", "both", "provider", "hub", "agree", "agree", "suspend", "resume", "terminate", "wait"}).Draw(rt, "act"); act {
			case "propose":
				_, _ = w.propose(desk, false, overlapping(rt, w.now, id, n))
			case "both":
				_, _ = w.propose(desk, false, overlapping(rt, w.now, ids[0], n), overlapping(rt, w.now, ids[1], n))
			case "agree":
				_, _ = w.act(steward, "approve", book.Motion{ID: id})
				_, _ = w.act(operator, "approve", book.Motion{ID: id})
			case "provider":
				_, _ = w.act(steward, "approve", book.Motion{ID: id})
			case "hub":
				_, _ = w.act(operator, "approve", book.Motion{ID: id})
			case "wait":
				w.now = w.now.AddDate(0, 0, rapid.IntRange(1, 30).Draw(rt, "days"))
			default:
				_, _ = w.act(steward, act, book.Motion{ID: id})
			}
			require.Empty(rt, w.read(r).Broken())
		}
		require.Empty(rt, w.read(w.reader()).Broken())
	})
}

// overlapping is a document that may well be about what others are about.
func overlapping(rt *rapid.T, now time.Time, id string, n int) *hubv1.Agreement {
	from := midnight(now).AddDate(0, 0, rapid.IntRange(-20, 30).Draw(rt, "from"))
	to := from.AddDate(0, 0, rapid.IntRange(0, 40).Draw(rt, "days"))
	purpose := fmt.Sprintf("%s-%d", rapid.SampledFrom([]string{"P", "Q"}).Draw(rt, "purpose"), n)
	return document(id, titled(rapid.StringMatching("[a-z]{8}").Draw(rt, "title")), about(purpose, "GetPerson"), lasting(from.Format(time.DateOnly), to.Format(time.DateOnly)))
}
