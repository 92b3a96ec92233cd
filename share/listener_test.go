package share

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"paddock/keystore"
	"paddock/lan"
	"paddock/requestlog"
)

func TestSharing(t *testing.T) {
	bubble(t, "begins and ends", nil, func(t *testing.T, r *rig) {
		r.phase(Off, NoProblem)
		r.share()
		st := r.State()
		want := []Address{{"Name", "https://anna.local:11435"}, {"IP address", "https://192.168.1.5:11435"}}
		if len(st.Addresses) != 2 || st.Addresses[0] != want[0] || st.Addresses[1] != want[1] || !st.Wanted || st.Since.IsZero() {
			t.Errorf("the state of sharing: %+v", st)
		}
		if code := r.ask("11435", "", http.MethodGet, "/api/tags", ""); code != http.StatusUnauthorized {
			t.Errorf("without a key: %d", code)
		}
		if code := r.ask("11435", r.key("alice"), http.MethodGet, "/api/tags", ""); code != http.StatusOK {
			t.Errorf("with a key: %d", code)
		}
		r.Stop()
		after(50 * time.Millisecond) // connections end a moment after their last answer
		r.phase(Off, NoProblem)
		if st := r.State(); st.Wanted || !st.Since.IsZero() {
			t.Errorf("the state after Stop: %+v", st)
		}
		if code := r.ask("11435", "", http.MethodGet, "/api/tags", ""); code != 0 {
			t.Errorf("after Stop somebody answers: %d", code)
		}
	})

	bubble(t, "the last of many clicks counts", nil, func(t *testing.T, r *rig) {
		for range 10 {
			r.Start()
			r.Stop()
		}
		r.phase(Off, NoProblem)
		for range 10 {
			r.Stop()
			r.Start()
		}
		r.phase(Sharing, NoProblem)
	})

	bubble(t, "Stop gives running requests five seconds and then cuts them", nil, func(t *testing.T, r *rig) {
		r.share()
		c := r.chat("11435", r.key("alice"))
		r.Stop()
		r.phase(Stopping, NoProblem)
		if r.net.listening("11435") != nil {
			t.Error("the port is open while running requests finish")
		}
		after(graceStop - time.Millisecond)
		r.phase(Stopping, NoProblem)
		r.ollama.tokens <- "still"
		c.word()
		after(50 * time.Millisecond)
		r.phase(Off, NoProblem)
		if err := c.rest(); err == nil {
			t.Error("the cut answer looks whole")
		}
		if e := r.last(); e.Phase != requestlog.Cut || e.CutBy != requestlog.CutBySharing {
			t.Errorf("the entry says %s by %q", e.Phase, e.CutBy)
		}
	})

	bubble(t, "Stop is done as soon as the last request is", nil, func(t *testing.T, r *rig) {
		r.share()
		c := r.chat("11435", r.key("alice"))
		r.Stop()
		after(time.Second)
		r.ollama.tokens <- ""
		if err := c.rest(); err != nil {
			t.Errorf("the request could not finish: %v", err)
		}
		after(lastBytes)
		r.phase(Off, NoProblem)
	})

	bubble(t, "a connection on which nobody asks does not hold Stop up", nil, func(t *testing.T, r *rig) {
		r.share()
		silent, err := r.net.tr.DialContext(t.Context(), "tcp", "127.0.0.1:11435")
		if err != nil {
			t.Fatal(err)
		}
		defer silent.Close()
		synctest.Wait()
		r.Stop()
		after(lastBytes + 10*time.Millisecond)
		r.phase(Off, NoProblem)
	})

	bubble(t, "Start while stopping shares at once, and what ran runs on", nil, func(t *testing.T, r *rig) {
		r.share()
		key := r.key("alice")
		c := r.chat("11435", key)
		r.Stop()
		after(time.Second)
		r.phase(Stopping, NoProblem)
		r.share() // without any time passing
		if code := r.ask("11435", key, http.MethodGet, "/api/tags", ""); code != http.StatusOK {
			t.Errorf("a new request: %d", code)
		}
		after(10 * graceStop)
		r.ollama.tokens <- "later"
		c.word()
		r.ollama.tokens <- ""
		if err := c.rest(); err != nil {
			t.Errorf("the old request was cut: %v", err)
		}
	})

	bubble(t, "Stop, Start and Stop again gives five seconds again", nil, func(t *testing.T, r *rig) {
		r.share()
		c := r.chat("11435", r.key("alice"))
		r.Stop()
		after(4 * time.Second)
		r.share()
		r.Stop()
		after(4 * time.Second)
		r.ollama.tokens <- "still"
		c.word()
		after(time.Second + 50*time.Millisecond)
		r.phase(Off, NoProblem)
		if c.rest() == nil {
			t.Error("the cut answer looks whole")
		}
	})
}

