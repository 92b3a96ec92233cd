package keystore

import (
	"math"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"paddock/policy"
)

func TestADayIsCountedAndEnds(t *testing.T) {
	h := clockAt(noon)
	s := clockedStore(t, t.TempDir(), NewMemoryVault(), h)
	alice, _ := mustAdd(t, s, "alice")
	bob, _ := mustAdd(t, s, "bob")
	is := func(what string, id string, want Usage) {
		t.Helper()
		if n := s.Tokens(id, h.now()); n != want.Tokens {
			t.Errorf("%s: %d tokens, want %d", what, n, want.Tokens)
		}
		for _, k := range s.State().Keys {
			if k.ID == id && k.Today != want {
				t.Errorf("%s: screens show %+v, want %+v", what, k.Today, want)
			}
		}
	}
	is("before the first", alice.ID, Usage{})
	s.Used(alice.ID, h.now())
	s.Used(alice.ID, h.now()) // at the same moment: two requests all the same
	s.Spend(alice.ID, 100, h.now())
	s.Spend(alice.ID, 50, h.now())
	s.Spend(alice.ID, 0, h.now())
	s.Spend(alice.ID, -70, h.now())
	is("at noon", alice.ID, Usage{2, 150})
	is("another key", bob.ID, Usage{})
	h.set(noon.Add(12*time.Hour - 1))
	is("at the last moment of the day", alice.ID, Usage{2, 150})
	h.pass(1)
	is("the next day", alice.ID, Usage{})
	s.Spend(alice.ID, 7, h.now())
	is("the next day", alice.ID, Usage{0, 7})
	// A request that began before midnight and ends after it.
	s.Spend(alice.ID, 5, noon)
	is("late figures", alice.ID, Usage{0, 12})
	if err := s.Edit("alice", func(g *policy.Grant) { g.Cloud = true }); err != nil {
		t.Fatal(err)
	}
	mustRotate(t, s, "alice", 0)
	is("edited and rotated", alice.ID, Usage{0, 12})
	s.Spend("nobody-1", 5, noon)
	if n := s.Tokens("nobody-1", noon); n != 0 {
		t.Errorf("nobody spent %d", n)
	}
}

func TestCountsStopAtTheLargestNumber(t *testing.T) {
	s, _ := ringStore(t, t.TempDir())
	k, _ := mustAdd(t, s, "alice")
	for range 3 {
		s.Spend(k.ID, math.MaxInt64-1, noon)
	}
	if n := s.Tokens(k.ID, noon); n != math.MaxInt64 {
		t.Errorf("%d", n)
	}
}

// A day is the owner's: from one local midnight to the next, also when the
// clocks are put forward or back in it.
func TestADayIsTheLocalOne(t *testing.T) {
	zone := func(name string) *time.Location {
		t.Helper()
		z, err := time.LoadLocation(name)
		if err != nil {
			t.Fatal(err)
		}
		return z
	}
	for _, c := range []struct {
		zone     *time.Location
		from, to string // both the first moments of a local day, in UTC
	}{
		{time.UTC, "2026-11-23T00:00:00Z", "2026-11-24T00:00:00Z"},
		{zone("Europe/Berlin"), "2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z"}, // 23 hours
		{zone("Europe/Berlin"), "2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z"}, // 25 hours
		{zone("America/Los_Angeles"), "2026-11-23T08:00:00Z", "2026-11-24T08:00:00Z"},
		{zone("Asia/Kathmandu"), "2026-11-22T18:15:00Z", "2026-11-23T18:15:00Z"},
		{zone("Pacific/Kiritimati"), "2026-11-22T10:00:00Z", "2026-11-23T10:00:00Z"},
	} {
		s, err := Open(t.TempDir(), NewMemoryVault(), Options{Zone: c.zone})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		from, err1 := time.Parse(time.RFC3339, c.from)
		to, err2 := time.Parse(time.RFC3339, c.to)
		if err1 != nil || err2 != nil {
			t.Fatal(err1, err2)
		}
		day := s.dateOf(from)
		if s.dateOf(from.Add(-1)) != day-1 || s.dateOf(to.Add(-1)) != day || s.dateOf(to) != day+1 {
			t.Errorf("%v: %d, %d, %d, %d", c.zone, s.dateOf(from.Add(-1)), day, s.dateOf(to.Add(-1)), s.dateOf(to))
		}
		if text, err := day.MarshalText(); err != nil || string(text) != from.In(c.zone).Format(time.DateOnly) {
			t.Errorf("%v: it is called %s", c.zone, text)
		}
	}
}

