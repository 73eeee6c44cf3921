package main

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/dynamicpb"

	"github.com/lienthong/lienthong/proto/contract"
)

// setFields sets request fields from arguments like "address.province_code=42". A repeated field is added to each
// time it comes; items that have fields of their own are counted from 0: "people.0.full_name=…".
func setFields(m *dynamicpb.Message, arguments []string) error {
	for _, argument := range arguments {
		path, value, ok := strings.Cut(argument, "=")
		if !ok {
			return fmt.Errorf("%q is not field=value", argument)
		}
		if !utf8.ValidString(value) {
			return fmt.Errorf("%s: the value is not UTF-8 text", path)
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
	switch {
	case fd == nil:
		return fmt.Errorf("there is no field %q; there are %s", name, strings.Join(fieldNames(m.Descriptor()), ", "))
	case fd.IsMap():
		return errors.New("is a map; give the request as JSON on stdin")
	case nested && fd.Message() == nil:
		return fmt.Errorf("%s has no fields of its own", name)
	case nested && fd.IsList():
		return setItem(m.Mutable(fd).List(), name, rest, value)
	case nested:
		return setField(m.Mutable(fd).Message(), rest, value)
	case !fd.IsList() && m.Has(fd):
		return errors.New("is given twice")
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

// setItem sets a field of a list's item: path is "0.full_name".
func setItem(list protoreflect.List, name, path, value string) error {
	number, rest, _ := strings.Cut(path, ".")
	i, err := strconv.Atoi(number)
	if err != nil || i < 0 || i > list.Len() || rest == "" {
		return fmt.Errorf("%s is a list; count its items from 0, such as %s.%d.FIELD=…", name, name, list.Len())
	}
	if i == list.Len() {
		list.AppendMutable()
	}
	return setField(list.Get(i).Message(), rest, value)
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
		return protoreflect.ValueOfBool(b), readable(err, value, "true or false")
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
		return protoreflect.ValueOfInt32(int32(n)), readable(err, value, "a whole number that fits")
	case protoreflect.Int64Kind, protoreflect.Sint64Kind, protoreflect.Sfixed64Kind:
		n, err := strconv.ParseInt(value, 10, 64)
		return protoreflect.ValueOfInt64(n), readable(err, value, "a whole number that fits")
	case protoreflect.Uint32Kind, protoreflect.Fixed32Kind:
		n, err := strconv.ParseUint(value, 10, 32)
		return protoreflect.ValueOfUint32(uint32(n)), readable(err, value, "a whole number that fits")
	case protoreflect.Uint64Kind, protoreflect.Fixed64Kind:
		n, err := strconv.ParseUint(value, 10, 64)
		return protoreflect.ValueOfUint64(n), readable(err, value, "a whole number that fits")
	case protoreflect.FloatKind:
		x, err := strconv.ParseFloat(value, 32)
		return protoreflect.ValueOfFloat32(float32(x)), readable(err, value, "a number that fits")
	case protoreflect.DoubleKind:
		x, err := strconv.ParseFloat(value, 64)
		return protoreflect.ValueOfFloat64(x), readable(err, value, "a number that fits")
	}
	return protoreflect.Value{}, fmt.Errorf("has fields of its own: %s; set them one by one, joined to it by a dot", strings.Join(fieldNames(fd.Message()), ", "))
}

// readable says what a value should have been.
func readable(err error, value, expected string) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%q is not %s", value, expected)
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
