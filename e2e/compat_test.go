//go:build linux && e2e

package e2e_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"paddock/e2e/clients"
	"paddock/e2e/ollama"
	"paddock/e2e/ollama/ggufgen"
	"paddock/internal/testdesk"
	"paddock/requestlog"
)

// TestEveryClientSeesThroughTheGateWhatItSeesWithoutIt runs the npm packages,
// each in its own words.
func TestEveryClientSeesThroughTheGateWhatItSeesWithoutIt(t *testing.T) {
	l := lend(t)
	alice := l.key("alice")
	set := l.clients(l.url, alice.key)
	const limit = time.Minute
	for _, c := range clients.All {
		if c.Can(clients.List) {
			r := set.Run(c, clients.List, "", limit)
			if r.Error != nil || !strings.Contains(strings.Join(r.Models, " "), ollama.Loop) {
				t.Errorf("%s lists %v, %+v", c, r.Models, r.Error)
			}
		}
		if c.Can(clients.Embed) {
			if r := set.Run(c, clients.Embed, ollama.Tiny, limit); r.Error != nil || r.Dimensions != 128 {
				t.Errorf("%s embeds in %d dimensions, %+v", c, r.Dimensions, r.Error)
			}
		}
		r := set.Run(c, clients.Chat, ollama.Tiny, limit)
		if r.Error != nil || !strings.HasPrefix(r.Text, ollama.TinyBegins) || !strings.HasSuffix(r.Text, ollama.TinyEnds) || r.Tokens != ollama.TinyTokens {
			t.Errorf("%s chats: %+v, %+v", c, r, r.Error)
		}
		r = set.Run(c, clients.Chat, "no-such-model", limit)
		if r.Error == nil || r.Error.Status != http.StatusNotFound || !r.Error.Says("no-such-model") {
			t.Errorf("%s asks for an unknown model: %+v", c, r.Error)
		}
	}
	l.p.Must("keys", "edit", "alice", "--in-address")
	bare := l.clients(alice.inAddress(), "")
	for _, c := range clients.All {
		bare.Key = ""
		if c == clients.OpenAI || c == clients.Anthropic {
			bare.Key = alice.key // they insist on one, and the same key twice is one key
		}
		if r := bare.Run(c, clients.Chat, ollama.Tiny, limit); r.Error != nil || r.Tokens != ollama.TinyTokens {
			t.Errorf("%s with the key in the address: %+v, %+v", c, r, r.Error)
		}
	}
	l.p.Must("keys", "edit", "alice", "--model", "other")
	for _, c := range clients.All {
		r := set.Run(c, clients.Chat, ollama.Tiny, limit)
		if r.Error == nil || r.Error.Status != http.StatusForbidden || !r.Error.Says("this key may not use that model") {
			t.Errorf("%s asks for a model that it may not use: %+v", c, r.Error)
		}
	}
	l.silent(alice.key)
}

// curl is the command, with a folder for the bodies that it sends.
type curl struct {
	t   *testing.T
	dir string
}

// run runs it and returns the answer, and what -v said.
func (c curl) run(args ...string) (stdout, stderr string) {
	c.t.Helper()
	ctx, stop := context.WithTimeout(c.t.Context(), time.Minute)
	defer stop()
	cmd := exec.CommandContext(ctx, "curl", append([]string{"--disable", "--silent", "--show-error", "--noproxy", "*"}, args...)...)
	cmd.Dir = c.dir
	cmd.Env = []string{"PATH=" + os.Getenv("PATH")}
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		c.t.Errorf("curl %q: %v %.2000s", args, err, errs.String())
	}
	return out.String(), errs.String()
}

// code runs it for an answer and its status.
func (c curl) code(args ...string) (status, body string) {
	c.t.Helper()
	out, _ := c.run(append([]string{"--write-out", "\n%{http_code}"}, args...)...)
	i := strings.LastIndexByte(out, '\n')
	return out[i+1:], out[:max(i, 0)]
}

// file writes a body and returns it as curl takes it.
func (c curl) file(name, body string) string {
	c.t.Helper()
	if err := os.WriteFile(filepath.Join(c.dir, name), []byte(body), 0o600); err != nil {
		c.t.Fatal(err)
	}
	return "@" + name
}

