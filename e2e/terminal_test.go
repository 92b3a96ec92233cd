//go:build linux && e2e

package e2e_test

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"paddock/e2e/clients"
	"paddock/e2e/ollama"
	"paddock/e2e/program"
	"paddock/internal/testdesk"
	"paddock/policy"
	"paddock/requestlog"
)

// TestAKeysWholeLifeFromATerminal needs no display at all: the command line
// shares a real Ollama, makes a key in a real keychain, and takes it back.
func TestAKeysWholeLifeFromATerminal(t *testing.T) {
	for name, edition := range map[string]string{"lite": program.Lite, "full": program.Full} {
		t.Run(name, func(t *testing.T) {
			server := ollama.Start(t)
			bus := testdesk.NewBus(t)
			keyring := bus.StartKeyring(t)
			p := program.New(t, edition, nil)
			p.Set("DBUS_SESSION_BUS_ADDRESS=" + bus.Address)

			if out := p.Must("status"); !strings.Contains(out, "does not run") {
				t.Errorf("status before anything runs: %s", out)
			}
			show := p.Start("share", "--listen", "127.0.0.1:0", "--ollama", server.URL)
			url := show.WaitOut(`(https://127\.0\.0\.1:\d+)`)[1]
			trust(t, url, p.Home)
			server.Trust = filepath.Join(p.Home, "ca.pem")
			show.WaitOut(`Ollama 0\.17\.4 answers`)
			show.WaitOut(`Encrypted\.`)

			stranger := gate{t, url, ""}
			if code, body := stranger.do("GET", "/api/tags", ""); code != 401 || strings.Contains(body, "tiny") {
				t.Errorf("without a key: %d %s", code, body)
			}

			key := p.Must("keys", "add", "alice")
			if strings.Count(key, "\n") != 1 || !strings.HasPrefix(key, "pdk_") {
				t.Fatalf("keys add printed %q, want the key and nothing else", key)
			}
			key = strings.TrimSpace(key)
			if kept := keysIn(keyring); len(kept) != 1 || kept[0].Value != key {
				t.Fatalf("the keychain holds %d items, want this one key", len(kept))
			}
			if again := strings.TrimSpace(p.Must("keys", "copy", "alice")); again != key {
				t.Error("keys copy printed another key")
			}

			alice := gate{t, url, key}
			chat := alice.chat(ollama.Tiny)
			if first := chat.token(); !strings.Contains(first, `"content"`) {
				t.Errorf("first piece: %s", first)
			}
			pieces, err := chat.end(time.Minute)
			if err != nil || pieces+1 < ollama.TinyTokens {
				t.Errorf("chat: %d pieces, %v", pieces+1, err)
			}
			e := entry(t, p, "the chat", func(e requestlog.Entry) bool { return e.Action == "Chat" && e.Phase == requestlog.Done })
			if e.Key != "alice" || e.Model != ollama.Tiny || e.TokensOut != ollama.TinyTokens || e.TokensIn == 0 || e.FirstToken == 0 || e.Rate == 0 || e.Status != 200 {
				t.Errorf("the entry of the chat: %+v", e)
			}

			trusting := "NODE_EXTRA_CA_CERTS=" + filepath.Join(p.Home, "ca.pem")
			set := clients.New(t, url, key)
			set.Env = append(set.Env, trusting)
			for _, c := range clients.All {
				r := set.Run(c, clients.Chat, ollama.Tiny, time.Minute)
				if r.Error != nil || !strings.HasPrefix(r.Text, ollama.TinyBegins) || len(r.Pieces) < 10 {
					t.Errorf("%s through the gate: %d pieces, %+v", c, len(r.Pieces), r.Error)
				}
			}
			bad := clients.New(t, url, mistyped(key))
			bad.Env = append(bad.Env, trusting)
			for _, c := range clients.All {
				if r := bad.Run(c, clients.Chat, ollama.Tiny, time.Minute); r.Error == nil || r.Error.Status != 401 {
					t.Errorf("%s with a wrong key: %+v", c, r.Error)
				}
			}
			if out, errs, err := server.Command(url, time.Minute, "list"); err == nil || !strings.Contains(errs+out, "key is needed") {
				t.Errorf("the ollama command without a key: %v %s %s", err, out, errs)
			}
			if code, _ := alice.do("POST", "/api/pull", `{"model":"x"}`); code != 403 {
				t.Errorf("a user pulls a model: %d", code)
			}
			entry(t, p, "the refused pull", func(e requestlog.Entry) bool { return e.Reason == policy.ManagersOnly && e.Key == "alice" })

			running := alice.chat(ollama.Loop)
			for range 5 {
				running.token()
			}
			p.Must("keys", "remove", "alice")
			if code, _ := alice.do("GET", "/api/tags", ""); code != 401 {
				t.Errorf("a removed key: %d, want 401 at once", code)
			}
			if _, err := running.end(5 * time.Second); err == nil {
				t.Error("the running stream of a removed key ended as if it were whole")
			}
			entry(t, p, "the cut chat", func(e requestlog.Entry) bool { return e.Phase == requestlog.Cut && e.CutBy == requestlog.CutByKey })
			if kept := keysIn(keyring); len(kept) != 0 {
				t.Errorf("%d items are left in the keychain", len(kept))
			}

			p.Must("stop")
			if !portClosed(url) {
				t.Error("the port is open after stop")
			}
			if code := show.Wait(10 * time.Second); code != 0 {
				t.Errorf("share ended with %d", code)
			}
			if strings.Contains(show.Stdout()+show.Stderr(), key) {
				t.Error("share printed the key")
			}
		})
	}
}

