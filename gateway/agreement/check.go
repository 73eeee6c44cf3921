package agreement

import (
	"crypto/sha256"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"

	"google.golang.org/protobuf/proto"

	"github.com/lienthong/lienthong/gateway/catalog"
	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
	"github.com/lienthong/lienthong/proto/peer"
)

// hanoi is the time that days are in: Asia/Ho_Chi_Minh, which has had no other offset since 1975.
var hanoi = time.FixedZone("Asia/Ho_Chi_Minh", 7*60*60)

// Forms and bounds of what stands in an agreement.
var idForm = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)

const (
	formWords   = "up to 64 letters, digits, dots, dashes and underscores"
	maxVersion  = 999_999_999
	maxTitle    = 500  // bytes of a title, a legal basis or a decision
	maxNames    = 200  // systems, purposes, methods or procedures of one agreement
	maxFields   = 2000 // fields of one method
	maxQuota    = 1_000_000_000
	maxHours    = 366 * 24
	maxTimes    = 1_000_000
	maxDataLife = 36_600 // days
)

// Problem is something that is wrong with a document: where, and what is expected there.
type Problem struct {
	Path string // "methods[0].fields[2]"
	Text string
}

// Digest names the content of a document: SHA-256 of its deterministic form.
func Digest(doc *hubv1.Agreement) [32]byte {
	raw, err := proto.MarshalOptions{Deterministic: true}.Marshal(doc)
	if err != nil { // text that is no UTF-8, which Check refuses
		return [32]byte{}
	}
	return sha256.Sum256(raw)
}

// Check says all that is wrong with a document, against a catalog. Whether the agencies are members is not asked.
func Check(doc *hubv1.Agreement, c *catalog.Catalog) []Problem {
	k := &checker{doc: doc, catalog: c}
	k.head()
	k.consumer()
	k.time()
	k.purposes()
	k.bounds()
	k.ground()
	k.service()
	return k.problems
}

// checker notes what is wrong with one document.
type checker struct {
	doc      *hubv1.Agreement
	catalog  *catalog.Catalog
	problems []Problem
}

func (k *checker) add(path, format string, args ...any) {
	k.problems = append(k.problems, Problem{path, fmt.Sprintf(format, args...)})
}

// require notes that a text is missing, and reports whether it is there.
func (k *checker) require(text, path, what, expected string) bool {
	if text == "" {
		k.add(path, "%s is missing; expected %s", what, expected)
		return false
	}
	return k.clean(text, path, what)
}

// clean notes text that no table and no header could show.
func (k *checker) clean(text, path, what string) bool {
	switch {
	case len(text) > maxTitle:
		k.add(path, "%s is over %d bytes", what, maxTitle)
	case strings.ToValidUTF8(text, "") != text || strings.ContainsFunc(text, unfit):
		k.add(path, "%s has characters that do not show, or turn the direction of writing; expected plain text", what)
	case strings.TrimSpace(text) == "" && text != "":
		k.add(path, "%s is blank; expected text", what)
	default:
		return true
	}
	return false
}

func unfit(r rune) bool {
	return unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp, unicode.Co)
}

// form notes a name that does not fit into records, headers and file names.
func (k *checker) form(text, path, what, expected string) bool {
	if !k.require(text, path, what, expected) {
		return false
	}
	if !idForm.MatchString(text) {
		k.add(path, "%s %q; expected %s", what, short(text), formWords)
		return false
	}
	return true
}

func (k *checker) head() {
	k.form(k.doc.GetId(), "id", "id", "a name such as H27-DC-01")
	if v := k.doc.GetVersion(); v < 0 || v > maxVersion {
		k.add("version", "version \"%d\"; expected a number from 1, or none for the next one", v)
	}
	k.clean(k.doc.GetTitle(), "title", "title")
}

func (k *checker) consumer() {
	d := k.doc.GetConsumer()
	k.require(d.GetAgency(), "consumer.agency", "consumer.agency", "an agency code such as H27")
	if len(d.GetSystems()) == 0 {
		k.add("consumer.systems", "consumer.systems is empty; expected the systems that may ask, such as one-stop")
	}
	k.many(len(d.GetSystems()), maxNames, "consumer.systems")
	for i, name := range d.GetSystems() {
		path := fmt.Sprintf("consumer.systems[%d]", i)
		if _, err := peer.ParseID(d.GetAgency() + "/" + name); err != nil {
			k.add(path, "%q is not an agency's system: %v", short(d.GetAgency()+"/"+name), err)
		} else if slices.Contains(d.GetSystems()[:i], name) {
			k.add(path, "system %s is named twice", name)
		}
	}
}