func TestWhatIsInTheWayHeals(t *testing.T) {
	for _, c := range []struct {
		name    string
		fail    error
		problem Problem
		detail  string
	}{
		{"a port in use", &lan.PortInUseError{Addr: ":11435", Port: 11435, Holder: "ollama"}, PortInUse, "ollama"},
		{"a port in use by nobody knows whom", &lan.PortInUseError{Addr: ":11435", Port: 11435}, PortInUse, ""},
		{"an address of another network", &lan.NoAddressError{Addr: "10.0.0.1:11435"}, NoSuchAddr, "10.0.0.1:11435"},
		{"a port for administrators", &lan.PrivilegedPortError{Addr: ":80", Port: 80}, NotAllowed, ":80"},
		{"anything else", errors.New("the moon is wrong"), ListenFault, "the moon is wrong"},
	} {
		bubble(t, c.name, nil, func(t *testing.T, r *rig) {
			r.net.fail = c.fail
			r.Start()
			r.phase(Waiting, c.problem)
			if st := r.State(); st.Detail != c.detail || !st.Broken() {
				t.Errorf("the state: %+v", st)
			}
			after(3 * retryEvery)
			r.phase(Waiting, c.problem)
			r.net.mu.Lock()
			r.net.fail = nil
			r.net.mu.Unlock()
			after(retryEvery)
			r.phase(Sharing, NoProblem)
		})
	}

	bubble(t, "Stop while waiting gives up", nil, func(t *testing.T, r *rig) {
		r.net.hold("11435", "somebody")
		r.Start()
		r.phase(Waiting, PortInUse)
		r.Stop()
		r.phase(Off, NoProblem)
		r.net.hold("11435", "")
		after(3 * retryEvery)
		r.phase(Off, NoProblem)
	})

	bubble(t, "the listener dies", nil, func(t *testing.T, r *rig) {
		r.share()
		key := r.key("alice")
		c := r.chat("11435", key)
		after(time.Minute)
		r.net.listening("11435").Close()
		r.phase(Sharing, NoProblem) // at once
		if code := r.ask("11435", key, http.MethodGet, "/api/tags", ""); code != http.StatusOK {
			t.Errorf("after it healed: %d", code)
		}
		r.ollama.tokens <- "on"
		c.word() // what ran runs on
	})

	bubble(t, "a listener that dies again and again is no busy loop", nil, func(t *testing.T, r *rig) {
		r.share()
		for range 40 {
			if l := r.net.listening("11435"); l != nil {
				l.Close()
			}
			after(retryEvery / 4)
		}
		if n := strings.Count(r.net.told(), "open"); n > 12 {
			t.Errorf("opened %d times in 20 s", n)
		}
		after(retryEvery)
		r.phase(Sharing, NoProblem)
	})

	bubble(t, "no network", nil, func(t *testing.T, r *rig) {
		r.move(lan.New("anna", address("127.0.0.1", "lo")))
		after(retryEvery)
		r.Start()
		r.phase(Sharing, NoNetwork)
		if st := r.State(); !st.Attention() || st.Address() != "" {
			t.Errorf("the state: %+v", st)
		}
		wake, stop := r.Watch()
		defer stop()
		<-wake // of Start
		r.move(office)
		<-wake
		r.phase(Sharing, NoProblem)
	})

	bubble(t, "the one address listened on leaves and comes back", func(o *Options) { o.Flags.Listen = "192.168.1.5:11435" }, func(t *testing.T, r *rig) {
		r.share()
		r.move(lan.New("anna", address("127.0.0.1", "lo"), address("10.1.1.1", "eth0")))
		after(retryEvery)
		r.phase(Sharing, NoSuchAddr)
		if st := r.State(); st.Address() != "" || st.Detail != "192.168.1.5:11435" {
			t.Errorf("it shows an address that this machine does not have: %+v", st)
		}
		r.move(office)
		after(retryEvery)
		r.phase(Sharing, NoProblem)
	})
}

