package authority

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/lienthong/lienthong/gateway/member"
	"github.com/lienthong/lienthong/gateway/state"
	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
	"github.com/lienthong/lienthong/proto/peer"
)

// sandboxAgencies are the agencies of a hub that runs for trial. Codes and names are real where public documents have
// them, as of before the reorganisation of 2025; the bank is illustrative, and so are all levels and days.
var sandboxAgencies = []struct{ code, province, vi, en string }{
	{"G01", "", "Bộ Công an", "Ministry of Public Security"},
	{"G06", "", "Bộ Khoa học và Công nghệ", "Ministry of Science and Technology"},
	{"G13", "", "Bộ Tài nguyên và Môi trường", "Ministry of Natural Resources and Environment"},
	{"G15", "", "Bộ Tư pháp", "Ministry of Justice"},
	{"G20", "", "Thanh tra Chính phủ", "Government Inspectorate"},
	{"G22", "", "Văn phòng Chính phủ", "Office of the Government"},
	{"G24", "", "Bảo hiểm xã hội Việt Nam", "Viet Nam Social Security"},
	{"H27", "42", "Ủy ban nhân dân tỉnh Hà Tĩnh", "People's Committee of Hà Tĩnh"},
	{"H27.07", "42", "Sở Y tế tỉnh Hà Tĩnh", "Department of Health of Hà Tĩnh"},
	{"H27.08", "42", "Đơn vị minh họa thuộc tỉnh Hà Tĩnh", "An illustrative unit of Hà Tĩnh"},
	{"H60", "08", "Ủy ban nhân dân tỉnh Tuyên Quang", "People's Committee of Tuyên Quang"},
	{"COM.3000000012", "42", "Ngân hàng minh họa", "An illustrative bank"},
}

// sandboxOfficers are the accounts that Hà Tĩnh has enrolled. In the sandbox the other agencies ask for whomever they
// name, so that one can try things out; an agency that is added later enrols its officers.
var sandboxOfficers = map[string][]string{
	"H27": {"an.nv", "bench", "can.bo", "canbo.motcua", "hoa", "kiem.tra", "lan", "nv.lan", "o", "somebody", "x"},
}

// sandbox are the systems of a hub that runs for trial; they are illustrative.
var sandbox = []struct {
	id     string
	roles  member.Roles
	server bool
	vi, en string
}{
	{"G22/dvc-portal", member.Consumer | member.Portal, false, "Cổng Dịch vụ công quốc gia", "National public service portal"},
	{"H27/one-stop", member.Consumer, false, "Bộ phận một cửa tỉnh Hà Tĩnh", "Hà Tĩnh one-stop desk"},
	{"H27.07/clinic", member.Consumer, false, "Trạm y tế, Sở Y tế Hà Tĩnh", "A clinic of Hà Tĩnh's health department"},
	{"G24/claims", member.Consumer, false, "Giám định bảo hiểm y tế, BHXH Việt Nam", "Claims office of Viet Nam Social Security"},
	{"G15/civil-status", member.Consumer, false, "Phần mềm hộ tịch dùng chung, Bộ Tư pháp", "Shared civil-status software, Ministry of Justice"},
	{"COM.3000000012/ekyc", member.Consumer, false, "Định danh khách hàng, ngân hàng minh họa", "Customer identification of an illustrative bank"},

	{"G06/operator-a", member.Operator, false, "Cán bộ vận hành A", "Hub operator A"},
	{"G06/operator-b", member.Operator, false, "Cán bộ vận hành B", "Hub operator B"},
	{"G01/steward", member.Steward, false, "Quản trị dữ liệu dân cư", "Steward of the population registry"},
	{"G15/steward", member.Steward, false, "Quản trị dữ liệu hộ tịch", "Steward of the civil-status registry"},
	{"G24/steward", member.Steward, false, "Quản trị dữ liệu bảo hiểm", "Steward of the insurance registry"},
	{"G13/steward", member.Steward, false, "Quản trị dữ liệu đất đai", "Steward of the land registry"},
	{"H27/steward", member.Steward, false, "Quản trị dữ liệu đất đai Hà Tĩnh", "Steward of Hà Tĩnh's land registry"},
	{"H60/steward", member.Steward, false, "Quản trị dữ liệu đất đai Tuyên Quang", "Steward of Tuyên Quang's land registry"},
	{"G20/auditor", member.Auditor, false, "Thanh tra Chính phủ", "Government Inspectorate"},

	{"G06/gateway", member.Gateway, true, "Nền tảng liên thông", "The hub's gateway"},
	{"G01/registry-population", member.Provider, true, "CSDL quốc gia về dân cư", "Population registry"},
	{"G15/registry-civilstatus", member.Provider, true, "CSDL hộ tịch điện tử", "Civil-status registry"},
	{"G24/registry-insurance", member.Provider, true, "CSDL bảo hiểm", "Insurance registry"},
	{"G13/registry-land", member.Provider, true, "CSDL đất đai", "Land registry"},
	{"H27/registry-land", member.Provider, true, "CSDL đất đai Hà Tĩnh", "Hà Tĩnh's land registry"},
	{"H60/registry-land", member.Provider, true, "CSDL đất đai Tuyên Quang", "Tuyên Quang's land registry"},
}

