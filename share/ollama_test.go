package share

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"paddock/keystore"
	"paddock/policy"
)

func (r *rig) health(want Health, detail string) {
	r.t.Helper()
	synctest.Wait()
	if o := r.State().Ollama; o.Health != want || o.Detail != detail {
		r.t.Fatalf("Ollama is %q (%s), want %q (%s)", o.Health, o.Detail, want, detail)
	}
}

func TestHealthOfOllama(t *testing.T) {
	bubble(t, "what it says of itself", nil, func(t *testing.T, r *rig) {
		after(time.Second)
		o := r.State().Ollama
		if o.URL != "http://127.0.0.1:11434" || o.Health != Answers || o.Version != "0.17.4" || !slices.Equal(o.Loaded, []string{"tiny:latest"}) {
			t.Errorf("%+v", o)
		}
		if want := []string{"tiny:latest", `evil\x1b[2J:latest`}; !slices.Equal(o.Models, want) {
			t.Errorf("models %q, want %q", o.Models, want)
		}
	})

	bubble(t, "it goes and comes back", nil, func(t *testing.T, r *rig) {
		r.share()
		r.health(Answers, "")
		for _, c := range []struct {
			mode   string
			health Health
			detail string
		}{
			{"down", Silent, "connection refused"},
			{"stranger", Stranger, "it answered 302"},
			{"", Answers, ""},
		} {
			r.ollama.be(c.mode)
			after(probeEvery)
			r.health(c.health, c.detail)
			if attention := r.State().Attention(); attention == (c.health == Answers) {
				t.Errorf("%s: attention %v", c.health, attention)
			}
			r.phase(Sharing, NoProblem) // that Ollama is away stops no sharing
		}
		r.ollama.be("hangs")
		after(probeEvery + probeTimeout)
		r.health(Silent, "no answer within 2 seconds")
		r.ollama.be("")
		after(probeEvery + probeTimeout)
		r.health(Answers, "")
		if n := r.ollama.count("elsewhere.example/"); n != 0 {
			t.Error("a stranger led the probe on to somewhere else")
		}
	})

	bubble(t, "requests that find nobody tell at once, and not a thousand times", nil, func(t *testing.T, r *rig) {
		r.share()
		key := r.key("alice")
		if err := r.EditKey("alice", func(g *policy.Grant) { g.Rate = policy.NoRate }); err != nil {
			t.Fatal(err)
		}
		after(probeEvery / 2)
		r.ollama.be("down")
		before := r.ollama.count("127.0.0.1:11434/api/version")
		for range 1000 {
			if code := r.ask("11435", key, http.MethodPost, "/api/chat", `{"model":"tiny"}`); code != http.StatusBadGateway {
				t.Fatalf("%d", code)
			}
		}
		after(probePause)
		r.health(Silent, "connection refused")
		if n := r.ollama.count("127.0.0.1:11434/api/version") - before; n > 3 {
			t.Errorf("%d probes", n)
		}
	})
}

func TestWhereOllamaIs(t *testing.T) {
	for env, want := range map[string]string{
		"":                           "http://127.0.0.1:11434",
		"0.0.0.0":                    "http://127.0.0.1:11434",
		":8080":                      "http://127.0.0.1:8080",
		"10.0.0.7":                   "http://10.0.0.7:11434",
		"https://ai.example":         "https://ai.example:443",
		"http://ai.example:1/prefix": "http://ai.example:1/prefix",
		` "10.0.0.7:99" `:            "http://10.0.0.7:99",
		"[::1]:99":                   "http://[::1]:99",
	} {
		t.Run("OLLAMA_HOST="+env, func(t *testing.T) {
			t.Setenv("OLLAMA_HOST", env)
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, keystore.NewMemoryVault(), nil)
				r.Run()
				r.share()
				r.health(Answers, "")
				if o := r.State().Ollama; o.URL != want {
					t.Errorf("it is at %s, want %s", o.URL, want)
				}
				r.ask("11435", r.key("alice"), http.MethodGet, "/api/version", "")
				host := strings.Split(want, "//")[1]
				if strings.Contains(host, "/prefix") {
					host = "ai.example:1/prefix"
				}
				if n := r.ollama.count(host + "/api/version"); n != 2 {
					t.Errorf("%s was asked %d times: %v", host, n, r.ollama.asked)
				}
			})
		})
	}

	t.Run("a wrong OLLAMA_HOST is told, and nobody is asked in its place", func(t *testing.T) {
		t.Setenv("OLLAMA_HOST", "ftp://x")
		synctest.Test(t, func(t *testing.T) {
			r := newRig(t, keystore.NewMemoryVault(), nil)
			r.Run()
			r.share()
			after(3 * probeEvery)
			if o := r.State().Ollama; o.Health != Silent || !strings.Contains(o.Detail, "OLLAMA_HOST") || o.URL != "" {
				t.Errorf("%+v", o)
			}
			if code := r.ask("11435", r.key("alice"), http.MethodGet, "/api/version", ""); code != http.StatusBadGateway {
				t.Errorf("a request: %d", code)
			}
			if len(r.ollama.asked) != 0 {
				t.Errorf("asked: %v", r.ollama.asked)
			}
		})
	})

	bubble(t, "the flag goes before the setting", func(o *Options) { o.Flags.Ollama = "10.0.0.8" }, func(t *testing.T, r *rig) {
		r.set("share.ollama", "10.0.0.9")
		if u := r.State().Ollama.URL; u != "http://10.0.0.8:11434" {
			t.Errorf("it is at %s", u)
		}
	})

	bubble(t, "a setting changes it while sharing", nil, func(t *testing.T, r *rig) {
		r.share()
		key := r.key("alice")
		running := r.chat("11435", key)
		r.set("share.ollama", "10.0.0.9")
		if o := r.State().Ollama; o.URL != "http://10.0.0.9:11434" {
			t.Errorf("%+v", o)
		}
		after(probePause)
		r.health(Answers, "")
		r.chat("11435", key)
		if r.ollama.count("10.0.0.9:11434/api/chat") != 1 || r.ollama.count("127.0.0.1:11434/api/chat") != 1 {
			t.Errorf("asked: %v", r.ollama.asked)
		}
		r.ollama.tokens <- "on"
		running.word()
	})
}