func TestTheAddressChangesWhileSharing(t *testing.T) {
	bubble(t, "the new one opens before the old one closes", nil, func(t *testing.T, r *rig) {
		r.share()
		key := r.key("alice")
		c := r.chat("11435", key)
		r.set("share.listen", ":12000")
		r.phase(Sharing, NoProblem)
		if told := r.net.told(); told != "open :11435, open :12000, close :11435" {
			t.Errorf("it went: %s", told)
		}
		if st := r.State(); !strings.HasSuffix(st.Address(), ":12000") {
			t.Errorf("the address shown: %s", st.Address())
		}
		if code := r.ask("12000", key, http.MethodGet, "/api/tags", ""); code != http.StatusOK {
			t.Errorf("at the new address: %d", code)
		}
		after(3 * graceStop)
		r.ollama.tokens <- "on"
		c.word() // sharing never stopped, so nothing is cut
		fresh := r.chat("12000", key)
		r.Stop()
		after(graceStop + 50*time.Millisecond)
		r.phase(Off, NoProblem)
		if c.rest() == nil || fresh.rest() == nil {
			t.Error("Stop left a request running")
		}
	})

	bubble(t, "the same port on one address only", nil, func(t *testing.T, r *rig) {
		r.share()
		r.set("share.listen", "127.0.0.1:11435")
		r.phase(Sharing, NoProblem)
		if told := r.net.told(); told != "open :11435, refused 127.0.0.1:11435, close :11435, open 127.0.0.1:11435" {
			t.Errorf("it went: %s", told)
		}
		if st := r.State(); len(st.Addresses) != 1 || st.Addresses[0] != (Address{"This machine only", "https://127.0.0.1:11435"}) {
			t.Errorf("the addresses: %+v", st.Addresses)
		}
	})

	bubble(t, "the new one is taken", nil, func(t *testing.T, r *rig) {
		r.net.hold("12000", "skype")
		r.share()
		r.set("share.listen", ":12000")
		r.phase(Sharing, PortInUse)
		if st := r.State(); !strings.HasSuffix(st.Address(), ":11435") || st.Detail != "skype" || !st.Attention() {
			t.Errorf("the state: %+v", st)
		}
		r.net.hold("12000", "")
		after(retryEvery)
		r.phase(Sharing, NoProblem)
		if st := r.State(); !strings.HasSuffix(st.Address(), ":12000") {
			t.Errorf("the state: %+v", st)
		}
	})

	bubble(t, "the change is taken back", nil, func(t *testing.T, r *rig) {
		r.net.hold("12000", "skype")
		r.share()
		r.set("share.listen", ":12000")
		r.phase(Sharing, PortInUse)
		r.set("share.listen", ":11435")
		r.phase(Sharing, NoProblem)
	})
}

