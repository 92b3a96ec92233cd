package proxy

import (
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"paddock/policy"
	"paddock/requestlog"
)

// stranger writes requests as somebody without a good key might: of the right
// parts and of wrong ones, put together by chance.
type stranger struct{ *rand.Rand }

func (g stranger) of(from ...string) string { return from[g.IntN(len(from))] }

// credential is anything but a good key where the gate looks for one. A good key
// stands at times where it is none.
func (g stranger) credential(good string) string {
	bad := g.of(keyUnknown, keyPaused, keyOld, keyAlice[:20], keyAlice+"x", strings.ToLower(keyAlice), "", " ", "pdk_", "null", "undefined", "*", strings.Repeat("a", 600), "Bearer "+keyUnknown)
	line := g.of(
		"Authorization: Bearer "+bad, "Authorization: bearer "+bad, "Authorization: "+bad, "Authorization: Digest "+bad, basicLine("x", bad), basicLine(bad, "x"), "x-api-key: "+bad, "X-API-KEY: "+bad,
		"X-Api-Key: "+bad+"\r\nAuthorization: Bearer "+g.of(keyUnknown, keyPaused), "Authorization: Bearer "+bad+"\r\nAuthorization: Bearer "+keyUnknown, "",
		"Cookie: Authorization=Bearer "+good, "Proxy-Authorization: Bearer "+good, "X-Authorization: Bearer "+good, "X_Api_Key: "+good, "Api-Key: "+good, "X-Forwarded-Authorization: Bearer "+good, "Referer: http://x/?key="+good,
		"Authorization : Bearer "+good, "X-Original-Authorization: Bearer "+good, "Forwarded: for=127.0.0.1;by="+good,
	)
	if line != "" {
		line += "\r\n"
	}
	return line
}