// Clocks that are years off make days that can still be written and read.
func TestOddDays(t *testing.T) {
	s, _ := ringStore(t, t.TempDir())
	s.zone = time.UTC
	for _, at := range []time.Time{{}, time.Unix(0, 0), time.Unix(-1, 0), time.Unix(math.MinInt32, 0), time.Unix(1<<60, 0), time.Date(12_000, 1, 1, 0, 0, 0, 0, time.UTC)} {
		d := s.dateOf(at)
		text, err := d.MarshalText()
		var back date
		if err != nil || back.UnmarshalText(text) != nil || back != d || (dayRecord{Day: d}).check() != nil {
			t.Errorf("%v is %d, %s, read as %d", at, d, text, back)
		}
	}
}

// The story: a laptop's clock is put back a day, and everybody has the budget
// that was spent once more.
func TestClockThatGoesBackGivesNothingBack(t *testing.T) {
	h := clockAt(noon)
	s := clockedStore(t, t.TempDir(), NewMemoryVault(), h)
	k, _ := mustAdd(t, s, "alice")
	day := func(n int) { h.set(noon.AddDate(0, 0, n)) }
	spend := func(tokens, want int64) {
		t.Helper()
		s.Spend(k.ID, tokens, h.now())
		got, _ := s.Find("alice")
		if n := s.Tokens(k.ID, h.now()); n != want || got.Today.Tokens != want {
			t.Errorf("on %v: %d tokens, screens show %d, want %d", h.now().Format(time.DateOnly), n, got.Today.Tokens, want)
		}
	}
	spend(100, 100)
	day(-1)
	spend(1, 101)
	day(-2)
	spend(1, 102)
	day(0) // right again: no new day
	spend(1, 103)
	day(1)
	spend(1, 1)

	// A clock that ran years ahead: nothing is given back, and the count does
	// not go on for years.
	day(3000)
	spend(50, 50)
	day(2)
	if n := s.Tokens(k.ID, h.now()); n != 50 {
		t.Errorf("%d tokens before the next request", n)
	}
	spend(1, 51)
	day(1)
	spend(1, 52)
	day(3)
	spend(1, 1)
}

func TestCountsOutliveTheProgram(t *testing.T) {
	home, h := t.TempDir(), clockAt(noon)
	v := &scripted{MemoryVault: NewMemoryVault()}
	s := clockedStore(t, home, v, h)
	k, _ := mustAdd(t, s, "alice")
	mustAdd(t, s, "idle")
	s.Used(k.ID, noon)
	s.Spend(k.ID, 3400, noon)
	again := func(at time.Time, want Usage) {
		t.Helper()
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		h.set(at)
		s = clockedStore(t, home, v, h)
		if got, _ := s.Find("alice"); got.Today != want || s.Tokens(k.ID, at) != want.Tokens {
			t.Errorf("at %v it is %+v, want %+v", at, got.Today, want)
		}
	}
	again(noon, Usage{1, 3400})
	raw, _ := os.ReadFile(indexPath(home))
	if text := strings.Join(strings.Fields(string(raw)), ""); !strings.Contains(text, `"today":{"day":"2026-11-23","requests":1,"tokens":3400}`) || strings.Count(text, "today") != 1 {
		t.Errorf("the index is\n%s", raw)
	}
	again(noon.AddDate(0, 0, -1), Usage{1, 3400}) // the clock was put back meanwhile
	again(noon.AddDate(0, 0, 1), Usage{})
	again(noon, Usage{1, 3400}) // nothing was counted on the other day
}

