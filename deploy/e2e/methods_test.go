package e2e_test

import (
	"encoding/json"
	"regexp"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Services, as query takes them after "registry.".
const (
	populationService  = "population.v1.PopulationService/"
	civilStatusService = "civilstatus.v1.CivilStatusService/"
	insuranceService   = "insurance.v1.InsuranceService/"
	landService        = "land.v1.LandService/"
)

func TestEveryMethodOfThePopulationRegistryIsAnswered(t *testing.T) {
	h := sandbox.get(t)
	p := h.sample(t, "married", "1")[0]
	ask := func(as, purpose, method string, fields ...string) answer {
		return h.query(t, as, purpose, populationService+method, fields...)
	}
	require.Equal(t, true, ask("G22/dvc-portal", "DVC-XT", "VerifyIdentity", p.fields("")...).Answer["matched"])
	batch := ask("G22/dvc-portal", "DVC-XT", "BatchVerify", append(p.fields("people.0."),
		"people.1.personal_id="+p.PersonalID, "people.1.full_name=Nguyễn Văn Khác", "people.1.birth_date=1990")...)
	require.Equal(t, true, at[bool](batch.Answer, "items", 0, "matched"))
	require.False(t, at[bool](batch.Answer, "items", 1, "matched"))
	require.Equal(t, "FOUND", ask("G22/dvc-portal", "DVC-TK", "GetPerson", p.fields("")...).code())
	lives := ask("H27/one-stop", "CT-TT", "GetResidence", "personal_id="+p.PersonalID)
	require.Equal(t, "FOUND", lives.code())
	require.Equal(t, true, ask("H27/one-stop", "CT-TT", "ConfirmResidence", append(p.fields(""),
		"kind=RESIDENCE_KIND_PERMANENT",
		"code_system="+at[string](lives.Answer, "permanent", "code_system"),
		"province_code="+at[string](lives.Answer, "permanent", "province_code"),
		"commune_code="+at[string](lives.Answer, "permanent", "commune_code"))...).Answer["confirmed"])
	home := ask("H27/one-stop", "CT-TT", "GetHousehold", p.fields("")...)
	require.Equal(t, "FOUND", home.code())
	head, member := headAndMember(home)
	confirmed := ask("H27/one-stop", "CT-TT", "ConfirmHousehold", "head_personal_id="+head,
		"members.0.personal_id="+at[string](member, "personal_id"), "members.0.relation="+at[string](member, "relation"))
	require.True(t, at[bool](confirmed.Answer, "members", 0, "member"))
	resolved := ask("G22/dvc-portal", "DVC-XT", "ResolveIdentifier", "old_id="+p.OldID, "full_name="+p.FullName, "birth_date="+p.BirthDate)
	require.Equal(t, p.PersonalID, resolved.Answer["personal_id"])
}

// headAndMember picks the head of a household, and another member.
func headAndMember(home answer) (head string, member map[string]any) {
	for _, m := range at[[]any](home.Answer, "members") {
		if at[string](m, "relation") == "RELATION_HEAD" {
			head = at[string](m, "personal_id")
		} else {
			member, _ = m.(map[string]any)
		}
	}
	return head, member
}

func TestEveryQuestionToCivilStatusIsAnswered(t *testing.T) {
	h := sandbox.get(t)
	p, dead := h.sample(t, "married", "1")[0], h.sample(t, "deceased", "1")[0]
	ask := func(method string, fields ...string) answer {
		return h.query(t, "H27/one-stop", "HT-KH", civilStatusService+method, fields...)
	}
	require.Equal(t, "FOUND", ask("GetBirth", p.fields("")...).code())
	marriage := ask("GetMarriage", p.fields("")...)
	require.Equal(t, p.PersonalID, at[string](marriage.Answer, "record", "husband", "personal_id"))
	require.Equal(t, "FOUND", ask("GetDeath", dead.fields("")...).code())
	require.Equal(t, "MARITAL_STATUS_MARRIED",
		ask("ConfirmMaritalStatus", append(p.fields(""), "purpose=MARITAL_PURPOSE_MARRY_AT_COMMUNE")...).Answer["status"])
}

func TestEveryQuestionToInsuranceIsAnswered(t *testing.T) {
	h := sandbox.get(t)
	child, worker := h.sample(t, "child-under-6", "1")[0], h.sample(t, "employed", "1")[0]
	covered := h.query(t, "H27.07/clinic", "KCB-TD", insuranceService+"CheckCoverage",
		append(child.fields(""), "facility_code=42010", "date="+time.Now().Format(time.DateOnly))...)
	require.Equal(t, "FOUND", covered.code())
	card := h.query(t, "G24/claims", "BHXH-CD", insuranceService+"GetCard", worker.fields("")...)
	require.Equal(t, worker.PersonalID, at[string](card.Answer, "card", "personal_id"))
	paid := h.query(t, "G24/claims", "BHXH-CD", insuranceService+"ListContributions", append(worker.fields(""), "page_size=1")...)
	require.Len(t, paid.Answer["contributions"], 1)
}

// deed finds a parcel in the note of somebody who owns land.
var deed = regexp.MustCompile(`giấy chứng nhận (\S+ \S+), thửa (\d+) tờ (\d+), xã (\d+), tỉnh (\d+)`)

func TestEveryQuestionToEachLandBookIsAnswered(t *testing.T) {
	h := sandbox.get(t)
	books := map[string]bool{}
	for _, owner := range h.sample(t, "with-land", "2000") {
		m := deed.FindStringSubmatch(owner.Note)
		require.NotNil(t, m, owner.Note)
		book := m[5]
		if book != "42" && book != "08" {
			book = "vn"
		}
		if books[book] || owner.OldID == "" {
			continue
		}
		books[book] = true
		ask := func(method string, fields ...string) answer {
			return h.query(t, "H27/one-stop", "DD-BD", landService+method, append(fields, "province_code="+m[5])...)
		}
		plot := []string{"commune_code=" + m[4], "map_sheet=" + m[3], "parcel_number=" + m[2]}
		require.Equal(t, m[1], at[string](ask("GetParcel", plot...).Answer, "certificate_serial"))
		require.Equal(t, m[1], at[string](ask("GetCertificate", "certificate_serial="+m[1], "commune_code="+m[4]).Answer, "certificate", "serial"))
		require.NotEmpty(t, ask("ListHoldings", "personal_id="+owner.PersonalID, "full_name="+owner.FullName, "old_id="+owner.OldID).code())
		require.Equal(t, "FOUND", ask("CheckEncumbrance", append(plot, "certificate_serial="+m[1])...).code())
	}
	require.Equal(t, map[string]bool{"42": true, "08": true, "vn": true}, books)
}

// newborn is the request for a number for a new child of the first family that has one already.
func newborn(t *testing.T, h *hub, given string) []string {
	t.Helper()
	mother, father := parents(t, h)
	return []string{
		"request_id=e2e-newborn-" + given, "province_code=42", "name.family=Lê", "name.middle=Minh", "name.given=" + given, "name.full=Lê Minh " + given, "sex=SEX_MALE",
		"birth_date=" + time.Now().AddDate(0, 0, -10).Format(time.DateOnly),
		"mother_personal_id=" + mother.PersonalID, "father_personal_id=" + father.PersonalID,
		"commune_code=14983", "ethnic_group_code=01",
	}
}

// parents are the first married couple: the one whose child the sample shows first.
func parents(t *testing.T, h *hub) (mother, father person) {
	t.Helper()
	couple := h.sample(t, "married", "2")
	return couple[1], couple[0]
}

func TestABirthIsRegisteredFromNumberToCard(t *testing.T) {
	h := sandbox.get(t)
	mother, father := parents(t, h)
	born := time.Now().AddDate(0, 0, -10).Format(time.DateOnly)
	number := at[string](h.issueNumber(t, "Minh").Answer, "personal_id")

	request := birth(number, born, mother, father)
	body, err := json.Marshal(request)
	require.NoError(t, err)
	register := func(stdin string) result {
		return command(t, stdin, bin, "query", "registry."+civilStatusService+"RegisterBirth", "--as", "H27/one-stop", "--purpose", "HT-KS",
			"--case", "H27-261122-0002", "--officer", "can.bo", "--json", "--dir", h.dir)
	}
	r := register(string(body))
	require.Zero(t, r.code, r.err)
	entry := decode[answer](t, r.out).Answer
	require.Equal(t, number, at[string](entry, "record", "personal_id"))
	again := register(string(body))
	require.Equal(t, entry, decode[answer](t, again.out).Answer, "asked again, the entry is the same")
	request["requester"] = map[string]any{"full_name": "Người Khác", "relation": "Bác"}
	body, err = json.Marshal(request)
	require.NoError(t, err)
	require.Contains(t, register(string(body)).err, "IDEMPOTENCY_CONFLICT")

	card := h.query(t, "G22/dvc-portal", "DVC-LT", insuranceService+"IssueCard", "request_id=e2e-birth-1", "kind=ISSUE_KIND_CHILD_UNDER_SIX",
		"personal_id="+number, "full_name=Lê Minh Minh", "birth_date="+born,
		"birth_registration_number="+at[string](entry, "record", "head", "number"),
		"birth_registration_date="+at[string](entry, "record", "head", "registered_on"), "initial_facility_code=42010",
		"address.code_system=CODE_SYSTEM_GSO_2025", "address.province_code=42", "address.commune_code=14983")
	require.Equal(t, number, at[string](card.Answer, "card", "personal_id"))
	require.Equal(t, "FOUND", h.query(t, "H27.07/clinic", "KCB-TD", insuranceService+"CheckCoverage", "personal_id="+number,
		"full_name=LÊ MINH MINH", "birth_date="+born, "facility_code=42010", "date="+time.Now().Format(time.DateOnly)).code())
}

// birth is a request to enter a birth.
func birth(number, born string, mother, father person) map[string]any {
	place := map[string]any{"code_system": "CODE_SYSTEM_GSO_2025", "province_code": "42", "commune_code": "14983"}
	key := func(p person) map[string]any {
		return map[string]any{"personal_id": p.PersonalID, "full_name": p.FullName, "birth_date": p.BirthDate}
	}
	return map[string]any{
		"request_id": "e2e-birth-1",
		"office":     map[string]any{"agency_code": "14983", "signer": "Trần Văn Minh", "signer_title": "Chủ tịch", "clerk": "Lê Thị Mai"},
		"child": map[string]any{
			"personal_id": number, "sex": "SEX_MALE", "birth_date": born, "ethnic_code": "01", "nationality": "VN",
			"name":       map[string]any{"family": "Lê", "middle": "Minh", "given": "Minh", "full": "Lê Minh Minh"},
			"birthplace": place, "hometown": place,
		},
		"mother": key(mother), "father": key(father),
		"requester": map[string]any{"full_name": father.FullName, "relation": "Cha", "personal_id": father.PersonalID},
	}
}

func TestADeathIsRegisteredAndTheNumberCancelled(t *testing.T) {
	h := sandbox.get(t)
	p := h.sample(t, "widowed", "1")[0]
	died := time.Now().AddDate(0, 0, -2).Format(time.DateOnly)
	entry := h.query(t, "H27/one-stop", "HT-KT", civilStatusService+"RegisterDeath", append(p.fields("deceased."),
		"request_id=e2e-death-1", "office.agency_code=14983", "office.signer=Trần Văn Minh", "office.signer_title=Chủ tịch", "office.clerk=Lê Thị Mai",
		"died_on="+died, "died_at=21:40", "place.code_system=CODE_SYSTEM_GSO_2025", "place.province_code=42", "place.commune_code=14983",
		"cause=Bệnh già", "document=DEATH_DOCUMENT_NOTICE", "document_number=118/GBT",
		"requester.full_name=Nguyễn Văn Bình", "requester.relation=Con")...)
	number := at[string](entry.Answer, "record", "head", "number")
	require.NotEmpty(t, number)
	cancelled := h.query(t, "G15/civil-status", "HT-KT", populationService+"CancelNumber",
		append(p.fields(""), "request_id=e2e-death-1", "death_date="+died, "death_entry_number="+number)...)
	require.Equal(t, "DECEASED", cancelled.code())
	require.Equal(t, "DECEASED", h.query(t, "H27/one-stop", "CT-TT", residence, "personal_id="+p.PersonalID).code())
	require.Equal(t, "FOUND", h.query(t, "G24/claims", "BHXH-CD", civilStatusService+"GetDeath", p.fields("")...).code())
}

func TestAMarriageIsRegisteredOnce(t *testing.T) {
	h := sandbox.get(t)
	groom, bride := strangers(t, h)
	fields := append(append(groom.fields("husband."), bride.fields("wife.")...), "request_id=e2e-marriage-1", "office.agency_code=14983",
		"office.signer=Trần Văn Minh", "office.signer_title=Chủ tịch", "office.clerk=Lê Thị Mai")
	entry := h.query(t, "H27/one-stop", "HT-KH", civilStatusService+"RegisterMarriage", fields...)
	require.Equal(t, bride.PersonalID, at[string](entry.Answer, "record", "wife", "personal_id"))
	r := h.run(t, append(append([]string{"query", "registry." + civilStatusService + "RegisterMarriage"}, fields[:6]...),
		"request_id=e2e-marriage-2", "office.agency_code=14983", "office.signer=Trần Văn Minh", "office.signer_title=Chủ tịch", "office.clerk=Lê Thị Mai",
		"--as", "H27/one-stop", "--purpose", "HT-KH", "--case", "E2E-2", "--officer", "can.bo")...)
	require.Equal(t, 1, r.code)
	require.Contains(t, r.err, "ALREADY_MARRIED")
}

// strangers are a single man and a single woman of age, whose records nobody has damaged.
func strangers(t *testing.T, h *hub) (groom, bride person) {
	t.Helper()
	damaged := map[string]bool{}
	for _, p := range h.sample(t, "damaged", "2000") {
		damaged[p.PersonalID] = true
	}
	for _, p := range h.sample(t, "adult-single", "2000") {
		year, err := strconv.Atoi(p.BirthDate[:4])
		require.NoError(t, err)
		if damaged[p.PersonalID] || len(p.BirthDate) != len(time.DateOnly) || time.Now().Year()-year < 21 {
			continue
		}
		if male := (p.PersonalID[3]-'0')%2 == 0; male && groom.PersonalID == "" {
			groom = p
		} else if !male && bride.PersonalID == "" {
			bride = p
		}
	}
	require.NotEmpty(t, groom)
	require.NotEmpty(t, bride)
	return groom, bride
}
