package authority_test

import (
	"testing"

	"github.com/lienthong/lienthong/gateway/member/authority"
)

func BenchmarkFirstStart(b *testing.B) {
	for b.Loop() {
		dir := b.TempDir()
		a, err := authority.Open(dir, openState(b, dir))
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
	db := openState(b, dir)
	for b.Loop() {
		a, err := authority.Open(dir, db)
		if err != nil {
			b.Fatal(err)
		}
		if err := a.EnsureSandbox(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
}
