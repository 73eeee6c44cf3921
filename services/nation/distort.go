package nation

// defect says which record of whom may be damaged.
type defect struct {
	registry Registry
	person   int32
	record   int32
}

// damage notes a difference that was put in on purpose.
func (b *builder) damage(d defect, kind DamageKind) {
	b.out.Damages = append(b.out.Damages, Damage{Person: d.person, Record: d.record, Registry: d.registry, Kind: kind})
}

// distort lets a registry have another name or birth date at the given rate, or else, at the rate of tone variants,
// another spelling of the same name.
func (b *builder) distort(d defect, rate float64, name *Name, birth *Date) {
	r := &b.rng
	if !r.chance(rate) {
		if r.chance(b.rates.ToneVariant) && name.hasVariant() {
			name.spelling = spelledNew
			b.damage(d, ToneVariant)
		}
		return
	}
	sex := b.out.People[d.person].Sex
	switch u := r.unit(); {
	case u < 0.4:
		b.otherMiddle(name, sex)
		b.damage(d, NameVariant)
	case u < 0.65:
		name.given = b.other(name.given, b.lex.given[sex])
		b.damage(d, NameWrong)
	default:
		*birth = b.otherBirth(*birth)
		b.damage(d, BirthDateWrong)
	}
}

// otherMiddle drops the middle name or puts in another one.
func (b *builder) otherMiddle(name *Name, sex Sex) {
	if name.middle != 0 && b.rng.chance(0.5) {
		name.middle = 0
		return
	}
	name.middle = b.other(name.middle, b.lex.middle[sex])
}

// other draws a word of the list that is not the same name as the given one.
func (b *builder) other(than uint16, list []uint16) uint16 {
	for {
		if w := list[b.rng.intn(len(list))]; w != than {
			return w
		}
	}
}

// otherBirth is a wrong date as clerks make them: day and month swapped, a day off, or a year off.
func (b *builder) otherBirth(d Date) Date {
	r := &b.rng
	off := Date(10000)
	if d.Full() {
		switch swapped := NewDate(d.Year(), d.Day(), d.Month()); {
		case d.Day() <= 12 && d.Day() != d.Month() && swapped <= b.AsOf && r.chance(0.5):
			return swapped
		case r.chance(0.5):
			o := dayOf(d) - r.day(1, 9)
			return o.date()
		}
	}
	if d%10000 == 229 {
		d--
	}
	return d - off
}

// forgetDay lets the birth date be known to the year or month only.
func (b *builder) forgetDay(p *Person, at int32) {
	rate := b.rates.YearOnly
	if p.Birth.Year() < 1960 {
		rate = b.rates.YearOnlyOld
	}
	if !b.rng.chance(rate) || p.Birth.Year() > 2010 {
		return
	}
	if b.rng.chance(0.2) {
		p.Birth = p.Birth / 100 * 100
	} else {
		p.Birth = p.Birth / 10000 * 10000
	}
	b.damage(defect{Population, at, at}, YearOnly)
}
