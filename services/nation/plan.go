package nation

// A household is first planned (who lives in it, who died, who married whom) and then written out (builder.commit):
// the plan's members refer to each other by their place in it, to people of earlier households by outside().

// member is a person of a planned household.
type member struct {
	birth, death           day // death 0: living
	father, mother, spouse int32
	heir                   *heir // if this is a grown child of an earlier household
	sex                    Sex
	marital                Marital
	relation               Relation
	noFather               bool
}

// wedding is a marriage of a planned household.
type wedding struct {
	husband, wife int32
	on            day
	ended         day // 0 if it lasts
	end           Ending
}

// heir is a grown child that left an earlier household, and will live in a later one.
type heir struct {
	father, mother int32
	birth          day
	sex            Sex
	oldProvince    uint8
	home           Place // where born, GSO-2004
}

// outside refers from a plan to a person already written.
func outside(person int32) int32 { return -person - 2 }

// inside says whether a reference is to a member of the plan.
func inside(ref int32) bool { return ref >= 0 }

// legal ages of marriage.
const (
	legalMale   = 20
	legalFemale = 18
)

// maxPlan bounds the household, the dead included.
const maxPlan = 16

func (b *builder) add(m member) int32 {
	b.plan = append(b.plan, m)
	return int32(len(b.plan) - 1)
}

// single is a person without relatives in the plan.
func single(sex Sex, birth day) member {
	return member{birth: birth, father: None, mother: None, spouse: None, sex: sex, marital: NeverMarried}
}

// aged is a birth day that makes somebody from to to years old today.
func (b *builder) aged(from, to int) day {
	return b.today - day(b.rng.between(int32(from)*365+int32(from)/4, int32(to)*365+int32(to)/4+364))
}

// yearsOld is the age of somebody born on this day, in full years, give or take a day.
func (b *builder) yearsOld(birth day) int { return int((b.today - birth) * 4 / 1461) }

// marry adds a spouse for the member and the wedding; the spouse's birth is chosen to fit.
func (b *builder) marry(of int32) (spouse int32, on day) {
	m := b.plan[of]
	gap := day(b.rng.between(-1*365, 7*365)) // husband's birth to wife's
	birth := m.birth + gap
	sex := Female
	if m.sex == Female {
		birth, sex = m.birth-gap, Male
	}
	// No younger than allows a wedding a year ago.
	birth = min(birth, b.today-19*year-year)
	if sex == Male {
		birth = min(birth, b.today-21*year-year)
	}
	partner := single(sex, birth)
	partner.relation = relationOfSpouse(m.relation, sex)
	spouse = b.add(partner)
	b.plan[of].spouse, b.plan[spouse].spouse = spouse, of
	b.plan[of].marital, b.plan[spouse].marital = Married, Married
	husband, wife := of, spouse
	if m.sex == Female {
		husband, wife = spouse, of
	}
	on = b.weddingDay(b.plan[husband].birth, b.plan[wife].birth, 0, b.today-30)
	b.weddings = append(b.weddings, wedding{husband: husband, wife: wife, on: on})
	return spouse, on
}

func relationOfSpouse(of Relation, sex Sex) Relation {
	switch {
	case of != RelationHead:
		return RelationOther
	case sex == Male:
		return RelationHusband
	}
	return RelationWife
}

// earliestWedding is the first day on which two people may marry.
func earliestWedding(husband, wife day) day {
	return max(husband.addYears(legalMale), wife.addYears(legalFemale)) + 1
}

// weddingDay draws a day of marriage when both are of age, from after to before; mostly within eight years.
func (b *builder) weddingDay(husband, wife, after, before day) day {
	first := max(earliestWedding(husband, wife), after)
	span := min(before-first, 12*year)
	if span <= 0 {
		return first
	}
	return first + day(b.rng.unit()*(b.rng.unit()*0.6+0.4)*float64(span))
}

