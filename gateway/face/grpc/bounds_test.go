package grpc

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// A peer that sends all of its requests but the last byte makes the face hold them, for as long as it likes and
// whether or not it may ask anything: measured, 64 calls with 4 MiB each are 260 MB.
func TestOneConnectionMakesTheFaceHoldLittle(t *testing.T) {
	require.LessOrEqual(t, maxStreams*maxReceive, 128<<20)
}
