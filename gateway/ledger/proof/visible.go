package proof

import (
	"fmt"
	"strings"
	"unicode"
)

// visible makes text harmless to look at: what is not a mark on paper, such as an escape of a terminal or an override of
// the direction of writing, is shown by its number.
func visible(s string) string {
	if strings.IndexFunc(s, hidden) < 0 {
		return s
	}
	var b strings.Builder
	for _, r := range s {
		if hidden(r) {
			fmt.Fprintf(&b, `\u%04x`, r)
			continue
		}
		b.WriteRune(r)
	}
	return b.String()
}

func hidden(r rune) bool { return !unicode.IsPrint(r) || r == unicode.ReplacementChar }
