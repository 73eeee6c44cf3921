package ledgertest

import "crypto/sha256"

// route is what one consumer asks of one provider under one agreement.
type route struct {
	provider, service, agreement, jurisdiction string
	methods                                    []method
}

// method is asked weight times as often as one of weight 1.
type method struct {
	name, released string
	weight         int
	people         int // how many data subjects a call has at most
	write          bool
	us             float64 // median time
}

// desk is a system of a consumer with its officers.
type desk struct {
	agency, system, certificate, face string
	weight, officers                  int
	calls                             int // of one case
	purposes                          []purpose
	routes                            []route
}

type purpose struct{ code, basis string }

const (
	population  = "registry.population.v1.PopulationService"
	civilStatus = "registry.civilstatus.v1.CivilStatusService"
	insurance   = "registry.insurance.v1.InsuranceService"
	land        = "registry.land.v1.LandService"
)

var (
	person   = "person.birth_date,person.name,person.permanent_residence,person.personal_id,person.sex"
	batch    = "items.fault,items.fault_field,items.matched,items.personal_id,items.result,matched"
	parcels  = []method{{"GetParcel", "certificate_serial,parcel", 4, 0, false, 2100}, {"GetCertificate", "certificate.book_number,certificate.issued_on,certificate.notes,certificate.owners.full_name,certificate.owners.personal_id,certificate.parcels.assets,certificate.parcels.parcel,certificate.serial", 3, 3, false, 3400}, {"ListHoldings", "holdings.certificate_serial,holdings.parcel.address,holdings.parcel.area_tenth_m2,holdings.result,missing_communes,next_page_token", 1, 1, false, 9000}, {"CheckEncumbrance", "encumbered,encumbrances", 2, 0, false, 1900}}
	desks    = sandbox()
	contract = func(service string) []byte { sum := sha256.Sum256([]byte(service)); return sum[:] }
)

// sandbox is who asks whom in deploy/lienthong/sandbox.
func sandbox() []desk {
	return []desk{oneStop(), clinic(), portal(), claims(), civilStatusDesk()}
}

func oneStop() desk {
	return desk{agency: "H27", system: "one-stop", certificate: "5b1a90c2e4d811aa", face: "grpc", weight: 45, officers: 420, calls: 5,
		purposes: []purpose{
			{"HT-KS", "Luật Hộ tịch 60/2014/QH13, Điều 16; NĐ 63/2024/NĐ-CP"},
			{"CT-TT", "Luật Cư trú 68/2020/QH14, Điều 21; NQ 66.7/2025/NQ-CP"},
			{"DD-BD", "Luật Đất đai 31/2024/QH15, Điều 133; NĐ 101/2024/NĐ-CP"},
			{"HT-KH", "Luật Hộ tịch 60/2014/QH13, Điều 18; NQ 66.7/2025/NQ-CP"},
			{"HT-KT", "Luật Hộ tịch 60/2014/QH13, Điều 34; NĐ 63/2024/NĐ-CP"}},
		routes: []route{
			{"G01", population, "H27-G01-population", "vn", []method{
				{"VerifyIdentity", "matched", 10, 1, false, 1500},
				{"GetResidence", "current,permanent,permanent_since,temporary,temporary_until", 6, 1, false, 1800},
				{"ConfirmResidence", "confirmed", 3, 1, false, 1700},
				{"ConfirmHousehold", "members.member,members.personal_id,members.relation_matches,members.result", 2, 5, false, 2600}}},
			{"G01", population, "H27-G01-household", "vn", []method{
				{"GetHousehold", "address,members.full_name,members.personal_id,members.relation,residence_file_number", 3, 6, false, 2900}}},
			{"G15", civilStatus, "H27-G15-civilstatus", "vn", []method{
				{"GetBirth", "record.birth_date,record.father.name,record.father.personal_id,record.head.number,record.mother.name,record.mother.personal_id,record.name,record.personal_id,record.sex", 4, 3, false, 2200},
				{"GetMarriage", "record.ended_on,record.head.number,record.husband.name,record.husband.personal_id,record.state,record.wife.name,record.wife.personal_id", 2, 2, false, 2300},
				{"ConfirmMaritalStatus", "free_to_marry,issued_on,person.name,person.personal_id,since,status,valid_until", 1, 1, false, 2500}}},
			{"G15", civilStatus, "H27-G15-registration", "vn", []method{
				{"RegisterBirth", "record.birth_date,record.head,record.name,record.personal_id,record.sex", 1, 3, true, 14000}}},
			{"H27", land, "H27-H27-land", "42", parcels},
			{"G13", land, "H27-G13-land", "vn", parcels}}}
}

