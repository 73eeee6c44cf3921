package nation

import (
	"fmt"
	"iter"
	"strings"
)

// Sampled is a person picked for a test.
type Sampled struct {
	Index     int32
	Number    Number
	OldNumber OldNumber
	Name      string
	Birth     Date
	Province  string // of residence, GSO-2025 name
	Note      string // what is special, such as the parcel, the damage or the other person's number
}

// Kind is a kind of person that tests ask for.
type Kind struct {
	Name    string // such as "with-land"
	Meaning string
	find    func(*Nation) iter.Seq2[int32, string] // candidates and notes
	damaged bool                                   // whether people with damaged records are wanted too
}

// kinds are in the order of the alphabet.
var kinds = []Kind{
	{Name: "adult-single", Meaning: "18 or older, living, never married", find: people(adultSingle)},
	{Name: "ambiguous-old-id", Meaning: "holds a 9-digit number that somebody else holds too", find: ambiguous, damaged: true},
	{Name: "child-under-6", Meaning: "living, under six, with a card of category TE", find: people(smallChild)},
	{Name: "damaged", Meaning: "some registry disagrees about the person or holds nothing", find: damaged, damaged: true},
	{Name: "deceased", Meaning: "dead, with a record of death", find: people(deceased)},
	{Name: "decoy", Meaning: "nobody has a reason to ask about this person", find: people(decoy), damaged: true},
	{Name: "divorced", Meaning: "living, divorced, not married again", find: people(hasStatus(Divorced))},
	{Name: "employed", Meaning: "living, pays social insurance through an employer", find: people(employed)},
	{Name: "lapsed-card", Meaning: "living, with a health insurance card that has run out", find: people(lapsed)},
	{Name: "land-missing", Meaning: "owns land in a commune without a land database", find: estates(landMissing), damaged: true},
	{Name: "married", Meaning: "living, with a living spouse", find: people(hasStatus(Married))},
	{Name: "mortgaged", Meaning: "owns land under a mortgage in force", find: mortgaged},
	{Name: "undigitised", Meaning: "record of birth only on paper", find: people(undigitised), damaged: true},
	{Name: "uninsured", Meaning: "living, without a health insurance card", find: people(uninsured)},
	{Name: "widowed", Meaning: "living, widowed", find: people(hasStatus(Widowed))},
	{Name: "with-land", Meaning: "owns land that a land registry holds", find: estates(withLand)},
	{Name: "year-only", Meaning: "birth date known to the year or month only", find: people(yearOnly), damaged: true},
}

// Kinds are the kinds that Sample knows, in the order of the alphabet. The caller must not change it.
func Kinds() []Kind { return kinds }

// Sample picks up to count people of a kind, always the same ones: fewer if the nation has no more. All but those of
// the damaged kinds have records that agree, and decoys are picked as decoys only. It fails if the kind is unknown.
func (n *Nation) Sample(kind string, count int) ([]Sampled, error) {
	for _, k := range kinds {
		if k.Name == kind {
			return n.sample(k, count), nil
		}
	}
	names := make([]string, len(kinds))
	for i, k := range kinds {
		names[i] = k.Name
	}
	return nil, fmt.Errorf("no kind of person is called %q; there are: %s", kind, strings.Join(names, ", "))
}

func (n *Nation) sample(k Kind, count int) []Sampled {
	var out []Sampled
	seen := make(map[int32]bool)
	for i, note := range k.find(n) {
		if len(out) >= count {
			break
		}
		p := &n.People[i]
		if seen[i] || (p.Decoy && k.Name != "decoy") || (!k.damaged && len(n.DamagesOf(i)) > 0) {
			continue
		}
		seen[i] = true
		out = append(out, Sampled{Index: i, Number: p.Number, OldNumber: p.OldNumber, Name: p.Name.String(), Birth: p.Birth,
			Province: n.Residence(i).ProvinceName(), Note: note})
	}
	return out
}

// people finds people by a test that also gives the note.
func people(test func(*Nation, int32) (string, bool)) func(*Nation) iter.Seq2[int32, string] {
	return func(n *Nation) iter.Seq2[int32, string] {
		return func(yield func(int32, string) bool) {
			for i := range n.People {
				if note, ok := test(n, int32(i)); ok && !yield(int32(i), note) {
					return
				}
			}
		}
	}
}

func adultSingle(n *Nation, i int32) (string, bool) {
	p := &n.People[i]
	return "chưa kết hôn", p.Living() && p.Marital == NeverMarried && p.Birth+18_0000 < n.Config.AsOf
}

func smallChild(n *Nation, i int32) (string, bool) {
	p := &n.People[i]
	if !p.Living() || p.Card == None || n.Cards[p.Card].Category != (Category{'T', 'E'}) {
		return "", false
	}
	return "mẹ: " + n.numberOf(p.Mother) + ", cha: " + n.numberOf(p.Father) + ", thẻ: " + n.Cards[p.Card].Code(), true
}

