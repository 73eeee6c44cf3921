package mask_test

import (
	"errors"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
	specimenv1 "github.com/lienthong/lienthong/proto/internal/specimen/v1"
	"github.com/lienthong/lienthong/proto/mask"
)

func FuzzMask(f *testing.F) {
	seeds := []*specimenv1.AskResponse{
		{},
		{Result: &hubv1.Result{Code: 1, Next: 1}, Person: person("042187001234"), Far: "far"},
		{Items: []*specimenv1.Item{{Person: person("1")}, {Result: &hubv1.Result{Code: 2}}}},
		{ById: map[string]*specimenv1.Person{"a": person("1"), "": {}}, Insurance: map[int32]string{-1: "x"}},
		{Scalars: &specimenv1.Scalars{ManyInt32: []int32{-1, 1}, ManyDouble: []float64{1}, ManyFixed32: []uint32{1}, ByBool: map[bool]int64{true: 1}, Perhaps: proto.Int64(0)}},
		{Tree: &specimenv1.Tree{Left: &specimenv1.Tree{Label: "x"}, Named: map[string]*specimenv1.Tree{"y": {More: []*specimenv1.Tree{{}}}}}},
		{Meant: &specimenv1.AskResponse_Choice{Choice: &specimenv1.Choice{Pick: &specimenv1.Choice_Text{Text: "x"}}}, At: &timestamppb.Timestamp{Seconds: 5}},
		{Pick: &specimenv1.Choice{Pick: &specimenv1.Choice_Again{Again: &specimenv1.Choice{Pick: &specimenv1.Choice_Number{Number: 5}}}}},
	}
	for i, s := range seeds {
		f.Add(uint64(i), marshal(f, s))
	}
	f.Add(uint64(7), []byte("\xba\x01\x02\x08\x01\xba\x01\x04\x12\x02ab"))
	f.Add(uint64(8), []byte("\x23\x08\x01\x24\x0c"))
	all := paths(answer(), 2)
	mt := (*specimenv1.AskResponse)(nil).ProtoReflect().Type()
	f.Fuzz(func(t *testing.T, seed uint64, wire []byte) {
		var leaves []string
		rng := rand.New(rand.NewPCG(seed, 0))
		keep := rng.IntN(11)
		for _, p := range all {
			if rng.IntN(10) < keep {
				leaves = append(leaves, p)
			}
		}
		err := requireCut(t, mt, leaves, wire)
		if err == nil || proto.Unmarshal(wire, mt.New().Interface()) != nil {
			return
		}
		// It decodes, so it may be refused for a clash or its depth only.
		if errors.Is(err, mask.ErrOneof) {
			require.True(t, selected(answer(), leaves).clash(answer(), wire, ""))
			return
		}
		require.ErrorIs(t, err, mask.ErrDepth)
	})
}
