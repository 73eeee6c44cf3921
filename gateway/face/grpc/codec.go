package grpc

import (
	"google.golang.org/grpc/encoding"
	_ "google.golang.org/grpc/encoding/proto" // health and reflection speak it
	"google.golang.org/grpc/mem"
)

// payload is a message as it is on the wire.
type payload struct{ data []byte }

// rawCodec passes payloads as they are, and everything else to the protobuf codec.
type rawCodec struct{}

var protoCodec = encoding.GetCodecV2("proto")

// Name makes the content type application/grpc+proto, as clients expect.
func (rawCodec) Name() string { return "proto" }

// Marshal hands the bytes of a payload over; they must not be changed afterwards.
func (rawCodec) Marshal(v any) (mem.BufferSlice, error) {
	if p, ok := v.(*payload); ok {
		return mem.BufferSlice{mem.SliceBuffer(p.data)}, nil
	}
	return protoCodec.Marshal(v)
}

// Unmarshal copies the bytes of a message into a payload: gRPC takes its buffers back.
func (rawCodec) Unmarshal(data mem.BufferSlice, v any) error {
	if p, ok := v.(*payload); ok {
		p.data = data.Materialize()
		return nil
	}
	return protoCodec.Unmarshal(data, v)
}
