package keystore

import (
	"fmt"
	"testing"
	"time"
)

func BenchmarkAuthenticate(b *testing.B) {
	for _, n := range []int{20, 1000} {
		s := openWith(b, b.TempDir(), NewMemoryVault())
		var hit string
		for i := range n {
			_, secret := mustAdd(b, s, fmt.Sprint("key ", i))
			if i == n/2 {
				hit = secret.Reveal()
			}
		}
		_, rotated := mustRotate(b, s, fmt.Sprint("key ", n/2), time.Hour)
		hit, old := rotated.Reveal(), hit
		miss := Mint().Reveal()
		run := func(what, presented string, known bool) {
			b.Run(fmt.Sprintf("%s/%d", what, n), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					if s.Authenticate(presented).Known != known {
						b.Fatal("wrong")
					}
				}
			})
		}
		run("hit", hit, true)
		run("old", old, true)
		run("miss", miss, false)
		b.Run(fmt.Sprintf("parallel/%d", n), func(b *testing.B) {
			b.ReportAllocs()
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					s.Authenticate(hit)
				}
			})
		})
	}
}

func BenchmarkUsed(b *testing.B) {
	s, _ := ringStore(b, b.TempDir())
	k, _ := mustAdd(b, s, "alice")
	now := s.now()
	b.ReportAllocs()
	for b.Loop() {
		now = now.Add(1)
		s.Used(k.ID, now)
	}
}

func BenchmarkUsedInParallel(b *testing.B) {
	s, _ := ringStore(b, b.TempDir())
	k, _ := mustAdd(b, s, "alice")
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			s.Used(k.ID, time.Now())
		}
	})
}

func BenchmarkSpend(b *testing.B) {
	s, _ := ringStore(b, b.TempDir())
	k, _ := mustAdd(b, s, "alice")
	now := s.now()
	b.ReportAllocs()
	for b.Loop() {
		s.Spend(k.ID, 1, now)
		if s.Tokens(k.ID, now) == 0 {
			b.Fatal("not counted")
		}
	}
}