func TestCurl(t *testing.T) {
	l := lendInClear(t)
	alice := l.key("alice", "--rate", "none")
	c := curl{t, t.TempDir()}
	auth := "Authorization: Bearer " + alice.key
	chat := `{"model":"tiny","messages":[{"role":"user","content":"hi"}]}`
	url := l.url + "/api/chat"
	whole := func(how, body string) {
		t.Helper()
		if lines := strings.Count(body, "\n"); lines < ollama.TinyTokens-1 || !strings.Contains(body, fmt.Sprintf(`"eval_count":%d`, ollama.TinyTokens)) {
			t.Errorf("%s: %d lines: %.2000s", how, lines, body)
		}
	}

	// Without -H it calls the body a form, which Ollama does not mind.
	out, errs := c.run("--no-buffer", "-v", "-H", auth, url, "-d", chat)
	whole("a chat", out)
	if !strings.Contains(errs, "application/x-www-form-urlencoded") || strings.Contains(errs, "100 Continue") {
		t.Errorf("a chat went as %s", errs)
	}
	out, _ = c.run("-H", auth, "-H", "Content-Type: application/json", url, "-d", chat)
	whole("a chat called JSON", out)
	out, _ = c.run("-u", "anybody:"+alice.key, url, "-d", chat)
	whole("a chat with a password", out)
	out, _ = c.run("-H", auth, "-H", "Transfer-Encoding: chunked", url, "-d", chat)
	whole("a chunked upload", out)
	out, errs = c.run("-v", "--http1.0", "-H", auth, url, "-d", chat)
	whole("HTTP/1.0", out)
	if !strings.Contains(errs, "POST /api/chat HTTP/1.0") || strings.Contains(strings.ToLower(errs), "< transfer-encoding") {
		t.Errorf("HTTP/1.0 went as %s", errs)
	}

	t.Run("an answer without an end", func(t *testing.T) {
		// Lines that come out of it have not waited for the rest.
		cmd := exec.Command("curl", "--disable", "--silent", "--no-buffer", "--noproxy", "*", "-H", auth, url, "-d", strings.Replace(chat, ollama.Tiny, ollama.Loop, 1))
		out, err := cmd.StdoutPipe()
		if err == nil {
			err = cmd.Start()
		}
		if err != nil {
			t.Fatal(err)
		}
		end := time.AfterFunc(time.Minute, func() { _ = cmd.Process.Kill() })
		defer end.Stop()
		lines := bufio.NewScanner(out)
		for n := range 5 {
			if !lines.Scan() || !strings.Contains(lines.Text(), `"done":false`) {
				t.Errorf("line %d: %q, %v", n+1, lines.Text(), lines.Err())
			}
		}
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		entry(t, l.p, "the chat that was left", func(e requestlog.Entry) bool { return e.Model == ollama.Loop && e.CutBy == requestlog.CutByClient })
	})

	t.Run("a large body is asked for", func(t *testing.T) {
		c := curl{t, c.dir}
		big := c.file("big.json", `{"padding":"`+strings.Repeat("x", 2<<20)+`",`+chat[1:])
		out, errs := c.run("-v", "-H", auth, url, "-d", big)
		whole("a large body", out)
		if !strings.Contains(errs, "> Expect: 100-continue") || !strings.Contains(errs, "< HTTP/1.1 100 Continue") {
			t.Errorf("it went as %s", errs)
		}
		out, errs = c.run("-v", "-H", "Authorization: Bearer "+mistyped(alice.key), url, "-d", big)
		if !strings.Contains(errs, "< HTTP/1.1 401") || strings.Contains(errs, "100 Continue") || !strings.Contains(out, "the key is not valid") {
			t.Errorf("with a wrong key it went as %s and was answered %s", errs, out)
		}
		out, _ = c.run("-H", auth, "-H", "Expect:", "-H", "Transfer-Encoding: chunked", url, "-d", big)
		whole("a large chunked body", out)
	})

	t.Run("HEAD", func(t *testing.T) {
		c := curl{t, c.dir}
		for path, codes := range map[string][2]string{"/": {"200", "200"}, "/api/tags": {"200", "401"}, "/api/version": {"200", "401"}} {
			with, head := c.code("-I", "-H", auth, l.url+path)
			without, _ := c.code("-I", l.url+path)
			if with != codes[0] || without != codes[1] || !strings.Contains(head, "X-Request-Id: ") {
				t.Errorf("HEAD %s: %s with a key, %s without: %s", path, with, without, head)
			}
		}
	})

	t.Run("a connection is used again", func(t *testing.T) {
		c := curl{t, c.dir}
		for _, path := range []string{"/api/tags", "/api/version", "/no/such/thing"} {
			out, _ := c.run("-H", auth, "-w", "%{num_connects}\n", "-o", "/dev/null", l.url+path, "-o", "/dev/null", l.url+path)
			if out != "1\n0\n" {
				t.Errorf("two requests for %s made connections: %q", path, out)
			}
		}
		out, _ := c.run("-H", auth, "-w", "%{num_connects}\n", "-d", chat, "-o", "/dev/null", url, "-o", "/dev/null", url)
		if out != "1\n0\n" {
			t.Errorf("two chats made connections: %q", out)
		}
	})

	t.Run("an image", func(t *testing.T) {
		c := curl{t, c.dir}
		noise := make([]byte, 6<<20)
		for i := range noise {
			noise[i] = byte(i * i >> 3)
		}
		image := c.file("image.json", `{"stream":false,"model":"tiny","messages":[{"role":"user","content":"hi","images":["`+base64.StdEncoding.EncodeToString(noise)+`"]}]}`)
		straight, told := c.code(l.server.URL+"/api/chat", "-d", image)
		through, said := c.code("-H", auth, url, "-d", image)
		if through != straight || text(t, said) != text(t, told) {
			t.Errorf("Ollama says %s %.500s, and through the gate %s %.500s", straight, told, through, said)
		}
		t.Logf("an image of 8 MiB: %s %.200s", through, said)
		l.p.Must("settings", "set", "limits.body", "1MiB")
		for how, flag := range map[string]string{"with a length": "X-Nothing: 1", "chunked": "Transfer-Encoding: chunked"} {
			if code, body := c.code("-H", auth, "-H", flag, url, "-d", image); code != "413" || !strings.Contains(body, "larger than the owner") {
				t.Errorf("a body above the limit, %s: %s %s", how, code, body)
			}
		}
	})

	t.Run("the credential test of n8n", func(t *testing.T) {
		c := curl{t, c.dir}
		if code, body := c.code("-H", auth, "-A", "axios/1.8.3", l.url+"/api/tags"); code != "200" || !strings.Contains(body, ollama.Tiny) {
			t.Errorf("with a key: %s %s", code, body)
		}
		if code, body := c.code("-H", "Authorization: Bearer ", "-A", "axios/1.8.3", l.url+"/api/tags"); code != "401" || !strings.Contains(body, "a key is needed") {
			t.Errorf("with an empty key: %s %s", code, body)
		}
	})
	l.silent(alice.key)
}

