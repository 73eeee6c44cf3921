package main

import (
	"fmt"
	"os"

	"google.golang.org/grpc/encoding"
	_ "google.golang.org/grpc/encoding/proto" // registers the codec that is asked for below
	"google.golang.org/grpc/mem"
)

// keepingCodec is gRPC's codec for one call that keeps the bytes of request and answer as they crossed the wire: the
// ledger has digests of those bytes, not of what they mean.
type keepingCodec struct {
	encoding.CodecV2
	request, answer []byte
}

func newKeepingCodec() *keepingCodec { return &keepingCodec{CodecV2: encoding.GetCodecV2("proto")} }

// Marshal is called by gRPC.
func (k *keepingCodec) Marshal(v any) (mem.BufferSlice, error) {
	out, err := k.CodecV2.Marshal(v)
	if err == nil {
		k.request = out.Materialize()
	}
	return out, err
}

// Unmarshal is called by gRPC.
func (k *keepingCodec) Unmarshal(data mem.BufferSlice, v any) error {
	k.answer = data.Materialize()
	return k.CodecV2.Unmarshal(data, v)
}

// canWrite fails if files could not be written, before something is asked whose answer would be lost with them.
func canWrite(paths ...string) error {
	for _, path := range paths {
		if path == "" {
			continue
		}
		f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE, 0o600)
		if err == nil {
			err = f.Close()
		}
		if err != nil {
			return fmt.Errorf("nothing was asked: the file for its bytes cannot be written: %w", err)
		}
	}
	return nil
}

// write writes the bytes to files; an empty name writes none. They are citizens' data: nobody else may read the files.
func (k *keepingCodec) write(request, answer string) error {
	for _, f := range []struct {
		flag, path string
		bytes      []byte
	}{{"--raw-request", request, k.request}, {"--raw", answer, k.answer}} {
		if f.path == "" {
			continue
		}
		if err := os.WriteFile(f.path, f.bytes, 0o600); err != nil {
			return fmt.Errorf("write %s: %w", f.flag, err)
		}
	}
	return nil
}
