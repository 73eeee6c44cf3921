package mask

import (
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/lienthong/lienthong/proto/internal/wire"
)

// gauge measures how deep a dropped message is. Only types that can contain themselves need one.
type gauge struct {
	kids   map[int32]*gauge
	levels int // what entering it adds to the depth: 0 for a map's entry
}

// measure fails with ErrDepth when the message b, which lies depth messages deep, holds one that is too deep.
func (g *gauge) measure(b []byte, depth int) error {
	if depth > wire.MaxDepth {
		return ErrDepth
	}
	for i := 0; i < len(b); {
		num, typ, at := wire.Tag(b, i)
		if at < 0 {
			return ErrMalformed
		}
		body, next, err := extent(b, at, num, typ)
		if err != nil {
			return err
		}
		if kid := g.kids[num]; kid != nil && typ == wire.Bytes {
			if err := kid.measure(b[body:next], depth+kid.levels); err != nil {
				return err
			}
		}
		i = next
	}
	return nil
}

// gauges makes one gauge for each type.
type gauges struct {
	made    map[protoreflect.FullName]*gauge
	endless map[protoreflect.FullName]bool // whether a type can contain one that contains itself
}

func newGauges() gauges {
	return gauges{made: map[protoreflect.FullName]*gauge{}, endless: map[protoreflect.FullName]bool{}}
}

// of returns the gauge of md, nil when md is nil or its depth has an end.
func (g gauges) of(md protoreflect.MessageDescriptor) *gauge {
	if md == nil || !g.canRecur(md, map[protoreflect.FullName]bool{}) {
		return nil
	}
	if made := g.made[md.FullName()]; made != nil {
		return made
	}
	made := &gauge{kids: map[int32]*gauge{}, levels: 1}
	if md.IsMapEntry() {
		made.levels = 0
	}
	g.made[md.FullName()] = made
	for i := range md.Fields().Len() {
		fd := md.Fields().Get(i)
		if kid := g.of(fd.Message()); kid != nil {
			made.kids[int32(fd.Number())] = kid
		}
	}
	return made
}

// canRecur reports whether md can contain a type that contains itself. The types in open are being looked at.
func (g gauges) canRecur(md protoreflect.MessageDescriptor, open map[protoreflect.FullName]bool) bool {
	name := md.FullName()
	if open[name] {
		return true
	}
	if known, ok := g.endless[name]; ok {
		return known
	}
	open[name] = true
	defer delete(open, name)
	found := false
	for i := 0; i < md.Fields().Len() && !found; i++ {
		if inner := md.Fields().Get(i).Message(); inner != nil {
			found = g.canRecur(inner, open)
		}
	}
	g.endless[name] = found
	return found
}