// text takes the part of an answer that is the same each time.
func text(t *testing.T, body string) string {
	t.Helper()
	var a struct {
		Message struct{ Content string }
		Error   string
	}
	if err := json.Unmarshal([]byte(body), &a); err != nil {
		t.Errorf("%v in %.500s", err, body)
	}
	return a.Message.Content + a.Error
}

// TestTheOllamaCommandWithAKeyInTheAddress is all that the command's users can
// set: OLLAMA_HOST.
func TestTheOllamaCommandWithAKeyInTheAddress(t *testing.T) {
	l := lend(t)
	boss := l.key("boss", "--role", "manager", "--in-address")
	alice := l.key("alice", "--in-address")
	bob := l.key("bob")
	var said strings.Builder // all that anybody was told
	does := func(g gate, want string, args ...string) {
		t.Helper()
		out, errs, err := l.server.Command(g.inAddress(), time.Minute, args...)
		said.WriteString(out + errs)
		if err != nil || !strings.Contains(out+errs, want) {
			t.Errorf("ollama %s: %v\n%s\n%s", strings.Join(args, " "), err, out, errs)
		}
	}
	fails := func(g gate, want string, args ...string) {
		t.Helper()
		out, errs, err := l.server.Command(g.inAddress(), time.Minute, args...)
		said.WriteString(out + errs)
		if err == nil || !strings.Contains(out+errs, want) {
			t.Errorf("ollama %s was to fail with %q: %v\n%s\n%s", strings.Join(args, " "), want, err, out, errs)
		}
	}

	out, errs, err := l.create(boss.inAddress(), "mine", ggufgen.Options{Ends: true, Seed: 7})
	said.WriteString(out + errs)
	if err != nil || !strings.Contains(out+errs, "success") {
		t.Fatalf("ollama create: %v\n%s\n%s", err, out, errs)
	}
	does(boss, "mine", "list")
	does(boss, ollama.TinyBegins, "run", "mine", "hi")
	does(boss, "llama", "show", "mine")
	does(boss, "mine", "ps")
	does(boss, "", "stop", "mine")
	testdesk.Wait(t, "the stopped model to be gone", 20*time.Second, func() bool { // which takes Ollama a moment
		return !strings.Contains(boss.want(200, "GET", "/api/ps", "").body, "mine")
	})
	does(boss, "copied", "cp", "mine", "yours")
	does(boss, "deleted", "rm", "yours")

	does(alice, "mine", "list")
	does(alice, ollama.TinyBegins, "run", "mine", "hi")
	does(alice, "mine", "ps")
	fails(alice, "may use models but not throw them out of memory", "stop", "mine")
	fails(alice, "may use models but not change them", "rm", "mine")
	fails(alice, "may use models but not change them", "cp", "mine", "other")
	if out, errs, err := l.create(alice.inAddress(), "other", ggufgen.Options{Ends: true, Seed: 8}); err == nil || !strings.Contains(out+errs, "may use models but not change them") {
		t.Errorf("a user creates a model: %v\n%s\n%s", err, out, errs)
	}
	does(alice, "mine", "list")

	fails(bob, "this key may not stand in the address", "list")
	fails(gate{t, l.url, mistyped(alice.key)}, "the key is not valid", "list")
	l.p.Must("keys", "edit", "bob", "--in-address")
	does(bob, "mine", "list")
	l.p.Must("keys", "edit", "bob", "--in-address=false")
	fails(bob, "this key may not stand in the address", "list")

	entry(t, l.p, "a chat by address", func(e requestlog.Entry) bool {
		return e.Key == "alice" && e.Path == "/k/…/api/generate" && e.Phase == requestlog.Done && e.Model == "mine"
	})
	// Whatever is asked for, no answer quotes the address.
	for _, path := range []string{"/", "/paddock/", "/api/tags/", "/api/nothing", "/v1/models/none", "/v1/nothing", "/v1/messages", "/%6b/", "//", ""} {
		a, err := gate{url: boss.inAddress()}.send("GET", path, nil)
		if err != nil {
			t.Errorf("GET /k/…%s: %v", path, err)
		}
		fmt.Fprintln(&said, a.header, a.body)
	}
	does(boss, "deleted", "rm", "mine")
	keys := []string{boss.key, alice.key, bob.key, mistyped(alice.key)}
	l.silent(keys...)
	for _, k := range keys {
		if strings.Contains(said.String(), k) {
			t.Error("an answer holds a key")
		}
	}
}

