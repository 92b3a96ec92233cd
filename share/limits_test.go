package share

import (
	"fmt"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"paddock/policy"
	"paddock/proxy"
	"paddock/requestlog"
	"paddock/settings"
)

func TestTheGateGetsEveryLimit(t *testing.T) {
	bubble(t, "as numbers, and none as one that is never reached", nil, func(t *testing.T, r *rig) {
		want := proxy.Choices{
			AllowHTTP: true, // as the rig has it
			MaxBody:   proxy.DefaultMaxBody, Running: proxy.DefaultRunning, Waiting: proxy.DefaultWaiting,
			NumCtx: proxy.DefaultNumCtx, Attempts: proxy.DefaultAttempts,
		}
		if got := r.gateChoices(); got != want {
			t.Errorf("the defaults of the settings and the gate differ: %+v, %+v", got, want)
		}
		for _, name := range []string{settings.LimitsBody, settings.LimitsRunning, settings.LimitsWaiting, settings.LimitsNumCtx, settings.LimitsAttempts} {
			r.set(name, "none")
		}
		got := r.gateChoices()
		if got.MaxBody < 1<<60 || got.Running < 1<<30 || got.Waiting < 1<<30 || got.NumCtx < 1<<30 || got.Attempts != policy.NoRate {
			t.Errorf("none: %+v", got)
		}
	})

	bubble(t, "and holds them from the very next request on", nil, func(t *testing.T, r *rig) {
		r.share()
		key := r.key("alice")
		body := `{"model":"tiny","prompt":"` + fmt.Sprintf("%2000d", 1) + `"}`
		if code := r.ask("11435", key, http.MethodPost, "/api/generate", body); code == http.StatusRequestEntityTooLarge {
			t.Fatalf("before: %d", code)
		}
		r.set(settings.LimitsBody, "1KiB")
		if code := r.ask("11435", key, http.MethodPost, "/api/generate", body); code != http.StatusRequestEntityTooLarge {
			t.Errorf("after: %d", code)
		}
	})
}

// The state tells those that Ollama works on from those that wait for it, and
// wakes when one becomes the other.
func TestWaitingRequestsAreCountedApart(t *testing.T) {
	bubble(t, "", nil, func(t *testing.T, r *rig) {
		after(time.Second)
		wake, stop := r.Watch()
		defer stop()
		one, two := r.log.Begin(requestlog.Entry{Time: time.Now()}), r.log.Begin(requestlog.Entry{Time: time.Now()})
		two.Place(1)
		check := func(running, waiting int) {
			t.Helper()
			after(time.Second)
			if st := r.State(); st.Running != running || st.Waiting != waiting || len(wake) == 0 {
				t.Errorf("%d run and %d wait, want %d and %d; %d tokens", st.Running, st.Waiting, running, waiting, len(wake))
			}
			for len(wake) > 0 {
				<-wake
			}
		}
		check(1, 1)
		two.Place(0)
		check(2, 0)
		one.End(requestlog.Entry{Phase: requestlog.Done})
		check(1, 0)
		two.End(requestlog.Entry{Phase: requestlog.Done})
		check(0, 0)
	})
}

func TestRunningAtOnce(t *testing.T) {
	bubble(t, "the rest waits, and a higher limit lets it in", nil, func(t *testing.T, r *rig) {
		r.set(settings.LimitsRunning, "1")
		r.share()
		key := r.key("alice")
		first := r.chat("11435", key)
		got := make(chan int)
		go func() { got <- r.ask("11435", key, http.MethodPost, "/api/generate", `{"model":"tiny"}`) }()
		after(time.Second)
		if st := r.State(); st.Running != 1 || st.Waiting != 1 {
			t.Errorf("%d run, %d wait", st.Running, st.Waiting)
		}
		r.set(settings.LimitsRunning, "2")
		<-got
		synctest.Wait()
		if st := r.State(); st.Running != 1 || st.Waiting != 0 {
			t.Errorf("%d run, %d wait", st.Running, st.Waiting)
		}
		r.ollama.tokens <- "on"
		first.word()
	})
}

func TestModelsThatHung(t *testing.T) {
	bubble(t, "the last ten are told, as a value", nil, func(t *testing.T, r *rig) {
		after(time.Second)
		wake, stop := r.Watch()
		defer stop()
		if r.State().Heals != nil {
			t.Errorf("before: %v", r.State().Heals)
		}
		began := time.Now()
		for i := range 25 {
			r.healed(fmt.Sprintf("m%d", i), began.Add(time.Duration(i)*time.Minute), "")
		}
		if len(wake) == 0 {
			t.Error("nobody was woken")
		}
		had := r.State().Heals
		if len(had) != maxHeals || had[0].Model != "m15" || had[9].Model != "m24" {
			t.Errorf("got %+v", had)
		}
		r.healed("evil\x1b[2J", began, "no\nanswer")
		now := r.State().Heals
		if last := now[len(now)-1]; last != (Heal{`evil\x1b[2J`, began, `no\x0aanswer`}) {
			t.Errorf("got %+v", last)
		}
		if had[0].Model != "m15" || had[9].Model != "m24" {
			t.Error("an old picture has changed")
		}
	})
}
