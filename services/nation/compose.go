package nation

// sizes are how often, in per mille, a household of 1 to 8 people is begun. Some turn out smaller (young couples) and
// divorces add ones, so that the outcome is near 10, 17, 21, 27, 13.5, 7, 3 and 1.5 percent.
var sizes = [...]int{65, 155, 195, 285, 148, 87, 41, 24}

// drawSize draws a household size, at most limit.
func (b *builder) drawSize(limit int) int {
	u := b.rng.intn(1000)
	for i, share := range sizes {
		if u -= share; u < 0 {
			return min(i+1, limit)
		}
	}
	return min(len(sizes), limit)
}

// compose plans a household of about size living people, never more than limit.
func (b *builder) compose(size, limit int) {
	switch {
	case size == 1:
		b.alone(limit)
	case size == 2:
		b.pair(limit)
	case size == 3 && b.rng.chance(0.15):
		b.oneParent(2, limit)
	case size >= 6 && b.rng.chance(0.3):
		b.threeGenerations(size)
	default:
		b.family(size)
	}
}

// alone is one person: elderly, divorced or young.
func (b *builder) alone(limit int) {
	u := b.rng.unit()
	switch {
	case u < 0.45:
		sex := Female
		if b.rng.chance(0.25) {
			sex = Male
		}
		head := b.head(single(sex, b.aged(60, 90)))
		if b.rng.chance(0.8) {
			spouse, on := b.marry(head)
			husband, wife := head, spouse
			if sex == Female {
				husband, wife = spouse, head
			}
			b.widow(head)
			b.leave(husband, wife, on)
		}
	case u < 0.75 && limit > 1:
		b.divorce(0)
	default:
		b.young(b.aged(20, 44))
	}
}

// young is a grown child on its own, or anybody of that age.
func (b *builder) young(birth day) int32 {
	if h := b.nextHeir(20, 45); h != nil {
		return b.heirHead(h)
	}
	return b.head(single(b.drawSex(birth), birth))
}

// pair is two people: a couple, a parent with a child, or siblings.
func (b *builder) pair(limit int) {
	u := b.rng.unit()
	switch {
	case u < 0.45:
		head := b.head(single(Male, b.aged(56, 86)))
		wife, on := b.marry(head)
		b.leave(head, wife, on)
	case u < 0.60:
		b.couple(23, 36)
	case u < 0.78:
		b.oneParent(1, limit)
	case u < 0.86:
		mother := b.head(single(Female, b.aged(24, 45)))
		child := single(Male, min(b.plan[mother].birth+day(b.rng.between(20*365, 38*365)), b.today-40))
		child.sex = b.drawSex(child.birth)
		child.mother, child.noFather, child.relation = mother, true, RelationChild
		b.add(child)
	default:
		elder := b.head(single(b.drawSex(0), b.aged(22, 50))) // the parents died in the last fifteen years: both knew them
		sibling := single(b.drawSex(0), b.plan[elder].birth+day(b.rng.between(500, 2000)))
		sibling.relation = RelationSibling
		b.parents(elder, 0, RelationFather, RelationMother)
		sibling.father, sibling.mother = b.plan[elder].father, b.plan[elder].mother
		b.add(sibling)
	}
}

// couple is a head and spouse of from to to years of age; the head may be a child of an earlier household.
func (b *builder) couple(from, to int) (husband, wife int32, on day) {
	var head int32
	h := b.nextHeir(from, to)
	switch {
	case h != nil:
		head = b.heirHead(h)
	case b.rng.chance(0.88):
		head = b.head(single(Male, b.aged(from, to)))
	default:
		head = b.head(single(Female, b.aged(from, to)))
	}
	spouse, on := b.marry(head)
	if b.plan[head].sex == Male {
		return head, spouse, on
	}
	return spouse, head, on
}

// family is a couple with children and perhaps the head's parents.
func (b *builder) family(size int) {
	elders := 0
	if size >= 5 && b.rng.chance(0.55) || size < 5 && b.rng.chance(0.12) {
		elders = 1 + b.rng.intn(min(size-2, 2))
	}
	youngest := 26
	if size-2-elders > 1 {
		youngest = 30
	}
	var husband, wife int32
	var on day
	if elders == 0 {
		husband, wife, on = b.couple(youngest, youngest+14+b.rng.intn(22))
	} else {
		husband = b.head(single(Male, b.aged(youngest, youngest+14+b.rng.intn(18))))
		wife, on = b.marry(husband)
	}
	b.bear(husband, wife, on, size-2-elders, RelationChild)
	head := int32(0)
	if b.plan[head].father != None {
		return
	}
	if elders > 0 || b.rng.chance(0.3) {
		b.parents(head, elders, RelationFather, RelationMother)
	}
}