func TestTheGateIsNotItsOwnOllama(t *testing.T) {
	for _, u := range []string{"127.0.0.1:11435", "localhost:11435", "0.0.0.0:11435", "192.168.1.5:11435", "[::1]:11435", "anna.local:11435"} {
		bubble(t, u, func(o *Options) { o.Flags.Ollama = u }, func(t *testing.T, r *rig) {
			r.share()
			after(3 * probeEvery)
			r.health(Stranger, DetailOwnUpstream)
			if code := r.ask("11435", r.key("alice"), http.MethodGet, "/api/version", ""); code != http.StatusBadGateway {
				t.Errorf("a request: %d", code)
			}
			if len(r.ollama.asked) != 0 {
				t.Errorf("asked: %v", r.ollama.asked)
			}
			wake, stop := r.Watch()
			defer stop()
			r.set("share.listen", ":12000")
			after(probeEvery)
			r.health(Answers, "")
			if len(wake) == 0 {
				t.Error("nobody was told")
			}
			r.set("share.listen", ":11435")
			after(probeEvery)
			r.health(Stranger, DetailOwnUpstream)
		})
	}

	// The port that every client knows is a good one for the gate as well.
	bubble(t, "Ollama on loopback, the gate on the same port elsewhere", func(o *Options) { o.Flags.Listen = "192.168.1.5:11434" }, func(t *testing.T, r *rig) {
		r.share()
		r.health(Answers, "")
	})

	bubble(t, "an address becomes ours", func(o *Options) { o.Flags.Ollama = "10.7.7.7:11435" }, func(t *testing.T, r *rig) {
		r.share()
		r.health(Answers, "")
		r.move(lanWith("10.7.7.7"))
		after(retryEvery)
		r.health(Stranger, DetailOwnUpstream)
	})

	bubble(t, "the port that the system chose", func(o *Options) { o.Flags.Listen, o.Flags.Ollama = "127.0.0.1:0", "127.0.0.1:12345" }, func(t *testing.T, r *rig) {
		r.health(Answers, "")
		r.Share.mu.Lock()
		r.listenURL = "127.0.0.1:12345"
		r.Share.mu.Unlock()
		r.resolveUpstream()
		r.health(Stranger, DetailOwnUpstream)
	})
}

// demoAt is a demo whose life is counted.
type demoAt struct{ started, stopped int }

func (d *demoAt) start(context.Context) (string, func(), error) {
	d.started++
	return "http://127.0.0.1:40000", func() { d.stopped++ }, nil
}

