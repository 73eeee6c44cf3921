package mask_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/dynamicpb"
	"pgregory.net/rapid"

	specimenv1 "github.com/lienthong/lienthong/proto/internal/specimen/v1"
	"github.com/lienthong/lienthong/proto/mask"
)

func answer() protoreflect.MessageDescriptor {
	return (*specimenv1.AskResponse)(nil).ProtoReflect().Descriptor()
}

// some draws a set of leaf paths: none, few or many.
func some(t *rapid.T, all []string) []string {
	if len(all) == 0 {
		return nil
	}
	keep := rapid.SampledFrom([]int{0, 1, 5, 9, 10}).Draw(t, "tenths")
	var out []string
	for _, p := range all {
		if rapid.IntRange(0, 9).Draw(t, p) < keep {
			out = append(out, p)
		}
	}
	return out
}

// requireCut requires that a mask cuts wire to what decoding, clearing and encoding gives, and returns the error.
func requireCut(t require.TestingT, mt protoreflect.MessageType, leaves []string, wire []byte) error {
	m, err := mask.Compile(mt.Descriptor(), leaves)
	require.NoError(t, err)
	before := []byte("what was there before")
	out, err := m.Append(slices.Clone(before), wire)
	require.Equal(t, before, out[:len(before)])
	s := selected(mt.Descriptor(), leaves)
	if err != nil {
		require.Len(t, out, len(before), "something was released of a refused answer")
		return err
	}
	got, want := mt.New().Interface(), mt.New().Interface()
	require.NoError(t, proto.Unmarshal(out[len(before):], got))
	if proto.Unmarshal(wire, want) == nil {
		s.clear(want.ProtoReflect(), "")
		require.True(t, proto.Equal(want, got), "want %v\ngot  %v", want, got)
		return nil
	}
	// What is malformed was in fields that were dropped.
	clean := proto.Clone(got)
	s.clear(clean.ProtoReflect(), "")
	require.True(t, proto.Equal(clean, got), "outside the mask: %v", got)
	return nil
}

func TestAMaskEqualsDecodingClearingEncoding(t *testing.T) {
	check := func(mt func(*rapid.T) protoreflect.MessageType, depth int) func(*rapid.T) {
		return func(t *rapid.T) {
			mt := mt(t)
			leaves := some(t, paths(mt.Descriptor(), depth))
			a := author{t: t, choices: map[protoreflect.FullName]protoreflect.FieldNumber{}}
			wire := a.message(mt.Descriptor(), 5)
			require.NoError(t, requireCut(t, mt, leaves, wire))
		}
	}
	t.Run("of the specimen", func(t *testing.T) {
		rapid.Check(t, check(func(*rapid.T) protoreflect.MessageType { return (*specimenv1.AskResponse)(nil).ProtoReflect().Type() }, 2))
	})
	t.Run("of random types", func(t *testing.T) {
		rapid.Check(t, check(func(t *rapid.T) protoreflect.MessageType { return dynamicpb.NewMessageType(types(t)) }, 2))
	})
}

func TestAnAnswerIsRefusedExactlyWhenAOneofClashes(t *testing.T) {
	clashes, passes := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		md := (*specimenv1.Box)(nil).ProtoReflect()
		leaves := some(t, paths(md.Descriptor(), 3))
		a := author{t: t}
		wire := a.message(md.Descriptor(), 5)
		err := requireCut(t, md.Type(), leaves, wire)
		if selected(md.Descriptor(), leaves).clash(md.Descriptor(), wire, "") {
			clashes++
			require.ErrorIs(t, err, mask.ErrOneof)
			return
		}
		passes++
		require.NoError(t, err)
	})
	require.Positive(t, clashes)
	require.Positive(t, passes)
}

func TestDamagedBytesNeverLetAFieldOut(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		mt := (*specimenv1.AskResponse)(nil).ProtoReflect().Type()
		leaves := some(t, paths(mt.Descriptor(), 1))
		a := author{t: t}
		wire := a.message(mt.Descriptor(), 4)
		for range rapid.IntRange(1, 4).Draw(t, "hits") {
			if len(wire) > 0 {
				wire[rapid.IntRange(0, len(wire)-1).Draw(t, "at")] = rapid.Byte().Draw(t, "byte")
			}
		}
		_ = requireCut(t, mt, leaves, wire)
	})
}