func (g stranger) target(good string) string {
	path := g.of("/", "/api/tags", "/api/chat", "/api/generate", "/v1/models", "/v1/models/llama3", "/v1/chat/completions", "/v1/messages", "/api/pull", "/api/blobs/sha256-1", "/api/me", "/api/ps", "/nothing", "/paddock/", "*", "")
	path = g.of("", "", "", "/k/"+keyAlice, "/k/"+keyUnknown, "/k/"+keyMara, "/k/", "/k//"+keyDora, "//k/"+keyDora, "/K/"+keyDora, "/%6b/"+keyDora, "/./k/"+keyDora, "/api/..", "http://localhost", "http://x:"+good+"@localhost", "//localhost", "/x/k/"+keyDora, `\`) + path
	path += g.of("", "", "", "", "", "?key="+good, "?x-api-key="+good+"&Authorization=Bearer+"+good, "/", "//", ";", "%00", "%2f", "#", "/..")
	if path == "" {
		return "/"
	}
	return path
}

func (g stranger) request() string {
	good := g.of(keyAlice, keyMara, keyDora)
	mutate := g.IntN(4) == 0
	if mutate {
		good = "none" // since a change could make a good key of it
	}
	var b strings.Builder
	end := g.of("\r\n", "\r\n", "\r\n", "\r\n", "\r\n", "\n")
	fmt.Fprintf(&b, "%s %s %s%s", g.of("GET", "POST", "HEAD", "OPTIONS", "DELETE", "PUT", "CONNECT", "TRACE", "get", "PRI"), g.target(good), g.of("HTTP/1.1", "HTTP/1.1", "HTTP/1.1", "HTTP/1.1", "HTTP/1.1", "HTTP/1.1", "HTTP/1.1", "HTTP/1.1", "HTTP/1.0", "HTTP/2.0"), end)
	b.WriteString(g.of("Host: localhost\r\n", "Host: localhost\r\n", "Host: localhost\r\n", "Host: laptop.local\r\n", "Host: localhost:11435\r\n", "Host: 127.0.0.1\r\n", "Host: evil.example\r\n", "", "Host: localhost\r\nHost: localhost\r\n"))
	b.WriteString(g.credential(good))
	if g.IntN(3) == 0 {
		b.WriteString(g.credential(good))
	}
	for range g.IntN(3) {
		b.WriteString(g.of(
			"Origin: https://app.example.com\r\n", "Origin: null\r\n", "Access-Control-Request-Method: POST\r\n", "Connection: close\r\n", "Connection: Authorization\r\n", "Upgrade: h2c\r\n", "Expect: 100-continue\r\n",
			"Content-Encoding: gzip\r\n", "X-Forwarded-For: 127.0.0.1\r\n", "X-HTTP-Method-Override: GET\r\n", "X-A: b"+end+" c\r\n", "User-Agent: "+gateAgent+"\r\n", "X-Original-URL: /api/tags\r\n",
		))
	}
	body := g.of("", "", chat, chat, `{"model":"`+good+`"}`, "GET /api/tags HTTP/1.1\r\nHost: localhost\r\n\r\n", strings.Repeat("x", 3000))
	switch g.IntN(6) {
	case 0:
		fmt.Fprintf(&b, "Transfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n", len(body), body)
	case 1:
		fmt.Fprintf(&b, "Content-Length: %d\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n", len(body), len(body), body)
	case 2:
		fmt.Fprintf(&b, "Content-Length: %d\r\n\r\n%s", g.IntN(2*len(body)+2), body)
	default:
		fmt.Fprintf(&b, "Content-Length: %d\r\n%s%s", len(body), end, body)
	}
	text := []byte(b.String())
	for mutate && len(text) > 0 {
		i := g.IntN(len(text))
		switch g.IntN(4) {
		case 0:
			text[i] = byte(g.IntN(256))
		case 1:
			text = append(text[:i:i], text[i+1:]...)
		case 2:
			text = append(text[:i:i], append([]byte(g.of("\r\n", "\n", " ", ":", "\x00", "%", "/", "\r\n\r\n")), text[i:]...)...)
		default:
			mutate = false
		}
	}
	return string(text)
}

// No sequence of requests without a good key reaches Ollama, nor makes the gate
// ask it.
func TestNothingWithoutAGoodKeyReachesOllama(t *testing.T) { knockAtRandom(t) }

// The same behind TLS.
func TestNothingWithoutAGoodKeyReachesOllamaBehindTLS(t *testing.T) { knockAtRandom(t, encrypted) }

func knockAtRandom(t *testing.T, options ...option) {
	const connections, wide = 3000, 8
	seed := uint64(20261123)
	s := open(t, echo, append(options, func(_ *site, c *Config) { c.Origins = websites })...)
	s.gate.limits = limits{bodyPause: time.Second, bodyTotal: 2 * time.Second, stall: time.Minute, hurry: 10 * time.Millisecond, overrun: time.Minute}
	var g sync.WaitGroup
	for lane := range wide {
		g.Go(func() {
			by := stranger{rand.New(rand.NewPCG(seed, uint64(lane)))}
			for range connections / wide {
				var text strings.Builder
				for range 1 + by.IntN(4) {
					text.WriteString(by.request())
				}
				before := s.seen.Load() + s.asked.Load()
				c := s.dial()
				_, _ = io.WriteString(c, text.String())
				_ = c.(interface{ CloseWrite() error }).CloseWrite()
				_, _ = io.Copy(io.Discard, c)
				c.Close()
				if s.seen.Load()+s.asked.Load() > before {
					t.Errorf("Ollama was reached, at about:\n%q", text.String())
					return
				}
			}
		})
	}
	g.Wait()
	until(t, "all to end", func() bool { n, _ := s.log.Counts(); return n == 0 })
	all, _, missed := s.log.Since(0, 0)
	if len(all) < connections/2 || missed > 0 {
		t.Errorf("only %d requests came as far as the gate", len(all))
	}
	reasons := map[policy.Reason]int{}
	for _, e := range all {
		reasons[e.Reason]++
		own := e.Reason == policy.Allowed && e.Upstream == 0 && e.KeyID == "" && (e.Method == "HEAD" || e.Action == "Read the welcome page" || e.Method == "OPTIONS")
		if !own && (e.Phase != requestlog.Refused || e.Reason == policy.Allowed) {
			t.Errorf("%+v", e)
		}
		if e.Upstream != 0 {
			t.Errorf("%+v", e)
		}
	}
	if len(reasons) < 9 {
		t.Errorf("only %v", reasons)
	}
	t.Log(len(all), reasons)
	if got := s.ask(keyAlice, "GET", "/api/tags", ""); got.status != 200 || s.seen.Load() != 1 {
		t.Errorf("and one with a good key: %+v", got)
	}
	if text := s.faults.String(); text != "" {
		t.Error(text)
	}
}
