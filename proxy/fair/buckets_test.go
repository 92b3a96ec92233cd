package fair

import (
	"fmt"
	"math"
	"math/rand/v2"
	"sync"
	"testing"
	"time"
)

// burst takes until it is refused and returns how many were had and the wait.
func burst(t *testing.T, b *Buckets, count int, per time.Duration, now time.Time) (had int, wait time.Duration) {
	t.Helper()
	for had <= 10_000 {
		ok, after := b.Take("a", count, per, now)
		if !ok {
			return had, after
		}
		if after != 0 {
			t.Fatal("a wait came with what was given:", after)
		}
		had++
	}
	t.Fatal("there is no end")
	return 0, 0
}

func TestBucketGivesABurstAndThenAnEvenFlow(t *testing.T) {
	var b Buckets
	if had, wait := burst(t, &b, 120, time.Minute, day); had != 120 || wait != 500*time.Millisecond {
		t.Error(had, wait)
	}
	if had, wait := burst(t, &b, 120, time.Minute, day.Add(1250*time.Millisecond)); had != 2 || wait != 250*time.Millisecond {
		t.Error(had, wait)
	}
	if had, _ := burst(t, &b, 120, time.Minute, day.Add(24*time.Hour)); had != 120 {
		t.Error("after a day:", had)
	}
}

func TestRefusedRequestsCostNothing(t *testing.T) {
	var b Buckets
	burst(t, &b, 6, time.Minute, day)
	for i := range 9999 {
		if ok, _ := b.Take("a", 6, time.Minute, day.Add(time.Duration(i)*time.Millisecond)); ok {
			t.Fatal("it was given after", i)
		}
	}
	if ok, _ := b.Take("a", 6, time.Minute, day.Add(10*time.Second)); !ok {
		t.Error("asking in vain was charged")
	}
}

func TestRetryAfterIsExact(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 300 {
		var b Buckets
		count := 1 + random.IntN(1000)
		per := []time.Duration{time.Second, time.Minute, time.Hour, 24 * time.Hour}[random.IntN(4)]
		now := day
		for range 3 {
			_, wait := burst(t, &b, count, per, now)
			if early, _ := b.Take("a", count, per, now.Add(wait-time.Microsecond)); early || wait <= 0 {
				t.Fatalf("%d in %v: given before %v", count, per, wait)
			}
			if ok, again := b.Take("a", count, per, now.Add(wait)); !ok {
				t.Fatalf("%d in %v: refused after %v, again %v", count, per, wait, again)
			}
			now = now.Add(wait + time.Duration(random.Int64N(int64(per))))
		}
	}
}

func TestKeysDoNotShareABucket(t *testing.T) {
	var b Buckets
	burst(t, &b, 5, time.Minute, day)
	if ok, _ := b.Take("b", 5, time.Minute, day); !ok {
		t.Error("another key was refused")
	}
}

func TestEditedRateCarriesOverWhatWasSpent(t *testing.T) {
	for _, c := range []struct {
		name               string
		count, used        int
		per                time.Duration
		newCount, want     int
		newPer, untilFirst time.Duration
	}{
		{"less", 100, 50, time.Minute, 10, 5, time.Minute, 6 * time.Second},
		{"more", 10, 5, time.Minute, 100, 95, time.Minute, 600 * time.Millisecond},
		{"more of an empty one", 10, 10, time.Minute, 100, 90, time.Minute, 600 * time.Millisecond},
		{"less than was spent, of what is nearly full", 120, 5, time.Minute, 1, 1, 24 * time.Hour, 24 * time.Hour},
		{"less than was spent, of what is nearly empty", 120, 119, time.Minute, 1, 1, time.Hour, time.Hour},
		{"less of an empty one", 120, 120, time.Minute, 1, 0, time.Hour, time.Hour},
		{"a full one", 10, 0, time.Minute, 5, 5, time.Minute, 12 * time.Second},
		{"the same in an hour", 60, 30, time.Minute, 60, 30, time.Hour, time.Minute},
		{"the same", 60, 30, time.Minute, 60, 30, time.Minute, time.Second},
	} {
		t.Run(c.name, func(t *testing.T) {
			var b Buckets
			if c.used == 0 {
				burst(t, &b, c.count, c.per, day.Add(-c.per))
			}
			for range c.used {
				b.Take("a", c.count, c.per, day)
			}
			if had, wait := burst(t, &b, c.newCount, c.newPer, day); had != c.want || wait != c.untilFirst {
				t.Errorf("%d and %v, want %d and %v", had, wait, c.want, c.untilFirst)
			}
		})
	}
}

