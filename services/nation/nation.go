// Package nation makes a synthetic population, from one seed, with the records that four registries hold about it.
//
// Nobody in it exists. Province codes and names are real; communes, clinics, streets and employers are
// illustrative (see Communes). What belongs elsewhere: how a registry stores or serves these records.
//
// Invariants:
//   - The same Config gives the same data, byte for byte, whatever the machine or the number of CPUs.
//   - Numbers (12 digits) are unique over the living and the dead.
//   - Every living person is in exactly one household; spouses point at each other; parents are at least 15
//     years older than their children.
//   - A registry's record differs from the person only where Damages says so.
//
// Records refer to people by their index in Nation.People (int32, None when there is nobody). All dates are
// compact (see Date), names and places are codes with methods that spell them out.
package nation

import "context"

// None is the index that refers to nobody and nothing.
const None int32 = -1

// Config says which nation to make. The same Config always makes the same nation.
type Config struct {
	// Population is the number of living people; 0 means 100,000. The dead come on top (about one in ten).
	Population int
	// Seed selects one of the possible nations.
	Seed int64
	// AsOf is the day on which the nation is as described; the zero value means 2026-11-01. It is fixed, and
	// not today, so that data stay the same from run to run.
	AsOf Date
	// Errors are the rates at which registries disagree. The zero value means that they never do.
	Errors Errors
	// Progress, if set, is called now and then, one call at a time, with the number of people made so far.
	Progress func(done, total int)
}

// Nation is a population and its records. It is read-only once made and safe for concurrent use.
type Nation struct {
	// Config is what the nation was made from, with defaults filled in.
	Config Config

	// People are the living and the dead, household by household (see Household).
	People []Person
	// Births holds the civil-status record of birth of each person, at the person's own index.
	Births []Birth
	// Households hold the people who live together and their dead.
	Households []Household
	// Stays are temporary residences away from the household.
	Stays []Stay

	// Marriages are current and ended marriages.
	Marriages []Marriage
	// Deaths are the records of death, one for each dead person.
	Deaths []Death

	// Employers are illustrative enterprises and offices.
	Employers []Employer
	// Cards are health insurance cards, in the order of people.
	Cards []Card
	// Contributions are periods of social insurance, in the order of people.
	Contributions []Contribution

	// Parcels are plots of land, in the order of certificates.
	Parcels []Parcel
	// Certificates are land-use right certificates.
	Certificates []Certificate
	// Owners are the names on certificates (see Certificate.FirstOwner).
	Owners []Owner
	// Mortgages are current and removed mortgages of parcels.
	Mortgages []Mortgage
	// Restrictions are seizures, disputes and planning restrictions of parcels.
	Restrictions []Restriction
	// LandGaps are the GSO-2025 codes of communes that have no land database yet, in ascending order. Their
	// parcels are in Parcels (with Missing set) but no land registry may hold them.
	LandGaps []uint32

	// Damages lists every difference that was put in on purpose, in the order of people, orphan cards last.
	Damages []Damage
}

// Generate makes the nation of this Config. It fails with an error that says what to change if the Config is
// not usable, or with ctx's error when cancelled.
func Generate(ctx context.Context, cfg Config) (*Nation, error) {
	return generate(ctx, cfg)
}

// Sex has the same codes as hub.v1.Sex, so hubv1.Sex(p.Sex) converts.
type Sex uint8

// The sexes that the generator uses.
const (
	Male   Sex = 1
	Female Sex = 2
)

// Marital is the marital status code of the population database.
type Marital uint8

// Marital status codes.
const (
	NeverMarried Marital = 1
	Married      Marital = 2
	Divorced     Marital = 3
	Widowed      Marital = 4
)

// Relation is a person's relation to the head of the household.
type Relation uint8

// Relations to the head, in the order of the shared catalogue.
const (
	RelationHead       Relation = 1 // Chủ hộ
	RelationWife       Relation = 2 // Vợ
	RelationHusband    Relation = 3 // Chồng
	RelationChild      Relation = 4 // Con
	RelationFather     Relation = 5 // Cha
	RelationMother     Relation = 6 // Mẹ
	RelationSibling    Relation = 7 // Anh/chị/em
	RelationGrandchild Relation = 8 // Cháu
	RelationOther      Relation = 9 // Khác
)

