package proof

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// Text writes a verdict for a terminal, in English.
func Text(w io.Writer, v *Verdict) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n\n", headline(v, "en"))
	for i := range v.Checks {
		c := &v.Checks[i]
		fmt.Fprintf(&b, "  %s %s %s\n", pad(states[c.State].en, 11), pad(c.Title("en"), 36), visible(c.Detail))
	}
	if !v.OK() {
		fmt.Fprintf(&b, "\n%s\n", doubt.en)
	}
	for _, s := range sections(v) {
		fmt.Fprintf(&b, "\n%s\n", s.title.en)
		for _, r := range s.rows {
			fmt.Fprintf(&b, "  %s %s\n", pad(r.label.en, 28), r.value.en)
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func pad(s string, width int) string {
	return s + strings.Repeat(" ", max(0, width-utf8.RuneCountInString(s)))
}