// Whatever the rates are: never more than the new burst, and whoever could send
// a request before the edit can send one after it.
func TestEditedRateNeitherLocksOutNorGivesMoreThanTheBurst(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	rate := func() (int, time.Duration) {
		return 1 + random.IntN(500), []time.Duration{time.Second, time.Minute, time.Hour, 24 * time.Hour}[random.IntN(4)]
	}
	for range 500 {
		var b Buckets
		count, per := rate()
		used := random.IntN(count + 1)
		for range used {
			b.Take("a", count, per, day)
		}
		newCount, newPer := rate()
		had, _ := burst(t, &b, newCount, newPer, day)
		if had > newCount || had == 0 && used < count {
			t.Fatalf("%d of %d in %v used, then %d in %v: %d were had", used, count, per, newCount, newPer, had)
		}
		if least := min(newCount-used, newCount); had < least {
			t.Fatalf("%d of %d in %v used, then %d in %v: %d were had, want %d", used, count, per, newCount, newPer, had, least)
		}
	}
}

func TestNoRateIsNoLimit(t *testing.T) {
	for _, c := range []struct {
		count int
		per   time.Duration
	}{{0, time.Minute}, {-1, time.Minute}, {1, 0}, {1, -time.Minute}, {1, time.Nanosecond}, {math.MaxInt, time.Minute}, {math.MaxInt32, 24 * time.Hour}} {
		var b Buckets
		burst(t, &b, 1, time.Hour, day)
		for range 5 {
			if ok, after := b.Take("a", c.count, c.per, day); !ok || after != 0 {
				t.Errorf("%d in %v: %v %v", c.count, c.per, ok, after)
			}
		}
		if len(b.all) != 0 {
			t.Errorf("%d in %v: a bucket is kept", c.count, c.per)
		}
	}
}

func TestBucketOfTheBiggestRateDoesNotOverflow(t *testing.T) {
	var b Buckets
	const count, per = 100_000_000, 24 * time.Hour
	b.Take("a", count, per, day)
	for i := range 1000 {
		b.Take("a", count, per, day.Add(time.Duration(i+1)*1001*time.Hour))
		if k := b.all["a"]; k.level != k.size()-k.per {
			t.Fatalf("after %d thousand hours: %+v", i, k)
		}
	}
}

func TestClockThatJumpsNeitherLocksOutNorGives(t *testing.T) {
	var b Buckets
	_, wait := burst(t, &b, 60, time.Minute, day)
	back := day.Add(-time.Hour)
	if ok, after := b.Take("a", 60, time.Minute, back); ok || after != wait {
		t.Error("right after the jump:", ok, after)
	}
	if had, _ := burst(t, &b, 60, time.Minute, back.Add(2*time.Second)); had != 2 {
		t.Error("two seconds later:", had)
	}
	// Readings of two goroutines arrive in the wrong order.
	for i := range 1000 {
		now := back.Add(2*time.Second + time.Duration(i%2)*time.Millisecond)
		if ok, _ := b.Take("a", 60, time.Minute, now); ok {
			t.Fatal("disorder gave a request")
		}
	}
}

func TestBucketsThatAreFullAgainAreForgotten(t *testing.T) {
	var b Buckets
	now := day
	for i := range 10_000 {
		b.Take(fmt.Sprint(i), 60, time.Minute, now)
		now = now.Add(100 * time.Millisecond)
		if len(b.all) > 700 {
			t.Fatalf("%d buckets after %d keys", len(b.all), i+1)
		}
	}
	b.Take("a", 1, time.Hour, now)
	b.Take("b", 60, time.Minute, now.Add(10*time.Minute))
	if len(b.all) != 2 || b.all["a"] == nil {
		t.Error("left:", len(b.all))
	}
	b.Forget("a")
	if ok, _ := b.Take("a", 1, time.Hour, now.Add(10*time.Minute)); !ok {
		t.Error("a key that was forgotten is refused")
	}
}

func TestBucketsMayBeUsedByAll(t *testing.T) {
	var b Buckets
	var all sync.WaitGroup
	var mu sync.Mutex
	given := 0
	for range 8 {
		all.Go(func() {
			for i := range 200 {
				if ok, _ := b.Take("a", 100, time.Hour, day); ok {
					mu.Lock()
					given++
					mu.Unlock()
				}
				b.Take(fmt.Sprint(i), 1, time.Hour, day)
				b.Forget("nobody")
			}
		})
	}
	all.Wait()
	if given != 100 {
		t.Errorf("%d were given", given)
	}
}
