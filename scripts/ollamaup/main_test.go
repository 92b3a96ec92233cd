package main

import (
	"net/http"
	"net/http/httptest"
	"testing"
)

func TestAddress(t *testing.T) {
	for host, want := range map[string]string{
		"":                             "http://127.0.0.1:11434",
		"0.0.0.0":                      "http://127.0.0.1:11434",
		":8080":                        "http://127.0.0.1:8080",
		"mac.local":                    "http://mac.local:11434",
		" \"127.0.0.1:5000\" ":         "http://127.0.0.1:5000",
		"http://mac.local":             "http://mac.local:80",
		"https://mac.local":            "https://mac.local:443",
		"https://mac.local:8443/base/": "https://mac.local:8443/base",
		"[::1]:4000":                   "http://[::1]:4000",
		"[::]":                         "http://[::1]:11434",
	} {
		if got := address(host); got != want {
			t.Errorf("OLLAMA_HOST=%q: %s, want %s", host, got, want)
		}
	}
}

func TestAnswers(t *testing.T) {
	answer := `{"version":"0.17.4"}`
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/api/version" {
			http.NotFound(w, r)
			return
		}
		_, _ = w.Write([]byte(answer))
	}))
	if err := answers(srv.URL); err != nil {
		t.Errorf("an Ollama: %v", err)
	}
	answer = "welcome to another program"
	if err := answers(srv.URL); err == nil {
		t.Error("another program was taken for an Ollama")
	}
	srv.Close()
	if err := answers(srv.URL); err == nil {
		t.Error("nobody was taken for an Ollama")
	}
}
