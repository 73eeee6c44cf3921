package authority_test

import (
	"testing"

	"github.com/lienthong/lienthong/gateway/member/authority"
)

func BenchmarkFirstStart(b *testing.B) {
	for b.Loop() {
		a, err := authority.Open(b.TempDir())
		if err != nil {
			b.Fatal(err)
		}
		if err := a.EnsureSandbox(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkSecondStart(b *testing.B) {
	dir := b.TempDir()
	for b.Loop() {
		a, err := authority.Open(dir)
		if err != nil {
			b.Fatal(err)
		}
		if err := a.EnsureSandbox(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
}