// mistyped changes the last character of a key.
func mistyped(key string) string {
	last := "x"
	if strings.HasSuffix(key, last) {
		last = "y"
	}
	return key[:len(key)-1] + last
}

// TestOllamaRestarts: teammates notice nothing but the time without it.
func TestOllamaRestarts(t *testing.T) {
	server := ollama.Start(t)
	p := program.New(t, program.Lite, nil)
	p.Set("PADDOCK_VAULT=memory")
	show := p.Start("share", "--listen", "127.0.0.1:0", "--ollama", server.URL)
	url := show.WaitOut(`(https://127\.0\.0\.1:\d+)`)[1]
	trust(t, url, p.Home)
	show.WaitOut(`Ollama 0\.17\.4 answers`)
	alice := gate{t, url, strings.TrimSpace(p.Must("keys", "add", "alice"))}

	for round := range 5 {
		if code, body := alice.do("POST", "/api/generate", `{"model":"tiny","prompt":"hi","stream":false}`); code != 200 {
			t.Fatalf("round %d: the first request after a restart: %d %s", round, code, body)
		}
		server.Stop()
		code, body := alice.do("POST", "/api/generate", `{"model":"tiny","prompt":"hi","stream":false}`)
		if code != 502 || !strings.Contains(body, "Ollama does not answer") {
			t.Errorf("while Ollama is down: %d %s", code, body)
		}
		if round == 0 {
			show.WaitOut(`Ollama does not answer`)
		}
		server.Restart()
	}
	show.WaitOut(`(?s)Ollama does not answer.*Ollama 0\.17\.4 answers`)

	loop := alice.chat(ollama.Loop)
	loop.token()
	server.Crash()
	if _, err := loop.end(10 * time.Second); err == nil {
		t.Error("a stream that Ollama did not finish ended as if it were whole")
	}
	entry(t, p, "the broken chat", func(e requestlog.Entry) bool { return e.Phase == requestlog.Failed && e.Model == ollama.Loop })
	if code := show.Stop(); code != 0 {
		t.Errorf("Ctrl-C: exit code %d", code)
	}
}

// TestAClientThatLeavesEndsTheGeneration looks at Ollama itself: its only slot
// is free again for the next one.
//
// It takes the slow model: Ollama 0.17.4 sometimes never frees the slot of a
// fast one whose client left (after 4 to 53 times), with or without a gate.
func TestAClientThatLeavesEndsTheGeneration(t *testing.T) {
	server := ollama.Start(t, ollama.WithSlow())
	p := program.New(t, program.Lite, nil)
	p.Set("PADDOCK_VAULT=memory")
	show := p.Start("share", "--listen", "127.0.0.1:0", "--ollama", server.URL)
	url := show.WaitOut(`(https://127\.0\.0\.1:\d+)`)[1]
	trust(t, url, p.Home)
	alice := gate{t, url, strings.TrimSpace(p.Must("keys", "add", "alice"))}

	left := alice.chat(ollama.Slow)
	left.token()
	left.res.Body.Close()
	entry(t, p, "the abandoned chat", func(e requestlog.Entry) bool { return e.CutBy == requestlog.CutByClient })
	done := make(chan struct{})
	go func() {
		defer close(done)
		alice.do("POST", "/api/generate", `{"model":"slow","prompt":"hi","stream":false,"options":{"num_predict":3}}`)
	}()
	select {
	case <-done:
	case <-time.After(30 * time.Second):
		t.Fatal("the generation still holds Ollama's only slot")
	}
	show.Stop()
}