func TestAManagerUploadsAndPulls(t *testing.T) {
	l := lend(t)
	boss := l.key("boss", "--role", "manager")
	alice := l.key("alice")

	t.Run("a blob", func(t *testing.T) {
		// Larger than limits.body, which is about requests that are read first.
		blob := bytes.Repeat([]byte("twenty mebibytes of a model\n"), 20<<20/28+1)
		for how, wrap := range map[string]func(io.Reader) io.Reader{
			"with a length": func(r io.Reader) io.Reader { return r },
			"chunked":       func(r io.Reader) io.Reader { return io.MultiReader(r) }, // net/http does not know its length
		} {
			blob[0]++ // another one
			path := fmt.Sprintf("/api/blobs/sha256:%x", sha256.Sum256(blob))
			post := func(g gate) int {
				a, err := g.send("POST", path, wrap(bytes.NewReader(blob)))
				if err != nil {
					t.Fatalf("%s: %v", how, err)
				}
				return a.code
			}
			boss.want(404, "HEAD", path, "")
			if code := post(boss); code != 201 {
				t.Errorf("%s: %d", how, code)
			}
			boss.want(200, "HEAD", path, "")
			alice.want(403, "HEAD", path, "")
			if a := alice.want(403, "POST", path, "x"); !strings.Contains(a.body, "may use models but not change them") {
				t.Errorf("a user uploads: %s", a.body)
			}
			entry(t, l.p, "the upload "+how, func(e requestlog.Entry) bool {
				return e.Key == "boss" && e.Action == "Upload" && e.Path == path && e.BytesIn == int64(len(blob)) && e.Status == 201
			})
		}
		boss.want(400, "POST", fmt.Sprintf("/api/blobs/sha256:%064x", 1), "not what it says")
	})

	t.Run("a pull", func(t *testing.T) {
		goOn := make(chan struct{})
		registry := newRegistry(t, goOn)
		ctx, stop := context.WithTimeout(t.Context(), time.Minute)
		defer stop()
		body := fmt.Sprintf(`{"model":"%s/library/pulled","insecure":true}`, registry)
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, l.url+"/api/pull", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+boss.key)
		res, err := client(l.url).Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		var all []string
		halfway := 0
		for lines := bufio.NewScanner(res.Body); lines.Scan(); {
			var p struct {
				Status           string
				Total, Completed int64
			}
			if err := json.Unmarshal(lines.Bytes(), &p); err != nil {
				t.Fatalf("%v in %s", err, lines.Text())
			}
			all = append(all, lines.Text())
			if p.Completed > 0 && p.Completed < p.Total {
				if halfway++; halfway == 1 {
					close(goOn) // the rest is sent because this line has come
				}
			}
		}
		if res.StatusCode != 200 || halfway == 0 || !strings.Contains(strings.Join(all, "\n"), `"status":"success"`) {
			t.Errorf("%d, %d lines with half a layer: %s", res.StatusCode, halfway, strings.Join(all, "\n"))
		}
		entry(t, l.p, "the pull", func(e requestlog.Entry) bool {
			return e.Key == "boss" && e.Action == "Pull model" && e.Phase == requestlog.Done
		})
		if a := alice.want(403, "POST", "/api/pull", body); !strings.Contains(a.body, "may use models but not change them") {
			t.Errorf("a user pulls: %s", a.body)
		}
		boss.want(200, "DELETE", "/api/delete", fmt.Sprintf(`{"model":"%s/library/pulled"}`, registry))
	})
}

