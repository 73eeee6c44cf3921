package nation

// registerInsurance writes the cards and contributions of the household that was just written.
func (b *builder) registerInsurance() {
	for i := range b.plan {
		m := &b.plan[i]
		at := b.position[i]
		p := &b.out.People[at]
		if m.death == 0 {
			b.contribute(at, m)
		}
		insured := 0.955
		if m.death != 0 {
			insured = 0.5
		}
		if p.Work.employed() || p.Work == WorkRetired {
			insured = 1
		}
		if !b.rng.chance(insured) || b.today-m.birth < 20 {
			continue
		}
		b.insure(at, m)
	}
}

// insure writes a person's card, and a second one for the few who have two numbers.
func (b *builder) insure(at int32, m *member) {
	p, r := &b.out.People[at], &b.rng
	p.Insurance = unset
	record := int32(len(b.out.Cards))
	p.Card = record
	c := Card{Person: at, Insurance: unset, Number: unset, Name: p.Name, Birth: p.Birth, Sex: p.Sex,
		Province: b.home.commune.OldProvince, Facility: b.clinic()}
	c.Category, c.Benefit = b.category(p, m)
	b.validity(&c, m)
	if !b.home.commune.Urban && p.Ethnic != kinh {
		c.Zone = Zone(1 + r.intn(2))
	}
	d := defect{InsuranceDB, at, record}
	switch {
	case p.OldNumber != 0 && r.chance(b.rates.OldNumberInInsurance):
		c.Number, c.OldNumber = 0, unset
		b.damage(d, OldNumberOnly)
	}
	b.distort(d, b.rates.InsuranceMismatch, &c.Name, &c.Birth)
	b.out.Cards = append(b.out.Cards, c)
	if p.Work.employed() && r.chance(b.rates.DuplicateInsurance) {
		c.Insurance = second
		c.Category, c.Benefit = Category{'G', 'D'}, 4
		c.Name, c.Birth = p.Name, p.Birth
		c.Number, c.OldNumber = unset, 0
		b.out.Cards = append(b.out.Cards, c)
		b.damage(defect{InsuranceDB, at, record + 1}, DuplicateInsurance)
	}
}

// second marks an insurance number that is a person's second one.
const second = 2

// clinic is the code of the commune's health station or the province's hospital.
func (b *builder) clinic() uint32 {
	o := b.home.commune.OldProvince
	base := uint32(o)*1000 + 1
	if b.rng.chance(0.25) {
		return base
	}
	return base + 1 + b.home.commune.Code/codesPerCommune - uint32(places().within[o].from)
}

// category is the object and the benefit level: a person in several groups has the best.
func (b *builder) category(p *Person, m *member) (Category, uint8) {
	age, r := b.yearsOld(m.birth), &b.rng
	switch {
	case b.today < m.birth.addYears(6):
		return Category{'T', 'E'}, 1
	case p.Work == WorkArmy:
		return Category{'Q', 'N'}, 5
	case p.Work == WorkPolice:
		return Category{'C', 'A'}, 5
	case age >= 62 && r.chance(0.03):
		return Category{'C', 'C'}, 1
	case age >= 58 && p.Sex == Male && r.chance(0.06):
		return Category{'C', 'K'}, 2
	case b.home.standing == poor:
		return Category{'H', 'N'}, 2
	case p.Ethnic != kinh && !b.home.commune.Urban && nameGroup[p.Ethnic] != 0:
		return Category{'D', 'T'}, 2
	case age >= 80:
		return Category{'B', 'T'}, 2
	case p.Work == WorkRetired:
		return Category{'H', 'T'}, 3
	case b.home.standing == nearPoor:
		return Category{'C', 'N'}, 3
	}
	switch p.Work {
	case WorkEnterprise:
		return Category{'D', 'N'}, 4
	case WorkState:
		return Category{'C', 'H'}, 4
	case WorkPupil:
		return Category{'H', 'S'}, 4
	case WorkStudent:
		return Category{'S', 'V'}, 4
	case WorkJobless:
		return Category{'T', 'N'}, 4
	}
	return Category{'G', 'D'}, 4
}

// validity sets from when to when the card is valid: a child's to 72 months, or 30 September if that comes before
// school begins; a pensioner's for years; others by the year, and a few households' have run out.
func (b *builder) validity(c *Card, m *member) {
	r := &b.rng
	thisYear := b.AsOf.Year()
	switch c.Category {
	case Category{'T', 'E'}:
		last := m.birth.addYears(6)
		c.From, c.To = m.birth.date(), last.date()
		if c.To%10000 < 930 {
			c.To = NewDate(c.To.Year(), 9, 30)
		}
		c.FiveYears = m.birth.addYears(5).date()
		return
	case Category{'H', 'T'}, Category{'C', 'C'}, Category{'C', 'K'}, Category{'B', 'T'}, Category{'Q', 'N'}, Category{'C', 'A'}:
		c.From, c.To = NewDate(thisYear-r.intn(4), 1, 1), NewDate(thisYear+1+r.intn(4), 12, 31)
	case Category{'G', 'D'}:
		from := b.today - r.day(5, 364)
		if r.chance(0.06) {
			from -= year // lapsed
		}
		c.From, c.To = from.date(), (from.addYears(1) - 1).date()
	default:
		c.From, c.To = NewDate(thisYear, 1, 1), NewDate(thisYear, 12, 31)
	}
	start := max(m.birth, dayOf(20090101)) // since when the person has been insured without a gap
	start += day(r.unit() * r.unit() * float64(max(b.today-start, 0)))
	c.FiveYears = start.addYears(5).date()
}

// contribute writes periods of social insurance: the present one of those who work, and perhaps one before.
func (b *builder) contribute(at int32, m *member) {
	p, r := &b.out.People[at], &b.rng
	if !p.Work.employed() && p.Work != WorkRetired {
		return
	}
	start := m.birth.addYears(18) + r.day(0, 4*365)
	end := b.today
	if p.Work == WorkRetired {
		retire := m.birth.addYears(55)
		b.period(at, b.drawEmployer(WorkState), start, min(retire, b.today), false)
		return
	}
	start = min(start, b.today-70)
	changed := start + day(r.unit()*float64(end-start))
	if b.today-changed < 60 || changed-start < 60 || r.chance(0.65) {
		b.period(at, p.Employer, start, end, true)
		return
	}
	b.period(at, b.drawEmployer(WorkEnterprise), start, changed-31, false)
	b.period(at, p.Employer, changed, end, true)
}

// period writes one period, in whole months.
func (b *builder) period(at, employer int32, from, to day, current bool) {
	r := &b.rng
	// The social insurance book begins in 1995.
	from = max(from, dayOf(19950101))
	to = max(to, from)
	c := Contribution{Person: at, Employer: employer, Insurance: unset, From: month(from), To: month(to),
		Salary: uint32(5_000_000 + 100_000*(r.intn(80)+r.intn(80)*r.intn(3)))}
	if current {
		c.To = 0
	}
	b.out.Contributions = append(b.out.Contributions, c)
}

// month is the date of a day without the day.
func month(d day) Date { return d.date() / 100 * 100 }
