package nation

import "slices"

// registrar joins chunks and gives out what must be unique in the nation. It works in order, one chunk at a time.
type registrar struct {
	n         *Nation
	rng       rng
	numbers   []uint32          // given out, by the first six digits of the 12-digit number
	old       [1000]uint32      // given out, by prefix of the 9-digit number
	insurance [100]uint32       // given out, by old province
	entries   [3][]uint16       // entries of births, marriages, deaths, by commune and year
	plots     []uint32          // given out, by commune
	books     [100]uint32       // certificates, by province
	serials   map[uint32]uint32 // certificates, by letters and form
	seconds   map[int32]Insurance
}

const yearsOfEntries = 200

func newRegistrar(n *Nation) *registrar {
	g := &registrar{n: n, rng: newRNG(n.Config.Seed, 1<<41), numbers: make([]uint32, 1_000_000),
		plots: make([]uint32, len(places().communes)), serials: map[uint32]uint32{}, seconds: map[int32]Insurance{}}
	for i := range g.entries {
		g.entries[i] = make([]uint16, len(places().old)*yearsOfEntries)
	}
	return g
}

// base holds where a chunk's records begin in the nation.
type base struct{ person, household, stay, death, card, parcel, certificate, owner, marriage int32 }

// reserve makes room for the chunk and, judging by the first, for those to come.
func (g *registrar) reserve(k, chunks int, c *chunk) {
	left := chunks - k
	room(&g.n.People, len(c.People), left)
	room(&g.n.Births, len(c.Births), left)
	room(&g.n.Households, len(c.Households), left)
	room(&g.n.Stays, len(c.Stays), left)
	room(&g.n.Marriages, len(c.Marriages), left)
	room(&g.n.Deaths, len(c.Deaths), left)
	room(&g.n.Cards, len(c.Cards), left)
	room(&g.n.Contributions, len(c.Contributions), left)
	room(&g.n.Parcels, len(c.Parcels), left)
	room(&g.n.Certificates, len(c.Certificates), left)
	room(&g.n.Owners, len(c.Owners), left)
	room(&g.n.Damages, len(c.Damages), left)
}

// room grows s if need more do not fit: by what the chunks left will need if they are like those so far.
func room[T any](s *[]T, need, left int) {
	if cap(*s)-len(*s) < need {
		*s = slices.Grow(*s, need+need*(left-1)*103/100)
	}
}

// append joins one chunk.
func (g *registrar) append(c *chunk) {
	n := g.n
	at := base{person: int32(len(n.People)), household: int32(len(n.Households)), stay: int32(len(n.Stays)),
		death: int32(len(n.Deaths)), card: int32(len(n.Cards)), parcel: int32(len(n.Parcels)),
		certificate: int32(len(n.Certificates)), owner: int32(len(n.Owners)), marriage: int32(len(n.Marriages))}
	g.people(c, at)
	g.civil(c, at)
	g.insure(c, at)
	g.land(c, at)
	for i := range c.Damages {
		c.Damages[i].moveBy(at)
	}
	n.Damages = append(n.Damages, c.Damages...)
}

// people joins people, households and stays.
func (g *registrar) people(c *chunk, at base) {
	for i := range c.People {
		p := &c.People[i]
		p.Number = g.number(p)
		if p.OldNumber != 0 {
			p.OldNumber = g.oldNumber(p.BirthPlace.OldProvince())
		}
		if p.Insurance != 0 {
			p.Insurance = g.insuranceNumber(p.BirthPlace.OldProvince())
		}
		for _, index := range [...]*int32{&p.Father, &p.Mother, &p.Spouse} {
			move(index, at.person)
		}
		p.Household += at.household
		move(&p.Death, at.death)
		move(&p.Card, at.card)
		move(&p.Stay, at.stay)
	}
	for _, pair := range c.shared {
		c.People[pair[1]].OldNumber = c.People[pair[0]].OldNumber
	}
	for i := range c.Households {
		c.Households[i].First += at.person
	}
	for i := range c.Stays {
		c.Stays[i].Person += at.person
	}
	g.n.People = append(g.n.People, c.People...)
	g.n.Households = append(g.n.Households, c.Households...)
	g.n.Stays = append(g.n.Stays, c.Stays...)
}