// Person is one entry of the population database.
type Person struct {
	Number    Number    // 12-digit personal number
	Insurance Insurance // 10-digit social insurance number; 0 if none
	Name      Name      // name at birth, as the population database has it
	Birth     Date      // full date, or year and month, or year only (see Damages)
	OldNumber OldNumber // 9-digit number (CMND); 0 if never issued
	Issued    Date      // issue of the current identity card; 0 if none
	Phone     Phone     // mobile number; 0 if none

	BirthPlace Place // where born and where the birth was registered, in the code system of that day
	Hometown   Place // quê quán; only Province and Commune are set

	Father, Mother int32 // index, or None (then see Nation.ParentNames)
	Spouse         int32 // index of the current spouse, or None
	Household      int32 // index of the household lived in, or of the last one if dead
	Death          int32 // index into Deaths, or None if living
	Card           int32 // index of the first card in Cards, or None
	Employer       int32 // index of the current employer, or None
	Stay           int32 // index into Stays, or None

	Sex      Sex
	Marital  Marital
	Relation Relation
	Ethnic   uint8 // 1–54, GSO order; see EthnicName
	Religion Religion
	Blood    Blood
	Work     Work
	Decoy    bool // nobody has a lawful reason to ask about this person: a question about it is an alarm
}

// Living says whether the person is alive on the nation's day.
func (p *Person) Living() bool { return p.Death == None }

// Nationality is the ISO 3166 code of the person's nationality: everyone with a number is Vietnamese.
func (p *Person) Nationality() string { return "VN" }

// Household is a group of people who live at one address. Its living people are
// People[First : First+Living], head first, followed by its dead, People[First+Living : First+Living+Dead].
type Household struct {
	First    int32 // index of the head, who is alive
	Living   uint8 // number of living people, at least 1
	Dead     uint8 // number of dead people who belonged to it
	File     uint32
	Since    Date  // when the household was registered here
	Place    Place // permanent residence, GSO-2025 codes
	OldPlace Place // the same address in GSO-2004 codes; zero if registered since 1 July 2025
}

// FileNumber is the police's residence file number, 12 characters: old province code, "HK", serial.
func (h *Household) FileNumber() string {
	return pad(uint64(h.Place.OldProvince()), 2) + "HK" + pad(uint64(h.File), 8)
}

// Stay is a temporary residence: the person lives at Place while registered in the household.
type Stay struct {
	Person int32
	Place  Place
	From   Date
	Until  Date
}

// Members are the indices [from, to) of the people living in a household.
func (n *Nation) Members(household int32) (from, to int32) {
	h := &n.Households[household]
	return h.First, h.First + int32(h.Living)
}

// Residence is where the person is registered permanently (for the dead: was registered last).
func (n *Nation) Residence(person int32) Place {
	return n.Households[n.People[person].Household].Place
}

// CurrentResidence is where the person lives now: the temporary residence if there is one.
func (n *Nation) CurrentResidence(person int32) Place {
	if s := n.People[person].Stay; s != None {
		return n.Stays[s].Place
	}
	return n.Residence(person)
}

// ParentNames are the names of a person's parents: the parents' own if they are in the nation, made-up ones (always
// the same) if they are not. The father's is the zero Name if the birth entry names none.
func (n *Nation) ParentNames(person int32) (father, mother Name) {
	p := &n.People[person]
	r := newRNG(n.Config.Seed, 1<<42+uint64(person))
	l, born := lexicon(), p.Birth.Year()-28
	switch {
	case p.Father != None:
		father = n.People[p.Father].Name
	case !n.Births[person].NoFather:
		father = l.drawName(&r, p.Name.family, Male, p.Ethnic, born)
	}
	if p.Mother != None {
		return father, n.People[p.Mother].Name
	}
	return father, l.drawName(&r, l.drawFamily(&r, p.Ethnic, p.Hometown.Province), Female, p.Ethnic, born)
}
