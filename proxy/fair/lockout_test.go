package fair

import (
	"encoding/binary"
	"math"
	"net/netip"
	"sync"
	"testing"
	"time"
)

var one = netip.MustParseAddr("192.0.2.1")

// fail fails n times and expects the same answer each time.
func fail(t *testing.T, l *Lockout, n int, at time.Duration, want time.Duration) {
	t.Helper()
	for i := range n {
		after, blocked := l.Fail(one, day.Add(at))
		if after != want || blocked != (want > 0) {
			t.Fatalf("number %d at %v: blocked %v for %v, want %v", i+1, at, blocked, after, want)
		}
	}
}

func TestEleventhFailureWithinAMinuteIsBlocked(t *testing.T) {
	l := NewLockout(10, time.Minute)
	for i := range 10 {
		fail(t, l, 1, time.Duration(i)*time.Second, 0)
	}
	fail(t, l, 1, 59*time.Second, time.Minute)
	fail(t, l, 100, 89*time.Second, 30*time.Second) // these do not extend it
	fail(t, l, 1, 119*time.Second-1, 1)
	fail(t, l, 10, 119*time.Second, 0)
}

func TestFailuresThatAreAMinuteOldDoNotCount(t *testing.T) {
	l := NewLockout(10, time.Minute)
	for i := range 100 {
		fail(t, l, 1, time.Duration(i)*6*time.Second, 0)
	}
	fail(t, l, 1, 99*6*time.Second, time.Minute)
}

func TestBlockThatIsOverWipesTheSlate(t *testing.T) {
	l := NewLockout(3, time.Hour)
	fail(t, l, 3, 0, 0)
	fail(t, l, 1, 0, time.Minute)
	fail(t, l, 3, time.Minute, 0)
	fail(t, l, 1, time.Minute, 2*time.Minute)
}

func TestEachBlockLastsTwiceAsLongAsTheLast(t *testing.T) {
	l := NewLockout(10, time.Minute)
	at := time.Duration(0)
	for _, block := range []time.Duration{time.Minute, 2 * time.Minute, 4 * time.Minute, 8 * time.Minute, 15 * time.Minute, 15 * time.Minute} {
		fail(t, l, 10, at, 0)
		fail(t, l, 1, at, block)
		fail(t, l, 20, at+block/2, block/2)
		at += block
	}
	// Nearly an hour is not enough, an hour is. The last failure was half a
	// block before.
	at += pardon - 450*time.Second - 1
	fail(t, l, 10, at, 0)
	fail(t, l, 1, at, 15*time.Minute)
	at += pardon
	fail(t, l, 10, at, 0)
	fail(t, l, 1, at, time.Minute)
}

func TestLimitOfTheLockoutIsLive(t *testing.T) {
	l := NewLockout(0, 0)
	fail(t, l, 100, 0, 0)
	if len(l.all) != 0 {
		t.Error("without a limit an address is remembered")
	}
	l.SetLimit(3, time.Minute)
	fail(t, l, 3, 0, 0)
	l.SetLimit(5, time.Minute)
	fail(t, l, 2, 0, 0)
	l.SetLimit(2, time.Minute)
	fail(t, l, 1, 0, time.Minute)
	l.SetLimit(100, time.Second)
	fail(t, l, 1, time.Second, 59*time.Second) // a block goes on
	l.SetLimit(-1, time.Minute)
	fail(t, l, 5, time.Second, 0)
	l.SetLimit(2, time.Minute)
	fail(t, l, 2, time.Second, 0)
	fail(t, l, 1, time.Second, time.Minute)
}

func TestBigLimitsAreCountedInBatches(t *testing.T) {
	for _, count := range []int{64, 65, 1000, 20_000} {
		l := NewLockout(count, time.Hour)
		fail(t, l, count, 0, 0)
		if n := len(l.all[locate(one)].Value.(*failures).batches); n > maxBatches {
			t.Errorf("%d batches for %d", n, count)
		}
		fail(t, l, 1, time.Hour-1, time.Minute)
		l.SetLimit(0, 0)
		l.SetLimit(count, time.Hour)
		fail(t, l, count, 2*time.Hour, 0)
		fail(t, l, count, 3*time.Hour, 0)
	}
	// The first two share a batch, and the second of them still counts.
	l := NewLockout(128, time.Hour)
	fail(t, l, 1, 0, 0)
	fail(t, l, 127, 30*time.Minute, 0)
	fail(t, l, 1, 61*time.Minute, time.Minute)
	l = NewLockout(math.MaxInt32, 24*time.Hour)
	fail(t, l, 1000, 0, 0)
}

