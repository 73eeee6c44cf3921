package agreement

import (
	"fmt"
	"slices"

	"github.com/lienthong/lienthong/gateway/catalog"
	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
)

// Conflict says that a document could decide a question at the same time as another one.
type Conflict struct {
	Document int // index of the document
	Path     string
	Text     string
}

// Conflicts finds documents of different agreements that could decide one question at one time. Documents that Check
// refuses are looked at as far as they can be read. Each pair is told once, at the later of the two.
func Conflicts(docs []*hubv1.Agreement, _ *catalog.Catalog) []Conflict {
	var found []Conflict
	for i, b := range docs {
		for _, a := range docs[:i] {
			if a.GetId() == b.GetId() {
				continue // versions of one agreement follow each other
			}
			if what := common(a, b); what != "" {
				found = append(found, Conflict{i, "id", fmt.Sprintf("%s overlaps %s: by both, %s at one time; expected one agreement to decide",
					b.GetId(), a.GetId(), what)})
			}
		}
	}
	return found
}

// common says what two documents both allow; empty if nothing.
func common(a, b *hubv1.Agreement) string {
	if a.GetConsumer().GetAgency() != b.GetConsumer().GetAgency() || a.GetProvider() != b.GetProvider() ||
		a.GetService() != b.GetService() || !meet(a.GetJurisdictions(), b.GetJurisdictions()) ||
		a.GetValidTo() < b.GetValidFrom() || b.GetValidTo() < a.GetValidFrom() { // days as text stand in their order
		return ""
	}
	system := firstCommon(a.GetConsumer().GetSystems(), b.GetConsumer().GetSystems())
	method := firstCommon(named(a.GetMethods(), (*hubv1.Agreement_Method).GetName), named(b.GetMethods(), (*hubv1.Agreement_Method).GetName))
	purpose := firstCommon(named(a.GetPurposes(), (*hubv1.Agreement_Purpose).GetCode), named(b.GetPurposes(), (*hubv1.Agreement_Purpose).GetCode))
	if system == "" || method == "" || purpose == "" {
		return ""
	}
	return fmt.Sprintf("%s/%s may call %s/%s for purpose %s", b.GetConsumer().GetAgency(), system, b.GetService(), method, purpose)
}

func named[T any](all []T, name func(T) string) []string {
	names := make([]string, len(all))
	for i, one := range all {
		names[i] = name(one)
	}
	return names
}

// firstCommon is the first of a, in order, that b has too.
func firstCommon(a, b []string) string {
	for _, x := range slices.Sorted(slices.Values(a)) {
		if slices.Contains(b, x) {
			return x
		}
	}
	return ""
}
