package agreement_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lienthong/lienthong/gateway/agreement"
	"github.com/lienthong/lienthong/gateway/agreement/agreementtest"
	"github.com/lienthong/lienthong/gateway/catalog/catalogtest"
)

// many loads the sample and n-1 agreements beside it: some of other systems, some of the same desk for other
// purposes, so that neither number grows the cost of a decision.
func many(t testing.TB, n int) fixture {
	files := []string{sample}
	for i := 1; i < n; i++ {
		text := strings.Replace(sample, "H27-G01-01", fmt.Sprintf("X-%05d", i), 1)
		if i%2 == 0 {
			text = strings.Replace(text, "one-stop, reception", fmt.Sprintf("system-%d", i), 1)
		} else {
			text = strings.Replace(text, "HT-KS", fmt.Sprintf("HT-%d", i), 1)
			text = strings.Replace(text, "CT-TT", fmt.Sprintf("CT-%d", i), 1)
		}
		files = append(files, text)
	}
	return load(t, files...)
}

// decisions are the ways a question without lt-fields can go.
func decisions(t testing.TB, f fixture) map[string]agreement.Query {
	allow, purpose, nobody, method := f.query(t), f.query(t), f.query(t), f.query(t)
	purpose.Purpose = "XX"
	nobody.Consumer.Agency = "H99"
	method.Method = catalogtest.Method(t, f.catalog, catalogtest.ListParcels)
	narrowed := f.query(t)
	narrowed.Fields = "person.birth_date,person.sex"
	return map[string]agreement.Query{
		"allow": allow, "deny-purpose": purpose, "deny-consumer": nobody, "deny-method": method, "allow-narrowed": narrowed,
	}
}

func TestADecisionCostsNoMemory(t *testing.T) {
	f := many(t, 20)
	for name, q := range decisions(t, f) {
		require.Zero(t, testing.AllocsPerRun(100, func() { f.Admit(q) }), name)
	}
}

func BenchmarkAdmit(b *testing.B) {
	for _, n := range []int{1, 10_000} {
		f := many(b, n)
		for name, q := range decisions(b, f) {
			b.Run(fmt.Sprintf("%s/agreements=%d", name, n), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					f.Admit(q)
				}
			})
		}
	}
}

func BenchmarkAdmitWithCondition(b *testing.B) {
	f := load(b, edit(b, "provider: G01", "provider: G01\ncondition: request.owner_id != '' && caller.province == '42'", sample[index("  - name: GetPerson"):index("  - name: RegisterParcel")], ""))
	q := f.query(b)
	q.Method, q.Province = catalogtest.Method(b, f.catalog, catalogtest.RegisterParcel), "42"
	q.Request = []byte("\x0a\x01x\x12\x0242\x1a\x0c042187001234")
	b.ReportAllocs()
	for b.Loop() {
		if _, err := f.Admit(q); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkCompile compiles 10,000 agreements: all of them, and after one of them has changed.
func BenchmarkCompile(b *testing.B) {
	c := catalogtest.Load(b)
	var versions []agreement.Version
	for i := range 10_000 {
		text := strings.Replace(sample, "H27-G01-01", fmt.Sprintf("X-%05d", i), 1)
		text = strings.Replace(text, "one-stop, reception", fmt.Sprintf("s-%d, t-%d", i, i), 1)
		versions = append(versions, agreementtest.Version(doc(b, text), active))
	}
	all, err := agreement.Compile(versions, nil, c, nil)
	require.NoError(b, err)
	b.Run("cold", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := agreement.Compile(versions, nil, c, nil); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("one changed", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			versions[5000].Edition++
			if all, err = agreement.Compile(versions, nil, c, all); err != nil {
				b.Fatal(err)
			}
		}
	})
}