func deceased(n *Nation, i int32) (string, bool) {
	p := &n.People[i]
	if p.Living() {
		return "", false
	}
	return "chết ngày " + n.Deaths[p.Death].When.String(), !n.Deaths[p.Death].Undigitised
}

func decoy(n *Nation, i int32) (string, bool) { return "mồi", n.People[i].Decoy }

func hasStatus(status Marital) func(*Nation, int32) (string, bool) {
	return func(n *Nation, i int32) (string, bool) {
		p := &n.People[i]
		note := ""
		if p.Marital != status {
			return "", false
		}
		if p.Spouse != None {
			note = "vợ/chồng: " + n.numberOf(p.Spouse)
		}
		return note, p.Living()
	}
}

func employed(n *Nation, i int32) (string, bool) {
	p := &n.People[i]
	if p.Employer == None {
		return "", false
	}
	return n.Employers[p.Employer].Name(), p.Living()
}

func lapsed(n *Nation, i int32) (string, bool) {
	p := &n.People[i]
	if !p.Living() || p.Card == None {
		return "", false
	}
	c := &n.Cards[p.Card]
	if c.To >= n.Config.AsOf {
		return "", false
	}
	return "thẻ " + c.Code() + " hết hạn " + c.To.String(), true
}

func uninsured(n *Nation, i int32) (string, bool) {
	p := &n.People[i]
	return "không có thẻ BHYT", p.Living() && p.Card == None
}

func undigitised(n *Nation, i int32) (string, bool) {
	e := &n.Births[i].Entry
	if !e.Undigitised {
		return "", false
	}
	return "số " + e.NumberText() + " quyển " + e.Book() + ", " + e.Place.Agency(), n.People[i].Living()
}

func yearOnly(n *Nation, i int32) (string, bool) {
	p := &n.People[i]
	if p.Birth.Full() {
		return "", false
	}
	return "ngày sinh: " + p.Birth.String(), p.Living()
}

// numberOf is a person's number, or "không rõ" for nobody.
func (n *Nation) numberOf(person int32) string {
	if person == None {
		return "không rõ"
	}
	return n.People[person].Number.String()
}

// ambiguous finds people who share an old number, with each other's personal number.
func ambiguous(n *Nation) iter.Seq2[int32, string] {
	return func(yield func(int32, string) bool) {
		holders := make(map[OldNumber][]int32)
		for _, d := range n.Damages {
			if d.Kind == SharedOldNumber {
				holders[n.People[d.Person].OldNumber] = append(holders[n.People[d.Person].OldNumber], d.Person)
			}
		}
		for _, d := range n.Damages {
			if d.Kind != SharedOldNumber {
				continue
			}
			for _, other := range holders[n.People[d.Person].OldNumber] {
				if other != d.Person && !yield(d.Person, "cùng số CMND với "+n.numberOf(other)) {
					return
				}
			}
		}
	}
}

// damaged finds people with differences, and says which.
func damaged(n *Nation) iter.Seq2[int32, string] {
	return func(yield func(int32, string) bool) {
		for _, d := range n.Damages {
			if d.Person != None && !yield(d.Person, n.Describe(d)) {
				return
			}
		}
	}
}

// estates finds owners by a test of their certificate's first parcel.
func estates(test func(*Nation, *Parcel) bool) func(*Nation) iter.Seq2[int32, string] {
	return func(n *Nation) iter.Seq2[int32, string] {
		return func(yield func(int32, string) bool) {
			for i := range n.Certificates {
				c := &n.Certificates[i]
				if !test(n, &n.Parcels[c.First]) {
					continue
				}
				for _, o := range n.Owners[c.FirstOwner : c.FirstOwner+int32(c.Owners)] {
					if n.People[o.Person].Living() && !yield(o.Person, n.estateNote(c)) {
						return
					}
				}
			}
		}
	}
}

func landMissing(_ *Nation, p *Parcel) bool { return p.Missing }

func withLand(_ *Nation, p *Parcel) bool { return !p.Missing }

// mortgaged finds owners of parcels under a mortgage in force.
func mortgaged(n *Nation) iter.Seq2[int32, string] {
	burdened := make(map[int32]bool)
	for _, m := range n.Mortgages {
		if m.Removed == 0 {
			burdened[n.Parcels[m.Parcel].Certificate] = true
		}
	}
	return estates(func(n *Nation, p *Parcel) bool { return burdened[p.Certificate] && !p.Missing })(n)
}

// estateNote names a certificate and its first parcel.
func (n *Nation) estateNote(c *Certificate) string {
	p := &n.Parcels[c.First]
	return fmt.Sprintf("giấy chứng nhận %s, thửa %d tờ %d, xã %s, tỉnh %s", c.SerialText(), p.Plot, p.Sheet, p.Place.CommuneCode(),
		p.Place.ProvinceCode())
}
