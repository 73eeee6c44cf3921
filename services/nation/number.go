package nation

// number gives out a 12-digit number: where the birth was registered, century and sex, year, six scattered digits.
func (g *registrar) number(p *Person) Number {
	y := p.Birth.Year()
	century := (y-1900)/100*2 + int(p.Sex) - 1
	prefix := int(p.BirthPlace.Province)*1000 + century*100 + y%100
	serial := g.numbers[prefix]
	g.numbers[prefix]++
	return Number(uint64(prefix)*1_000_000 + uint64(scatter(uint64(g.n.Config.Seed)^uint64(prefix), serial)))
}

// oldNumber gives out a 9-digit number under the prefix of an old province. The digit after a 2-digit prefix is 2 to
// 4, which no longer prefix has.
func (g *registrar) oldNumber(oldProvince uint8) OldNumber {
	p, _ := FindProvince(GSO2004, oldProvince)
	prefix := uint32(p.OldPrefix)
	if p.OldDigits == 2 {
		prefix *= 10
	}
	serial := g.old[prefix]
	g.old[prefix]++
	if p.OldDigits == 2 {
		prefix += 2 + serial%3
		serial /= 3
	}
	return OldNumber(prefix*1_000_000 + scatter(uint64(g.n.Config.Seed)+uint64(prefix), serial))
}

// insuranceNumber gives out a 10-digit number: old province, eight digits.
func (g *registrar) insuranceNumber(oldProvince uint8) Insurance {
	serial := g.insurance[oldProvince]
	g.insurance[oldProvince]++
	high := uint64(serial/1_000_000*7+uint32(oldProvince)) % 100
	low := scatter(uint64(g.n.Config.Seed)+1000+uint64(oldProvince), serial%1_000_000)
	return Insurance(uint64(oldProvince)*100_000_000 + high*1_000_000 + uint64(low))
}

// enter gives an entry its number in the commune and year.
func (g *registrar) enter(book int, e *Entry) {
	commune := int(e.Place.Commune/codesPerCommune)*predecessors + int(e.Place.Commune%codesPerCommune/3)
	count := &g.entries[book][commune*yearsOfEntries+e.Date.Year()-firstYear]
	*count++
	e.Number = *count*5 - uint16(g.rng.intn(5))
}

const firstYear = 1900

// plot gives out a sheet and a parcel number on it; sheets fill side by side.
func (g *registrar) plot(commune uint32) (sheet, plot uint16) {
	const sheets = 40
	serial := g.plots[commune/codesPerCommune]
	g.plots[commune/codesPerCommune]++
	return uint16(1 + serial*17%sheets), uint16(1 + serial/sheets*4 + uint32(g.rng.intn(4)))
}

// bookNumber gives out a number in a province's book of certificates.
func (g *registrar) bookNumber(province uint8) uint32 {
	g.books[province]++
	return g.books[province]
}

// serial gives out the digits of a serial number under its letters.
func (g *registrar) serial(c *Certificate) uint32 {
	key := uint32(c.Letters[0])<<8 | uint32(c.Letters[1])
	if c.New {
		key |= 1 << 16
	}
	count := g.serials[key]
	g.serials[key]++
	digits := scatter(uint64(key), count%1_000_000)
	if c.New {
		return 1_000_000*(1+count/1_000_000) + digits
	}
	return digits
}

// orphans adds cards whose person does not exist: copies of others with a number that nobody has.
func (g *registrar) orphans() {
	n, r := g.n, &g.rng
	rate := n.Config.Errors.OrphanCard
	if rate == 0 {
		return
	}
	cards := len(n.Cards)
	for range max(int(rate*float64(cards)+0.5), 1) {
		if cards == 0 {
			return
		}
		c := n.Cards[r.intn(cards)]
		ghost := Person{Birth: c.Birth, Sex: c.Sex, BirthPlace: Place{Province: c.Province, System: GSO2004}}
		c.Person, c.Number, c.OldNumber = None, g.number(&ghost), 0
		c.Insurance = g.insuranceNumber(c.Province)
		c.Name.given = lexicon().given[c.Sex][r.intn(len(lexicon().given[c.Sex]))]
		n.Damages = append(n.Damages, Damage{Person: None, Record: int32(len(n.Cards)), Registry: InsuranceDB, Kind: OrphanCard})
		n.Cards = append(n.Cards, c)
	}
}
