package condition

import (
	"errors"
	"math"
	"reflect"

	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// errWire says that a message cannot be read.
var errWire = errors.New("malformed message")

// view is a message as it is on the wire.
type view struct {
	of   *message
	wire []byte
	// keeps says that what is read is kept, as is right where a loop may read one field again and again.
	keeps bool
	kept  map[*field]reading
}

// reading is what a field was found to be.
type reading struct {
	value ref.Val
	set   bool // by the rules of protobuf: without presence, a field is set if it is not zero or empty
	err   error
}

// Type implements ref.Val.
func (v *view) Type() ref.Type { return v.of.typ }

// Value implements ref.Val.
func (v *view) Value() any { return v }

// Equal implements ref.Val: messages are not compared, their fields are.
func (v *view) Equal(ref.Val) ref.Val { return types.NewErr("messages are not compared") }

// ConvertToNative implements ref.Val.
func (v *view) ConvertToNative(reflect.Type) (any, error) { return nil, errWire }

// ConvertToType implements ref.Val.
func (v *view) ConvertToType(t ref.Type) ref.Val {
	if t == types.TypeType {
		return v.of.typ
	}
	return types.NewErr("a message is no %s", t.TypeName())
}

// values calls yield with each occurrence of a field: what stands after its tag. It fails if the message cannot be read
// to its end.
func (v *view) values(num protowire.Number, yield func(typ protowire.Type, value []byte) error) error {
	for b := v.wire; len(b) > 0; {
		n, typ, size := protowire.ConsumeTag(b)
		if size < 0 {
			return errWire
		}
		b = b[size:]
		if size = protowire.ConsumeFieldValue(n, typ, b); size < 0 {
			return errWire
		}
		if n == num {
			if err := yield(typ, b[:size]); err != nil {
				return err
			}
		}
		b = b[size:]
	}
	return nil
}

func viewOf(target any) (*view, error) {
	v, ok := target.(*view)
	if !ok || v.of == nil {
		return nil, errWire
	}
	return v, nil
}

// isSet implements types.FieldType.IsSet.
func (f *field) isSet(target any) bool {
	v, err := viewOf(target)
	if err != nil {
		return false
	}
	r := f.in(v)
	return r.set && r.err == nil
}

// getFrom implements types.FieldType.GetFrom.
func (f *field) getFrom(target any) (any, error) {
	v, err := viewOf(target)
	if err != nil {
		return nil, err
	}
	r := f.in(v)
	return r.value, r.err
}

// in reads the field in a message.
func (f *field) in(v *view) (r reading) {
	if r, ok := v.kept[f]; ok {
		return r
	}
	switch {
	case f.desc.IsMap():
		r.value, r.set, r.err = f.entries(v)
	case f.desc.IsList():
		r.value, r.set, r.err = f.items(v)
	case f.inner != nil:
		r.value, r.set, r.err = f.embedded(v)
	default:
		r.value, r.set, r.err = f.last(v)
	}
	if v.keeps {
		if v.kept == nil {
			v.kept = map[*field]reading{}
		}
		v.kept[f] = r
	}
	return r
}

func zero(v ref.Val) bool {
	switch v := v.(type) {
	case types.Bool:
		return !bool(v)
	case types.Int:
		return v == 0
	case types.Uint:
		return v == 0
	case types.Double:
		return v == 0
	case types.String:
		return v == ""
	case types.Bytes:
		return len(v) == 0
	}
	return false
}

// last is a scalar field: the value that comes last.
func (f *field) last(v *view) (last ref.Val, set bool, err error) {
	last = f.initial()
	err = v.values(f.desc.Number(), func(typ protowire.Type, value []byte) (err error) {
		last, err = scalar(f.desc, typ, value)
		set = true
		return err
	})
	if err == nil && !f.desc.HasPresence() {
		set = !zero(last)
	}
	return last, set, err
}

// embedded is a message field. What comes in several pieces is one message, as protobuf merges it.
func (f *field) embedded(v *view) (_ ref.Val, set bool, err error) {
	in := &view{of: f.inner, keeps: v.keeps}
	err = v.values(f.desc.Number(), func(typ protowire.Type, value []byte) error {
		body, err := body(typ, value)
		if err != nil {
			return err
		}
		set = true
		if in.wire == nil {
			in.wire = body
		} else {
			in.wire = append(append([]byte{}, in.wire...), body...)
		}
		return nil
	})
	return in, set, err
}

func (f *field) items(v *view) (_ ref.Val, set bool, err error) {
	var items []ref.Val
	err = v.values(f.desc.Number(), func(typ protowire.Type, value []byte) error {
		if f.inner != nil {
			body, err := body(typ, value)
			items = append(items, &view{of: f.inner, wire: body, keeps: v.keeps})
			return err
		}
		if typ == protowire.BytesType && packable(f.desc) {
			packed, err := body(typ, value)
			for err == nil && len(packed) > 0 {
				var one []byte
				if one, packed, err = unpack(f.desc, packed); err == nil {
					var got ref.Val
					got, err = scalar(f.desc, wireType(f.desc), one)
					items = append(items, got)
				}
			}
			return err
		}
		got, err := scalar(f.desc, typ, value)
		items = append(items, got)
		return err
	})
	return types.NewRefValList(types.DefaultTypeAdapter, items), len(items) > 0, err
}

// entries is a map. A key that comes twice counts once, as it came last.
func (f *field) entries(v *view) (_ ref.Val, set bool, err error) {
	all := map[ref.Val]ref.Val{}
	entry := &message{fields: map[string]*field{}}
	key := &field{desc: f.desc.MapKey()}
	value := &field{desc: f.desc.MapValue(), inner: f.inner}
	err = v.values(f.desc.Number(), func(typ protowire.Type, raw []byte) error {
		b, err := body(typ, raw)
		if err != nil {
			return err
		}
		one := &view{of: entry, wire: b, keeps: v.keeps}
		k, val := key.in(one), value.in(one)
		if err := errors.Join(k.err, val.err); err != nil {
			return err
		}
		all[k.value] = val.value
		return nil
	})
	return types.NewRefValMap(types.DefaultTypeAdapter, all), len(all) > 0, err
}

// initial is the value of a field that is not there.
func (f *field) initial() ref.Val {
	def := f.desc.Default()
	switch f.desc.Kind() {
	case protoreflect.BoolKind:
		return types.Bool(def.Bool())
	case protoreflect.StringKind:
		return types.String(def.String())
	case protoreflect.BytesKind:
		return types.Bytes(def.Bytes())
	case protoreflect.FloatKind, protoreflect.DoubleKind:
		return types.Double(def.Float())
	case protoreflect.Uint32Kind, protoreflect.Uint64Kind, protoreflect.Fixed32Kind, protoreflect.Fixed64Kind:
		return types.Uint(def.Uint())
	case protoreflect.EnumKind:
		return types.Int(def.Enum())
	}
	return types.Int(def.Int())
}

// body is what a length-delimited field holds.
func body(typ protowire.Type, value []byte) ([]byte, error) {
	if typ != protowire.BytesType {
		return nil, errWire
	}
	b, n := protowire.ConsumeBytes(value)
	if n < 0 {
		return nil, errWire
	}
	return b, nil
}

// wireType is how values of a field's kind are on the wire.
func wireType(fd protoreflect.FieldDescriptor) protowire.Type {
	switch fd.Kind() {
	case protoreflect.Fixed32Kind, protoreflect.Sfixed32Kind, protoreflect.FloatKind:
		return protowire.Fixed32Type
	case protoreflect.Fixed64Kind, protoreflect.Sfixed64Kind, protoreflect.DoubleKind:
		return protowire.Fixed64Type
	case protoreflect.StringKind, protoreflect.BytesKind, protoreflect.MessageKind:
		return protowire.BytesType
	}
	return protowire.VarintType
}

func packable(fd protoreflect.FieldDescriptor) bool { return wireType(fd) != protowire.BytesType }

// unpack takes the first value of a packed list.
func unpack(fd protoreflect.FieldDescriptor, packed []byte) (one, rest []byte, err error) {
	n := protowire.ConsumeFieldValue(fd.Number(), wireType(fd), packed)
	if n < 0 {
		return nil, nil, errWire
	}
	return packed[:n], packed[n:], nil
}

// scalar reads one value. One of another wire type than the field's is malformed: protobuf would take it for an unknown
// field, and two readers for two things.
func scalar(fd protoreflect.FieldDescriptor, typ protowire.Type, value []byte) (ref.Val, error) {
	if typ != wireType(fd) {
		return nil, errWire
	}
	var raw uint64
	switch typ {
	case protowire.VarintType:
		raw, _ = protowire.ConsumeVarint(value)
	case protowire.Fixed32Type:
		v, _ := protowire.ConsumeFixed32(value)
		raw = uint64(v)
	case protowire.Fixed64Type:
		raw, _ = protowire.ConsumeFixed64(value)
	case protowire.BytesType:
		b, err := body(typ, value)
		if err != nil {
			return nil, err
		}
		if fd.Kind() == protoreflect.StringKind {
			return types.String(b), nil
		}
		return types.Bytes(b), nil
	}
	return number(fd.Kind(), raw), nil
}

func number(kind protoreflect.Kind, raw uint64) ref.Val {
	switch kind {
	case protoreflect.BoolKind:
		return types.Bool(raw != 0)
	case protoreflect.Sint32Kind:
		return types.Int(int32(protowire.DecodeZigZag(raw & math.MaxUint32)))
	case protoreflect.Sint64Kind:
		return types.Int(protowire.DecodeZigZag(raw))
	case protoreflect.Int32Kind, protoreflect.EnumKind, protoreflect.Sfixed32Kind:
		return types.Int(int32(raw))
	case protoreflect.Int64Kind, protoreflect.Sfixed64Kind:
		return types.Int(int64(raw))
	case protoreflect.Uint32Kind, protoreflect.Fixed32Kind:
		return types.Uint(uint32(raw))
	case protoreflect.FloatKind:
		return types.Double(math.Float32frombits(uint32(raw)))
	case protoreflect.DoubleKind:
		return types.Double(math.Float64frombits(raw))
	}
	return types.Uint(raw)
}
