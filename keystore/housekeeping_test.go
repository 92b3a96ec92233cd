package keystore

import (
	"os"
	"testing"
	"testing/synctest"
	"time"

	"paddock/policy"
)

// The story: a last-used time for each request would rewrite the file at each
// request. At most once a minute, and at the end, is what people can see.
func TestUsesAreWrittenAtMostOnceAMinute(t *testing.T) {
	home := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		ring := &fakeRing{}
		s, err := Open(home, newOSKeychain(ring.calls()), Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		d := &disk{}
		s.save = d.save
		k, _ := mustAdd(t, s, "alice")
		synctest.Wait()
		start := d.wrote.Load()
		burst := func() {
			for range 10_000 {
				s.Used(k.ID, time.Now())
			}
		}
		burst()
		time.Sleep(59 * time.Second)
		synctest.Wait()
		if n := d.wrote.Load() - start; n != 0 {
			t.Errorf("%d writes within a minute", n)
		}
		if got, _ := s.Find("alice"); got.LastUsed.IsZero() {
			t.Error("the use is not seen at once")
		}
		for range 120 { // two minutes of requests
			time.Sleep(time.Second)
			burst()
		}
		synctest.Wait()
		if n := d.wrote.Load() - start; n < 2 || n > 3 {
			t.Errorf("%d writes within three minutes", n)
		}
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		quiet := d.wrote.Load()
		time.Sleep(time.Hour)
		synctest.Wait()
		if n := d.wrote.Load() - quiet; n != 0 {
			t.Errorf("%d writes within an hour without requests", n)
		}
		last := time.Now()
		s.Used(k.ID, last)
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		if x := readIndex(t, home); !x.Keys[0].LastUsed.Equal(last) {
			t.Errorf("Close wrote %v, want %v", x.Keys[0].LastUsed, last)
		}
	})
}

// A write that failed is tried again each minute, until it works.
func TestFailedWritesAreTriedAgain(t *testing.T) {
	home := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		ring := &fakeRing{}
		s, err := Open(home, newOSKeychain(ring.calls()), Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		d := &disk{}
		s.save = d.save
		mustAdd(t, s, "alice")
		d.fail.Store(1)
		if s.Suspend("alice") == nil {
			t.Fatal("the disk does not refuse")
		}
		before := d.wrote.Load()
		time.Sleep(3*time.Minute + time.Second)
		synctest.Wait()
		if n := d.wrote.Load() - before; n != 3 {
			t.Errorf("tried %d times within three minutes", n)
		}
		d.fail.Store(0)
		time.Sleep(time.Minute)
		synctest.Wait()
		if x := readIndex(t, home); !x.Keys[0].Suspended || s.State().FileProblem != nil {
			t.Errorf("not written: %v", s.State().FileProblem)
		}
	})
}

// Clocks go back, and requests end in another order than they began.
func TestLastUsedNeverGoesBack(t *testing.T) {
	s, _ := ringStore(t, t.TempDir())
	k, _ := mustAdd(t, s, "alice")
	now := time.Now()
	s.Used(k.ID, now)
	s.Used(k.ID, now.Add(-time.Hour))
	if got, _ := s.Find("alice"); !got.LastUsed.Equal(now) {
		t.Errorf("last used %v, want %v", got.LastUsed, now)
	}
	if err := s.Edit("alice", func(g *policy.Grant) { g.Cloud = true }); err != nil {
		t.Fatal(err)
	}
	if got, _ := s.Find("alice"); !got.LastUsed.Equal(now) {
		t.Error("an edit forgot it")
	}
}

func TestOpenWritesNothing(t *testing.T) {
	home := t.TempDir()
	s, _ := ringStore(t, home)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if list, _ := os.ReadDir(home); len(list) != 0 {
		t.Errorf("it made %v", list)
	}
}
