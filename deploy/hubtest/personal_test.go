package hubtest_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/dynamicpb"

	"github.com/lienthong/lienthong/deploy/hubtest"
	"github.com/lienthong/lienthong/services/nation"
)

// facts are what a request may say of a person, by the field's name.
func facts(n *nation.Nation, i int32) map[string]any {
	p := &n.People[i]
	place := n.Residence(i)
	said := map[string]any{
		"personal_id": p.Number.String(), "head_personal_id": p.Number.String(), "full_name": p.Name.String(), "full": p.Name.String(),
		"birth_date": p.Birth.String(), "province_code": place.ProvinceCode(), "commune_code": place.CommuneCode(),
		"date": "2026-11-02", "died_on": "2026-11-02", "death_date": "2026-11-02", "facility_code": "42001",
		"father_personal_id": p.Number.String(), "mother_personal_id": p.Number.String(), "cause": "cause-of-" + p.Number.String(),
		"detail": "house-of-" + p.Number.String(), "note": "note-on-" + p.Number.String(), "map_sheet": uint32(1), "parcel_number": uint32(1),
	}
	if p.OldNumber != 0 {
		said["old_id"] = p.OldNumber.String()
	}
	if p.Card != nation.None {
		said["card_number"] = n.Cards[p.Card].Code()
	}
	for _, c := range n.Certificates {
		for _, o := range n.Owners[c.FirstOwner : c.FirstOwner+int32(c.Owners)] {
			if o.Person == i {
				parcel := &n.Parcels[c.First]
				said["certificate_serial"], said["map_sheet"], said["parcel_number"] = c.SerialText(), uint32(parcel.Sheet), uint32(parcel.Plot)
				said["province_code"], said["commune_code"] = parcel.Place.ProvinceCode(), parcel.Place.CommuneCode()
			}
		}
	}
	return said
}

// fillIn says all facts that a request has fields for.
func fillIn(m protoreflect.Message, said map[string]any, id string) {
	fields := m.Descriptor().Fields()
	for i := range fields.Len() {
		f := fields.Get(i)
		fact, known := said[string(f.Name())]
		switch {
		case f.Name() == "request_id":
			m.Set(f, protoreflect.ValueOfString(id))
		case f.Name() == "page_token", f.Name() == "category", known && fact == nil:
		case f.IsList():
			fillIn(m.Mutable(f).List().AppendMutable().Message(), said, id)
		case f.Message() != nil:
			fillIn(m.Mutable(f).Message(), said, id)
		case f.Enum() != nil:
			m.Set(f, protoreflect.ValueOfEnum(f.Enum().Values().Get(1).Number()))
		case known:
			m.Set(f, protoreflect.ValueOf(fact))
		}
	}
}

// values are the texts of an answer that could be about somebody: long ones with a digit or a space.
func values(t *testing.T, text string, into map[string]bool) {
	var parsed any
	require.NoError(t, json.Unmarshal([]byte(text), &parsed))
	var walk func(any)
	walk = func(v any) {
		switch v := v.(type) {
		case map[string]any:
			for _, inner := range v {
				walk(inner)
			}
		case []any:
			for _, inner := range v {
				walk(inner)
			}
		case string:
			if len(v) >= 9 && strings.ContainsFunc(v, func(r rune) bool { return unicode.IsDigit(r) || r == ' ' }) {
				into[v] = true
			}
		}
	}
	walk(parsed)
	for _, now := range []time.Time{time.Now().UTC(), time.Now().In(time.FixedZone("", 7*60*60))} {
		delete(into, now.Format(time.DateOnly)) // of what was done just now, as each line of the log says it too
	}
}

func TestNothingAboutAPersonIsInLogsRecordsSpansOrFigures(t *testing.T) {
	t.Parallel()
	hub := observe(t, hubtest.Sandbox())
	n := hub.Nation(t)
	secrets, answered, asked := map[string]bool{}, map[string]int{}, map[string]bool{}
	for _, kind := range []string{"married", "deceased", "child-under-6", "with-land", "employed", "damaged", "widowed"} {
		person := hub.Sample(t, kind, 1)[0]
		said := facts(n, person.Index)
		for _, fact := range said {
			if text, ok := fact.(string); ok && len(text) >= 9 && !strings.HasPrefix(text, "2026-") {
				secrets[text] = true
			}
		}
		for i, g := range grants(t, hub.Hub) {
			request := dynamicpb.NewMessage(methodOf(t, g.method).Input())
			fillIn(request, said, fmt.Sprintf("personal-%s-%d", kind, i))
			a := ask(within(t), t, hub.Dial(t, g.as), g.method, g.words, protojson.Format(request))
			asked[g.method] = true
			if a.err == nil {
				answered[g.method]++
				values(t, a.json, secrets)
			}
			require.NotContains(t, fmt.Sprint(a.err, a.header, a.trailer), person.Number.String(), "%s", g.method)
		}
	}
	for _, target := range targets(t) {
		require.True(t, asked[target.method], "nobody may ask %s", target.method)
		if effect := methodOf(t, target.method).Name(); strings.HasPrefix(string(effect), "Get") || strings.HasPrefix(string(effect), "Confirm") {
			require.Positive(t, answered[target.method], "%s was never answered", target.method)
		}
	}
	require.Greater(t, len(secrets), 100)
	said := hub.everything(t)
	require.Contains(t, said["spans"], "population.", "statements are among the spans")
	for where, text := range said {
		for secret := range secrets {
			require.NotContains(t, text, secret, where)
		}
	}
}
