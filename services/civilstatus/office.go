package civilstatus

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"strings"

	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
	"github.com/lienthong/lienthong/proto/reason"
	civilstatusv1 "github.com/lienthong/lienthong/proto/registry/civilstatus/v1"
	"github.com/lienthong/lienthong/services/person"
)

// The books, by the codes of the Ministry of Justice's software, and the marriages' own numbers.
const (
	bookOfBirths    = "KS"
	bookOfMarriages = "KH"
	bookOfDeaths    = "KT"
	marriageNumbers = "id"
)

// pagesOfBook is how many entries a book takes before the next is begun.
const pagesOfBook = 200

// commune is a commune in the shared catalogue.
type commune struct {
	code, name, province, provinceName, oldProvince string
	agency                                          string // how it signs entries
}

// commune finds a commune that a request names at a field. It fails with reason.CodeUnknown if there is none.
func (g *registration) commune(ctx context.Context, code, field string) (commune, error) {
	if code == "" {
		return commune{}, reason.FieldRequired.At(field)
	}
	c := commune{code: code}
	err := g.row(ctx, g.write.commune, code).Scan(&c.name, &c.province, &c.provinceName, &c.oldProvince)
	if errors.Is(err, sql.ErrNoRows) {
		return c, reason.CodeUnknown.At(field)
	}
	return c, err
}

// office finds the registering commune and checks who acts for it.
func (g *registration) office(ctx context.Context, o *civilstatusv1.Office) (commune, error) {
	c, err := g.commune(ctx, o.GetAgencyCode(), "office.agency_code")
	if err != nil {
		return c, err
	}
	if strings.TrimSpace(o.GetSigner()) == "" {
		return c, reason.FieldRequired.At("office.signer")
	}
	return c, checkTexts([2]string{"office.signer", o.GetSigner()}, [2]string{"office.signer_title", o.GetSignerTitle()},
		[2]string{"office.clerk", o.GetClerk()}, [2]string{"office.note", o.GetNote()})
}

// checkTexts fails if one of the texts is too long. It takes pairs of a field and its text.
func checkTexts(pairs ...[2]string) error {
	for _, p := range pairs {
		if len(p[1]) > maxTextBytes {
			return reason.FieldInvalid.At(p[0])
		}
	}
	return nil
}

// head takes the next number of a commune's book. It is given back if the registration fails.
func (g *registration) head(ctx context.Context, book string, at commune, o *civilstatusv1.Office, kind civilstatusv1.RegistrationKind) (*civilstatusv1.RecordHead, error) {
	n, err := g.next(ctx, book, at.code, g.today.Year)
	if err != nil {
		return nil, err
	}
	year := strconv.Itoa(g.today.Year)
	return &civilstatusv1.RecordHead{
		Number:       writeNumber(n, year),
		Book:         writeNumber(1+(n-1)/pagesOfBook, year),
		Page:         int32((n-1)%pagesOfBook) + 1,
		RegisteredOn: g.today.String(),
		Kind:         kind,
		AgencyCode:   at.code,
		AgencyName:   "UBND " + at.name + ", " + at.provinceName,
		Signer:       o.GetSigner(),
		SignerTitle:  o.GetSignerTitle(),
		Clerk:        o.GetClerk(),
		Note:         o.GetNote(),
	}, nil
}

func (g *registration) next(ctx context.Context, kind, agency string, year int) (int, error) {
	var n int
	if err := g.row(ctx, g.write.number, kind, agency, year).Scan(&n); err != nil {
		return 0, fmt.Errorf("take number: %w", err)
	}
	return n, nil
}

// kindOf is whether a registration today is on time for what happened on a day. Of a day known in part, the
// earliest counts.
func (g *registration) kindOf(happened person.Date, days int) civilstatusv1.RegistrationKind {
	if happened.Time().AddDate(0, 0, days).Before(g.today.Time()) {
		return civilstatusv1.RegistrationKind_REGISTRATION_KIND_LATE
	}
	return civilstatusv1.RegistrationKind_REGISTRATION_KIND_ON_TIME
}

// place checks an address that a request gives at a field and completes the names of one in today's codes. An
// address of before July 2025 stays as it was written.
func (g *registration) place(ctx context.Context, a *hubv1.Address, field string) (*hubv1.Address, error) {
	if err := checkTexts([2]string{field + ".detail", a.GetDetail()}, [2]string{field + ".commune_name", a.GetCommuneName()},
		[2]string{field + ".province_name", a.GetProvinceName()}); err != nil {
		return nil, err
	}
	switch a.GetCodeSystem() {
	case hubv1.CodeSystem_CODE_SYSTEM_GSO_2004:
		if !isCommuneCode(a.GetCommuneCode()) || len(a.GetProvinceCode()) != 2 || !isDigits(a.GetProvinceCode()) {
			return nil, reason.FieldInvalid.At(field + ".commune_code")
		}
		return a, nil
	case hubv1.CodeSystem_CODE_SYSTEM_UNSPECIFIED, hubv1.CodeSystem_CODE_SYSTEM_GSO_2025:
	default:
		return nil, reason.CodeUnknown.At(field + ".code_system")
	}
	c, err := g.commune(ctx, a.GetCommuneCode(), field+".commune_code")
	if err != nil {
		return nil, err
	}
	if a.GetProvinceCode() != "" && a.GetProvinceCode() != c.province {
		return nil, reason.FieldInvalid.At(field + ".province_code")
	}
	return c.address(a.GetDetail()), nil
}

func (c commune) address(detail string) *hubv1.Address {
	return &hubv1.Address{
		CodeSystem: hubv1.CodeSystem_CODE_SYSTEM_GSO_2025, ProvinceCode: c.province, ProvinceName: c.provinceName,
		CommuneCode: c.code, CommuneName: c.name, Detail: detail,
	}
}

// requester checks who has an event registered; nil is nobody said.
func requester(q *civilstatusv1.Requester) error {
	if q.GetPersonalId() != "" {
		if _, err := person.ParseID(q.GetPersonalId()); err != nil {
			return reason.IDMalformed.At("requester.personal_id")
		}
	}
	return checkTexts([2]string{"requester.full_name", q.GetFullName()}, [2]string{"requester.relation", q.GetRelation()})
}
