package nation

import "strconv"

// String is the occupation in Vietnamese.
func (w Work) String() string {
	names := [...]string{"", "Học sinh", "Sinh viên", "Nông dân", "Lao động tự do", "Người lao động doanh nghiệp",
		"Cán bộ, công chức, viên chức", "Quân nhân", "Công an", "Hưu trí", "Người cao tuổi", "Thất nghiệp"}
	return names[int(w)%len(names)]
}

// employed says whether there is an employer.
func (w Work) employed() bool { return w >= WorkEnterprise && w <= WorkPolice }

// Name is the employer's name, illustrative.
func (e *Employer) Name() string {
	p, _ := FindProvince(GSO2025, e.Province)
	serial := strconv.Itoa(int(e.serial))
	switch e.Kind {
	case WorkState:
		return offices[int(e.name)%len(offices)] + " " + p.Name + " " + serial
	case WorkArmy:
		return "Đơn vị quân đội " + p.Name + " " + serial
	case WorkPolice:
		return "Đơn vị công an " + p.Name + " " + serial
	}
	return "Công ty TNHH Minh họa " + trades[int(e.name)%len(trades)] + " " + p.Name + " " + serial
}

var offices = [...]string{"Trường học", "Trung tâm Y tế", "Ủy ban nhân dân", "Sở chuyên môn", "Bệnh viện"}

var trades = [...]string{"May mặc", "Điện tử", "Thực phẩm", "Xây dựng", "Vận tải", "Thủy sản", "Gỗ", "Cơ khí", "Thương mại", "Du lịch"}

// drawWork draws what a living person lives on, by age and place.
func (b *builder) drawWork(m *member) Work {
	age, r := b.yearsOld(m.birth), &b.rng
	retire := 61
	if m.sex == Female {
		retire = 57
	}
	u := r.unit()
	switch {
	case age < 6:
		return WorkNone
	case age < 18:
		return WorkPupil
	case age < 22 && u < 0.45:
		return WorkStudent
	case age >= retire && u < 0.35:
		return WorkRetired
	case age >= retire && (age > 70 || u < 0.6):
		return WorkAged
	}
	table := &ruralWork
	if b.home.commune.Urban {
		table = &urbanWork
	}
	pick := r.intn(1000)
	for _, w := range table {
		if pick -= w.weight; pick < 0 {
			return w.work
		}
	}
	return WorkFree
}

// workShare is the share in per mille of an occupation among those of working age.
type workShare struct {
	work   Work
	weight int
}

var (
	urbanWork = [...]workShare{{WorkEnterprise, 420}, {WorkState, 100}, {WorkArmy, 14}, {WorkPolice, 12}, {WorkJobless, 20},
		{WorkFarm, 40}, {WorkFree, 394}}
	ruralWork = [...]workShare{{WorkEnterprise, 260}, {WorkState, 60}, {WorkArmy, 10}, {WorkPolice, 6}, {WorkJobless, 12},
		{WorkFarm, 420}, {WorkFree, 232}}
)

// employerKey groups employers that the same people may work for.
type employerKey struct {
	province uint8
	kind     Work
}

// employ gives a working person an employer in the province.
func (b *builder) employ(p *Person) {
	if p.Work.employed() {
		p.Employer = b.drawEmployer(p.Work)
	}
}

func (b *builder) drawEmployer(kind Work) int32 {
	s := b.employed[employerKey{b.home.commune.Province, kind}]
	return b.rng.between(s.from, s.to-1)
}

// newEmployers makes the employers of a nation: in each province some of each kind.
func newEmployers(population int, r *rng) ([]Employer, map[employerKey]span) {
	var all []Employer
	spans := make(map[employerKey]span)
	everywhere := 0
	for _, p := range newProvinces {
		everywhere += p.Weight
	}
	for _, p := range newProvinces {
		here := float64(population) * float64(p.Weight) / float64(everywhere)
		for _, k := range [...]struct {
			kind Work
			per  float64 // people of all ages for each employer
		}{{WorkEnterprise, 110}, {WorkState, 400}, {WorkArmy, 4000}, {WorkPolice, 4000}} {
			from := int32(len(all))
			for i := range 1 + min(int(here/k.per), 65000) {
				all = append(all, Employer{Tax: taxCode(p.Code, len(all)), Kind: k.kind, Province: p.Code,
					name: uint16(r.intn(1 << 16)), serial: uint16(i + 1)})
			}
			spans[employerKey{p.Code, k.kind}] = span{from, int32(len(all))}
		}
	}
	return all, spans
}

// taxCode is the serial-th enterprise code of a province, with its check digit. Serials without a check digit below
// ten are not issued; each serial has ten candidates, and two that are not issued never follow each other.
func taxCode(province uint8, serial int) TaxCode {
	for last := range 10 {
		nine := int(province)*10_000_000 + serial*10%10_000_000 + last
		if check, ok := checkDigit(nine); ok {
			return TaxCode(nine*10 + check)
		}
	}
	return 0
}

// checkDigit is the tenth digit for nine digits; some have none. Source: domain rule of the tax code.
func checkDigit(nine int) (int, bool) {
	weights := [...]int{3, 5, 7, 13, 17, 19, 23, 29, 31} // from the last digit to the first
	sum := 0
	for _, w := range weights {
		sum += nine % 10 * w
		nine /= 10
	}
	d := 10 - sum%11
	return d, d < 10
}
