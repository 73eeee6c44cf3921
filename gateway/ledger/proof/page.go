package proof

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"
)

//go:embed page.html
var pageSource string

var pageTemplate = template.Must(template.New("page").Parse(pageSource))

// pageData is what page.html shows. All of it is escaped there.
type pageData struct {
	Lang, Title, Platform, Headline, Doubt string
	OK                                     bool
	Sections                               []pageSection
	ChecksTitle                            string
	Checks                                 []pageCheck
	AgainTitle                             string
	Why, Command                           string
	Advice                                 []string
}

type pageSection struct {
	Title string
	Rows  []pageRow
}

type pageRow struct{ Label, Value string }

type pageCheck struct {
	State                 State
	Title, Result, Detail string
}

// Page writes a verdict as one HTML page to print for a dossier, in "vi" or "en". It needs nothing besides: no script,
// no style sheet, no font.
func Page(w io.Writer, v *Verdict, lang string) error {
	if lang != "vi" && lang != "en" {
		return fmt.Errorf("write page: there is none in language %s, only vi and en", quote(lang))
	}
	d := pageData{
		Lang:        lang,
		Title:       title.in(lang),
		Platform:    platform.in(lang),
		Headline:    headline(v, lang),
		OK:          v.OK(),
		Doubt:       doubt.in(lang),
		ChecksTitle: checksTitle.in(lang),
		AgainTitle:  againTitle.in(lang),
		Why:         again[0].in(lang),
		Command:     command,
	}
	for _, p := range again[1:] {
		d.Advice = append(d.Advice, p.in(lang))
	}
	for _, s := range sections(v) {
		d.Sections = append(d.Sections, pageOf(s, lang))
	}
	for i := range v.Checks {
		c := &v.Checks[i]
		d.Checks = append(d.Checks, pageCheck{c.State, c.Title(lang), states[c.State].in(lang), visible(c.detail(lang))})
	}
	return pageTemplate.Execute(w, d)
}

func pageOf(s section, lang string) pageSection {
	p := pageSection{Title: s.title.in(lang)}
	for _, r := range s.rows {
		p.Rows = append(p.Rows, pageRow{r.label.in(lang), r.value.in(lang)})
	}
	return p
}
