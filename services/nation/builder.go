package nation

import "slices"

// chunk is a part of the nation, made on its own: its indices count from the chunk's beginning, and what must be
// unique in the nation (numbers, serials, plots) is left to the registrar.
type chunk struct {
	Nation
	shared [][2]int32 // pairs of people who hold the same 9-digit number
}

// reset empties the chunk and keeps its memory.
func (c *chunk) reset() {
	n := &c.Nation
	n.People, n.Births, n.Households, n.Stays = n.People[:0], n.Births[:0], n.Households[:0], n.Stays[:0]
	n.Marriages, n.Deaths = n.Marriages[:0], n.Deaths[:0]
	n.Cards, n.Contributions = n.Cards[:0], n.Contributions[:0]
	n.Parcels, n.Certificates, n.Owners = n.Parcels[:0], n.Certificates[:0], n.Owners[:0]
	n.Mortgages, n.Restrictions, n.Damages = n.Mortgages[:0], n.Restrictions[:0], n.Damages[:0]
	c.shared = c.shared[:0]
}

// builder makes one chunk after the other.
type builder struct {
	*setting
	rng      rng
	lex      *wordList
	out      *chunk
	left     int // living people still to be made
	plan     []member
	weddings []wedding
	leavers  []heir // of the household being planned; parents as in the plan
	heirs    []heir // waiting for a household of their own; parents are people
	taken    heir
	position [maxPlan]int32 // plan → People
	home     dwelling
	owners   [2]int32
	near     uint8  // old province of the former spouse, 0 for none
	decoys   int    // still to be marked
	rates    Errors // of damages, for the household being written
}

// maxHeirs bounds the grown children that wait: more would only make their parents' province less likely.
const maxHeirs = 48

// build makes chunk number k with this many living people.
func (b *builder) build(k, people int, out *chunk) {
	out.reset()
	b.out, b.left, b.rng = out, people, newRNG(b.Seed, uint64(k))
	b.plan, b.weddings, b.leavers, b.heirs = b.plan[:0], b.weddings[:0], b.leavers[:0], b.heirs[:0]
	b.near, b.decoys, b.rates = 0, 1, Errors{}
	shown := 0
	if k == 0 {
		b.decoys = 3
		for i := range b.showcases {
			if b.left >= 3 {
				b.show()
				b.home.order = &b.showcases[i]
				b.commit()
			}
		}
		shown = len(out.People)
	}
	b.rates = b.Errors
	for b.left > 0 {
		b.compose(b.drawSize(b.left), b.left)
		b.commit()
	}
	b.shareOldNumbers(int32(shown))
	slices.SortStableFunc(out.Damages, func(x, y Damage) int { return int(x.Person) - int(y.Person) })
}

// dwelling is the household that is being written.
type dwelling struct {
	order    *showcase // if it is one that must exist
	index    int32
	first    int32
	place    Place
	oldPlace Place
	commune  Commune
	ethnic   uint8
	religion Religion
	standing standing
}

// standing is how well off a household is.
type standing uint8

const (
	ordinary standing = iota
	nearPoor
	poor
)

// commit writes the planned household and all its records, and empties the plan.
func (b *builder) commit() {
	b.settle()
	living := b.arrange()
	h := Household{First: b.home.first, Living: uint8(living), Dead: uint8(len(b.plan) - living),
		File: uint32(b.rng.intn(100_000_000)), Place: b.home.place}
	h.Since = b.since().date()
	if h.Since < cutover {
		h.OldPlace = b.home.oldPlace
	}
	b.out.Households = append(b.out.Households, h)
	b.out.People = slices.Grow(b.out.People, len(b.plan))[:int(h.First)+len(b.plan)]
	b.out.Births = slices.Grow(b.out.Births, len(b.plan))[:len(b.out.People)]
	clear(b.out.People[h.First:])
	for i := range b.plan {
		b.write(int32(i))
	}
	for i := range b.weddings {
		b.wed(&b.weddings[i])
	}
	b.registerInsurance()
	b.registerLand()
	b.sendAway()
	b.left -= living
	b.near = 0
	if b.plan[0].marital == Divorced {
		b.near = b.home.commune.OldProvince
	}
	b.home.order = nil
	b.plan, b.weddings = b.plan[:0], b.weddings[:0]
}