// many notes lists without end.
func (k *checker) many(n, most int, path string) {
	if n > most {
		k.add(path, "%s has %d entries; expected %d at most", path, n, most)
	}
}

func (k *checker) time() {
	from, okFrom := k.day(k.doc.GetValidFrom(), "valid_from")
	to, okTo := k.day(k.doc.GetValidTo(), "valid_to")
	if okFrom && okTo && to.Before(from) {
		k.add("valid_to", "valid_to %s lies before valid_from %s", k.doc.GetValidTo(), k.doc.GetValidFrom())
	}
}

// day reads a day in Hà Nội.
func (k *checker) day(text, path string) (time.Time, bool) {
	if !k.require(text, path, path, "a date such as 2026-01-01") {
		return time.Time{}, false
	}
	day, err := time.ParseInLocation(time.DateOnly, text, hanoi)
	if err != nil {
		k.add(path, "%s %q is not a day; expected one such as 2026-01-01", path, short(text))
	}
	return day, err == nil
}

func (k *checker) purposes() {
	if len(k.doc.GetPurposes()) == 0 {
		k.add("purposes", "purposes is empty; expected a list of code, title and legal_basis")
	}
	k.many(len(k.doc.GetPurposes()), maxNames, "purposes")
	for i, p := range k.doc.GetPurposes() {
		path := fmt.Sprintf("purposes[%d]", i)
		k.require(p.GetTitle(), path+".title", "title of the purpose", "what the data is for")
		k.require(p.GetLegalBasis(), path+".legal_basis", "legal_basis of the purpose", "the law, decree or resolution, with its article")
		if k.form(p.GetCode(), path+".code", "code", "a short code such as HT-KS") {
			same := func(o *hubv1.Agreement_Purpose) bool { return o.GetCode() == p.GetCode() }
			if slices.ContainsFunc(k.doc.GetPurposes()[:i], same) {
				k.add(path+".code", "purpose %s is named twice", p.GetCode())
			}
		}
		k.many(len(p.GetProcedures()), maxNames, path+".procedures")
		for j, code := range p.GetProcedures() {
			k.require(code, fmt.Sprintf("%s.procedures[%d]", path, j), "a procedure's code", "one such as 1.004222")
		}
	}
}

func (k *checker) bounds() {
	q, f := k.doc.GetQuota(), k.doc.GetFrequency()
	for _, b := range []struct {
		path        string
		value, most int64
	}{
		{"quota.per_second", q.GetPerSecond(), maxQuota}, {"quota.per_day", q.GetPerDay(), maxQuota},
		{"quota.per_officer_per_day", q.GetPerOfficerPerDay(), maxQuota},
		{"data_life_days", int64(k.doc.GetDataLifeDays()), maxDataLife},
	} {
		if b.value < 0 || b.value > b.most {
			k.add(b.path, "%s %d; expected 1 to %d, or none for no bound", b.path, b.value, b.most)
		}
	}
	if f == nil {
		return
	}
	if f.GetTimes() < 1 || f.GetTimes() > maxTimes {
		k.add("frequency.times", "frequency.times %d; expected 1 to %d", f.GetTimes(), maxTimes)
	}
	if f.GetHours() < 1 || f.GetHours() > maxHours {
		k.add("frequency.hours", "frequency.hours %d; expected 1 to %d", f.GetHours(), maxHours)
	}
}

// ground checks what the sharing rests on: an emergency is a decision with an end (R09).
func (k *checker) ground() {
	g := k.doc.GetGround()
	if g == nil {
		return
	}
	if g.GetKind() != hubv1.Agreement_Ground_KIND_EMERGENCY {
		if g.GetDecision() != "" || g.GetExpires() != "" {
			k.add("ground", "decision and expires belong to an emergency; expected kind: emergency, or neither of them")
		}
		return
	}
	k.require(g.GetDecision(), "ground.decision", "ground.decision", "the number and date of the Prime Minister's decision")
	end, ok := k.day(g.GetExpires(), "ground.expires")
	if !ok {
		return
	}
	from, err := time.ParseInLocation(time.DateOnly, k.doc.GetValidFrom(), hanoi)
	if err == nil && end.Before(from) {
		k.add("ground.expires", "ground.expires %s lies before valid_from %s", g.GetExpires(), k.doc.GetValidFrom())
	}
}