// oneParent is a divorced or widowed person with children.
func (b *builder) oneParent(children, limit int) {
	if b.rng.chance(0.55) && limit > children+1 {
		b.divorce(children)
		return
	}
	head := b.head(single(Female, b.aged(32, 56)))
	husband, on := b.marry(head)
	b.bear(husband, head, on, children, RelationChild)
	b.widow(head)
}

// threeGenerations is a couple, their married son with his children, and perhaps a younger child.
func (b *builder) threeGenerations(size int) {
	head := b.head(single(Male, b.aged(50, 64)))
	wife, on := b.marry(head)
	first := max(on, b.plan[wife].birth+20*year) + 300 + day(b.rng.intn(900))
	son := single(Male, first)
	son.father, son.mother, son.relation = head, wife, RelationChild
	if b.yearsOld(first) < 24 {
		b.add(son)
		return
	}
	si := b.add(son)
	bride, wed := b.marry(si)
	b.bear(si, bride, wed, size-4, RelationGrandchild)
	if b.rng.chance(0.3) && len(b.plan) < size {
		sister := single(Female, first+day(b.rng.between(500, 2500)))
		sister.father, sister.mother, sister.relation = head, wife, RelationChild
		if sister.birth < b.plan[wife].birth+46*year {
			b.add(sister)
		}
	}
}

// divorce plans a divorced person with children, after writing the other one's household: that one lives alone or
// has married again.
func (b *builder) divorce(children int) {
	hers := single(Female, b.aged(29, 56))
	his := single(Male, hers.birth-day(b.rng.between(-365, 6*365)))
	on := b.weddingDay(his.birth, hers.birth, 0, b.today-4*year)
	ended := on + year + day(b.rng.unit()*float64(max(b.today-30-on-year, 1)))
	keeper, other := hers, his
	if b.rng.chance(0.2) {
		keeper, other = his, hers
	}
	keeper.marital, other.marital = Divorced, Divorced
	ex := b.formerSpouse(other, ended, children)

	head := b.head(keeper)
	husband, wife := outside(ex), head
	if keeper.sex == Male {
		husband, wife = head, outside(ex)
	}
	b.weddings = append(b.weddings, wedding{husband: husband, wife: wife, on: on, ended: ended, end: EndedByDivorce})
	next := on + 250 + day(b.rng.intn(300))
	for range children {
		if next >= ended || next > b.today-3 || b.yearsOld(next) > 27 {
			break
		}
		child := single(b.drawSex(next), next)
		child.father, child.mother, child.relation = husband, wife, RelationChild
		b.add(child)
		next += 500 + day(b.rng.intn(900))
	}
}

// formerSpouse writes the household of a divorced person and returns who it is.
func (b *builder) formerSpouse(other member, ended day, children int) int32 {
	first := int32(len(b.out.People))
	head := b.head(other)
	if b.left > children+2 && b.rng.chance(0.25) && b.today-ended > 2*year {
		b.marry(head)
		w := &b.weddings[len(b.weddings)-1]
		w.on = b.weddingDay(b.plan[w.husband].birth, b.plan[w.wife].birth, ended+200, b.today-30)
	}
	b.commit()
	return first
}

// head puts the head into the plan, who must come first.
func (b *builder) head(m member) int32 {
	m.relation = RelationHead
	return b.add(m)
}

// heirHead makes a grown child of an earlier household head of this one, at that child's province of birth or away.
func (b *builder) heirHead(h *heir) int32 {
	m := single(h.sex, h.birth)
	m.heir, m.father, m.mother = h, outside(h.father), outside(h.mother)
	return b.head(m)
}

// nextHeir takes a waiting grown child of from to to years, or nil.
func (b *builder) nextHeir(from, to int) *heir {
	for i, h := range b.heirs {
		if age := b.yearsOld(h.birth); age >= from && age <= to {
			b.heirs = append(b.heirs[:i], b.heirs[i+1:]...)
			b.taken = h
			return &b.taken
		}
	}
	return nil
}

// leave lets an elderly couple have one to three grown children that live elsewhere.
func (b *builder) leave(husband, wife int32, on day) {
	next := on + 300 + day(b.rng.intn(900))
	for range 1 + b.rng.intn(3) {
		if b.yearsOld(next) < 22 || next > b.plan[wife].birth+44*year {
			return
		}
		b.leavers = append(b.leavers, heir{father: husband, mother: wife, birth: next, sex: b.drawSex(next)})
		next += 450 + day(b.rng.intn(5*365))
	}
}

// show plans a household that every nation has, however small: a couple with a child under six.
func (b *builder) show() {
	husband := b.head(single(Male, b.aged(31, 34)))
	wife, _ := b.marry(husband)
	b.weddings[0].on = earliestWedding(b.plan[husband].birth, b.plan[wife].birth)
	birth := b.today - day(b.rng.between(400, 4*365))
	child := single(b.drawSex(birth), birth)
	child.father, child.mother, child.relation = husband, wife, RelationChild
	b.add(child)
}
