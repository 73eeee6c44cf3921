package contract_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	"github.com/lienthong/lienthong/proto/contract"
	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
	specimenv1 "github.com/lienthong/lienthong/proto/internal/specimen/v1"
)

func question() *specimenv1.AskRequest { return new(specimenv1.AskRequest) }

func TestAPathReadsOneStringFromTheWire(t *testing.T) {
	p, err := contract.CompilePath(question().ProtoReflect().Descriptor(), "place.province_code")
	require.NoError(t, err)
	wire := func(m proto.Message) []byte {
		b, err := proto.Marshal(m)
		require.NoError(t, err)
		return b
	}
	full := wire(&specimenv1.AskRequest{PersonalId: "042187001234", Place: &hubv1.Address{ProvinceCode: "42", ProvinceName: "Hà Tĩnh"}})
	tests := map[string]struct {
		wire []byte
		want string
		ok   bool
	}{
		"there":             {full, "42", true},
		"empty message":     {nil, "", false},
		"field not there":   {wire(&specimenv1.AskRequest{Place: &hubv1.Address{Detail: "x"}}), "", false},
		"parent not there":  {wire(&specimenv1.AskRequest{PersonalId: "x"}), "", false},
		"said twice":        {append(full, wire(&specimenv1.AskRequest{Place: &hubv1.Address{ProvinceCode: "08"}})...), "08", true},
		"then not said":     {append(full, wire(&specimenv1.AskRequest{Place: &hubv1.Address{Detail: "x"}})...), "42", true},
		"said to be empty":  {append(full, 0x12, 2, 0x12, 0), "", true},
		"cut off":           {full[:len(full)-1], "", false},
		"cut off inside":    {[]byte{0x12, 3, 0x12, 2, '4'}, "", false},
		"not UTF-8":         {[]byte{0x12, 4, 0x12, 2, 0xff, 0xfe}, "", false},
		"another wire type": {[]byte{0x12, 2, 0x10, 42}, "", false},
		"a stray end group": {append(full, 0x0c), "", false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got, ok := p.String(tt.wire)
			require.Equal(t, tt.ok, ok)
			require.Equal(t, tt.want, got)
		})
	}
}

func TestAPathMustLeadToOneString(t *testing.T) {
	for _, path := range []string{"", "nonesuch", "place", "place.code_system", "place.none", "old_ids", "personal_id.x"} {
		_, err := contract.CompilePath(question().ProtoReflect().Descriptor(), path)
		require.Error(t, err, path)
	}
	for _, path := range []string{"items.person.birth_date", "by_id.birth_date", "other.birth_date", "word", "scalars.one_bytes"} {
		_, err := contract.CompilePath(answer(), path)
		require.Error(t, err, path)
	}
}

func TestAPathReadsWhatDecodingWouldGive(t *testing.T) {
	p, err := contract.CompilePath(answer(), "person.name.full")
	require.NoError(t, err)
	rapid.Check(t, func(t *rapid.T) {
		wire := rapid.SliceOf(rapid.SampledFrom([]string{
			"\x12\x00", "\x12\x02\x12\x00", "\x12\x05\x12\x03\x22\x01A", "\x12\x05\x12\x03\x22\x01B", "\x12\x04\x12\x02\x22\x00", "\x1a\x00", "\x12\x02\x18\x01",
		})).Draw(t, "parts")
		var b []byte
		for _, part := range wire {
			b = append(b, part...)
		}
		m := new(specimenv1.AskResponse)
		require.NoError(t, proto.Unmarshal(b, m))
		got, _ := p.String(b)
		require.Equal(t, m.GetPerson().GetName().GetFull(), got)
	})
}