func TestAddressesAreToldApart(t *testing.T) {
	for _, c := range []struct {
		name, a, b string
		same       bool
	}{
		{"two of IPv4", "192.0.2.1", "192.0.2.2", false},
		{"IPv4 in IPv6", "192.0.2.1", "::ffff:192.0.2.1", true},
		{"two of IPv4 in IPv6", "::ffff:192.0.2.1", "::ffff:192.0.2.2", false},
		{"one household", "2001:db8:1:2::1", "2001:db8:1:2:ffff:ffff:ffff:ffff", true},
		{"two households", "2001:db8:1:2::1", "2001:db8:1:3::1", false},
		{"another zone", "fe80::1%eth0", "fe80::1%wlan0", true},
		{"IPv4 in IPv6 with a zone", "::ffff:192.0.2.1%eth0", "192.0.2.1", true},
		{"loopback of either kind", "::1", "127.0.0.1", false},
		{"IPv6 that begins with zeros and IPv4", "::1", "0.0.0.1", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := NewLockout(1, time.Minute)
			l.Fail(netip.MustParseAddr(c.a), day)
			if _, blocked := l.Fail(netip.MustParseAddr(c.b), day); blocked != c.same {
				t.Errorf("blocked %v", blocked)
			}
		})
	}
	t.Run("no address at all", func(t *testing.T) {
		l := NewLockout(1, time.Minute)
		l.Fail(netip.Addr{}, day)
		if _, blocked := l.Fail(netip.Addr{}, day); !blocked {
			t.Error("it is not counted")
		}
	})
}

// number is an address of its own for each i.
func number(i int) netip.Addr {
	b := [16]byte{0x20, 0x01}
	binary.BigEndian.PutUint32(b[4:], uint32(i))
	return netip.AddrFrom16(b)
}

func TestWhoFailedLongestAgoIsForgottenFirst(t *testing.T) {
	l := NewLockout(1, time.Minute)
	for i := range maxAddresses {
		l.Fail(number(i), day)
	}
	l.Fail(number(0), day) // blocked, and the most recent
	l.Fail(number(maxAddresses), day)
	if _, blocked := l.Fail(number(0), day); !blocked {
		t.Error("the most recent was forgotten")
	}
	if _, blocked := l.Fail(number(1), day); blocked {
		t.Error("the oldest was remembered")
	}
	for i := range 3 * maxAddresses {
		l.Fail(number(i), day)
	}
	if len(l.all) != maxAddresses || l.recent.Len() != maxAddresses {
		t.Errorf("%d and %d are remembered", len(l.all), l.recent.Len())
	}
}

func TestWhoTakesAForgottenPlaceBeginsAnew(t *testing.T) {
	l := NewLockout(1, time.Minute)
	for i := range 2 * maxAddresses {
		if _, blocked := l.Fail(number(i), day); blocked {
			t.Fatalf("number %d is blocked at once", i)
		}
		if after, blocked := l.Fail(number(i), day); !blocked || after != time.Minute {
			t.Fatalf("number %d: %v %v", i, after, blocked)
		}
	}
}

func TestBlockEndsWhenTheClockJumpsBack(t *testing.T) {
	l := NewLockout(2, time.Minute)
	fail(t, l, 2, 0, 0)
	fail(t, l, 1, 0, time.Minute)
	fail(t, l, 1, -24*time.Hour, time.Minute)
	fail(t, l, 1, -24*time.Hour+59*time.Second, time.Second)
	fail(t, l, 2, -24*time.Hour+time.Minute, 0)
}

func TestLockoutMayBeUsedByAll(t *testing.T) {
	l := NewLockout(10, time.Minute)
	var all sync.WaitGroup
	var mu sync.Mutex
	passed := 0
	for g := range 8 {
		all.Go(func() {
			for i := range 500 {
				if _, blocked := l.Fail(one, day); !blocked {
					mu.Lock()
					passed++
					mu.Unlock()
				}
				l.Fail(number(g*500+i), day)
				l.SetLimit(10, time.Minute)
			}
		})
	}
	all.Wait()
	if passed != 10 {
		t.Errorf("%d failures were within the limit", passed)
	}
}