// sandboxAssessed is the day on which the sandbox's agencies are said to have been assessed.
const sandboxAssessed = "2026-01-05"

// EnsureSandbox makes the agencies of the sandbox known that are not, issues the identities that are missing and renews
// those that have less than a third of their time left. What operators have decided stays: an agency that is closed
// gets nothing, a revoked identity is not issued again, and neither roles nor status of a member are changed.
func (a *Authority) EnsureSandbox(ctx context.Context) error {
	var made []*pair
	err := a.change(ctx, func(tx *state.Tx) error {
		err := seedAgencies(ctx, tx)
		if err != nil {
			return err
		}
		if made, err = a.seedSystems(ctx, tx); err == nil && len(made) > 0 {
			tx.Record(&hubv1.Change{Kind: hubv1.Change_KIND_MEMBER, Object: "sandbox", Text: "certificates issued: " + names(made)})
		}
		return err
	}, func() error { return a.store(made...) })
	if err != nil {
		return fmt.Errorf("issue the sandbox's identities: %w", err)
	}
	return nil
}

func names(made []*pair) string {
	ids := make([]string, len(made))
	for i, p := range made {
		ids[i] = p.record.ID.String()
	}
	return strings.Join(ids, ", ")
}

// seedAgencies makes agencies known that are not, with their officers.
func seedAgencies(ctx context.Context, tx *state.Tx) error {
	for _, s := range sandboxAgencies {
		_, err := member.FindAgency(ctx, tx.Tx, s.code)
		if err == nil {
			continue
		}
		if !errors.Is(err, member.ErrAgencyUnknown) {
			return err
		}
		agency := member.Agency{
			Code: s.code, NameVI: s.vi, NameEN: s.en, Province: s.province, SafetyLevel: member.SafetyNeeded, Assessed: sandboxAssessed, Officers: member.Any,
		}
		if len(sandboxOfficers[s.code]) > 0 {
			agency.Officers = member.Enrolled
		}
		if err := member.AddAgency(ctx, tx, agency); err != nil {
			return err
		}
		if agency.Officers == member.Enrolled {
			if _, err := member.EnrolOfficers(ctx, tx, s.code, sandboxOfficers[s.code]); err != nil {
				return err
			}
		}
	}
	return nil
}

// seedSystems makes certificates that are missing, broken or due.
func (a *Authority) seedSystems(ctx context.Context, tx *state.Tx) (made []*pair, err error) {
	for _, s := range sandbox {
		id, err := peer.ParseID(s.id)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", s.id, err)
		}
		order := Order{ID: id, Roles: s.roles, Server: s.server, Title: member.Title{VI: s.vi, EN: s.en}}
		needed, err := a.needed(ctx, tx, id)
		if err != nil {
			return nil, err
		}
		if !needed {
			continue
		}
		if _, err := member.FindSystem(ctx, tx.Tx, id); errors.Is(err, member.ErrSystemUnknown) {
			err = enrol(ctx, tx, order)
			if err != nil {
				return nil, err
			}
		} else if err != nil {
			return nil, err
		}
		p, err := a.make(ctx, tx, order, nil)
		if errors.Is(err, ErrRevoked) {
			continue
		}
		if err != nil {
			return nil, err
		}
		made = append(made, p)
	}
	return made, nil
}

// needed reports whether a system of the sandbox lacks a certificate that it may have.
func (a *Authority) needed(ctx context.Context, tx *state.Tx, id peer.ID) (bool, error) {
	agency, err := member.FindAgency(ctx, tx.Tx, id.Agency)
	if err != nil || !agency.OpenOn(member.Today(a.now())) {
		return false, err
	}
	last, ok, err := latest(ctx, tx.Tx, id)
	switch {
	case err != nil:
		return false, err
	case !ok:
		return true, nil
	case !last.RevokedAt.IsZero() || last.Outside:
		return false, nil
	}
	return !a.stored(last) || last.due(a.now()), nil
}