func clinic() desk {
	return desk{agency: "H27.07", system: "clinic", certificate: "0af319777c02be61", face: "rest", weight: 25, officers: 160, calls: 2,
		purposes: []purpose{{"KCB-TD", "Luật Bảo hiểm y tế 25/2008/QH12, Điều 28; NĐ 188/2025/NĐ-CP"}},
		routes: []route{
			{"G24", insurance, "H27.07-G24-insurance", "vn", []method{
				{"CheckCoverage", "benefit_level,card_number,code,covered,meaning_en,meaning_vi,share_percent,valid_from,valid_to", 10, 1, false, 1400}}},
			{"G01", population, "H27.07-G01-population", "vn", []method{{"VerifyIdentity", "matched", 5, 1, false, 1500}}},
			{"G15", civilStatus, "H27.07-G15-civilstatus", "vn", []method{{"GetBirth", "record.birth_date,record.name,record.personal_id", 1, 1, false, 2200}}}}}
}

func portal() desk {
	return desk{agency: "G22", system: "dvc-portal", certificate: "7d40e0a3b5519c0d", face: "grpc", weight: 18, officers: 1, calls: 3,
		purposes: []purpose{{"DVC-XT", "Luật Căn cước 26/2023/QH15, Điều 10; NĐ 69/2024/NĐ-CP"},
			{"DVC-TK", "NQ 66.7/2025/NQ-CP; Luật Giao dịch điện tử 20/2023/QH15"}, {"DVC-LT", "NĐ 63/2024/NĐ-CP"}},
		routes: []route{
			{"G01", population, "G22-G01-population", "vn", []method{
				{"VerifyIdentity", "matched", 12, 1, false, 1500}, {"GetPerson", person, 6, 1, false, 1900},
				{"ResolveIdentifier", "personal_id", 2, 1, false, 1600}, {"BatchVerify", batch, 1, 20, false, 8000}}},
			{"G24", insurance, "G22-G24-insurance", "vn", []method{
				{"IssueCard", "card.card_number,card.name,card.personal_id,card.state,card.valid_from,card.valid_to", 1, 1, true, 12000}}}}}
}

func claims() desk {
	return desk{agency: "G24", system: "claims", certificate: "3c9926d1a07f4e58", face: "xroad", weight: 9, officers: 240, calls: 4,
		purposes: []purpose{{"BHXH-CD", "Luật Bảo hiểm xã hội 41/2024/QH15; NQ 66.7/2025/NQ-CP"},
			{"BHXH-DS", "Luật Bảo hiểm xã hội 41/2024/QH15; Luật Căn cước 26/2023/QH15, Điều 10"}},
		routes: []route{
			{"G01", population, "G24-G01-population", "vn", []method{
				{"GetPerson", person + ",person.death_date", 5, 1, false, 1900}, {"BatchVerify", batch, 2, 40, false, 12000}}},
			{"G15", civilStatus, "G24-G15-civilstatus", "vn", []method{{"GetDeath", "record.deceased.name,record.deceased.personal_id,record.died_on,record.head.number", 1, 1, false, 2200}}},
			{"G24", insurance, "G24-G24-insurance", "vn", []method{{"ListContributions", "contributions,insurance_number,next_page_token,personal_id,total_months", 3, 1, false, 6000}}}}}
}

func civilStatusDesk() desk {
	return desk{agency: "G15", system: "civil-status", certificate: "19ee5f08d3b7c244", face: "grpc", weight: 3, officers: 90, calls: 2,
		purposes: []purpose{{"HT-KS", "Luật Hộ tịch 60/2014/QH13, Điều 16; Luật Căn cước 26/2023/QH15, Điều 12"},
			{"HT-KT", "Luật Hộ tịch 60/2014/QH13, Điều 34; Luật Căn cước 26/2023/QH15"}},
		routes: []route{{"G01", population, "G15-G01-population", "vn", []method{
			{"IssueNumber", "issued_at,personal_id", 3, 1, true, 11000}, {"CancelNumber", "cancelled_at,personal_id", 1, 1, true, 11000},
			{"GetPerson", person + ",person.hometown,person.nationality", 4, 1, false, 1900}}}}}
}

// failure is how an exchange ends that is not answered.
type failure struct {
	reason  string
	outcome int32
	weight  int
}

var failures = []failure{
	{"PURPOSE_NOT_AGREED", 2, 10}, {"CASE_REQUIRED", 2, 14}, {"FIELDS_NOT_AGREED", 2, 12}, {"METHOD_NOT_AGREED", 2, 6},
	{"ID_MALFORMED", 2, 20}, {"OFFICER_REQUIRED", 2, 3}, {"NO_AGREEMENT", 2, 2}, {"AGREEMENT_EXPIRED", 2, 1},
	{"REGISTRY_OFFLINE", 3, 6}, {"REGISTRY_FAILED", 3, 3}, {"OVERLOADED", 3, 1}, {"INTERNAL", 3, 1},
	{"DEADLINE_EXCEEDED", 4, 8}, {"CANCELLED", 5, 5},
}