func TestClose(t *testing.T) {
	bubble(t, "gives running requests the time that it has itself", nil, func(t *testing.T, r *rig) {
		r.share()
		c := r.chat("11435", r.key("alice"))
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		began := time.Now()
		r.Close(ctx)
		if took := time.Since(began).Round(time.Second / 10); took != 3*time.Second {
			t.Errorf("it took %s", took)
		}
		if c.rest() == nil {
			t.Error("the cut answer looks whole")
		}
		if e := r.last(); e.CutBy != requestlog.CutBySharing {
			t.Errorf("the entry says cut by %q", e.CutBy)
		}
		r.phase(Off, NoProblem)
	})

	bubble(t, "takes five seconds at most", nil, func(t *testing.T, r *rig) {
		r.share()
		c := r.chat("11435", r.key("alice"))
		began := time.Now()
		r.Close(t.Context())
		if took := time.Since(began).Round(time.Second / 10); took != graceStop {
			t.Errorf("it took %s", took)
		}
		if c.rest() == nil {
			t.Error("the cut answer looks whole")
		}
	})

	bubble(t, "while a Stop runs does not begin anew", nil, func(t *testing.T, r *rig) {
		r.share()
		r.chat("11435", r.key("alice"))
		r.Stop()
		after(4 * time.Second)
		began := time.Now()
		r.Close(t.Context())
		if took := time.Since(began).Round(time.Second / 10); took != time.Second {
			t.Errorf("it took %s more", took)
		}
	})

	bubble(t, "is at once when nothing runs, and for good", nil, func(t *testing.T, r *rig) {
		r.share()
		began := time.Now()
		r.Close(t.Context())
		r.Close(t.Context())
		if took := time.Since(began); took != 0 {
			t.Errorf("it took %s", took)
		}
		r.Start()
		r.Run()
		after(time.Minute)
		r.phase(Off, NoProblem)
		if err := r.UseDemo(t.Context(), true); err != nil || r.State().Ollama.Demo {
			t.Errorf("a demo after the end: %v", err)
		}
	})

	t.Run("before Run", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			r := newRig(t, keystore.NewMemoryVault(), nil)
			r.Start()
			if st := r.State(); st.Phase != Starting {
				t.Errorf("it is %q", st.Phase)
			}
			r.Stop()
			r.phase(Off, NoProblem)
			r.Start()
			r.Close(t.Context())
			r.Run()
			after(time.Minute)
			r.phase(Off, NoProblem)
			if told := r.net.told(); told != "" {
				t.Errorf("it did: %s", told)
			}
		})
	})

	t.Run("from all sides", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			r := newRig(t, keystore.NewMemoryVault(), nil)
			var all sync.WaitGroup
			for range 8 {
				all.Go(r.Run)
				all.Go(r.Start)
				all.Go(func() { r.Close(t.Context()) })
			}
			all.Wait()
			r.phase(Off, NoProblem)
		})
	})
}

// Everybody does everything at once; with the race detector this finds what is
// not guarded, and the bubble what is left behind.
func TestHammering(t *testing.T) {
	bubble(t, "", nil, func(t *testing.T, r *rig) {
		key := r.key("alice")
		var all sync.WaitGroup
		for i := range 8 {
			all.Go(func() {
				for n := range 60 {
					switch (n + i) % 8 {
					case 0, 1:
						r.Start()
					case 2:
						r.Stop()
					case 3:
						_ = r.settings.Set("share.listen", []string{":11435", ":12000", "127.0.0.1:12000"}[n%3])
					case 4:
						_ = r.State()
						r.SetScreen(nil)
					case 5:
						r.ask("11435", key, http.MethodGet, "/api/tags", "")
					case 6:
						r.move([]lan.Us{office, lan.New("anna")}[n%2])
					case 7:
						if l := r.net.listening("12000"); l != nil {
							l.Close()
						}
					}
					time.Sleep(time.Duration(n*i) * time.Millisecond)
				}
			})
		}
		all.Wait()
		r.Start()
		after(2 * retryEvery)
		if st := r.State(); st.Phase != Sharing {
			t.Errorf("after the storm it is %q (%s)", st.Phase, st.Problem)
		}
		r.Stop()
		after(graceStop)
		r.phase(Off, NoProblem)
		if r.net.listening("11435") != nil || r.net.listening("12000") != nil {
			t.Error("a port is still open")
		}
	})
}
