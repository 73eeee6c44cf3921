package land

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lienthong/lienthong/proto/reason"
)

func TestASerialIsReadHoweverItIsTyped(t *testing.T) {
	for in, want := range map[string]Serial{
		"AA 01695788":    "AA 01695788",
		"aa01695788":     "AA 01695788",
		" a A 016 95788": "AA 01695788",
		"BĐ 456123":      "BĐ 456123",
		"bđ456123":       "BĐ 456123",
	} {
		got, err := ParseSerial(in)
		require.NoError(t, err, in)
		require.Equal(t, want, got, in)
	}
}

func TestWhatIsNoSerialIsRefused(t *testing.T) {
	for in, want := range map[string]reason.Reason{
		"":               reason.FieldRequired,
		"  ":             reason.FieldRequired,
		"AA":             reason.FieldInvalid,
		"A 01695788":     reason.FieldInvalid,
		"AAA 01695788":   reason.FieldInvalid,
		"AA 0169578":     reason.FieldInvalid,
		"AA 016957889":   reason.FieldInvalid,
		"AA 0169578x":    reason.FieldInvalid,
		"01695788 AA":    reason.FieldInvalid,
		"AA 01695788 AA": reason.FieldInvalid,
		"AÂ 01695788":    reason.FieldInvalid,
		"AA ٠١٦٩٥٧٨٨":    reason.FieldInvalid,
		"AA\x0001695788": reason.FieldInvalid,
	} {
		_, err := ParseSerial(in)
		require.ErrorIs(t, err, want, "%q", in)
		require.Equal(t, "certificate_serial", reason.Of(err).Field)
	}
}

func FuzzParseSerial(f *testing.F) {
	for _, seed := range []string{"AA 01695788", "bđ 456123", "", "AA\xff 456123"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		serial, err := ParseSerial(s)
		if err != nil {
			return
		}
		again, err := ParseSerial(string(serial))
		require.NoError(t, err)
		require.Equal(t, serial, again)
	})
}
