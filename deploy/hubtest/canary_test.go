package hubtest_test

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/dynamicpb"

	"github.com/lienthong/lienthong/deploy/hubtest"
	"github.com/lienthong/lienthong/deploy/parts"
	"github.com/lienthong/lienthong/gateway/client"
)

// canary begins every value that the canary registries answer with.
const canary = "CANARY-"

// fill puts a canary into every field of a message, whose path is the prefix; lists get one item.
func fill(m protoreflect.Message, prefix string) {
	fields := m.Descriptor().Fields()
	for i := range fields.Len() {
		f := fields.Get(i)
		path := prefix + string(f.Name())
		switch {
		case f.IsMap():
			panic("the sandbox has no maps: " + path)
		case f.IsList() && f.Message() != nil:
			fill(m.Mutable(f).List().AppendMutable().Message(), path+".")
		case f.Message() != nil:
			fill(m.Mutable(f).Message(), path+".")
		case f.IsList():
			m.Mutable(f).List().Append(scalar(f, path))
		default:
			m.Set(f, scalar(f, path))
		}
	}
}

// scalar is a canary of a field's kind.
func scalar(f protoreflect.FieldDescriptor, path string) protoreflect.Value {
	switch f.Kind() {
	case protoreflect.StringKind:
		return protoreflect.ValueOfString(canary + path)
	case protoreflect.BytesKind:
		return protoreflect.ValueOfBytes([]byte(canary + path))
	case protoreflect.BoolKind:
		return protoreflect.ValueOfBool(true)
	case protoreflect.EnumKind:
		return protoreflect.ValueOfEnum(f.Enum().Values().Get(f.Enum().Values().Len() - 1).Number())
	case protoreflect.Int32Kind, protoreflect.Sint32Kind:
		return protoreflect.ValueOfInt32(math.MaxInt32)
	case protoreflect.Int64Kind, protoreflect.Sint64Kind:
		return protoreflect.ValueOfInt64(math.MaxInt64)
	case protoreflect.Uint32Kind:
		return protoreflect.ValueOfUint32(math.MaxUint32)
	case protoreflect.Uint64Kind:
		return protoreflect.ValueOfUint64(math.MaxUint64)
	}
	panic("no canary of kind " + f.Kind().String())
}

// leaves are the paths of a message that are set.
func leaves(m protoreflect.Message, prefix string, found map[string]bool) {
	if len(m.GetUnknown()) > 0 {
		found[prefix+"(unknown fields)"] = true
	}
	m.Range(func(f protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		path := prefix + string(f.Name())
		switch {
		case f.Message() == nil:
			found[path] = true
		case f.IsList():
			for i := range v.List().Len() {
				leaves(v.List().Get(i).Message(), path+".", found)
			}
		default:
			leaves(v.Message(), path+".", found)
		}
		return true
	})
}

// overfull is a service whose every method answers with canaries in all fields.
func overfull(service string) func(grpc.ServiceRegistrar) {
	found, err := protoregistry.GlobalFiles.FindDescriptorByName(protoreflect.FullName(service))
	if err != nil {
		panic(err)
	}
	sd := found.(protoreflect.ServiceDescriptor)
	desc := grpc.ServiceDesc{ServiceName: service, Metadata: sd.ParentFile().Path()}
	for i := range sd.Methods().Len() {
		md := sd.Methods().Get(i)
		desc.Methods = append(desc.Methods, grpc.MethodDesc{MethodName: string(md.Name()), Handler: answerAll(md)})
	}
	return func(r grpc.ServiceRegistrar) { r.RegisterService(&desc, nil) }
}

func answerAll(md protoreflect.MethodDescriptor) grpc.MethodHandler {
	return func(_ any, _ context.Context, decode func(any) error, _ grpc.UnaryServerInterceptor) (any, error) {
		if err := decode(dynamicpb.NewMessage(md.Input())); err != nil {
			return nil, err
		}
		return overfullAnswer(md), nil
	}
}

// overfullAnswer is a method's answer with canaries in all fields, and a result.
func overfullAnswer(md protoreflect.MethodDescriptor) proto.Message {
	known, err := protoregistry.GlobalTypes.FindMessageByName(md.Output().FullName())
	if err != nil {
		panic(err)
	}
	m := known.New()
	fill(m, "")
	return m.Interface()
}

// canaries are all registries of the sandbox, answering with canaries.
func canaries() []hubtest.Registry {
	var all []hubtest.Registry
	for _, r := range parts.Registries() {
		all = append(all, hubtest.Registry{Name: r.Name, Register: overfull(r.Service)})
	}
	return all
}

