package nation

// cutover is the first day of the 34 provinces.
const cutover Date = 20250701

var cutoverDay = dayOf(cutover)

// unset marks a number that the registrar fills in.
const unset = 1

// write makes the person of plan member i, with the records of birth and death, after its parents.
func (b *builder) write(i int32) {
	m := &b.plan[i]
	at := b.position[i]
	if b.written(at) {
		return
	}
	for _, parent := range [...]int32{m.father, m.mother} {
		if inside(parent) {
			b.write(parent)
		}
	}
	p := &b.out.People[at]
	*p = Person{Number: unset, Birth: m.birth.date(), Sex: m.sex, Marital: m.marital, Relation: m.relation,
		Father: b.person(m.father), Mother: b.person(m.mother), Spouse: b.person(m.spouse),
		Household: b.home.index, Death: None, Card: None, Employer: None, Stay: None, Blood: drawBlood(&b.rng)}
	b.descend(p, m)
	b.born(at, m)
	if m.death != 0 {
		b.died(at, m)
	}
	b.identify(p, m)
	if m.death == 0 {
		p.Work = b.drawWork(m)
		b.employ(p)
		b.stay(at, m)
		if b.decoys > 0 && len(b.plan) == 1 && b.home.order == nil && b.yearsOld(m.birth) >= 20 {
			p.Decoy = true
			b.decoys--
		}
	}
}

// descend gives a person group, religion, name and hometown, from the parents where there are any.
func (b *builder) descend(p *Person, m *member) {
	l, r := b.lex, &b.rng
	parent := p.Father
	if parent == None {
		parent = p.Mother
	}
	province := b.home.commune.OldProvince
	switch {
	case parent != None:
		from := &b.out.People[parent]
		p.Ethnic, p.Religion, p.Hometown = from.Ethnic, from.Religion, from.Hometown
		p.Name = l.drawName(r, from.Name.family, p.Sex, p.Ethnic, p.Birth.Year())
		return
	case m.relation == RelationHead || m.relation == RelationFather || r.chance(0.88):
		p.Ethnic, p.Religion = b.home.ethnic, b.home.religion
	default:
		p.Ethnic = drawEthnic(r, province)
		p.Religion = drawReligion(r, p.Ethnic, province)
	}
	p.Hometown = Place{Commune: b.home.oldPlace.Commune, Province: province, System: GSO2004}
	if r.chance(0.4) {
		p.Hometown = b.somewhere(province)
	}
	p.Name = l.drawName(r, l.drawFamily(r, p.Ethnic, p.Hometown.Province), p.Sex, p.Ethnic, p.Birth.Year())
}

// written says whether a person has been written: all have a given name.
func (b *builder) written(person int32) bool { return b.out.People[person].Name.given != 0 }

// somewhere is an old commune, mostly in the same province.
func (b *builder) somewhere(oldProvince uint8) Place {
	if b.rng.chance(0.25) {
		oldProvince = b.drawProvince()
	}
	s := places().oldSpan[oldProvince]
	return Place{Commune: places().old[b.rng.between(s.from, s.to-1)].Code, Province: oldProvince, System: GSO2004}
}

// born writes the record of birth.
func (b *builder) born(at int32, m *member) {
	p, r := &b.out.People[at], &b.rng
	e := Entry{Kind: OnTime}
	registered := m.birth + r.day(2, 55)
	if r.chance(0.08) {
		registered, e.Kind = m.birth+r.day(61, 2000), Late
	}
	registered = min(registered, b.today)
	e.Date = registered.date()
	switch {
	case registered >= cutoverDay:
		e.Place = b.home.place
	case m.heir != nil:
		e.Place = m.heir.home
	case b.yearsOld(m.birth) < 18 || r.chance(0.6):
		e.Place = b.home.oldPlace
	default:
		e.Place = b.somewhere(b.home.commune.OldProvince)
	}
	e.Undigitised = b.onPaper(e.Place, e.Date)
	p.BirthPlace = e.Place
	born := Birth{Entry: e, NoFather: m.noFather}
	b.forgetDay(p, at)
	born.Name, born.Date = p.Name, p.Birth
	d := defect{CivilStatus, at, at}
	if e.Undigitised {
		b.damage(d, BirthNotDigitised)
	} else {
		b.distort(d, b.rates.CivilMismatch, &born.Name, &born.Date)
	}
	b.out.Births[at] = born
}

// onPaper decides whether an entry of before 2016, when the national software came, was never digitised.
func (b *builder) onPaper(place Place, registered Date) bool {
	return registered < 20160101 && b.rates.NotDigitised > 0 && b.rng.chance(b.paper[place.OldProvince()])
}

