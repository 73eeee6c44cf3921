package nation

import (
	"fmt"
	"sort"
)

// Errors are the rates, from 0 to 1, at which registries disagree with the person or hold nothing. The zero value
// makes registries that agree. See DefaultErrors for rates like the real ones.
type Errors struct {
	// YearOnly is the share of people whose birth date is known only to the year (some: to the month).
	YearOnly float64
	// YearOnlyOld is the same for those born before 1960.
	YearOnlyOld float64
	// SharedOldNumber is the share of holders of a 9-digit number whose number somebody of another province
	// holds too.
	SharedOldNumber float64

	// NotDigitised is the highest share, among old provinces, of civil-status entries before 2016 that are only
	// on paper; each province has its own share between 0 and this (see Nation.PaperShare).
	NotDigitised float64
	// CivilMismatch is the share of births whose entry has another name or birth date.
	CivilMismatch float64

	// InsuranceMismatch is the share of cards with another name or birth date.
	InsuranceMismatch float64
	// OldNumberInInsurance is the share of cards, among people with an old number, recorded under that only.
	OldNumberInInsurance float64
	// DuplicateInsurance is the share of working people with a second insurance number and card.
	DuplicateInsurance float64
	// OrphanCard is the share of cards, on top, whose person does not exist.
	OrphanCard float64

	// LandMismatch is the share of owner entries with another name or birth date.
	LandMismatch float64
	// OldNumberInLand is the share of owner entries, among people with an old number, recorded under that only.
	OldNumberInLand float64
	// LandGap is the share of communes of Tuyên Quang that have no land database.
	LandGap float64

	// ToneVariant is the share of records in each registry, among names that allow it and are not otherwise wrong,
	// that put the tone mark on the other vowel (Hoà for Hòa). Such names are equal to person.NameKey. About one
	// name in twenty allows it.
	ToneVariant float64
}

// DefaultErrors are rates near the published or modelled ones. Phone companies found 17 % mismatches; that rate is
// used for land books, which were never matched, and a lower one for insurance, which was.
func DefaultErrors() Errors {
	return Errors{
		YearOnly: 0.02, YearOnlyOld: 0.12, SharedOldNumber: 0.002,
		NotDigitised: 0.60, CivilMismatch: 0.01,
		InsuranceMismatch: 0.05, OldNumberInInsurance: 0.05, DuplicateInsurance: 0.005, OrphanCard: 0.0005,
		LandMismatch: 0.17, OldNumberInLand: 0.30, LandGap: 0.10,
		ToneVariant: 0.45, // 2 % of all records
	}
}

// check refuses rates that are not shares.
func (e Errors) check() error {
	for _, rate := range [...]float64{e.YearOnly, e.YearOnlyOld, e.SharedOldNumber, e.NotDigitised, e.CivilMismatch,
		e.InsuranceMismatch, e.OldNumberInInsurance, e.DuplicateInsurance, e.OrphanCard, e.LandMismatch, e.OldNumberInLand,
		e.LandGap, e.ToneVariant} {
		if !(rate >= 0 && rate <= 1) {
			return fmt.Errorf("error rate %v: give a share from 0 to 1", rate)
		}
	}
	return nil
}

// paperShare spreads the provinces between 0 and NotDigitised, always the same way.
func (e Errors) paperShare(oldProvince uint8) float64 {
	return float64(mix(uint64(oldProvince))%1000) / 999 * e.NotDigitised
}

// PaperShare is the declared share of civil-status entries before 2016 of an old province that are only on paper.
func (n *Nation) PaperShare(oldProvince uint8) float64 {
	return n.Config.Errors.paperShare(oldProvince)
}

// Registry names the registry in which a damage lies.
type Registry uint8

// The registries.
const (
	Population  Registry = 1
	CivilStatus Registry = 2
	InsuranceDB Registry = 3
	Land        Registry = 4
)

// DamageKind is what is wrong with a record.
type DamageKind uint8

// Kinds of damage. Record is the index of the damaged record: in People for YearOnly and SharedOldNumber, in Births,
// Marriages or Deaths (see the kind) for civil status, in Cards for insurance, in Owners or Parcels for land.
const (
	YearOnly             DamageKind = iota + 1 // People: birth date known to the year or month
	SharedOldNumber                            // People: somebody else holds the same 9-digit number
	BirthNotDigitised                          // Births: only on paper
	MarriageNotDigitised                       // Marriages: only on paper; Person is the husband
	DeathNotDigitised                          // Deaths: only on paper
	NameVariant                                // Births, Cards, Owners: middle name missing or replaced
	NameWrong                                  // Births, Cards, Owners: another given name
	BirthDateWrong                             // Births, Cards, Owners: another birth date
	ToneVariant                                // Births, Cards, Owners: tone mark on the other vowel; same name
	OldNumberOnly                              // Cards, Owners: 9-digit number instead of the 12-digit one
	DuplicateInsurance                         // Cards: a second card under a second insurance number
	OrphanCard                                 // Cards: no such person; Person is None
	LandNotDigitised                           // Parcels: commune without a land database; Person is the first owner
)

// Damage is one difference put in on purpose.
type Damage struct {
	Person   int32 // index, or None for an OrphanCard
	Record   int32 // index of the damaged record; see DamageKind
	Registry Registry
	Kind     DamageKind
}

// DamagesOf lists a person's damages.
func (n *Nation) DamagesOf(person int32) []Damage {
	known := n.Damages[:len(n.Damages)-n.ghosts()]
	from := sort.Search(len(known), func(i int) bool { return known[i].Person >= person })
	to := from
	for to < len(known) && known[to].Person == person {
		to++
	}
	return known[from:to:to]
}

// ghosts counts the damages of nobody, which come last.
func (n *Nation) ghosts() int {
	return len(n.Damages) - sort.Search(len(n.Damages), func(i int) bool { return n.Damages[i].Person == None })
}