// What was spent reaches the file within a minute, without Close.
func TestCountsAreWrittenWithinAMinute(t *testing.T) {
	home := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		ring := &fakeRing{}
		s, err := Open(home, newOSKeychain(ring.calls()), Options{Zone: time.UTC})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		d := &disk{}
		k, _ := mustAdd(t, s, "alice")
		synctest.Wait()
		s.save = d.save
		for range 50 {
			s.Spend(k.ID, 2, time.Now())
			time.Sleep(time.Second)
		}
		synctest.Wait()
		if n := d.wrote.Load(); n != 0 {
			t.Errorf("%d writes within a minute", n)
		}
		time.Sleep(10 * time.Second)
		synctest.Wait()
		if r := readIndex(t, home).Keys[0]; r.Today.Tokens != 100 || r.Today.Day != s.dateOf(time.Now()) || d.wrote.Load() != 1 {
			t.Errorf("after a minute and %d writes the index says %+v", d.wrote.Load(), r.Today)
		}
	})
}

// Of many uses within a second screens see the first at once, and the last
// within another second.
func TestWatchersSeeTheLastUseToo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, err := Open(t.TempDir(), NewMemoryVault(), Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		k, _ := mustAdd(t, s, "alice")
		c, stop := s.Watch()
		defer stop()
		wakes := 0
		for range 1000 {
			s.Used(k.ID, time.Now())
			s.Spend(k.ID, 1, time.Now())
			time.Sleep(10 * time.Millisecond)
			synctest.Wait()
			select {
			case <-c:
				wakes++
			default:
			}
		}
		if wakes < 10 || wakes > 21 {
			t.Errorf("woken %d times in 10 seconds", wakes)
		}
		s.Spend(k.ID, 1, time.Now())
		time.Sleep(time.Second)
		synctest.Wait()
		if len(c) != 1 {
			t.Error("not woken after the last")
		}
	})
}

func TestManyCountersCountEachOnce(t *testing.T) {
	s, _ := ringStore(t, t.TempDir())
	s.zone = time.UTC
	k, _ := mustAdd(t, s, "alice")
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			for n := range 2000 {
				// Clocks a little apart, and all of one day from the first on.
				at := noon.Add(time.Duration(n*i) * time.Millisecond)
				s.Used(k.ID, at)
				s.Spend(k.ID, 3, at)
				if n%100 == 0 {
					s.State()
				}
			}
		})
	}
	all.Wait()
	if got := s.table.Load().byID[k.ID].use.count(s.dateOf(noon)); got != (Usage{16_000, 48_000}) {
		t.Errorf("counted %+v", got)
	}
}

func TestValidEndsWithTheGrant(t *testing.T) {
	h := clockAt(noon)
	s := clockedStore(t, t.TempDir(), NewMemoryVault(), h)
	k, _, err := s.Add(t.Context(), "alice", policy.Grant{Expires: noon.Add(time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		at   time.Duration
		want bool
	}{{0, true}, {time.Hour - 1, true}, {time.Hour, false}, {time.Hour + 1, false}} {
		h.set(noon.Add(c.at))
		if s.Valid(k.ID) != c.want {
			t.Errorf("after %v it is valid: %v", c.at, !c.want)
		}
	}
	if err := s.Edit("alice", func(g *policy.Grant) { g.Expires = noon.Add(2 * time.Hour) }); err != nil || !s.Valid(k.ID) {
		t.Errorf("prolonged, it is not valid: %v", err)
	}
}

// Most requests never make the store look at the clock.
func TestOnlyAnOldSecretAsksTheClock(t *testing.T) {
	h, asked := clockAt(noon), 0
	s, err := Open(t.TempDir(), NewMemoryVault(), Options{Now: func() time.Time { asked++; return h.now() }})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	_, old := mustAdd(t, s, "alice")
	k, secret := mustRotate(t, s, "alice", time.Hour)
	for what, c := range map[string]struct {
		f    func()
		want int
	}{
		"the new secret": {func() { s.Authenticate(secret.Reveal()) }, 0},
		"nobody's":       {func() { s.Authenticate(Mint().Reveal()) }, 0},
		"Valid":          {func() { s.Valid(k.ID) }, 0},
		"the old secret": {func() { s.Authenticate(old.Reveal()) }, 1},
	} {
		asked = 0
		c.f()
		if asked != c.want {
			t.Errorf("%s: asked %d times", what, asked)
		}
	}
}