func TestDemo(t *testing.T) {
	d := &demoAt{}
	bubble(t, "comes and goes", func(o *Options) { o.Demo = d.start }, func(t *testing.T, r *rig) {
		r.share()
		if err := r.UseDemo(t.Context(), true); err != nil {
			t.Fatal(err)
		}
		if err := r.UseDemo(t.Context(), true); err != nil { // twice is once
			t.Fatal(err)
		}
		after(probePause)
		if o := r.State().Ollama; !o.Demo || o.URL != "http://127.0.0.1:40000" || o.Health != Answers {
			t.Errorf("%+v", o)
		}
		if k := r.State().Keys.List; len(k) != 1 || k[0].Name != DemoKey || k[0].Grant.Role != policy.RoleUser {
			t.Errorf("keys: %+v", k)
		}
		secret, err := r.CopyKey(t.Context(), DemoKey)
		if err != nil {
			t.Fatal(err)
		}
		r.chat("11435", secret.Reveal())
		if e := r.log.Running(time.Now()); len(e) != 1 || !e[0].Demo {
			t.Errorf("the log does not say that it is the demo: %+v", e)
		}
		if err := r.UseDemo(t.Context(), false); err != nil {
			t.Fatal(err)
		}
		after(probePause)
		if o := r.State().Ollama; o.Demo || o.URL != "http://127.0.0.1:11434" || o.Health != Answers {
			t.Errorf("%+v", o)
		}
		if d.started != 1 || d.stopped != 1 {
			t.Errorf("started %d times, stopped %d times", d.started, d.stopped)
		}
	})

	d2 := &demoAt{}
	bubble(t, "asked for at the start, ended with the program", func(o *Options) { o.Demo, o.Flags.Demo = d2.start, true }, func(t *testing.T, r *rig) {
		r.share()
		after(probePause)
		r.health(Answers, "")
		if !r.State().Ollama.Demo || r.ollama.count("127.0.0.1:11434/api/version") != 0 {
			t.Errorf("Ollama was asked: %v", r.ollama.asked)
		}
		r.Close(t.Context())
		if d2.stopped != 1 {
			t.Errorf("stopped %d times", d2.stopped)
		}
	})

	bubble(t, "makes no key where there is one", func(o *Options) { o.Demo = (&demoAt{}).start }, func(t *testing.T, r *rig) {
		r.key("alice")
		if err := r.UseDemo(t.Context(), true); err != nil || len(r.State().Keys.List) != 1 {
			t.Errorf("%v, %d keys", err, len(r.State().Keys.List))
		}
	})

	// Who asks for a demo has not asked to share Ollama.
	fails := func(context.Context) (string, func(), error) { return "", nil, errors.New("no port is free") }
	bubble(t, "that does not start leaves nothing behind the gate", func(o *Options) { o.Demo, o.Flags.Demo = fails, true }, func(t *testing.T, r *rig) {
		r.share()
		r.health(Silent, "starting the demo: no port is free")
		if !r.State().Ollama.Demo {
			t.Error("it does not say that this is about the demo")
		}
		if code := r.ask("11435", r.key("alice"), http.MethodGet, "/api/version", ""); code != http.StatusBadGateway {
			t.Errorf("a request: %d", code)
		}
		after(3 * probeEvery)
		if len(r.ollama.asked) != 0 {
			t.Errorf("asked: %v", r.ollama.asked)
		}
		if err := r.UseDemo(t.Context(), false); err != nil { // "use Ollama instead"
			t.Fatal(err)
		}
		after(probePause)
		r.health(Answers, "")
	})

	bubble(t, "that is asked for later and does not start leaves Ollama", func(o *Options) { o.Demo = fails }, func(t *testing.T, r *rig) {
		if err := r.UseDemo(t.Context(), true); err == nil {
			t.Error("no error")
		}
		r.health(Answers, "")
	})

	bubble(t, "in a program that has none", nil, func(t *testing.T, r *rig) {
		if err := r.UseDemo(t.Context(), true); err == nil {
			t.Error("no error")
		}
	})

	t.Run("with a vault that never answers", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			r := newRig(t, hung{keystore.NewMemoryVault()}, func(o *Options) { o.Demo, o.Flags.Demo = (&demoAt{}).start, true })
			r.Run()
			r.share()
			after(probePause)
			r.health(Answers, "")
			if o := r.State().Ollama; !o.Demo {
				t.Errorf("%+v", o)
			}
			// The Close of the rig ends the call.
		})
	})
}

func TestTheLimitOfABodyTakesEffectAtOnce(t *testing.T) {
	bubble(t, "", nil, func(t *testing.T, r *rig) {
		r.share()
		key := r.key("alice")
		body := `{"model":"tiny","prompt":"` + strings.Repeat("x", 4<<10) + `"}`
		for limit, want := range map[string]int{"1KiB": http.StatusRequestEntityTooLarge, "none": http.StatusNotFound, "16MiB": http.StatusNotFound} {
			r.set("limits.body", limit)
			if code := r.ask("11435", key, http.MethodPost, "/api/generate", body); code != want {
				t.Errorf("%s: %d, want %d", limit, code, want)
			}
		}
	})
}
