//go:build linux && e2e

package clients_test

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"paddock/e2e/clients"
	"paddock/e2e/ollama"
)

const limit = time.Minute

func TestTheClientsTalkToOllama(t *testing.T) {
	server := ollama.Start(t, ollama.WithSlow())
	set := clients.New(t, server.URL, "anything")
	for _, c := range clients.All {
		t.Run(string(c), func(t *testing.T) {
			if c.Can(clients.List) {
				r := set.Run(c, clients.List, "", limit)
				if r.Error != nil || !slices.ContainsFunc(r.Models, func(m string) bool { return strings.HasPrefix(m, ollama.Tiny) }) {
					t.Errorf("list: %+v", r)
				}
			}

			r := set.Run(c, clients.Chat, ollama.Tiny, limit)
			if r.Error != nil || !strings.HasPrefix(r.Text, ollama.TinyBegins) || !strings.HasSuffix(r.Text, ollama.TinyEnds) {
				t.Errorf("chat: %+v, %+v", r, r.Error)
			}
			if r.Tokens != ollama.TinyTokens || !slices.Contains([]string{"stop", "end_turn"}, r.Reason) || len(r.Pieces) < ollama.TinyTokens-1 {
				t.Errorf("chat ended for %q after %d tokens in %d pieces", r.Reason, r.Tokens, len(r.Pieces))
			}

			run := set.Start(c, clients.Chat, ollama.Slow, "STOP_AFTER=5")
			run.WaitPieces(1, limit)
			r = run.Wait(limit)
			if r.Error != nil || r.Reason != "left" || len(r.Pieces) != 5 {
				t.Fatalf("leaving: %+v, %+v", r, r.Error)
			}
			if apart := r.Pieces[4].At - r.Pieces[0].At; apart < 20*time.Millisecond {
				t.Errorf("five tokens of a slow model came within %v", apart)
			}

			r = set.Run(c, clients.Chat, "no-such-model", limit)
			if r.Error == nil || r.Error.Status != http.StatusNotFound || !r.Error.Says("no-such-model") {
				t.Errorf("an unknown model: %+v", r.Error)
			}
			if c.Can(clients.Embed) {
				if r = set.Run(c, clients.Embed, ollama.Tiny, limit); r.Error != nil || r.Dimensions != 128 {
					t.Errorf("embed: %+v, %+v", r, r.Error)
				}
			}
		})
	}
}

func TestAWrongKeyIsTheClientsOwnKindOfError(t *testing.T) {
	gate := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") == "Bearer pdk_wrong" || r.Header.Get("X-Api-Key") == "pdk_wrong" {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusUnauthorized)
			body := `{"error":"no such key"}`
			switch {
			case r.URL.Path == "/v1/messages":
				body = `{"type":"error","error":{"type":"authentication_error","message":"no such key"}}`
			case strings.HasPrefix(r.URL.Path, "/v1/"):
				body = `{"error":{"message":"no such key","type":"authentication_error","code":null}}`
			}
			_, _ = w.Write([]byte(body))
		}
	}))
	defer gate.Close()
	set := clients.New(t, gate.URL, "pdk_wrong")
	for c, name := range map[clients.Client]string{
		clients.Ollama: "ResponseError", clients.OpenAI: "AuthenticationError", clients.Anthropic: "AuthenticationError",
		clients.LangChain: "ResponseError", clients.AISDK: "APICallError",
	} {
		e := set.Run(c, clients.Chat, "tiny", limit).Error
		if e == nil || e.Name != name || e.Status != http.StatusUnauthorized || !e.Says("no such key") {
			t.Errorf("%s: %+v", c, e)
		}
	}
	gate.Close()
	if e := set.Run(clients.OpenAI, clients.Chat, "tiny", limit).Error; e == nil || e.Status != 0 {
		t.Errorf("a closed port: %+v", e)
	}
}

func TestAStreamThatIsCutKeepsWhatArrived(t *testing.T) {
	server := ollama.Start(t)
	set := clients.New(t, server.URL, "anything")
	for _, c := range clients.All {
		run := set.Start(c, clients.Chat, ollama.Loop)
		run.WaitPieces(3, limit)
		server.KillRunners()
		if r := run.Wait(limit); len(r.Pieces) < 3 || r.Reason != "" {
			t.Errorf("%s: %d pieces, ended for %q, %+v", c, len(r.Pieces), r.Reason, r.Error)
		} else {
			t.Logf("%s says %+v", c, r.Error)
		}
	}
}
