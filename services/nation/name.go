package nation

import (
	"strings"
	"sync"
)

// Name is a person's name as a registry has it: family name, middle name, given name, and how it is spelt.
type Name struct {
	family, middle, given uint16 // indices into the lexicon; 0 is ""
	spelling              uint16 // spelledNew or 0
}

// spelledNew puts the tone mark on the last vowel of oa, oe, uy: Hoà for Hòa.
const spelledNew = 1

// FamilyName is the family name (họ).
func (n Name) FamilyName() string { return n.spell(n.family) }

// MiddleName is the middle name (chữ đệm), or "".
func (n Name) MiddleName() string { return n.spell(n.middle) }

// GivenName is the given name (tên).
func (n Name) GivenName() string { return n.spell(n.given) }

// String is the full name in mixed case, NFC: "Nguyễn Thị Hòa".
func (n Name) String() string {
	if n.given == 0 {
		return ""
	}
	if n.middle == 0 {
		return n.FamilyName() + " " + n.GivenName()
	}
	return n.FamilyName() + " " + n.MiddleName() + " " + n.GivenName()
}

func (n Name) spell(part uint16) string {
	l := lexicon()
	if n.spelling == spelledNew {
		return l.variants[part]
	}
	return l.words[part]
}

// hasVariant says whether the tone mark of some part can be put elsewhere.
func (n Name) hasVariant() bool {
	l := lexicon()
	return l.varies[n.family] || l.varies[n.middle] || l.varies[n.given]
}

// wordList is the lexicon: every part of a name by number.
type wordList struct {
	words    []string
	variants []string // the same word with the tone mark on the other vowel
	varies   []bool   // whether that differs
	family   [2][]uint16
	weights  []uint32 // cumulative weights of families
	clan     [55][]uint16
	middle   [3][]uint16
	given    [3][]uint16
	young    [3][]uint16
	mountain [3][]uint16
	highland [3][]uint16
}

var lexicon = sync.OnceValue(newLexicon)

func newLexicon() *wordList {
	l := &wordList{words: []string{""}, variants: []string{""}, varies: []bool{false}}
	numbers := map[string]uint16{}
	number := func(word string) uint16 {
		n, ok := numbers[word]
		if !ok {
			n = uint16(len(l.words))
			numbers[word] = n
			v := newSpelling(word)
			l.words, l.variants, l.varies = append(l.words, word), append(l.variants, v), append(l.varies, v != word)
		}
		return n
	}
	list := func(words []string) []uint16 {
		out := make([]uint16, len(words))
		for i, w := range words {
			out[i] = number(w)
		}
		return out
	}
	sum := uint32(0)
	for _, f := range families {
		sum += uint32(f.weight)
		l.weights = append(l.weights, sum)
		south := f.text
		if s, ok := southern[f.text]; ok {
			south = s
		}
		l.family[0] = append(l.family[0], number(f.text))
		l.family[1] = append(l.family[1], number(south))
	}
	for code := range l.clan {
		use := uint8(code)
		if n := neighbours[code]; n != 0 {
			use = n
		}
		l.clan[code] = list(clans[use])
	}
	l.middle = [3][]uint16{Male: list(maleMiddle), Female: list(femaleMiddle)}
	l.given = [3][]uint16{Male: list(maleGiven), Female: list(femaleGiven)}
	l.young = [3][]uint16{Male: list(youngMale), Female: list(youngFemale)}
	l.mountain = [3][]uint16{Male: list(mountainMale), Female: list(mountainFemale)}
	l.highland = [3][]uint16{Male: list(highlandMale), Female: list(highlandFemale)}
	return l
}

// tones pairs the two ways to write a tone on an open oa, oe or uy.
var tones = strings.NewReplacer("òa", "oà", "óa", "oá", "ỏa", "oả", "õa", "oã", "ọa", "oạ", "òe", "oè", "óe", "oé", "ỏe", "oẻ",
	"õe", "oẽ", "ọe", "oẹ", "ùy", "uỳ", "úy", "uý", "ủy", "uỷ", "ũy", "uỹ", "ụy", "uỵ")

// newSpelling is a word in the spelling that marks the last vowel. The table has only open syllables with these
// vowels marked on the first, so a plain replacement is right: closed ones such as Toản are never written so.
func newSpelling(word string) string { return tones.Replace(word) }

// family draws a family name for an ethnic group in an old province.
func (l *wordList) drawFamily(r *rng, ethnic, oldProvince uint8) uint16 {
	if clan := l.clan[ethnic]; len(clan) > 0 && (ethnic != 1) {
		return clan[r.intn(len(clan))]
	}
	south := 0
	if oldProvince >= 48 || (oldProvince > 42 && r.intn(2) == 0) {
		south = 1
	}
	pick := uint32(r.intn(int(l.weights[len(l.weights)-1])))
	i := 0
	for l.weights[i] <= pick {
		i++
	}
	return l.family[south][i]
}

// drawName draws middle and given name.
func (l *wordList) drawName(r *rng, family uint16, sex Sex, ethnic uint8, birthYear int) Name {
	n := Name{family: family}
	switch group := nameGroup[ethnic]; {
	case group == mountain && r.chance(0.6):
		n.given = skewed(r, l.mountain[sex])
		if sex == Female || r.chance(0.5) {
			n.middle = l.middle[sex][0]
			if sex == Male {
				n.middle = l.middle[sex][r.intn(3)]
			}
		}
		return n
	case group == highland && r.chance(0.7):
		n.given = skewed(r, l.highland[sex])
		return n
	}
	traditional := 0.08
	switch {
	case birthYear < 1990:
		traditional = 0.75
	case birthYear < 2005:
		traditional = 0.35
	}
	switch {
	case r.chance(traditional):
		n.middle = l.middle[sex][0]
	case r.chance(0.96):
		n.middle = l.middle[sex][1+r.intn(len(l.middle[sex])-1)]
	}
	if birthYear >= 2005 && r.chance(0.7) {
		n.given = skewed(r, l.young[sex])
	} else {
		n.given = skewed(r, l.given[sex])
	}
	if l.words[n.middle] == l.words[n.given] {
		n.middle = l.middle[sex][0]
	}
	return n
}

// skewed draws with more weight on the first entries.
func skewed(r *rng, from []uint16) uint16 {
	a, b := r.intn(len(from)), r.intn(len(from))
	return from[min(a, b)]
}

const (
	mountain = 1
	highland = 2
)

// nameGroup says which given names an ethnic group uses besides the common ones.
var nameGroup = [55]uint8{8: mountain, 9: mountain, 25: mountain, 35: mountain, 40: mountain, 41: mountain, 43: mountain,
	46: mountain, 47: mountain, 49: mountain, 50: mountain, 51: mountain, 10: highland, 12: highland, 13: highland, 14: highland,
	20: highland, 27: highland, 52: highland, 54: highland}
