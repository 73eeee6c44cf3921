package member

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/binary"
	"fmt"
	"maps"
	"slices"

	"github.com/lienthong/lienthong/proto/peer"
)

// sum is a digest of a set: the sum of the digests of its members, in four lanes, so that members come and go without
// a look at the others. It names a set; it does not prove one.
type sum [4]uint64

func (s *sum) add(member string)    { s.put(member, false) }
func (s *sum) remove(member string) { s.put(member, true) }

func (s *sum) put(member string, away bool) {
	digest := sha256.Sum256([]byte(member))
	for i := range s {
		lane := binary.BigEndian.Uint64(digest[8*i:])
		if away {
			lane = -lane
		}
		s[i] += lane
	}
}

// builder makes a Directory of the one before it: what does not change is shared by both, what does is copied first.
type builder struct {
	d       *Directory
	entries map[string]bool // entries that are the builder's own
	systems map[string]bool // entries whose systems are
	lists   map[string]bool // entries whose officers are
	denying bool            // whether the denials are
	giving  bool            // whether the given authorities are
}

func newBuilder(before *Directory) *builder {
	b := &builder{d: new(Directory), entries: map[string]bool{}, systems: map[string]bool{}, lists: map[string]bool{}}
	if before != nil {
		*b.d = *before
	}
	b.d.agencies = maps.Clone(b.d.agencies)
	if b.d.agencies == nil {
		b.d.agencies = map[string]*entry{}
	}
	return b
}

// entry is the builder's own entry of an agency; nil if there is none.
func (b *builder) entry(code string) *entry {
	e := b.d.agencies[code]
	if e == nil || b.entries[code] {
		return e
	}
	own := *e
	b.d.agencies[code], b.entries[code] = &own, true
	return &own
}

func (b *builder) setAgency(a Agency) (err error) {
	if err := a.check(); err != nil {
		return err
	}
	e := b.entry(a.Code)
	if e == nil {
		e = &entry{systems: map[string]*System{}, officers: map[string]struct{}{}}
		b.d.agencies[a.Code] = e
		b.entries[a.Code], b.systems[a.Code], b.lists[a.Code] = true, true, true
	}
	e.Agency = a
	if e.opens, err = day(a.ValidFrom); err != nil {
		return err
	}
	if e.closes, err = day(a.ClosedFrom); err != nil {
		return err
	}
	e.form, err = caseForm(a.CaseForm)
	return err
}

func (b *builder) setSystem(s System) error {
	if err := s.check(); err != nil {
		return err
	}
	e := b.entry(s.ID.Agency)
	if e == nil {
		return fmt.Errorf("system %s: its agency is not known", s.ID)
	}
	if !b.systems[s.ID.Agency] {
		e.systems, b.systems[s.ID.Agency] = maps.Clone(e.systems), true
	}
	e.systems[s.ID.System] = &s
	return nil
}

func (b *builder) setOfficer(agency, account string, enabled bool) error {
	e := b.entry(agency)
	if e == nil {
		return fmt.Errorf("officer of %s: the agency is not known", agency)
	}
	if _, was := e.officers[account]; was == enabled {
		return nil
	}
	if !b.lists[agency] {
		e.officers, b.lists[agency] = maps.Clone(e.officers), true
	}
	if enabled {
		e.officers[account] = struct{}{}
		e.listed.add(account)
	} else {
		delete(e.officers, account)
		e.listed.remove(account)
	}
	return nil
}

// setDenial puts a denial in force, in the place of the one of the same thing.
func (b *builder) setDenial(d Denial) error {
	if err := d.check(); err != nil {
		return err
	}
	b.dropDenial(d)
	if d.Serial != "" {
		b.d.revoked[d.Serial] = d
	} else {
		b.d.barred[d.ID] = d
	}
	b.d.denied.add(d.text())
	return nil
}

// dropDenial ends the denial of a thing.
func (b *builder) dropDenial(d Denial) {
	if !b.denying {
		b.d.revoked, b.d.barred, b.denying = maps.Clone(b.d.revoked), maps.Clone(b.d.barred), true
		if b.d.revoked == nil {
			b.d.revoked, b.d.barred = map[string]Denial{}, map[peer.ID]Denial{}
		}
	}
	if was, ok := b.d.revoked[d.Serial]; ok {
		b.d.denied.remove(was.text())
		delete(b.d.revoked, d.Serial)
	}
	if was, ok := b.d.barred[d.ID]; ok && d.Serial == "" {
		b.d.denied.remove(was.text())
		delete(b.d.barred, d.ID)
	}
}

// text is all that a denial says to gateways.
func (d *Denial) text() string { return fmt.Sprintf("%q %d", d.what(), unixMilli(d.Before)) }

// build ends the building.
func (b *builder) build(revision int64) *Directory {
	d := b.d
	d.revision = revision
	for code := range b.entries {
		d.agencies[code].seal()
	}
	if b.giving || d.pools == nil {
		d.pools = poolsOf(d.given)
	}
	h := sha256.New()
	for _, code := range slices.Sorted(maps.Keys(d.agencies)) {
		h.Write(d.agencies[code].digest[:])
	}
	fmt.Fprintf(h, "denied %x\n", d.denied)
	for _, fingerprint := range slices.Sorted(maps.Keys(d.given)) {
		fmt.Fprintf(h, "given %s %q\n", fingerprint, d.given[fingerprint].Agencies)
	}
	d.version = short(h.Sum(nil))
	return d
}

// seal names the content of an entry.
func (e *entry) seal() {
	h := sha256.New()
	fmt.Fprintf(h, "agency %q\n", []string{e.Code, e.NameVI, e.NameEN, e.Province, e.ValidFrom, e.ClosedFrom, e.Successor, e.Assessed, string(e.Officers), e.CaseForm})
	fmt.Fprintf(h, "level %d officers %x\n", e.SafetyLevel, e.listed)
	for _, name := range slices.Sorted(maps.Keys(e.systems)) {
		s := e.systems[name]
		fmt.Fprintf(h, "system %q %d\n", []string{name, s.Title.VI, s.Title.EN, string(s.Status)}, s.Roles)
	}
	h.Sum(e.digest[:0])
}

// poolsOf sorts given authorities by the agencies that they vouch for.
func poolsOf(given map[string]GivenCA) map[string]*x509.CertPool {
	pools := map[string]*x509.CertPool{}
	for _, ca := range given {
		for _, code := range ca.Agencies {
			if pools[code] == nil {
				pools[code] = x509.NewCertPool()
			}
			pools[code].AddCert(ca.Certificate)
		}
	}
	return pools
}

// setGiven lets an authority vouch for its agencies, or for nobody any more.
func (b *builder) setGiven(ca GivenCA, trusted bool) {
	if !b.giving {
		b.d.given, b.giving = maps.Clone(b.d.given), true
		if b.d.given == nil {
			b.d.given = map[string]GivenCA{}
		}
	}
	if trusted {
		b.d.given[ca.Fingerprint] = ca
	} else {
		delete(b.d.given, ca.Fingerprint)
	}
}

// touched reports whether anything was changed.
func (b *builder) touched() bool { return len(b.entries) > 0 || b.denying || b.giving }
