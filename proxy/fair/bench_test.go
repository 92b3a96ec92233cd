package fair

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"
)

func BenchmarkEnter(b *testing.B) {
	q := New(Limits{Running: 4, Waiting: 64})
	ctx := context.Background()
	b.ReportAllocs()
	for b.Loop() {
		t, _, err := q.Enter(ctx, "key", 4, nil)
		if err != nil {
			b.Fatal(err)
		}
		t.Done(100)
	}
}

func BenchmarkEnterOfMany(b *testing.B) {
	q := New(Limits{})
	ctx := context.Background()
	var number atomic.Int64
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		key := fmt.Sprint(number.Add(1))
		for pb.Next() {
			t, _, _ := q.Enter(ctx, key, 0, nil)
			t.Done(100)
		}
	})
}

// The cost of choosing by the number of lanes that wait.
func BenchmarkNext(b *testing.B) {
	for _, lanes := range []int{1, 16, 512, 10_000} {
		b.Run(fmt.Sprint(lanes), func(b *testing.B) {
			q := New(Limits{Running: 1})
			q.mu.Lock()
			for i := range lanes {
				l := q.lane(fmt.Sprint(i))
				l.used = float64(i)
				q.join(l, false)
			}
			q.mu.Unlock()
			b.ReportAllocs()
			for b.Loop() {
				q.mu.Lock()
				q.next(time.Now())
				q.mu.Unlock()
			}
		})
	}
}

func BenchmarkRefusal(b *testing.B) {
	q := New(Limits{})
	t, _, _ := q.Enter(context.Background(), "key", 1, nil)
	defer t.Done(0)
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := q.Enter(context.Background(), "key", 1, nil); err == nil {
			b.Fatal("it started")
		}
	}
}

func BenchmarkTake(b *testing.B) {
	var k Buckets
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			k.Take("key", 120, time.Minute, time.Now())
		}
	})
}

func BenchmarkFail(b *testing.B) {
	for _, c := range []struct {
		name      string
		addresses int64
	}{{"one address", 1}, {"4096", maxAddresses}, {"a million", 1e6}} {
		b.Run(c.name, func(b *testing.B) {
			l := NewLockout(10, time.Minute)
			var next atomic.Int64
			b.ReportAllocs()
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					l.Fail(number(int(next.Add(1)%c.addresses)), time.Now())
				}
			})
		})
	}
}
