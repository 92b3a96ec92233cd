package share

import (
	"net/netip"
	"testing"
	"time"

	"paddock/policy"
	"paddock/safety"
	"paddock/settings"
)

func level(s Safety, id string) safety.Level {
	for _, f := range s.Facts {
		if f.ID == id {
			return f.Level
		}
	}
	return ""
}

func TestTheSafetyCheck(t *testing.T) {
	bubble(t, "turns red within a minute and green after it is mended", nil, func(t *testing.T, r *rig) {
		r.share()
		after(5 * time.Second)
		if st := r.State(); st.Safety.At.IsZero() || st.Safety.Problems != 0 || st.Attention() {
			t.Fatalf("at the start: %+v", st.Safety)
		}
		r.found.be(safety.Found{Probe: safety.Probe{
			At: time.Now(), Port: 11434, Asked: []netip.Addr{netip.MustParseAddr("192.168.1.5")},
			Answered: []safety.Answer{{Addr: netip.MustParseAddr("192.168.1.5"), Version: "0.17.4"}},
		}})
		after(guardEvery)
		if st := r.State(); st.Safety.Problems == 0 || level(st.Safety, safety.OllamaReach) != safety.Problem || !st.Attention() {
			t.Errorf("exposed: %+v", st.Safety)
		}
		r.found.be(safety.Found{})
		after(guardEvery)
		if st := r.State(); st.Safety.Problems != 0 {
			t.Errorf("mended: %+v", st.Safety)
		}
	})
	bubble(t, "looks at once when the network changes, and asks for the new addresses", nil, func(t *testing.T, r *rig) {
		r.share()
		after(10 * time.Second)
		before := r.found.rounds()
		r.move(lanWith("10.1.2.3"))
		after(retryEvery + guardPause)
		if r.found.rounds() != before+1 {
			t.Fatalf("%d rounds, %d before", r.found.rounds(), before)
		}
		ask := r.found.asks[before]
		if len(ask.Addrs) != 1 || ask.Addrs[0].String() != "10.1.2.3" || ask.Port != 11435 || ask.OllamaPort != 11434 {
			t.Errorf("%+v", ask)
		}
		if !ask.Skip(netip.MustParseAddrPort("10.1.2.3:11435")) || ask.Skip(netip.MustParseAddrPort("10.1.2.3:11434")) {
			t.Error("it does not know the gate from Ollama")
		}
	})
	bubble(t, "rests while nothing is shared", nil, func(t *testing.T, r *rig) {
		after(10 * time.Second)
		before := r.found.rounds()
		after(5 * time.Minute)
		if n := r.found.rounds(); n != before {
			t.Errorf("%d rounds while nothing is shared", n-before)
		}
	})
	// The window said "There are no keys yet" ten seconds after two were made.
	bubble(t, "hears of keys, and of sharing itself", nil, func(t *testing.T, r *rig) {
		after(5 * time.Second)
		r.share()
		after(2 * guardPause)
		if l := level(r.State().Safety, safety.CertificateOK); l == safety.Unknown {
			t.Errorf("the certificate: %s", l)
		}
		if _, _, err := r.AddKey(t.Context(), "for ever", policy.Grant{}); err != nil {
			t.Fatal(err)
		}
		after(2 * guardPause)
		if l := level(r.State().Safety, safety.KeysForever); l != safety.Attention {
			t.Errorf("a key without an end: %s", l)
		}
		before := r.found.rounds()
		key := r.key("alice")
		after(2 * guardPause)
		for range 20 {
			r.ask("11435", key, "GET", "/api/tags", "")
			after(time.Second)
		}
		if n := r.found.rounds() - before; n > 2 {
			t.Errorf("%d rounds because keys were used", n)
		}
	})
	bubble(t, "hears of plain HTTP at once", strict, func(t *testing.T, r *rig) {
		r.share()
		after(5 * time.Second)
		if l := level(r.State().Safety, safety.PlainHTTP); l != safety.OK {
			t.Errorf("%s", l)
		}
		r.set(settings.ShareAllowHTTP, "true")
		after(guardPause)
		if l := level(r.State().Safety, safety.PlainHTTP); l != safety.Attention {
			t.Errorf("%s", l)
		}
	})
}