// died writes the record of death.
func (b *builder) died(at int32, m *member) {
	r := &b.rng
	registered := min(m.death+r.day(0, 14), b.today)
	d := Death{Person: at, When: m.death.date(), Minute: uint16(r.intn(1440)), Where: b.placeOn(m.death), Document: 1,
		Cause: Cause(r.intn(len(causes)))}
	if b.yearsBetween(m.birth, m.death) >= 75 {
		d.Cause = Cause(r.intn(4))
	} else if d.Cause == 0 {
		d.Cause = 1
	}
	if r.chance(0.05) {
		d.Document = uint8(r.intn(8))
	}
	d.Entry = Entry{Place: b.placeOn(registered), Date: registered.date(), Kind: OnTime}
	d.Undigitised = b.onPaper(d.Place, d.Entry.Date)
	record := int32(len(b.out.Deaths))
	if d.Undigitised {
		b.damage(defect{CivilStatus, at, record}, DeathNotDigitised)
	}
	b.out.People[at].Death = record
	b.out.Deaths = append(b.out.Deaths, d)
}

// placeOn is the household's address in the codes of a day.
func (b *builder) placeOn(d day) Place {
	if d >= cutoverDay {
		return b.home.place
	}
	return b.home.oldPlace
}

func (b *builder) yearsBetween(from, to day) int { return int((to - from) * 4 / 1461) }

// identify gives a person an old number, an identity card and a phone, as far as they have one.
func (b *builder) identify(p *Person, m *member) {
	r := &b.rng
	if p.Birth.Year() < 2001 && r.chance(0.97) {
		p.OldNumber = unset
	}
	fourteen := m.birth.addYears(14)
	if m.death != 0 || fourteen >= b.today {
		return
	}
	first := max(fourteen, dayOf(20210101))
	p.Issued = (first + r.day(0, int32(min(b.today-first, 4*year)))).date()
	if r.chance(0.92) {
		prefix := [...]uint32{3, 5, 7, 8, 9}[r.intn(5)]
		p.Phone = Phone(prefix*100_000_000 + uint32(r.intn(100_000_000)))
	}
}

// stay lets a few grown people live away from their household for a time.
func (b *builder) stay(at int32, m *member) {
	age, r := b.yearsOld(m.birth), &b.rng
	if age < 17 || age > 50 || !r.chance(0.04) {
		return
	}
	c := b.drawCommune(b.drawProvince())
	s := Stay{Person: at, Place: Place{Commune: c.Code, Province: c.Province, System: GSO2025}}
	s.Place.Street, s.Place.House = b.drawStreet(c.Urban)
	from := b.today - r.day(10, 330)
	s.From, s.Until = from.date(), (from + 2*year).date()
	b.out.People[at].Stay = int32(len(b.out.Stays))
	b.out.Stays = append(b.out.Stays, s)
}

// wed writes the record of a marriage.
func (b *builder) wed(w *wedding) {
	m := Marriage{Husband: b.person(w.husband), Wife: b.person(w.wife), End: w.end,
		Entry: Entry{Place: b.placeOn(w.on), Date: w.on.date(), Kind: OnTime}}
	if w.end != NotEnded {
		m.EndDate = w.ended.date()
	}
	if w.end == EndedByDivorce {
		m.Decision = uint16(1 + b.rng.intn(900))
	}
	m.Undigitised = b.onPaper(m.Place, m.Date)
	if m.Undigitised {
		b.damage(defect{CivilStatus, m.Husband, int32(len(b.out.Marriages))}, MarriageNotDigitised)
	}
	b.out.Marriages = append(b.out.Marriages, m)
}

// shareOldNumbers pairs people of different provinces, from an index on, who hold the same 9-digit number.
func (b *builder) shareOldNumbers(from int32) {
	people, r := b.out.People, &b.rng
	if b.rates.SharedOldNumber == 0 {
		return
	}
	taken := make(map[int32]bool)
	for i := from; i < int32(len(people)); i++ {
		if people[i].OldNumber == 0 || taken[i] || !r.chance(b.rates.SharedOldNumber/2) {
			continue
		}
		for range 20 {
			j := from + int32(r.intn(len(people)-int(from)))
			if j == i || people[j].OldNumber == 0 || taken[j] || people[j].BirthPlace.OldProvince() == people[i].BirthPlace.OldProvince() {
				continue
			}
			taken[i], taken[j] = true, true
			b.out.shared = append(b.out.shared, [2]int32{i, j})
			b.damage(defect{Population, i, i}, SharedOldNumber)
			b.damage(defect{Population, j, j}, SharedOldNumber)
			break
		}
	}
}