// civil joins births, marriages and deaths.
func (g *registrar) civil(c *chunk, at base) {
	for i := range c.Births {
		g.enter(0, &c.Births[i].Entry)
	}
	for i := range c.Marriages {
		m := &c.Marriages[i]
		g.enter(1, &m.Entry)
		m.Husband += at.person
		m.Wife += at.person
	}
	for i := range c.Deaths {
		g.enter(2, &c.Deaths[i].Entry)
		c.Deaths[i].Person += at.person
	}
	g.n.Births = append(g.n.Births, c.Births...)
	g.n.Marriages = append(g.n.Marriages, c.Marriages...)
	g.n.Deaths = append(g.n.Deaths, c.Deaths...)
}

// insure joins cards and contributions.
func (g *registrar) insure(c *chunk, at base) {
	clear(g.seconds)
	for i := range c.Cards {
		card := &c.Cards[i]
		p := &c.People[card.Person]
		card.Number, card.OldNumber = known(card.Number, card.OldNumber, p)
		if card.Insurance == second {
			card.Insurance = g.insuranceNumber(card.Province)
			g.seconds[card.Person] = card.Insurance
		} else {
			card.Insurance = p.Insurance
		}
		card.Person += at.person
	}
	used := int32(None)
	for i := range c.Contributions {
		t := &c.Contributions[i]
		t.Insurance = c.People[t.Person].Insurance
		if s, ok := g.seconds[t.Person]; ok && used != t.Person {
			t.Insurance, used = s, t.Person // the first period is under the second number
		}
		t.Person += at.person
	}
	g.n.Cards = append(g.n.Cards, c.Cards...)
	g.n.Contributions = append(g.n.Contributions, c.Contributions...)
}

// known puts a person's numbers where a record has a mark for them.
func known(number Number, old OldNumber, p *Person) (Number, OldNumber) {
	if number != 0 {
		number = p.Number
	}
	if old != 0 {
		old = p.OldNumber
	}
	return number, old
}

// land joins parcels, certificates, owners and encumbrances.
func (g *registrar) land(c *chunk, at base) {
	for i := range c.Parcels {
		p := &c.Parcels[i]
		p.Sheet, p.Plot = g.plot(p.Place.Commune)
		p.Certificate += at.certificate
	}
	for i := range c.Certificates {
		cert := &c.Certificates[i]
		cert.BookNumber = g.bookNumber(c.Parcels[cert.First].Place.Province)
		cert.Serial = g.serial(cert)
		cert.First += at.parcel
		cert.FirstOwner += at.owner
	}
	for i := range c.Owners {
		o := &c.Owners[i]
		o.Number, o.OldNumber = known(o.Number, o.OldNumber, &c.People[o.Person])
		o.Person += at.person
	}
	for i := range c.Mortgages {
		c.Mortgages[i].Parcel += at.parcel
	}
	for i := range c.Restrictions {
		c.Restrictions[i].Parcel += at.parcel
	}
	n := g.n
	n.Parcels = append(n.Parcels, c.Parcels...)
	n.Certificates = append(n.Certificates, c.Certificates...)
	n.Owners = append(n.Owners, c.Owners...)
	n.Mortgages = append(n.Mortgages, c.Mortgages...)
	n.Restrictions = append(n.Restrictions, c.Restrictions...)
}

// move shifts an index unless it refers to nobody.
func move(index *int32, by int32) {
	if *index != None {
		*index += by
	}
}

// moveBy shifts a damage's person and record.
func (d *Damage) moveBy(at base) {
	d.Person += at.person
	switch {
	case d.Kind == MarriageNotDigitised:
		d.Record += at.marriage
	case d.Kind == DeathNotDigitised:
		d.Record += at.death
	case d.Kind == LandNotDigitised:
		d.Record += at.parcel
	case d.Registry == InsuranceDB:
		d.Record += at.card
	case d.Registry == Land:
		d.Record += at.owner
	default:
		d.Record += at.person
	}
}
