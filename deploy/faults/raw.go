package main

import (
	"fmt"

	"google.golang.org/grpc/encoding"
	"google.golang.org/grpc/mem"
	"google.golang.org/protobuf/proto"
)

// raw takes answers as the bytes that came: receipts are about bytes.
type raw struct{}

var _ encoding.CodecV2 = raw{}

// Name makes the hub think of protobuf, which the bytes are.
func (raw) Name() string { return "proto" }

// Marshal encodes a request.
func (raw) Marshal(v any) (mem.BufferSlice, error) {
	m, ok := v.(proto.Message)
	if !ok {
		return nil, fmt.Errorf("%T is no message", v)
	}
	b, err := proto.Marshal(m)
	return mem.BufferSlice{mem.SliceBuffer(b)}, err
}

// Unmarshal keeps an answer as it is.
func (raw) Unmarshal(data mem.BufferSlice, v any) error {
	b, ok := v.(*[]byte)
	if !ok {
		return fmt.Errorf("%T takes no bytes", v)
	}
	*b = data.Materialize()
	return nil
}