// newRegistry serves one model with one layer, whose second half waits until
// goOn is closed. It returns its address.
func newRegistry(t *testing.T, goOn <-chan struct{}) string {
	t.Helper()
	layer := bytes.Repeat([]byte("weights\n"), 1<<17)
	config := []byte(`{"model_format":"gguf","model_family":"llama","model_type":"1B","file_type":"F16"}`)
	blobs := map[string][]byte{}
	describe := func(kind string, b []byte) string {
		digest := fmt.Sprintf("sha256:%x", sha256.Sum256(b))
		blobs[digest] = b
		return fmt.Sprintf(`{"mediaType":%q,"digest":%q,"size":%d}`, kind, digest, len(b))
	}
	manifest := fmt.Sprintf(`{"schemaVersion":2,"mediaType":"application/vnd.docker.distribution.manifest.v2+json","config":%s,"layers":[%s]}`,
		describe("application/vnd.docker.container.image.v1+json", config), describe("application/vnd.ollama.image.model", layer))
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v2/library/pulled/manifests/latest", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, manifest) })
	mux.HandleFunc("GET /v2/library/pulled/blobs/{digest}", func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodHead {
			w.Header().Set("Content-Length", fmt.Sprint(len(blobs[r.PathValue("digest")])))
			return
		}
		// Ollama wants to be sent elsewhere, and by another name of the host.
		_, port, _ := strings.Cut(r.Host, ":")
		http.Redirect(w, r, "http://localhost:"+port+"/store/"+r.PathValue("digest"), http.StatusTemporaryRedirect)
	})
	mux.HandleFunc("GET /store/{digest}", func(w http.ResponseWriter, r *http.Request) {
		b := blobs[r.PathValue("digest")]
		w.Header().Set("Content-Range", fmt.Sprintf("bytes 0-%d/%d", len(b)-1, len(b)))
		w.WriteHeader(http.StatusPartialContent)
		half := len(b) / 2
		_, _ = w.Write(b[:half])
		if len(b) == len(layer) {
			_ = http.NewResponseController(w).Flush()
			select {
			case <-goOn:
			case <-r.Context().Done():
				return
			}
		}
		_, _ = w.Write(b[half:])
	})
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return s.URL
}
