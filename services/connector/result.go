package connector

import (
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
)

// Next says what a desk may do after a result (R07: paper only if the data is missing or wrong).
func Next(code hubv1.Result_Code) hubv1.Result_Next {
	switch code {
	case hubv1.Result_NO_MATCH:
		return hubv1.Result_CHECK_INPUT
	case hubv1.Result_MULTIPLE:
		return hubv1.Result_ASK_MORE
	case hubv1.Result_MISSING, hubv1.Result_WRONG:
		return hubv1.Result_ASK_PAPER
	case hubv1.Result_DECEASED:
		return hubv1.Result_STOP
	case hubv1.Result_PARTIAL:
		return hubv1.Result_TRY_LATER
	}
	return hubv1.Result_USE_DATA
}

// settle fills in what a registry may leave out of its results: no result means FOUND, and the next step follows
// from the code. It also does so for the items of an answer about many people.
func settle(response proto.Message) {
	m := response.ProtoReflect()
	fields := m.Descriptor().Fields()
	if fd := fields.ByName("result"); isResult(fd) {
		settleOne(m.Mutable(fd).Message().Interface().(*hubv1.Result))
	}
	for i := range fields.Len() {
		fd := fields.Get(i)
		if !fd.IsList() || fd.Message() == nil || !m.Has(fd) {
			continue
		}
		inner := fd.Message().Fields().ByName("result")
		if !isResult(inner) {
			continue
		}
		list := m.Mutable(fd).List()
		for j := range list.Len() {
			settleOne(list.Get(j).Message().Mutable(inner).Message().Interface().(*hubv1.Result))
		}
	}
}

func isResult(fd protoreflect.FieldDescriptor) bool {
	return fd != nil && !fd.IsList() && fd.Message() != nil && fd.Message().FullName() == "hub.v1.Result"
}

func settleOne(r *hubv1.Result) {
	if r.GetCode() == hubv1.Result_CODE_UNSPECIFIED {
		r.Code = hubv1.Result_FOUND
	}
	if r.GetNext() == hubv1.Result_NEXT_UNSPECIFIED {
		r.Next = Next(r.GetCode())
	}
}
