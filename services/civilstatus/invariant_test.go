package civilstatus

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
	"github.com/lienthong/lienthong/proto/reason"
	civilstatusv1 "github.com/lienthong/lienthong/proto/registry/civilstatus/v1"
	"github.com/lienthong/lienthong/services/nation"
)

// broken are queries for what must never be: each names somebody for whom the books contradict themselves.
var broken = map[string]string{
	"two current marriages": `SELECT id FROM (SELECT husband_id AS id FROM marriage WHERE state = 1
		UNION ALL SELECT wife_id FROM marriage WHERE state = 1) AS spouse GROUP BY id HAVING COUNT(*) > 1`,
	"married to the dead": `SELECT p.id FROM marriage m JOIN person p ON p.id = m.husband_id OR p.id = m.wife_id
		WHERE m.state = 1 AND p.died_on <> ''`,
	"married by the books, not by the file": `SELECT p.id FROM marriage m JOIN person p ON p.id = m.husband_id OR p.id = m.wife_id
		WHERE m.state = 1 AND (p.marital <> 2 OR p.marriage_id <> m.id)`,
	"married by the file, not by the books": `SELECT p.id FROM person p LEFT JOIN marriage m ON m.id = p.marriage_id
		WHERE p.died_on = '' AND p.marital = 2 AND (m.id IS NULL OR m.state <> 1)`,
	"dead without an entry": `SELECT p.id FROM person p LEFT JOIN death d ON d.person_id = p.id WHERE p.died_on <> '' AND d.person_id IS NULL`,
	"entry without a death": `SELECT p.id FROM person p JOIN death d ON d.person_id = p.id WHERE p.died_on = ''`,
}

func (r *Registry) requireConsistent(t require.TestingT, ctx testing.TB) {
	for what, query := range broken {
		rows, err := r.db.Read.QueryContext(ctx.Context(), query)
		require.NoError(t, err, what)
		require.False(t, rows.Next(), what)
		require.NoError(t, rows.Close())
	}
}

func TestBooksNeverContradictThemselves(t *testing.T) {
	n, err := nation.Generate(t.Context(), nation.Config{Population: 300, Seed: 11, Errors: nation.DefaultErrors()})
	require.NoError(t, err)
	r := empty(t)
	require.NoError(t, r.Fill(t.Context(), n))
	r.Now = n.Config.AsOf.Time
	r.requireConsistent(t, t)
	key := func(i int) *civilstatusv1.PersonKey {
		b := &n.Births[i]
		return &civilstatusv1.PersonKey{PersonalId: n.People[i].Number.String(), FullName: b.Name.String(), BirthDate: b.Date.String()}
	}
	office := &civilstatusv1.Office{AgencyCode: nation.Communes(42)[0].CodeText(), Signer: "Trần Văn Minh"}
	people := rapid.IntRange(0, len(n.People)-1)
	request, made := 0, 0
	rapid.Check(t, func(rt *rapid.T) {
		for range rapid.IntRange(1, 8).Draw(rt, "events") {
			request++
			id := fmt.Sprintf("request-%d", request)
			if rapid.IntRange(0, 9).Draw(rt, "event") == 0 {
				_, err = r.RegisterDeath(t.Context(), &civilstatusv1.RegisterDeathRequest{RequestId: id, Office: office,
					Deceased: key(people.Draw(rt, "deceased")), DiedOn: r.today().String(),
					Place: &hubv1.Address{CommuneCode: office.AgencyCode}, Document: 1})
			} else {
				_, err = r.RegisterMarriage(t.Context(), &civilstatusv1.RegisterMarriageRequest{RequestId: id, Office: office,
					Husband: key(people.Draw(rt, "husband")), Wife: key(people.Draw(rt, "wife"))})
			}
			if err == nil {
				made++
				continue
			}
			require.NotEqual(rt, reason.RegistryFailed, reason.Of(err).Reason, err)
		}
		r.requireConsistent(rt, t)
	})
	require.Positive(t, made)
}
