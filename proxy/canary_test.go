package proxy

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"paddock/policy"
)

// Words that must not turn up anywhere but in the prompt and in the answer.
const (
	canaryPrompt = "CANARYprompt7731"
	canaryAnswer = "CANARYanswer7731"
	canaryQuery  = "CANARYquery7731"
	canaryCookie = "CANARYcookie7731"
	canaryHeader = "CANARYheader7731"
	canaryPath   = "CANARYuserinfo7731"
)

// Every way in which a request can end, each with all the words in it: none may
// stand in a log entry, running or finished, in an error of the gate's, in
// net/http's log or in a stack.
func TestNothingSaidIsKept(t *testing.T) {
	stuck := make(chan struct{})
	own := NewTransport()
	defer own.CloseIdleConnections()
	s := open(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		mode := r.Header.Get("Accept")
		switch mode {
		case "drop":
			panic(http.ErrAbortHandler)
		case "hang":
			select {
			case <-r.Context().Done():
			case <-stuck:
			}
			return
		case "500":
			w.WriteHeader(500)
			_, _ = io.WriteString(w, `{"error":"`+canaryAnswer+`"}`)
			return
		case "garbage":
			c, b, _ := http.NewResponseController(w).Hijack()
			_, _ = b.WriteString("HTTP/1.1 " + canaryAnswer + "\r\n\r\n")
			_ = b.Flush()
			c.Close()
			return
		}
		w.Header().Set("Content-Type", "application/x-ndjson")
		w.Header().Set("X-Said", canaryAnswer)
		_, _ = io.WriteString(w, `{"message":{"content":"`+canaryAnswer+`"}}`+"\n")
		w.(http.Flusher).Flush()
		switch mode {
		case "break":
			panic(http.ErrAbortHandler)
		case "wait":
			<-r.Context().Done()
			return
		}
		_, _ = io.WriteString(w, final)
	}, with(func(r *http.Request) (*http.Response, error) {
		switch r.Header.Get("Accept") {
		case "panic":
			b, _ := io.ReadAll(r.Body)
			panic(fmt.Sprintf("%s %s", b, keyAlice))
		case "error":
			return nil, errors.New(canaryPrompt + canaryAnswer)
		case "timeout":
			return nil, timeout{errors.New(canaryPrompt)}
		case "bomb":
			return &http.Response{StatusCode: 200, ContentLength: -1, Header: http.Header{"Content-Type": {ndjson}}, Body: bomb{strings.NewReader(canaryAnswer)}, Request: r}, nil
		}
		return own.RoundTrip(r)
	}))
	s.gate.limits.bodyPause = 50 * time.Millisecond
	close(stuck)

	body := `{"model":"llama3","messages":[{"role":"user","content":"` + canaryPrompt + `"}],"` + canaryPrompt + `":1}`
	secret := "Cookie: a=" + canaryCookie + "\r\nX-Custom: " + canaryHeader + "\r\nReferer: http://x/?" + canaryQuery + "\r\n"
	path := "/api/chat?q=" + canaryQuery + "&key=" + keyAlice
	mode := func(m string) string { return post(path, asUser+secret+"Accept: "+m+"\r\n", body) }
	texts := []string{
		mode("x"), mode("drop"), mode("500"), mode("garbage"), mode("break"), mode("panic"), mode("error"), mode("timeout"), mode("bomb"),
		post(path, host+secret, body),
		post(path, host+secret+"Authorization: Bearer "+keyUnknown+canaryHeader+"\r\n", body),
		post(path, host+secret+"Authorization: "+canaryHeader+"\r\n", body),
		post(path, host+secret+"Authorization: Basic "+base64.StdEncoding.EncodeToString([]byte(canaryHeader+":"+canaryHeader))+"\r\n", body),
		post(path, host+secret+"x-api-key: "+canaryHeader+"\r\n", body),
		post(path, asUser+"x-api-key: "+keyMara+"\r\n", body),
		post(path, asUser+"Authorization: Bearer "+keyMara+"\r\n", body),
		post(path, host+secret+"Authorization: Bearer "+keyPaused+"\r\n", body),
		post(path, "Host: evil.example\r\nAuthorization: Bearer "+keyAlice+"\r\n"+secret, body),
		post("/api/pull?"+canaryQuery, asUser+secret, body),
		post("/api/nothing?"+canaryQuery, asUser+secret, body),
		post("//api/chat?"+canaryQuery, asUser+secret, body),
		post("/k/"+keyAlice+"/api/chat?"+canaryQuery, asUser+secret, body),
		post("/k/"+keyAlice+"/api/chat?"+canaryQuery, host+secret, body),
		post("http://"+canaryPath+":"+keyAlice+"@laptop.local/api/chat?"+canaryQuery, asUser+secret, body),
		post("http://"+canaryPath+":"+keyAlice+"@evil.example/api/chat?"+canaryQuery, asUser+secret, body),
		post("http:"+canaryPath, asUser+secret, body),
		post(path, asUser+secret+"Upgrade: "+canaryHeader+"\r\n", body),
		post(path, asUser+secret+"Content-Encoding: "+canaryHeader+"\r\n", body),
		post(path, asUser+secret+"Content-Type: "+canaryHeader+"\r\n", "{"+canaryPrompt),
		post("/v1/messages?"+canaryQuery, asUser+secret, canaryPrompt),
		post("/v1/chat/completions?"+canaryQuery, asUser+secret, body+body),
		post("/v1/audio/transcriptions", asUser+secret+"Content-Type: multipart/form-data; boundary="+canaryHeader+"\r\n", canaryPrompt),
		"POST " + path + " HTTP/1.1\r\n" + asUser + secret + "Content-Length: 99999999\r\n\r\n" + body,
		"POST " + path + " HTTP/1.1\r\n" + asUser + secret + "Content-Length: 5000\r\n\r\n" + body,
		"POST " + path + " HTTP/1.1\r\n" + asUser + secret + "Transfer-Encoding: chunked\r\n\r\n" + canaryPrompt,
		"POST /api/blobs/sha256-1?" + canaryQuery + " HTTP/1.1\r\n" + asMara + secret + "Content-Length: 5000\r\n\r\n" + canaryPrompt,
		"GET /\x00" + canaryQuery + " HTTP/1.1\r\n" + asUser + "\r\n",
		canaryPrompt + "\r\n\r\n",
		"GET / HTTP/1.1\r\n" + host + canaryHeader + "\r\n\r\n",
	}
	secrets := []string{"CANARY", keyAlice[4:], keyMara[4:], keyUnknown[4:], keyPaused[4:], base64.StdEncoding.EncodeToString([]byte(canaryHeader + ":" + canaryHeader))}
	clean := func(what, text string) {
		t.Helper()
		for _, secret := range secrets {
			if strings.Contains(text, secret) {
				t.Errorf("%s holds %q:\n%s", what, secret, text)
			}
		}
	}
	reasons := map[policy.Reason]bool{}
	for i, text := range texts {
		got := s.send("POST", text)
		if strings.Contains(text, "Accept: ") && (got.status == 500 && got.header.Get("Www-Authenticate") == "" || got.status == 200) && strings.Contains(got.body, canaryAnswer) {
			continue // Ollama's own answer, which is the client's
		}
		clean(fmt.Sprintf("answer %d", i), fmt.Sprint(got.header, got.body))
	}
	// Cut by each hand, in a stream and before it.
	for _, m := range []string{"wait", "wait", "wait"} {
		a := s.start(keyAlice, "POST", path, body, "Accept", m)
		_, _ = io.ReadFull(a.Body, make([]byte, 10))
		for _, e := range s.log.Running(time.Now()) {
			b, _ := json.Marshal(e)
			clean("a running entry", string(b))
		}
		s.gate.CutAll()
		a.Body.Close()
	}
	until(t, "all to end", func() bool { n, _ := s.log.Counts(); return n == 0 })
	all, _, _ := s.log.Since(0, 0)
	for _, e := range all {
		b, err := json.Marshal(e)
		if err != nil {
			t.Fatal(err)
		}
		clean("an entry", string(b))
		clean("an entry in Go's words", fmt.Sprintf("%+v %s", e, e.Result()))
		reasons[e.Reason] = true
	}
	if len(reasons) < 16 {
		t.Errorf("only %d kinds of end were tried: %v", len(reasons), reasons)
	}
	clean("net/http's log", s.errors.String())
	clean("a stack", s.faults.String())
	if s.faults.String() == "" {
		t.Error("no stack to look at")
	}
}
