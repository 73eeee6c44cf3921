package person

import (
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// NameKey folds a name so that two spellings of one name have equal keys: upper and lower case, composed and
// decomposed letters (NFC, NFD), the place of the tone mark (hòa and hoà), kinds and numbers of spaces, kinds of
// apostrophes, and the Icelandic Ð that old keyboards gave for Đ. A different letter or tone is a different name.
//
// The key is the lower-case name with one space between syllables and each syllable's tone as a combining mark at
// its end. It is its own key, and empty only for a name without anything to see.
func NameKey(name string) string {
	var room [96]byte
	key, ok := fold(room[:0], name, false)
	if !ok {
		key, _ = fold(room[:0], norm.NFD.String(name), true)
	}
	return string(key)
}

// fold appends the key of name. Unless decomposed, it handles only what Vietnamese names are made of, and reports
// false when name has more in it: then the same must be asked of the name's NFD form.
func fold(key []byte, name string, decomposed bool) ([]byte, bool) {
	var tones [8]byte
	tone := tones[:0] // marks of the syllable so far
	last := rune(0)   // the last rune in key that a mark may join
	space := false
	for _, r := range name {
		l, known := lookUp(r)
		switch {
		case known && l.kind == isTone:
			if len(tone) > 0 && !decomposed {
				return nil, false
			}
			tone = addTone(tone, l.base)
			continue
		case known && l.kind == isSpace, !known && unicode.IsSpace(r):
			key, tone = append(key, tone...), tone[:0]
			space, last = len(key) > 0, 0
			continue
		case known && l.kind == isMark:
			if joined := join(last, r); joined != 0 {
				key = utf8.AppendRune(key[:len(key)-utf8.RuneLen(last)], joined)
				last = joined
				continue
			}
			fallthrough
		case !known:
			if !decomposed {
				return nil, false
			}
			l = letter{base: unicode.ToLower(r)}
		}
		if space {
			key, space = append(key, ' '), false
		}
		if l.tone != 0 {
			if len(tone) > 0 && !decomposed {
				return nil, false
			}
			tone = addTone(tone, l.tone)
		}
		key = utf8.AppendRune(key, l.base)
		last = l.base
	}
	return append(key, tone...), true
}

// addTone keeps the marks of a syllable in canonical order: the one below the letter first.
func addTone(tones []byte, tone rune) []byte {
	if tone == dotBelow && len(tones) > 0 {
		return append([]byte(string(dotBelow)), tones...)
	}
	return utf8.AppendRune(tones, tone)
}

// letter is what a rune of a Vietnamese name comes down to.
type letter struct {
	base rune // lower case, without tone: one of a ă â b … or the combining tone mark itself
	tone rune // combining mark, or 0
	kind byte
}

const (
	isUnknown = iota
	isLetter
	isTone // combining tone mark
	isMark // combining mark that makes another letter: ˆ ˘ and horn
	isSpace
)

const (
	circumflex = '\u0302'
	breve      = '\u0306'
	horn       = '\u031b'
	dotBelow   = '\u0323'
)

// The letters of Vietnamese lie in two ranges of Unicode, combining marks between them.
const (
	lowEnd    = 0x0370
	highStart = 0x1ea0
	highEnd   = 0x1efa
)

type letters struct {
	low  [lowEnd]letter
	high [highEnd - highStart]letter
}

var table = newLetters()

func lookUp(r rune) (letter, bool) {
	switch {
	case r < lowEnd:
		l := table.low[r]
		return l, l.kind != isUnknown
	case r >= highStart && r < highEnd:
		l := table.high[r-highStart]
		return l, l.kind != isUnknown
	case r == '’' || r == '‘':
		return letter{base: '\'', kind: isLetter}, true
	}
	return letter{}, false
}

// join is the letter that a base makes with a mark, or 0.
func join(base, mark rune) rune {
	switch {
	case base == 'a' && mark == circumflex:
		return 'â'
	case base == 'a' && mark == breve:
		return 'ă'
	case base == 'e' && mark == circumflex:
		return 'ê'
	case base == 'o' && mark == circumflex:
		return 'ô'
	case base == 'o' && mark == horn:
		return 'ơ'
	case base == 'u' && mark == horn:
		return 'ư'
	}
	return 0
}

func newLetters() *letters {
	t := &letters{}
	for r := rune(' '); r < 0x7f; r++ {
		t.low[r] = letter{base: unicode.ToLower(r), kind: isLetter}
	}
	for _, r := range " \t\n\v\f\r\u0085\u00a0" {
		t.low[r] = letter{kind: isSpace}
	}
	for r, base := range map[rune]rune{'Đ': 'đ', 'đ': 'đ', 'Ð': 'đ', 'ð': 'đ', 'ʼ': '\'', '`': '\'', '´': '\''} {
		t.low[r] = letter{base: base, kind: isLetter}
	}
	for _, mark := range []rune{circumflex, breve, horn} {
		t.low[mark] = letter{kind: isMark}
	}
	tones := []rune{'\u0300', '\u0301', '\u0303', '\u0309', dotBelow}
	for _, tone := range tones {
		t.low[tone] = letter{base: tone, kind: isTone}
	}
	for _, base := range "aăâeêioôơuưyAĂÂEÊIOÔƠUƯY" {
		t.put(base, letter{base: unicode.ToLower(base), kind: isLetter})
		for _, tone := range tones {
			composed := norm.NFC.String(string([]rune{base, tone}))
			r, _ := utf8.DecodeRuneInString(composed)
			t.put(r, letter{base: unicode.ToLower(base), tone: tone, kind: isLetter})
		}
	}
	return t
}

func (t *letters) put(r rune, l letter) {
	if r < lowEnd {
		t.low[r] = l
		return
	}
	t.high[r-highStart] = l
}