// granted is something that an agreement in force lets a system ask.
type granted struct {
	as, method string
	words      client.Words
	request    string // just enough to reach the registry
	fields     []string
}

// grants reads what the agreements let be asked.
func grants(t testing.TB, hub *hubtest.Hub) []granted {
	var all []granted
	for _, a := range hub.Policy().Agreements.All() {
		if now := time.Now(); now.Before(a.From) || now.After(a.Until) {
			continue
		}
		for _, m := range a.Methods {
			request := "{}"
			if m.Method.Policy.GetJurisdiction() != "" {
				request = fmt.Sprintf(`{%q: %q}`, m.Method.Policy.GetJurisdiction(), provinceOf(a.Provider))
			}
			for _, system := range a.Systems {
				all = append(all, granted{a.Agency + "/" + system, m.Method.Name,
					client.Words{Purpose: a.Purposes[0].Code, Case: "H27-1", Officer: "an.nv"}, request, m.Fields})
			}
		}
	}
	require.Greater(t, len(all), 20)
	return all
}

// provinceOf is a province for which the agency's land registry answers.
func provinceOf(agency string) string {
	return map[string]string{"H27": "42", "H60": "08"}[agency] + map[string]string{"G13": "01"}[agency]
}

// observed is a hub whose every trace, log line, record and figure a test can search.
type observed struct {
	*hubtest.Hub
	spans *tracetest.SpanRecorder
}

func observe(t *testing.T, registries []hubtest.Registry) observed {
	spans := tracetest.NewSpanRecorder()
	tracer := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(spans)).Tracer("test")
	return observed{hubtest.Start(t, hubtest.Config{Registries: registries, Tracer: tracer}), spans}
}

// everything is all that the hub has said beside its answers.
func (o observed) everything(t testing.TB) map[string]string {
	_, metrics := o.Get(t, "/metrics")
	_, ready := o.Get(t, "/readyz")
	return map[string]string{
		"log": o.Log(), "records": fmt.Sprint(o.happened(t)), "spans": spansText(o.spans), "metrics": metrics, "readyz": ready,
	}
}

// happened are the records but those of changes: what agencies are called is nobody's secret.
func (o observed) happened(t testing.TB) []hubtest.Record {
	return slices.DeleteFunc(o.Records(t), func(r hubtest.Record) bool { return r.GetChange() != nil })
}

// spansText is all that spans say.
func spansText(spans *tracetest.SpanRecorder) string {
	var b strings.Builder
	for _, s := range spans.Ended() {
		fmt.Fprintln(&b, s.Name(), s.Attributes(), s.Status(), s.Events(), s.SpanContext().TraceState(), s.Resource())
	}
	return b.String()
}

func TestNoFieldOutsideTheAgreementEverAppears(t *testing.T) {
	hub := observe(t, canaries())
	for _, g := range grants(t, hub.Hub) {
		a := ask(within(t), t, hub.Dial(t, g.as), g.method, g.words, g.request)
		require.NoError(t, a.err, "%s %s", g.as, g.method)
		requireOnly(t, g, a)
	}
	for where, text := range hub.everything(t) {
		require.NotContains(t, text, canary, where)
	}
}

// requireOnly checks that an answer has exactly the agreed fields, and that nothing came beside it.
func requireOnly(t *testing.T, g granted, a *answer) {
	t.Helper()
	out := dynamicpb.NewMessage(methodOf(t, g.method).Output())
	require.NoError(t, proto.Unmarshal(a.raw, out))
	found := map[string]bool{}
	leaves(out, "", found)
	for path := range found {
		agreed := slices.Contains(g.fields, path) || strings.HasPrefix(path, "result.")
		require.True(t, agreed, "%s got %s of %s, which is not agreed", g.as, path, g.method)
	}
	for _, path := range g.fields {
		require.True(t, found[path], "%s did not get %s of %s, which is agreed", g.as, path, g.method)
	}
	require.NotContains(t, fmt.Sprint(a.header, a.trailer), canary)
}

func TestNarrowingByLtFieldsHoldsForEveryMethod(t *testing.T) {
	t.Parallel()
	hub := observe(t, canaries())
	for _, g := range grants(t, hub.Hub) {
		if len(g.fields) == 0 {
			continue
		}
		g.words.Fields = g.fields[len(g.fields)/2]
		g.fields = []string{g.words.Fields}
		a := ask(within(t), t, hub.Dial(t, g.as), g.method, g.words, g.request)
		require.NoError(t, a.err, "%s %s", g.as, g.method)
		requireOnly(t, g, a)
	}
}
