package book_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/lienthong/lienthong/gateway/agreement/book"
	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
)

// model is what one agreement should be: the same rules, in the plainest form.
type model struct {
	now      time.Time
	versions []*modelled
}

type modelled struct {
	state       hubv1.AgreementState
	from, until time.Time // until as it was cut
	last        time.Time // until as the document says
	approved    map[string]bool
}

func (m *model) told(v *modelled) hubv1.AgreementState {
	if m.now.Before(v.until) {
		return v.state
	}
	switch {
	case v.state == draft || v.state == proposed:
		return expired
	case v.state != active && v.state != suspended:
		return v.state
	case v.until.Before(v.last):
		return superseded
	}
	return expired
}

func (m *model) states() []hubv1.AgreementState {
	states := make([]hubv1.AgreementState, len(m.versions))
	for i, v := range m.versions {
		states[i] = m.told(v)
	}
	return states
}

// in is the newest version in a state, by what it is told as.
func (m *model) in(s hubv1.AgreementState) *modelled {
	for i := len(m.versions) - 1; i >= 0; i-- {
		if v := m.versions[i]; v.state == s {
			if m.told(v) != s {
				return nil
			}
			return v
		}
	}
	return nil
}

func (m *model) add(s hubv1.AgreementState, from, until time.Time) {
	for _, v := range m.versions {
		if v.state == draft || v.state == proposed && s == proposed {
			v.state = superseded
		}
	}
	m.versions = append(m.versions, &modelled{s, from, until, until, map[string]bool{}})
}

// act does an act if it can be done, and reports whether it could.
func (m *model) act(act, party string) bool {
	switch act {
	case "submit":
		v := m.in(draft)
		if v == nil {
			return false
		}
		for _, o := range m.versions {
			if o.state == proposed {
				o.state = superseded
			}
		}
		v.state = proposed
	case "approve":
		v := m.in(proposed)
		if v == nil || v.approved[party] {
			return false
		}
		if v.approved[party] = true; len(v.approved) == 2 {
			m.begin(v)
		}
	case "refuse":
		v := m.in(proposed)
		if v == nil {
			return false
		}
		v.state = refused
	case "suspend":
		return m.move(suspended, active)
	case "resume":
		return m.move(active, suspended)
	case "terminate":
		if !m.move(terminated, active, suspended) {
			return false
		}
		for _, v := range m.versions {
			if v.state == proposed {
				v.state = terminated
			}
		}
	}
	return true
}

func (m *model) begin(v *modelled) {
	v.state = active
	if v.from.Before(m.now) {
		v.from = m.now
	}
	for _, o := range m.versions {
		told := m.told(o)
		if o == v || told != active && told != suspended {
			continue
		}
		if told == suspended {
			v.state = suspended
		}
		if o.until.After(v.from) {
			if o.until = v.from; !o.until.After(m.now) || !o.until.After(o.from) {
				o.state = superseded
			}
		}
	}
}

func (m *model) move(to hubv1.AgreementState, from ...hubv1.AgreementState) (moved bool) {
	for _, v := range m.versions {
		for _, s := range from {
			if m.told(v) == s {
				v.state, moved = to, true
				break
			}
		}
	}
	return moved
}

// run is one agreement beside its model.
type run struct {
	*world
	rt     *rapid.T
	id     string
	model  *model
	reader *book.Reader
	seen   []string
	first  map[int64]string // digest of each version when it was first seen
}

func TestWhateverIsDoneInWhateverOrder(t *testing.T) {
	w := newWorld(t)
	n := 0
	rapid.Check(t, func(rt *rapid.T) {
		n++
		w.now = summer
		r := &run{world: w, rt: rt, id: fmt.Sprint("r-", n), model: &model{now: w.now}, reader: w.reader(), first: map[int64]string{}}
		for range rapid.IntRange(1, 12).Draw(rt, "steps") {
			r.step()
		}
		r.compare()
	})
}

