package nation

// String is the registry's short name.
func (r Registry) String() string {
	return [...]string{"", "population", "civil-status", "insurance", "land"}[r%5]
}

// String is the kind's name.
func (k DamageKind) String() string {
	names := [...]string{"", "YearOnly", "SharedOldNumber", "BirthNotDigitised", "MarriageNotDigitised", "DeathNotDigitised",
		"NameVariant", "NameWrong", "BirthDateWrong", "ToneVariant", "OldNumberOnly", "DuplicateInsurance", "OrphanCard",
		"LandNotDigitised"}
	return names[int(k)%len(names)]
}

// Describe says in one line what a damage is: registry, kind, and the value on record for the right one.
func (n *Nation) Describe(d Damage) string {
	text := d.Registry.String() + " " + d.Kind.String()
	if d.Person == None {
		return text + ": " + n.Cards[d.Record].Code()
	}
	p := &n.People[d.Person]
	name, birth := n.recorded(d)
	switch d.Kind {
	case NameVariant, NameWrong, ToneVariant:
		return text + ": " + name.String() + " for " + p.Name.String()
	case BirthDateWrong:
		return text + ": " + birth.String() + " for " + p.Birth.String()
	case YearOnly:
		return text + ": " + p.Birth.String()
	case OldNumberOnly, SharedOldNumber:
		return text + ": " + p.OldNumber.String()
	case DuplicateInsurance:
		return text + ": " + n.Cards[d.Record].Insurance.String() + " besides " + p.Insurance.String()
	}
	return text
}

// recorded is the name and birth date in the damaged record.
func (n *Nation) recorded(d Damage) (Name, Date) {
	switch d.Registry {
	case InsuranceDB:
		c := &n.Cards[d.Record]
		return c.Name, c.Birth
	case Land:
		if d.Kind != LandNotDigitised {
			o := &n.Owners[d.Record]
			return o.Name, o.Birth
		}
	case CivilStatus:
		if d.Kind != MarriageNotDigitised && d.Kind != DeathNotDigitised {
			r := &n.Births[d.Record]
			return r.Name, r.Date
		}
	}
	p := &n.People[d.Person]
	return p.Name, p.Birth
}
