package insurance

import (
	"crypto/sha256"
	"encoding/binary"
	"strconv"
	"strings"
	"time"
	"unicode"

	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
	"github.com/lienthong/lienthong/proto/reason"
	insurancev1 "github.com/lienthong/lienthong/proto/registry/insurance/v1"
	"github.com/lienthong/lienthong/services/person"
)

// order is a request for a card, checked for form.
type order struct {
	question
	req    *insurancev1.IssueCardRequest
	digest [sha256.Size]byte
	today  person.Date
}

const (
	maxRequestID    = 64
	maxRegistration = 32
	maxAddressText  = 200
)

// newOrder checks a request by itself: what a registry needs its records for comes later.
func newOrder(req *insurancev1.IssueCardRequest, now time.Time) (*order, error) {
	if err := requestID(req.GetRequestId()); err != nil {
		return nil, err
	}
	if req.GetPersonalId() == "" {
		return nil, reason.FieldRequired.At("personal_id")
	}
	q, err := newQuestion(req, "", "", now)
	if err != nil {
		return nil, err
	}
	if !printable(req.GetFullName()) {
		return nil, reason.FieldInvalid.At("full_name")
	}
	o := &order{question: q, req: req, digest: digestOf(req), today: person.DateOf(now)}
	if err := checkAddress(req.GetAddress()); err != nil {
		return nil, err
	}
	switch req.GetKind() {
	case insurancev1.IssueKind_ISSUE_KIND_CHILD_UNDER_SIX:
		return o, o.checkChild(now)
	case insurancev1.IssueKind_ISSUE_KIND_RENEWAL:
		return o, o.checkRenewal()
	case insurancev1.IssueKind_ISSUE_KIND_UNSPECIFIED:
		return nil, reason.FieldRequired.At("kind")
	}
	return nil, reason.FieldInvalid.At("kind")
}

func (o *order) checkChild(now time.Time) error {
	switch {
	case o.birth.Day == 0:
		return reason.DateMalformed.At("birth_date")
	case person.ID(o.personalID).BirthYear() != o.birth.Year:
		return reason.NumberDisagrees.At("birth_date")
	case o.req.GetCategory() != "":
		return reason.FieldInvalid.At("category")
	case o.req.GetBirthRegistrationNumber() == "":
		return reason.FieldRequired.At("birth_registration_number")
	case len(o.req.GetBirthRegistrationNumber()) > maxRegistration || !printable(o.req.GetBirthRegistrationNumber()):
		return reason.FieldInvalid.At("birth_registration_number")
	}
	registered, err := pastDate(o.req.GetBirthRegistrationDate(), "birth_registration_date", now)
	switch {
	case err != nil:
		return err
	case registered.Day == 0:
		return reason.DateMalformed.At("birth_registration_date")
	case registered.Time().Before(o.birth.Time()):
		return reason.FieldInvalid.At("birth_registration_date")
	}
	return facilityCode(o.req.GetInitialFacilityCode(), "initial_facility_code")
}

func (o *order) checkRenewal() error {
	if c := o.req.GetCategory(); c != "" && joinable[c] == 0 {
		return reason.FieldInvalid.At("category")
	}
	if o.req.GetInitialFacilityCode() == "" {
		return nil
	}
	return facilityCode(o.req.GetInitialFacilityCode(), "initial_facility_code")
}

func requestID(id string) error {
	if id == "" {
		return reason.FieldRequired.At("request_id")
	}
	ok := len(id) <= maxRequestID
	for i := range len(id) {
		c := id[i]
		ok = ok && (letter(c&^0x20) || c >= '0' && c <= '9' || strings.IndexByte("._:-", c) >= 0)
	}
	if !ok {
		return reason.FieldInvalid.At("request_id")
	}
	return nil
}

func checkAddress(a *hubv1.Address) error {
	if a == nil {
		return nil
	}
	switch {
	case a.GetCodeSystem() != hubv1.CodeSystem_CODE_SYSTEM_GSO_2004 && a.GetCodeSystem() != hubv1.CodeSystem_CODE_SYSTEM_GSO_2025:
		return reason.FieldInvalid.At("address.code_system")
	case len(a.GetProvinceCode()) != 2 || !digits(a.GetProvinceCode()):
		return reason.FieldInvalid.At("address.province_code")
	case len(a.GetCommuneCode()) != 5 || !digits(a.GetCommuneCode()):
		return reason.FieldInvalid.At("address.commune_code")
	}
	for field, text := range map[string]string{
		"address.province_name": a.GetProvinceName(), "address.commune_name": a.GetCommuneName(), "address.detail": a.GetDetail(),
	} {
		if len(text) > maxAddressText || !printable(text) {
			return reason.FieldInvalid.At(field)
		}
	}
	return nil
}

func printable(s string) bool { return strings.IndexFunc(s, unicode.IsControl) < 0 }

// digestOf tells two requests apart: every field, each with its length before it.
func digestOf(req *insurancev1.IssueCardRequest) [sha256.Size]byte {
	var b []byte
	add := func(s string) { b = append(binary.AppendUvarint(b, uint64(len(s))), s...) }
	add(strconv.Itoa(int(req.GetKind())))
	for _, s := range []string{req.GetPersonalId(), req.GetFullName(), req.GetBirthDate(), req.GetBirthRegistrationNumber(),
		req.GetBirthRegistrationDate(), req.GetInitialFacilityCode(), req.GetCategory()} {
		add(s)
	}
	if a := req.GetAddress(); a != nil {
		add(strconv.Itoa(int(a.GetCodeSystem())))
		for _, s := range []string{a.GetProvinceCode(), a.GetProvinceName(), a.GetCommuneCode(), a.GetCommuneName(), a.GetDetail()} {
			add(s)
		}
	}
	return sha256.Sum256(b)
}
