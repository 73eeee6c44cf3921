package tally

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

var sharedKey = bytes.Repeat([]byte{7}, KeySize)

func newOpener(since int64) *opener {
	return &opener{key: sharedKey, since: since, heard: map[senderID]*heard{}}
}

func say(t require.TestingT, s *sealer, payload string, now int64) []byte {
	word, err := s.seal(3, []byte(payload), now)
	require.NoError(t, err)
	return word
}

func someone(t require.TestingT) *sealer {
	s, err := newSealer(sharedKey, "someone")
	require.NoError(t, err)
	return s
}

func TestWordsAreTakenOnceInOrderAndInTime(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		const start = int64(1_000_000)
		s, o := someone(t), newOpener(start)
		var words [][]byte
		var said []int64
		for range rapid.IntRange(1, 20).Draw(t, "words") {
			at := start + rapid.Int64Range(-2*maxAge, 3*maxAge).Draw(t, "said")
			words, said = append(words, say(t, s, "x", at)), append(said, at)
		}
		now, last := start, -1
		for range 40 {
			now += rapid.Int64Range(0, 5_000).Draw(t, "later")
			i := rapid.IntRange(0, len(words)-1).Draw(t, "word")
			_, payload, err := o.open(words[i], now)
			fine := i > last && said[i] >= start && said[i] >= now-maxAge && said[i] <= now+maxAge
			require.Equal(t, fine, err == nil)
			if fine {
				require.Equal(t, "x", string(payload))
				last = i
			}
		}
	})
}

func TestOnlySomeSendersAreRemembered(t *testing.T) {
	o := newOpener(0)
	for range maxSenders {
		_, _, err := o.open(say(t, someone(t), "x", 0), 0)
		require.NoError(t, err)
	}
	extra := someone(t)
	_, _, err := o.open(say(t, extra, "x", maxAge), maxAge)
	require.ErrorIs(t, err, errRefused)
	require.Len(t, o.heard, maxSenders)
	now := 2*maxAge + 1
	_, _, err = o.open(say(t, extra, "x", now), now)
	require.NoError(t, err, "those who are silent make room")
	require.Len(t, o.heard, 1)
}

func TestAProcessSealsNoMoreThanItsKeyIsGoodFor(t *testing.T) {
	s := someone(t)
	s.number = lastNumber
	_, err := s.seal(1, nil, 0)
	require.Error(t, err)
}

func FuzzOpen(f *testing.F) {
	s, err := newSealer(sharedKey, "someone")
	require.NoError(f, err)
	genuine := say(f, s, "payload", 5)
	f.Add(genuine)
	f.Add(genuine[:40])
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, word []byte) {
		o := newOpener(0)
		kind, payload, err := o.open(word, 5)
		if err != nil {
			require.Empty(t, o.heard)
			return
		}
		require.Equal(t, byte(3), kind, "only what was sealed opens")
		require.Equal(t, "payload", string(payload))
	})
}

func BenchmarkSealAndOpen(b *testing.B) {
	s, o := someone(b), newOpener(0)
	payload := make([]byte, 2000)
	b.ReportAllocs()
	for b.Loop() {
		word, err := s.seal(1, payload, 0)
		if err == nil {
			_, _, err = o.open(word, 0)
		}
		if err != nil {
			b.Fatal(err)
		}
	}
}
