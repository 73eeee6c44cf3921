package authority

import (
	"context"
	"fmt"

	"github.com/lienthong/lienthong/gateway/member"
	"github.com/lienthong/lienthong/proto/peer"
)

// sandbox are the members of a hub that runs for trial: the agencies are real, their systems are illustrative.
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

// EnsureSandbox issues the identities of the sandbox that are missing and renews those that have less than a
// third of their time left. What operators have decided stays: a revoked identity is not issued again, and
// neither roles nor status of a member are changed.
func (a *Authority) EnsureSandbox(ctx context.Context) error {
	var made []*pair
	err := a.change(func(b *book) error {
		for _, s := range sandbox {
			if err := ctx.Err(); err != nil {
				return err
			}
			id, err := peer.ParseID(s.id)
			if err != nil {
				return fmt.Errorf("%s: %w", s.id, err)
			}
			order := Order{ID: id, Roles: s.roles, Server: s.server, Title: member.Title{VI: s.vi, EN: s.en}}
			if b.system(id) == nil {
				if err := b.enrol(order); err != nil {
					return err
				}
			}
			last, ok := b.latest(id)
			if ok && (!last.RevokedAt.IsZero() || a.stored(last) && !last.due(a.now())) {
				continue
			}
			p, err := a.make(b, order)
			if err != nil {
				return err
			}
			made = append(made, p)
		}
		return nil
	}, func() error { return a.store(made...) })
	if err != nil {
		return fmt.Errorf("issue the sandbox's identities: %w", err)
	}
	return nil
}