// step does something at random, and looks at everything.
func (r *run) step() {
	before, err := r.db.Revision(context.Background())
	require.NoError(r.rt, err)
	recorded := len(r.history(r.id))
	act := rapid.SampledFrom([]string{"propose", "propose", "draft", "submit", "provider", "hub", "provider", "hub", "refuse", "suspend", "resume", "terminate", "wait"}).Draw(r.rt, "act")
	want, err := r.do(act)
	require.Equal(r.rt, want, err == nil, "%s: %v", act, err)
	after, rerr := r.db.Revision(context.Background())
	require.NoError(r.rt, rerr)
	if act == "wait" || err != nil {
		require.Equal(r.rt, before, after)
		require.Len(r.rt, r.history(r.id), recorded)
	} else {
		require.Equal(r.rt, before+1, after)
		require.Greater(r.rt, len(r.history(r.id)), recorded)
	}
	if len(r.model.versions) > 0 {
		r.look()
	}
}

// do does an act in the world and in the model, and says whether it should have gone well.
func (r *run) do(act string) (want bool, err error) {
	switch act {
	case "wait":
		r.now = r.now.Add(time.Duration(rapid.IntRange(1, 100).Draw(r.rt, "hours")) * 6 * time.Hour)
		r.model.now = r.now
		return true, nil
	case "propose", "draft":
		from := midnight(r.now).AddDate(0, 0, rapid.IntRange(-20, 40).Draw(r.rt, "from"))
		to := midnight(r.now).AddDate(0, 0, rapid.IntRange(1, 60).Draw(r.rt, "to"))
		if to.Before(from) {
			to = from
		}
		doc := document(r.id, titled(fmt.Sprint(len(r.model.versions))), lasting(from.Format(time.DateOnly), to.Format(time.DateOnly)))
		_, err := r.propose(desk, act == "draft", doc)
		as := map[string]hubv1.AgreementState{"propose": proposed, "draft": draft}[act]
		r.model.add(as, from, to.AddDate(0, 0, 1))
		return true, err
	case "provider", "hub":
		want = r.model.act("approve", act)
		_, err = r.act(map[string]person{"provider": steward, "hub": operator}[act], "approve", book.Motion{ID: r.id})
		return want, err
	}
	who := steward
	if act == "submit" {
		who = desk
	}
	want = r.model.act(act, "")
	_, err = r.act(who, act, book.Motion{ID: r.id})
	return want, err
}

// midnight is when a day began in Hà Nội.
func midnight(t time.Time) time.Time {
	t = t.In(time.FixedZone("+07", 7*60*60))
	return time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, t.Location())
}

func (r *run) look() {
	require.Equal(r.rt, r.model.states(), r.states(r.id))
	all := r.versions(r.id)
	waiting := 0
	for _, v := range all {
		number := v.GetAgreement().GetVersion()
		if _, seen := r.first[number]; !seen {
			r.first[number] = string(v.GetDigest()) + v.GetAgreement().String()
		}
		require.Equal(r.rt, r.first[number], string(v.GetDigest())+v.GetAgreement().String(), "a version was overwritten")
		if v.GetState() == proposed {
			waiting++
		}
	}
	require.LessOrEqual(r.rt, waiting, 1)
	for i, v := range all {
		for _, o := range all[:i] {
			both := lives(v.GetState()) && lives(o.GetState()) && v.GetFrom().AsTime().Before(o.GetUntil().AsTime()) && o.GetFrom().AsTime().Before(v.GetUntil().AsTime())
			require.False(r.rt, both, "two versions decide at once")
		}
	}
	r.read(r.reader)
}

func lives(s hubv1.AgreementState) bool { return s == active || s == suspended }

// compare looks at what a gateway has that read each change as it came, beside one that reads it all now.
func (r *run) compare() {
	r.read(r.reader)
	fresh := r.world.reader()
	r.read(fresh)
	for _, g := range []*book.Reader{r.reader, fresh} {
		var mine []string
		var end time.Time
		for _, v := range g.Versions() {
			if v.Doc.GetId() != r.id {
				continue
			}
			mine = append(mine, fmt.Sprint(v.Doc.GetVersion(), v.State, v.From, v.Until, v.Edition))
			if lives(v.State) {
				require.False(r.rt, v.From.Before(end), "two versions decide at once")
				end = v.Until
			}
		}
		if g == r.reader {
			r.seen = mine
		}
		require.Equal(r.rt, r.seen, mine)
	}
}
