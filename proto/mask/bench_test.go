package mask_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
	specimenv1 "github.com/lienthong/lienthong/proto/internal/specimen/v1"
	"github.com/lienthong/lienthong/proto/mask"
)

// typical is an answer about one person as registries give it, of about 400 bytes.
func typical() *specimenv1.AskResponse {
	p := person("042187001234")
	p.CardNumber = "GD4420187001234"
	p.Religion = "Phật giáo Hoà Hảo"
	p.Nicknames = []string{"Hoà", "Bé"}
	p.Home = &hubv1.Address{
		CodeSystem: hubv1.CodeSystem_CODE_SYSTEM_GSO_2025, ProvinceCode: "42", ProvinceName: "Hà Tĩnh",
		CommuneCode: "18073", CommuneName: "Xã Thạch Hà", Detail: "Thôn Đông, số 12",
	}
	birth := proto.CloneOf(p.Home)
	birth.Detail = "Bệnh viện đa khoa tỉnh Hà Tĩnh, phường Thành Sen"
	return &specimenv1.AskResponse{
		Result:  &hubv1.Result{Code: hubv1.Result_FOUND, Next: hubv1.Result_USE_DATA},
		Person:  p,
		Distant: &specimenv1.Person{PersonalId: "042162000001", Name: p.Name, Home: birth},
	}
}

var benches = map[string][]string{
	"half": {
		"person.personal_id", "person.name.full", "person.birth_date", "person.sex", "person.home.province_code",
		"person.home.commune_code", "person.home.detail", "distant.name.full",
	},
	"little": {"person.name.full"},
	"all": {
		"person.personal_id", "person.name.family", "person.name.middle", "person.name.given", "person.name.full", "person.birth_date",
		"person.religion", "person.sex", "person.home.code_system", "person.home.province_code", "person.home.province_name",
		"person.home.commune_code", "person.home.commune_name", "person.home.detail", "person.card_number", "person.nicknames",
		"distant.personal_id", "distant.name.family", "distant.name.middle", "distant.name.given", "distant.name.full",
		"distant.home.code_system", "distant.home.province_code", "distant.home.province_name",
		"distant.home.commune_code", "distant.home.commune_name", "distant.home.detail",
	},
}

func TestAMaskAllocatesNothing(t *testing.T) {
	wire := marshal(t, typical())
	for name, leaves := range benches {
		m := compile(t, typical(), leaves...)
		room := make([]byte, 0, 2*len(wire))
		require.Zero(t, testing.AllocsPerRun(100, func() {
			if _, err := m.Append(room, wire); err != nil {
				panic(err)
			}
		}), name)
	}
}

func TestManyMessagesWithAOneofAllocateNothing(t *testing.T) {
	box := new(specimenv1.Box)
	for range 1000 {
		box.Choices = append(box.Choices, &specimenv1.Choice{Note: "x", Pick: &specimenv1.Choice_Number{Number: 1}})
	}
	wire := marshal(t, box)
	room := make([]byte, 0, 2*len(wire))
	m := compile(t, box, "choices.number")
	require.Zero(t, testing.AllocsPerRun(10, func() { _, _ = m.Append(room, wire) }))
}

func BenchmarkAppend(b *testing.B) {
	wire := marshal(b, typical())
	for name, leaves := range benches {
		b.Run(name, func(b *testing.B) {
			m := compile(b, typical(), leaves...)
			room := make([]byte, 0, 2*len(wire))
			b.SetBytes(int64(len(wire)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := m.Append(room, wire); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkCompile(b *testing.B) {
	md := typical().ProtoReflect().Descriptor()
	for b.Loop() {
		if _, err := mask.Compile(md, benches["half"]); err != nil {
			b.Fatal(err)
		}
	}
}