// widow lets the member's spouse have died.
func (b *builder) widow(of int32) {
	s := b.plan[of].spouse
	on := b.weddings[len(b.weddings)-1].on
	b.plan[s].death = b.dyingDay(max(on+60, b.latestChild(of)+60))
	b.plan[of].spouse, b.plan[s].spouse = None, None
	b.plan[of].marital, b.plan[s].marital = Widowed, Married
	w := &b.weddings[len(b.weddings)-1]
	w.end, w.ended = EndedByDeath, b.plan[s].death
}

// latestChild is the last birth among a member's children in the plan.
func (b *builder) latestChild(of int32) day {
	last := day(0)
	for i := range b.plan {
		if b.plan[i].father == of || b.plan[i].mother == of {
			last = max(last, b.plan[i].birth)
		}
	}
	return last
}

// dyingDay draws a day of death in the last fifteen years, not before after.
func (b *builder) dyingDay(after day) day {
	first := max(after, b.today-15*year)
	return min(first+day(b.rng.unit()*float64(max(b.today-5-first, 0))), b.today-1)
}

// bear adds up to count children of a couple that still live with it, and sends those who have left out into the
// world. It returns how many it added.
func (b *builder) bear(husband, wife int32, on day, count int, relation Relation) int {
	mother := b.plan[wife].birth
	next := on + 240 + day(b.rng.intn(500))
	last := min(b.today-3, mother+44*year)
	added := 0
	for range 6 {
		if next > last || added == count || len(b.plan) == maxPlan {
			break
		}
		sex := b.drawSex(next)
		child := heir{father: husband, mother: wife, birth: next, sex: sex}
		age := b.yearsOld(next)
		if age > 29 || (age > 22 && b.rng.chance(0.55)) {
			b.leavers = append(b.leavers, child)
		} else {
			m := single(sex, next)
			m.father, m.mother, m.relation = husband, wife, relation
			b.add(m)
			added++
		}
		next += 400 + day(b.rng.intn(4*365)*(1+b.rng.intn(2))/2)
	}
	return added
}

func (b *builder) drawSex(birth day) Sex {
	boys := 513
	if birth > 36524 { // since 2000
		boys = 527
	}
	if b.rng.intn(1000) < boys {
		return Male
	}
	return Female
}

// parents adds living of the member's parents (0 to 2) to the plan, the others as dead.
func (b *builder) parents(of int32, living int, father, mother Relation) {
	child := b.plan[of].birth
	fatherBirth := child - day(b.rng.between(22*365, 38*365))
	motherBirth := min(max(fatherBirth+day(b.rng.between(-365, 7*365)), child-42*year), child-20*year)
	if b.today-min(fatherBirth, motherBirth) > 98*year {
		living = 0
	}
	if b.today-min(fatherBirth, motherBirth) > 112*year {
		return // too old to be on record
	}
	f, m := single(Male, fatherBirth), single(Female, motherBirth)
	f.relation, m.relation = father, mother
	f.marital, m.marital = Married, Married
	fi := b.add(f)
	mi := b.add(m)
	b.plan[fi].spouse, b.plan[mi].spouse = mi, fi
	b.plan[of].father, b.plan[of].mother = fi, mi
	w := wedding{husband: fi, wife: mi, on: b.weddingDay(fatherBirth, motherBirth, 0, child-200)}
	b.weddings = append(b.weddings, w)
	if living == 2 {
		return
	}
	survivor := mi
	if b.rng.chance(0.25) {
		survivor = fi
	}
	b.widow(survivor)
	if living == 0 {
		b.plan[survivor].death = b.dyingDay(max(child, w.on) + 60)
		b.oneDied(fi, mi)
	}
}

// oneDied settles who of a dead couple was the widowed one.
func (b *builder) oneDied(husband, wife int32) {
	first, second := husband, wife
	if b.plan[husband].death > b.plan[wife].death {
		first, second = wife, husband
	}
	b.plan[first].marital, b.plan[second].marital = Married, Widowed
	w := &b.weddings[len(b.weddings)-1]
	w.end, w.ended = EndedByDeath, b.plan[first].death
}
