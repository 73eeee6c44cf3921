package main

import (
	"fmt"
	"strconv"
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/dynamicpb"

	"github.com/lienthong/lienthong/proto/contract"
)

// setFields sets request fields from arguments like "address.province_code=42". A repeated field is added to each
// time it comes.
func setFields(m *dynamicpb.Message, arguments []string) error {
	for _, argument := range arguments {
		path, value, ok := strings.Cut(argument, "=")
		if !ok {
			return fmt.Errorf("%q is not field=value", argument)
		}
		if err := setField(m, path, value); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
	}
	return nil
}

func setField(m protoreflect.Message, path, value string) error {
	name, rest, nested := strings.Cut(path, ".")
	fd := m.Descriptor().Fields().ByName(protoreflect.Name(name))
	if fd == nil {
		return fmt.Errorf("the request has no such field; it has %s", strings.Join(fieldNames(m.Descriptor()), ", "))
	}
	if fd.IsMap() {
		return fmt.Errorf("is a map; give the request as JSON on stdin")
	}
	if nested {
		if fd.Message() == nil || fd.IsList() {
			return fmt.Errorf("%s has no fields of its own to set; give the request as JSON on stdin if it is a list", name)
		}
		return setField(m.Mutable(fd).Message(), rest, value)
	}
	parsed, err := parseValue(fd, value)
	if err != nil {
		return err
	}
	if fd.IsList() {
		m.Mutable(fd).List().Append(parsed)
	} else {
		m.Set(fd, parsed)
	}
	return nil
}

func fieldNames(md protoreflect.MessageDescriptor) []string {
	var names []string
	for i := range md.Fields().Len() {
		names = append(names, string(md.Fields().Get(i).Name()))
	}
	return names
}

// parseValue reads one scalar of a field's kind.
func parseValue(fd protoreflect.FieldDescriptor, value string) (protoreflect.Value, error) {
	switch fd.Kind() {
	case protoreflect.StringKind:
		return protoreflect.ValueOfString(value), nil
	case protoreflect.BytesKind:
		return protoreflect.ValueOfBytes([]byte(value)), nil
	case protoreflect.BoolKind:
		b, err := strconv.ParseBool(value)
		return protoreflect.ValueOfBool(b), err
	case protoreflect.EnumKind:
		if n, err := strconv.ParseInt(value, 10, 32); err == nil {
			return protoreflect.ValueOfEnum(protoreflect.EnumNumber(n)), nil
		}
		if v := fd.Enum().Values().ByName(protoreflect.Name(value)); v != nil {
			return protoreflect.ValueOfEnum(v.Number()), nil
		}
		var names []string
		for i := range fd.Enum().Values().Len() {
			names = append(names, string(fd.Enum().Values().Get(i).Name()))
		}
		return protoreflect.Value{}, fmt.Errorf("no such value; there are %s", strings.Join(names, ", "))
	case protoreflect.Int32Kind, protoreflect.Sint32Kind, protoreflect.Sfixed32Kind:
		n, err := strconv.ParseInt(value, 10, 32)
		return protoreflect.ValueOfInt32(int32(n)), err
	case protoreflect.Int64Kind, protoreflect.Sint64Kind, protoreflect.Sfixed64Kind:
		n, err := strconv.ParseInt(value, 10, 64)
		return protoreflect.ValueOfInt64(n), err
	case protoreflect.Uint32Kind, protoreflect.Fixed32Kind:
		n, err := strconv.ParseUint(value, 10, 32)
		return protoreflect.ValueOfUint32(uint32(n)), err
	case protoreflect.Uint64Kind, protoreflect.Fixed64Kind:
		n, err := strconv.ParseUint(value, 10, 64)
		return protoreflect.ValueOfUint64(n), err
	case protoreflect.FloatKind:
		x, err := strconv.ParseFloat(value, 32)
		return protoreflect.ValueOfFloat32(float32(x)), err
	case protoreflect.DoubleKind:
		x, err := strconv.ParseFloat(value, 64)
		return protoreflect.ValueOfFloat64(x), err
	}
	return protoreflect.Value{}, fmt.Errorf("has fields of its own; set them one by one, such as %s.%s=…", fd.Name(), fieldNames(fd.Message())[0])
}

// rowsOf lists a message's set fields: path, value, and what the field is called.
func rowsOf(m protoreflect.Message) [][]string {
	var rows [][]string
	appendRows(&rows, "", m)
	return rows
}

func appendRows(rows *[][]string, prefix string, m protoreflect.Message) {
	fields := m.Descriptor().Fields()
	for i := range fields.Len() {
		fd := fields.Get(i)
		if !m.Has(fd) {
			continue
		}
		path, v := prefix+string(fd.Name()), m.Get(fd)
		switch {
		case fd.IsMap():
			v.Map().Range(func(k protoreflect.MapKey, v protoreflect.Value) bool {
				appendValue(rows, fmt.Sprintf("%s[%s]", path, k.String()), fd.MapValue(), fd, v)
				return true
			})
		case fd.IsList():
			for j := range v.List().Len() {
				appendValue(rows, fmt.Sprintf("%s[%d]", path, j), fd, fd, v.List().Get(j))
			}
		default:
			appendValue(rows, path, fd, fd, v)
		}
	}
}

func appendValue(rows *[][]string, path string, kind, label protoreflect.FieldDescriptor, v protoreflect.Value) {
	if kind.Message() != nil {
		appendRows(rows, path+".", v.Message())
		return
	}
	text := v.String()
	if kind.Enum() != nil {
		if value := kind.Enum().Values().ByNumber(v.Enum()); value != nil {
			text = string(value.Name())
		}
	}
	*rows = append(*rows, []string{path, text, contract.Field(label).GetTitle().GetVi()})
}
