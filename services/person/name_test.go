package person_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/text/unicode/norm"
	"pgregory.net/rapid"

	"github.com/lienthong/lienthong/services/person"
)

func TestOneNameHasOneKey(t *testing.T) {
	for _, same := range [][]string{
		{"Nguyễn Thị Hoà", "Nguyễn Thị Hòa", "NGUYỄN THỊ HOÀ", "  nguyễn   thị\u00a0hoà ", norm.NFD.String("Nguyễn Thị Hoà")},
		{"Thuý", "Thúy", "THUÝ", "thúy"},
		{"Quý", "Qúy"}, {"Già", "Gìa"}, {"Khoẻ", "Khỏe"},
		{"Đặng Văn Đức", "Ðặng văn Ðức", "ĐẶNG VĂN ĐỨC"},
		{"H'Hen Niê", "H’Hen Niê", "h`hen niê"},
		{"Zoë Müller", norm.NFD.String("ZOË MÜLLER")},
	} {
		for _, spelling := range same {
			require.Equal(t, person.NameKey(same[0]), person.NameKey(spelling), spelling)
		}
	}
	require.Equal(t, "nguyên\u0303 thi\u0323 hoa\u0300", person.NameKey("Nguyễn Thị Hoà"))
}

func TestAnotherLetterOrToneIsAnotherName(t *testing.T) {
	for _, pair := range [][2]string{
		{"Hoa", "Hoà"}, {"Hoá", "Hoà"}, {"Dung", "Dũng"}, {"Đung", "Dung"}, {"An", "Ân"}, {"Ăn", "Ân"}, {"Tu", "Tư"},
		{"Tô", "Tơ"}, {"Thị Hoà", "Thịhoà"}, {"Lý", "Lí"}, {"Vân Ánh", "Ván Ânh"}, {"Hà An", "Ha Àn"},
	} {
		require.NotEqual(t, person.NameKey(pair[0]), person.NameKey(pair[1]), pair)
	}
	require.Empty(t, person.NameKey(" \t\u00a0\u2003"))
}

// vietnamese draws names of Vietnamese letters, and sometimes of anything.
func vietnamese() *rapid.Generator[string] {
	letters := []rune("aàáảãạăằắẳẵặâầấẩẫậbcdđeèéẻẽẹêềếểễệghiìíỉĩịklmnoòóỏõọôồốổỗộơờớởỡợpqrstuùúủũụưừứửữựvxyỳýỷỹỵ '-")
	return rapid.StringOf(rapid.SampledFrom(letters))
}

func TestKeyIgnoresCaseAndComposition(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		name := vietnamese().Draw(t, "name")
		key := person.NameKey(name)
		require.Equal(t, key, person.NameKey(norm.NFD.String(name)))
		require.Equal(t, key, person.NameKey(strings.ToUpper(name)))
		require.Equal(t, key, person.NameKey(strings.ToUpper(norm.NFD.String(name))))
		require.Equal(t, key, person.NameKey(key), "a key is its own key")
	})
}

func TestKeyIgnoresCompositionOfAnyText(t *testing.T) {
	marks := rapid.SampledFrom([]rune("aouyeñươôÂé \u0300\u0301\u0302\u0303\u0306\u0309\u031b\u0323\u0327\u00a0"))
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.OneOf(rapid.String(), rapid.StringOf(marks)).Draw(t, "name")
		key := person.NameKey(name)
		require.Equal(t, key, person.NameKey(norm.NFD.String(name)))
		require.Equal(t, key, person.NameKey(norm.NFC.String(name)))
	})
}

func TestKeyIgnoresWhichVowelCarriesTheTone(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		vowels := rapid.SampledFrom([]string{"oa", "oe", "uy", "ia", "ua", "ưa", "uê", "iê", "uô", "ươ"}).Draw(t, "vowels")
		tone := rapid.SampledFrom([]string{"\u0300", "\u0301", "\u0303", "\u0309", "\u0323"}).Draw(t, "tone")
		end := rapid.SampledFrom([]string{"", "n", "ng", "t"}).Draw(t, "end")
		both := []rune(vowels)
		first := "h" + string(both[0]) + tone + string(both[1]) + end
		second := "h" + string(both[0]) + string(both[1]) + tone + end
		require.Equal(t, person.NameKey(norm.NFC.String(first)), person.NameKey(norm.NFC.String(second)))
	})
}

func FuzzNameKey(f *testing.F) {
	for _, seed := range []string{"Nguyễn Thị Hoà", norm.NFD.String("Đặng Ðức"), "o\u0301\u031b", "\xff", " \u0323"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, name string) {
		require.Equal(t, person.NameKey(name), person.NameKey(norm.NFD.String(name)))
	})
}

func BenchmarkNameKey(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		person.NameKey("NGUYỄN THỊ HOÀ")
	}
}
