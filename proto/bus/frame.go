package bus

import (
	"math"
	"time"

	"google.golang.org/protobuf/encoding/protowire"

	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
)

// Frame is a parsed hub.v1.Frame. Its byte slices alias what it was parsed from.
type Frame struct {
	Sender, Receiver KeyID
	Counter          uint64
	ExchangeID       [16]byte
	Expires          time.Time
	Digest           [32]byte
	Body             []byte
	Announcement     []byte
	Refusal          hubv1.Frame_Refusal
}

// appendOutside appends the fields of a frame that come before its body. Field numbers: hub/v1/call.proto.
func appendOutside(b []byte, sender, receiver KeyID, counter uint64, h *Header) []byte {
	b = appendBytes(b, 1, sender[:])
	b = appendBytes(b, 2, receiver[:])
	b = protowire.AppendTag(b, 3, protowire.VarintType)
	b = protowire.AppendVarint(b, counter)
	b = appendBytes(b, 4, h.ExchangeID[:])
	b = protowire.AppendTag(b, 5, protowire.VarintType)
	b = protowire.AppendVarint(b, uint64(h.Expires.UnixMilli()))
	return appendBytes(b, 6, h.Digest[:])
}

func appendBytes(b []byte, num protowire.Number, v []byte) []byte {
	b = protowire.AppendTag(b, num, protowire.BytesType)
	return protowire.AppendBytes(b, v)
}

// Introduce adds the sender's announcement to a sealed frame, whose receiver said that it does not know the sender's
// key. It stays the same frame, with the same counter: sealing the call anew would leave two frames about that a
// receiver may open, and somebody could play the first one after the second.
func Introduce(frame, announcement []byte) []byte { return appendBytes(frame, 8, announcement) }

// Refuse returns the frame by which a connector says that it cannot open a call, with its own announcement when
// the keys are what is missing.
func Refuse(why hubv1.Frame_Refusal, announcement []byte) []byte {
	var b []byte
	if len(announcement) > 0 {
		b = appendBytes(b, 8, announcement)
	}
	b = protowire.AppendTag(b, 9, protowire.VarintType)
	return protowire.AppendVarint(b, uint64(why))
}

// ParseFrame reads a frame without copying. It fails with ErrFrame for anything that is not one: wrong lengths,
// a field twice, an unknown field, over MaxFrame bytes.
func ParseFrame(data []byte) (Frame, error) {
	var f Frame
	if len(data) > MaxFrame {
		return f, ErrFrame
	}
	var seen uint16
	for len(data) > 0 {
		num, typ, n := protowire.ConsumeTag(data)
		if n < 0 || num > 9 || seen&(1<<num) != 0 {
			return f, ErrFrame
		}
		seen |= 1 << num
		data = data[n:]
		switch typ {
		case protowire.VarintType:
			v, n := protowire.ConsumeVarint(data)
			if n < 0 || !f.setVarint(num, v) {
				return f, ErrFrame
			}
			data = data[n:]
		case protowire.BytesType:
			v, n := protowire.ConsumeBytes(data)
			if n < 0 || !f.setBytes(num, v) {
				return f, ErrFrame
			}
			data = data[n:]
		default:
			return f, ErrFrame
		}
	}
	return f, nil
}

func (f *Frame) setVarint(num protowire.Number, v uint64) bool {
	switch num {
	case 3:
		f.Counter = v
	case 5:
		f.Expires = time.UnixMilli(int64(v))
	case 9:
		f.Refusal = hubv1.Frame_Refusal(v)
		return v > 0 && v <= math.MaxInt32
	default:
		return false
	}
	return true
}

func (f *Frame) setBytes(num protowire.Number, v []byte) bool {
	switch num {
	case 1:
		return copy(f.Sender[:], v) == len(v) && len(v) == len(f.Sender)
	case 2:
		return copy(f.Receiver[:], v) == len(v) && len(v) == len(f.Receiver)
	case 4:
		return copy(f.ExchangeID[:], v) == len(v) && len(v) == len(f.ExchangeID)
	case 6:
		return copy(f.Digest[:], v) == len(v) && len(v) == len(f.Digest)
	case 7:
		f.Body = v
	case 8:
		f.Announcement = v
		return len(v) <= MaxAnnouncement
	default:
		return false
	}
	return true
}
