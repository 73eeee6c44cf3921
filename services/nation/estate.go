package nation

// registerLand writes the certificates of the household that was just written.
func (b *builder) registerLand() {
	r, urban := &b.rng, b.home.commune.Urban
	owners := b.holders()
	home, field := 0.62, 0.42
	if urban {
		home, field = 0.40, 0.06
	}
	head := b.yearsOld(b.plan[0].birth)
	if head < 28 {
		home, field = home/4, field/4
	}
	if b.home.order != nil && b.home.order.landed || r.chance(home) {
		b.certify(owners, b.home.commune, true)
	}
	if r.chance(field) {
		c := b.home.commune
		if r.chance(0.06) {
			c = b.drawCommune(b.drawProvince())
		}
		b.certify(owners, c, false)
	}
}

// holders are those of the household who own land: the head and spouse, or the elders, dead ones included when
// nobody has had the certificate changed.
func (b *builder) holders() []int32 {
	r := &b.rng
	first := int32(0)
	if f := b.plan[0].father; inside(f) && r.chance(0.5) {
		first = f
		if b.plan[f].death != 0 && r.chance(0.8) {
			first = b.plan[0].mother
		}
	}
	out := append(b.owners[:0], b.position[first])
	if s := b.plan[first].spouse; s != None && inside(s) && r.chance(0.75) {
		out = append(out, b.position[s])
	}
	return out
}

// certify writes one certificate with its parcels, owners and encumbrances.
func (b *builder) certify(owners []int32, c Commune, residential bool) {
	r := &b.rng
	index := int32(len(b.out.Certificates))
	cert := Certificate{First: int32(len(b.out.Parcels)), FirstOwner: int32(len(b.out.Owners)), Owners: uint8(len(owners)),
		Parcels: 1, Book: uint8(r.intn(3)), Letters: [2]byte{'A' + byte(r.intn(4)), 'A' + byte(r.intn(26))}}
	cert.Issued = b.issue(owners).date()
	cert.New = cert.Issued >= 20250101
	if cert.New {
		cert.Letters[0], cert.Letters[1] = 'A', 'A'+byte(r.intn(3))
	}
	if !residential {
		cert.Parcels = uint8(1 + r.intn(2)*r.intn(2))
	} else if !c.Urban && r.chance(0.25) {
		cert.Parcels = 2
	}
	for k := range cert.Parcels {
		b.plot(index, owners[0], c, residential && k == 0)
	}
	for _, o := range owners {
		b.own(o)
	}
	b.out.Certificates = append(b.out.Certificates, cert)
	b.encumber(&cert)
}

// issue draws a day since 1994 on which all owners were grown up and alive.
func (b *builder) issue(owners []int32) day {
	from, last := dayOf(19940101), b.today-1
	for _, o := range owners {
		p := &b.out.People[o]
		from = max(from, dayOf(earliest(p.Birth))+20*year)
		if p.Death != None {
			last = min(last, dayOf(b.out.Deaths[p.Death].When)-1)
		}
	}
	return min(from+b.rng.day(0, int32(last-from)), last)
}

// earliest is the first day that a date may mean.
func earliest(d Date) Date { return NewDate(d.Year(), max(d.Month(), 1), max(d.Day(), 1)) }

// plot writes a parcel.
func (b *builder) plot(certificate, owner int32, c Commune, residential bool) {
	r := &b.rng
	p := Parcel{Certificate: certificate, Origin: Origin(r.intn(len(origins))), Missing: b.gap(c.Code),
		OldCommune: c.Code - 3*uint32(r.intn(predecessors)), Place: Place{Commune: c.Code, Province: c.Province, System: GSO2025}}
	p.Place.Street, p.Place.House = b.drawStreet(c.Urban)
	if c.Code == b.home.commune.Code && residential {
		p.Place = b.home.place
	}
	switch {
	case residential && c.Urban:
		p.Use, p.Area = LandODT, uint32(300+r.intn(1500))
	case residential:
		p.Use, p.Area = LandONT, uint32(900+r.intn(5000))
	default:
		p.Use = farmland[r.intn(len(farmland))]
		p.Area = uint32(2000 + r.intn(9000)*(1+r.intn(4)))
		if p.Use == LandRSX {
			p.Area *= 8
		}
		p.Term = [...]Date{20640101, 20631015, 20431015, 20740701}[r.intn(4)]
	}
	if p.Missing {
		b.damage(defect{Land, owner, int32(len(b.out.Parcels))}, LandNotDigitised)
	}
	b.out.Parcels = append(b.out.Parcels, p)
}

var farmland = [...]LandUse{LandLUC, LandLUC, LandLUC, LandBHK, LandBHK, LandNHK, LandCLN, LandCLN, LandRSX, LandNTS, LandSKC, LandTMD}

// own writes an owner's name as the land book has it.
func (b *builder) own(person int32) {
	p := &b.out.People[person]
	o := Owner{Person: person, Number: unset, Name: p.Name, Birth: p.Birth}
	d := defect{Land, person, int32(len(b.out.Owners))}
	if p.OldNumber != 0 && b.rng.chance(b.rates.OldNumberInLand) {
		o.Number, o.OldNumber = 0, unset
		b.damage(d, OldNumberOnly)
	}
	b.distort(d, b.rates.LandMismatch, &o.Name, &o.Birth)
	b.out.Owners = append(b.out.Owners, o)
}

// encumber lets some certificates' first parcels be mortgaged or restricted.
func (b *builder) encumber(c *Certificate) {
	r := &b.rng
	issued := dayOf(c.Issued)
	if b.today-issued > 60 && r.chance(0.14) {
		for range 1 + r.intn(2)*r.intn(2) {
			m := Mortgage{Parcel: c.First, Contract: uint32(1 + r.intn(999_999)), bank: uint8(r.intn(len(banks)))}
			first := max(issued, b.today-10*year)
			on := first + r.day(1, int32(b.today-first-20))
			m.Registered = b.officeHour(on)
			if off := on + r.day(200, 2500); off < b.today-1 {
				m.Removed = b.officeHour(off)
			}
			b.out.Mortgages = append(b.out.Mortgages, m)
		}
	}
	if b.today-issued > 60 && r.chance(0.01) {
		on := max(issued, b.today-4*year) + r.day(1, 50)
		x := Restriction{Parcel: c.First, Decision: uint32(1 + r.intn(900)), From: b.officeHour(on), Kind: RestrictionKind(1 + r.intn(3))}
		if r.chance(0.3) {
			x.Until = b.officeHour(on + r.day(1, max(int32(b.today-on-1), 1)))
		}
		b.out.Restrictions = append(b.out.Restrictions, x)
	}
}

// officeHour is a minute between 8:00 and 16:59 of a day in Viet Nam.
func (b *builder) officeHour(d day) Moment {
	const zone = 7 * 3600
	return Moment(int64(d)-25567)*86400 + Moment(8*3600+60*b.rng.intn(9*60)-zone)
}
