package condition

import (
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// message is a message type as conditions see it.
type message struct {
	name   string
	typ    *types.Type
	fields map[string]*field
}

// field is a field of one.
type field struct {
	desc  protoreflect.FieldDescriptor
	inner *message // of a message field, of the items of a list, of the values of a map
	typ   *types.FieldType
}

// describe describes a message and all that it can hold.
func describe(md protoreflect.MessageDescriptor) *message {
	return (&describer{known: map[protoreflect.FullName]*message{}}).message(md)
}

type describer struct {
	known map[protoreflect.FullName]*message
}

func (d *describer) message(md protoreflect.MessageDescriptor) *message {
	if m, ok := d.known[md.FullName()]; ok {
		return m
	}
	m := &message{name: string(md.FullName()), typ: types.NewObjectType(string(md.FullName())), fields: map[string]*field{}}
	d.known[md.FullName()] = m
	for i := range md.Fields().Len() {
		fd := md.Fields().Get(i)
		f := &field{desc: fd}
		switch {
		case fd.IsMap() && fd.MapValue().Message() != nil:
			f.inner = d.message(fd.MapValue().Message())
		case !fd.IsMap() && fd.Message() != nil:
			f.inner = d.message(fd.Message())
		}
		f.typ = &types.FieldType{Type: typeOf(fd), IsSet: f.isSet, GetFrom: f.getFrom}
		m.fields[string(fd.Name())] = f
	}
	return m
}

// typeOf is the CEL type of a field.
func typeOf(fd protoreflect.FieldDescriptor) *types.Type {
	switch {
	case fd.IsMap():
		return types.NewMapType(typeOfItem(fd.MapKey()), typeOfItem(fd.MapValue()))
	case fd.IsList():
		return types.NewListType(typeOfItem(fd))
	}
	return typeOfItem(fd)
}

func typeOfItem(fd protoreflect.FieldDescriptor) *types.Type {
	switch fd.Kind() {
	case protoreflect.BoolKind:
		return types.BoolType
	case protoreflect.StringKind:
		return types.StringType
	case protoreflect.BytesKind:
		return types.BytesType
	case protoreflect.FloatKind, protoreflect.DoubleKind:
		return types.DoubleType
	case protoreflect.Uint32Kind, protoreflect.Uint64Kind, protoreflect.Fixed32Kind, protoreflect.Fixed64Kind:
		return types.UintType
	case protoreflect.MessageKind, protoreflect.GroupKind:
		return types.NewObjectType(string(fd.Message().FullName()))
	}
	return types.IntType // the other numbers, and enums
}

// provider tells the type checker and the interpreter of the contract's types, and of no others.
type provider struct {
	*types.Registry // standard types
	messages        map[string]*message
	enums           map[string]types.Int
}

func newProvider(mds ...protoreflect.MessageDescriptor) *provider {
	p := &provider{Registry: standard(), messages: map[string]*message{}, enums: map[string]types.Int{}}
	for _, md := range mds {
		d := &describer{known: map[protoreflect.FullName]*message{}}
		d.message(md)
		for name, m := range d.known {
			p.messages[string(name)] = m
			p.addEnums(m)
		}
	}
	return p
}

// standard is a registry without messages. It cannot fail.
func standard() *types.Registry {
	r, err := types.NewRegistry()
	if err != nil {
		panic(err)
	}
	return r
}

func (p *provider) addEnums(m *message) {
	for _, f := range m.fields {
		fd := f.desc
		if fd.IsMap() {
			fd = fd.MapValue()
		}
		if fd.Enum() == nil {
			continue
		}
		for i := range fd.Enum().Values().Len() {
			v := fd.Enum().Values().Get(i)
			p.enums[string(fd.Enum().FullName())+"."+string(v.Name())] = types.Int(v.Number())
		}
	}
}

// EnumValue implements types.Provider.
func (p *provider) EnumValue(name string) ref.Val {
	if v, ok := p.enums[name]; ok {
		return v
	}
	return types.NewErr("unknown enum name '%s'", name)
}

// FindIdent implements types.Provider: the values of enums are names.
func (p *provider) FindIdent(name string) (ref.Val, bool) {
	if v, ok := p.enums[name]; ok {
		return v, true
	}
	return p.Registry.FindIdent(name)
}

// FindStructType implements types.Provider.
func (p *provider) FindStructType(name string) (*types.Type, bool) {
	if m, ok := p.messages[name]; ok {
		return types.NewTypeTypeWithParam(m.typ), true
	}
	return nil, false
}

// FindStructFieldNames implements types.Provider.
func (p *provider) FindStructFieldNames(name string) ([]string, bool) {
	m, ok := p.messages[name]
	if !ok {
		return nil, false
	}
	var names []string
	for field := range m.fields {
		names = append(names, field)
	}
	return names, true
}

// FindStructFieldType implements types.Provider.
func (p *provider) FindStructFieldType(name, fieldName string) (*types.FieldType, bool) {
	m, ok := p.messages[name]
	if !ok {
		return nil, false
	}
	f, ok := m.fields[fieldName]
	if !ok {
		return nil, false
	}
	return f.typ, true
}

// NewValue implements types.Provider: conditions make no messages.
func (p *provider) NewValue(name string, _ map[string]ref.Val) ref.Val {
	return types.NewErr("no messages are made: %s", name)
}
