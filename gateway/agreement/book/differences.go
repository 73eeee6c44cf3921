package book

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"

	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
)

// Differences says in words what changes from one document to the next: "methods[GetPerson].fields: + person.sex". Their
// versions are not compared.
func Differences(before, after *hubv1.Agreement) []string {
	return differ("", before.ProtoReflect(), after.ProtoReflect())
}

// names are the fields by which the items of a list of messages are known.
var names = []protoreflect.Name{"name", "code"}

func differ(path string, a, b protoreflect.Message) []string {
	var all []string
	fields := a.Descriptor().Fields()
	for i := range fields.Len() {
		f := fields.Get(i)
		at := path + string(f.Name())
		switch {
		case path == "" && f.Name() == "version", strings.HasSuffix(path, "].") && slices.Contains(names, f.Name()):
		case f.IsList() && f.Message() != nil:
			all = append(all, differMessages(at, a.Get(f).List(), b.Get(f).List())...)
		case f.IsList():
			all = append(all, differWords(at, a.Get(f).List(), b.Get(f).List())...)
		case f.Message() != nil:
			all = append(all, differ(at+".", a.Get(f).Message(), b.Get(f).Message())...)
		default:
			if was, is := word(f, a), word(f, b); was != is {
				all = append(all, fmt.Sprintf("%s: %s → %s", at, was, is))
			}
		}
	}
	return all
}

// word is a value as people read it; "none" for one that is not set.
func word(f protoreflect.FieldDescriptor, m protoreflect.Message) string {
	v := m.Get(f)
	switch {
	case !m.Has(f):
		return "none"
	case f.Kind() == protoreflect.StringKind:
		return strconv.Quote(v.String())
	case f.Kind() == protoreflect.EnumKind:
		if e := f.Enum().Values().ByNumber(v.Enum()); e != nil {
			return string(e.Name())
		}
	}
	return v.String()
}

func differWords(at string, a, b protoreflect.List) []string {
	was, is := wordsOf(a), wordsOf(b)
	var all []string
	for _, w := range is {
		if !slices.Contains(was, w) {
			all = append(all, at+": + "+w)
		}
	}
	for _, w := range was {
		if !slices.Contains(is, w) {
			all = append(all, at+": - "+w)
		}
	}
	if len(all) == 0 && !slices.Equal(was, is) {
		all = append(all, at+": in another order")
	}
	return all
}

func wordsOf(l protoreflect.List) []string {
	words := make([]string, l.Len())
	for i := range words {
		words[i] = l.Get(i).String()
	}
	return words
}

func differMessages(at string, a, b protoreflect.List) []string {
	was, is := itemsOf(a), itemsOf(b)
	var all []string
	for _, i := range is {
		k := slices.IndexFunc(was, func(o item) bool { return o.name == i.name })
		if k < 0 {
			all = append(all, at+": + "+i.name)
			all = append(all, differ(at+"["+i.name+"].", i.Type().Zero(), i.Message)...)
			continue
		}
		all = append(all, differ(at+"["+i.name+"].", was[k].Message, i.Message)...)
	}
	for _, o := range was {
		if !slices.ContainsFunc(is, func(i item) bool { return i.name == o.name }) {
			all = append(all, at+": - "+o.name)
		}
	}
	same := func(x, y item) bool { return x.name == y.name }
	if len(all) == 0 && !slices.EqualFunc(was, is, same) {
		all = append(all, at+": in another order")
	}
	return all
}

// item is an item of a list and its name.
type item struct {
	protoreflect.Message
	name string
}

func itemsOf(l protoreflect.List) []item {
	items := make([]item, l.Len())
	for i := range items {
		m := l.Get(i).Message()
		items[i] = item{m, strconv.Itoa(i)}
		for _, name := range names {
			if f := m.Descriptor().Fields().ByName(name); f != nil {
				items[i].name = m.Get(f).String()
			}
		}
	}
	return items
}