// since is when the household was registered at its address.
func (b *builder) since() day {
	head := b.plan[0].birth + 18*year
	return min(head+day(b.rng.unit()*float64(max(b.today-head, 0))), b.today-1)
}

// settle chooses where the household lives and of which group it is.
func (b *builder) settle() {
	d := &b.home
	d.index, d.first = int32(len(b.out.Households)), int32(len(b.out.People))
	head := &b.plan[0]
	oldProvince := b.drawProvince()
	switch {
	case b.near != 0 && b.rng.chance(0.85):
		oldProvince = b.near
	case head.heir != nil && b.rng.chance(0.75):
		oldProvince = head.heir.oldProvince
	}
	d.commune = b.drawCommune(oldProvince)
	if d.order != nil {
		d.commune = d.order.commune
		oldProvince = d.commune.OldProvince
	}
	d.place = Place{Commune: d.commune.Code, Province: d.commune.Province, System: GSO2025}
	d.place.Street, d.place.House = b.drawStreet(d.commune.Urban)
	d.oldPlace = Place{Commune: d.commune.Code - 3*uint32(b.rng.intn(predecessors)), Province: d.commune.OldProvince,
		Street: d.place.Street, House: d.place.House, System: GSO2004}
	d.ethnic = drawEthnic(&b.rng, oldProvince)
	if head.father != None && !inside(head.father) {
		d.ethnic = b.out.People[-head.father-2].Ethnic
	}
	d.religion = drawReligion(&b.rng, d.ethnic, oldProvince)
	hard := 0.03
	if d.ethnic != kinh {
		hard = 0.15
	}
	d.standing = ordinary
	if b.rng.chance(hard) {
		d.standing = poor
	} else if b.rng.chance(hard) {
		d.standing = nearPoor
	}
}

// drawCommune draws a commune in an old province, three times as likely a phường as a xã.
func (b *builder) drawCommune(oldProvince uint8) Commune {
	s := places().within[oldProvince]
	c := places().communes[b.rng.between(s.from, s.to-1)]
	if !c.Urban && b.rng.chance(0.4) {
		c = places().communes[b.rng.between(s.from, s.to-1)]
	}
	return c
}

// drawProvince draws an old province by weight.
func (b *builder) drawProvince() uint8 {
	pick := uint32(b.rng.intn(int(b.provinces[len(b.provinces)-1])))
	i, _ := slices.BinarySearch(b.provinces, pick+1)
	return oldProvinces[i].Code
}

func (b *builder) drawStreet(urban bool) (street, house uint16) {
	if urban {
		return uint16(1 + hamlets + b.rng.intn(len(streets)-hamlets)), uint16(1 + b.rng.intn(480))
	}
	return uint16(1 + b.rng.intn(hamlets)), uint16(1 + b.rng.intn(90))
}

// arrange gives each member its index in People, the living first, and returns how many live.
func (b *builder) arrange() int {
	next := b.home.first
	for i := range b.plan {
		if b.plan[i].death == 0 {
			b.position[i] = next
			next++
		}
	}
	living := int(next - b.home.first)
	for i := range b.plan {
		if b.plan[i].death != 0 {
			b.position[i] = next
			next++
		}
	}
	return living
}

// person is the index in People that a reference of the plan means.
func (b *builder) person(ref int32) int32 {
	switch {
	case inside(ref):
		return b.position[ref]
	case ref == None:
		return None
	}
	return -ref - 2
}

// sendAway queues the grown children that left this household.
func (b *builder) sendAway() {
	for _, h := range b.leavers {
		if len(b.heirs) == maxHeirs {
			break
		}
		h.father, h.mother = b.person(h.father), b.person(h.mother)
		h.oldProvince = b.home.commune.OldProvince
		h.home = b.home.oldPlace
		b.heirs = append(b.heirs, h)
	}
	b.leavers = b.leavers[:0]
}
