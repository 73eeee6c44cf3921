package bus_test

import (
	"bytes"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	"github.com/lienthong/lienthong/proto/bus"
	hubv1 "github.com/lienthong/lienthong/proto/hub/v1"
)

func TestAFrameIsTheMessageOfItsContract(t *testing.T) {
	l := newLine(t)
	h := l.header()
	data := bus.Introduce(l.gateway.Seal(nil, &h, []byte("question")), []byte("words"))
	var m hubv1.Frame
	require.NoError(t, proto.Unmarshal(data, &m))
	require.Empty(t, m.ProtoReflect().GetUnknown())
	f, err := bus.ParseFrame(data)
	require.NoError(t, err)
	require.Equal(t, l.gatewayKey.ID[:], m.GetSenderKey())
	require.Equal(t, l.connectorKey.ID[:], m.GetReceiverKey())
	require.Equal(t, f.Sender[:], m.GetSenderKey())
	require.Equal(t, f.Receiver[:], m.GetReceiverKey())
	require.EqualValues(t, 1, m.GetCounter())
	require.Equal(t, f.Counter, m.GetCounter())
	require.Equal(t, h.ExchangeID[:], m.GetExchangeId())
	require.Equal(t, h.Expires.UnixMilli(), m.GetExpiresUnixMs())
	require.Equal(t, f.Expires.UnixMilli(), m.GetExpiresUnixMs())
	require.Equal(t, h.Digest[:], m.GetContractDigest())
	require.Equal(t, f.Body, m.GetBody())
	require.Equal(t, []byte("words"), m.GetAnnouncement())
	require.Equal(t, []byte("words"), f.Announcement)
}

func TestARefusalSaysWhyAndNothingElse(t *testing.T) {
	f, err := bus.ParseFrame(bus.Refuse(hubv1.Frame_REFUSAL_KEY_UNKNOWN, []byte("words")))
	require.NoError(t, err)
	require.Equal(t, bus.Frame{Refusal: hubv1.Frame_REFUSAL_KEY_UNKNOWN, Announcement: []byte("words"), Expires: f.Expires}, f)
	var m hubv1.Frame
	require.NoError(t, proto.Unmarshal(bus.Refuse(hubv1.Frame_REFUSAL_OVERLOADED, nil), &m))
	require.Equal(t, hubv1.Frame_REFUSAL_OVERLOADED, m.GetRefusal())
	require.Empty(t, m.GetAnnouncement())
}

func TestWhatIsNoFrameIsRefused(t *testing.T) {
	for name, data := range map[string][]byte{
		"key too short":       {1<<3 | 2, 2, 1, 2},
		"key too long":        append([]byte{1<<3 | 2, 17}, make([]byte, 17)...),
		"no key":              {1<<3 | 2, 0},
		"digest too short":    append([]byte{6<<3 | 2, 31}, make([]byte, 31)...),
		"exchange too short":  {4<<3 | 2, 1, 1},
		"field twice":         {3 << 3, 1, 3 << 3, 2},
		"unknown field":       {10 << 3, 1},
		"far field":           {0xfa, 0xff, 0xff, 0xff, 0x0f, 0},
		"field 0":             {0, 1},
		"counter as bytes":    {3<<3 | 2, 1, 1},
		"body as a number":    {7 << 3, 1},
		"group":               {7<<3 | 3, 7<<3 | 4},
		"fixed":               {3<<3 | 1, 1, 2, 3, 4, 5, 6, 7, 8},
		"cut tag":             {0x80},
		"cut number":          {3 << 3, 0x80},
		"endless number":      append([]byte{3 << 3}, bytes.Repeat([]byte{0xff}, 11)...),
		"length past the end": {7<<3 | 2, 5, 1},
		"refusal of nothing":  {9 << 3, 0},
		"refusal that wraps":  {9 << 3, 0x80, 0x80, 0x80, 0x80, 0x10},
		"endless words":       append([]byte{8<<3 | 2, 0x81, 0x80, 0x04}, make([]byte, bus.MaxAnnouncement+1)...),
		"larger than a frame": append([]byte{7<<3 | 2, 0xfb, 0xff, 0x7f + 1, 1}, make([]byte, bus.MaxFrame)...),
	} {
		_, err := bus.ParseFrame(data)
		require.ErrorIs(t, err, bus.ErrFrame, name)
	}
	_, err := bus.ParseFrame(nil)
	require.NoError(t, err, "nothing is a frame of nobody, which nobody opens")
}

func FuzzParseFrame(f *testing.F) {
	l := newLine(f)
	h := l.header()
	f.Add(bus.Introduce(l.gateway.Seal(nil, &h, []byte("question")), []byte("words")))
	f.Add(bus.Refuse(hubv1.Frame_REFUSAL_KEY_UNKNOWN, []byte("words")))
	f.Add([]byte{3 << 3, 1, 3 << 3, 2})
	f.Fuzz(func(t *testing.T, data []byte) {
		before := bytes.Clone(data)
		frame, err := bus.ParseFrame(data)
		require.Equal(t, before, data, "parsing changes nothing")
		if err != nil {
			require.ErrorIs(t, err, bus.ErrFrame)
			return
		}
		var m hubv1.Frame
		require.NoError(t, proto.Unmarshal(data, &m), "a frame is a message of its contract")
		require.Empty(t, m.ProtoReflect().GetUnknown())
		require.Equal(t, m.GetCounter(), frame.Counter)
		require.Equal(t, m.GetRefusal(), frame.Refusal)
		require.True(t, bytes.Equal(m.GetBody(), frame.Body))
		require.True(t, bytes.Equal(m.GetAnnouncement(), frame.Announcement))
		opened := bus.Header{Subject: h.Subject, Reply: "somewhere"}
		_, err = l.connector.Open(nil, &opened, &frame, time.Now())
		require.Error(t, err, "nothing opens that was not sealed for here")
	})
}
