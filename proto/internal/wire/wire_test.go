package wire_test

import (
	"bytes"
	"math"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/encoding/protowire"
	"pgregory.net/rapid"

	"github.com/lienthong/lienthong/proto/internal/wire"
)

func TestVarintsReadAsTheyAreWritten(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v := rapid.OneOf(rapid.Uint64(), rapid.SampledFrom([]uint64{0, 127, 128, 16383, 16384, math.MaxUint64})).Draw(t, "v")
		b := make([]byte, wire.UvarintSize(v))
		wire.PutUvarint(b, v)
		require.Equal(t, protowire.AppendVarint(nil, v), b)
		got, next := wire.Uvarint(append([]byte{9}, b...), 1)
		require.Equal(t, v, got)
		require.Equal(t, len(b)+1, next)
	})
}

func TestAPackedListIsAWholeNumberOfScalars(t *testing.T) {
	tests := map[string]struct {
		b    string
		typ  wire.Type
		want bool
	}{
		"none":                   {"", wire.Varint, true},
		"varints":                {"\x01\x80\x01\x7f", wire.Varint, true},
		"varint cut off":         {"\x01\x80", wire.Varint, false},
		"varint too long":        {"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02", wire.Varint, false},
		"two fixed32":            {"12345678", wire.Fixed32, true},
		"one fixed32 and a half": {"123456", wire.Fixed32, false},
		"a fixed64":              {"12345678", wire.Fixed64, true},
		"half a fixed64":         {"1234", wire.Fixed64, false},
		"texts are never packed": {"1234", wire.Bytes, false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) { require.Equal(t, tt.want, wire.Packed([]byte(tt.b), tt.typ)) })
	}
}

func TestGroupsAreSkippedToADepth(t *testing.T) {
	nest := func(n int) []byte { return append(bytes.Repeat([]byte{0x0b}, n), bytes.Repeat([]byte{0x0c}, n)...) }
	next, err := wire.Skip(nest(wire.MaxDepth), 1, 1, wire.StartGroup)
	require.NoError(t, err)
	require.Equal(t, 2*wire.MaxDepth, next)
	_, err = wire.Skip(nest(wire.MaxDepth+1), 1, 1, wire.StartGroup)
	require.ErrorIs(t, err, wire.ErrDepth)
}

// The library's own reader is the judge of where a field ends.
func FuzzSkip(f *testing.F) {
	f.Add([]byte{0x08, 0x96, 0x01})
	f.Add([]byte{0x12, 0x02, 'a', 'b'})
	f.Add([]byte{0x0b, 0x13, 0x14, 0x08, 0x01, 0x0c})
	f.Add([]byte{0x0d, 1, 2, 3, 4})
	f.Add([]byte{0x09, 1, 2, 3, 4, 5, 6, 7, 8})
	f.Add([]byte{0x80, 0x80, 0x80, 0x80, 0x10, 0x01})
	f.Fuzz(func(t *testing.T, b []byte) {
		number, _, want := protowire.ConsumeField(b)
		num, typ, i := wire.Tag(b, 0)
		if i < 0 {
			require.True(t, want < 0 || number > protowire.MaxValidNumber)
			return
		}
		next, err := wire.Skip(b, i, num, typ)
		switch {
		case err == nil:
			require.Equal(t, want, next)
		case want >= 0:
			require.ErrorIs(t, err, wire.ErrDepth)
		}
	})
}
