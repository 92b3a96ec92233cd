package lan

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

func TestWatchCallsBackOnlyWhenSomethingChanged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		home, cafe := New("anna", Addr{IP: ip("192.168.1.20"), Interface: "wlan0"}), New("anna", Addr{IP: ip("10.0.0.7"), Interface: "wlan0"})
		looks := []struct {
			us  Us
			err error
		}{{Us{}, errors.New("too early")}, {us: home}, {us: home}, {err: errors.New("in between")}, {us: home}, {us: cafe}, {us: cafe}, {us: home}}
		ctx, cancel := context.WithCancel(t.Context())
		n, start := 0, time.Now()
		var seen []Us
		var at []time.Duration
		watch(ctx, DefaultEvery, func() (Us, error) {
			l := looks[n]
			if n++; n == len(looks) {
				cancel()
			}
			return l.us, l.err
		}, func(u Us) { seen, at = append(seen, u), append(at, time.Since(start)) })
		if len(seen) != 3 || !seen[0].Equal(home) || !seen[1].Equal(cafe) || !seen[2].Equal(home) {
			t.Errorf("saw %v", seen)
		}
		if len(at) == 3 && (at[0] != 2*time.Second || at[1] != 10*time.Second) {
			t.Errorf("at %v", at)
		}
	})
}

func TestWatchLooksForReal(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	called := false
	Watch(ctx, time.Hour, func(u Us) {
		called = u.Host("localhost")
		cancel()
	})
	if !called {
		t.Error("the first look was not reported")
	}
}
