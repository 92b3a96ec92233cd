package main

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"paddock/settings"
)

func TestAddress(t *testing.T) {
	home := t.TempDir()
	store, err := settings.Open(home)
	if err != nil {
		t.Fatal(err)
	}
	if err := store.Set(settings.ShareOllama, "mac.local"); err != nil {
		t.Fatal(err)
	}
	empty := t.TempDir()
	for _, c := range []struct {
		name string
		args []string
		env  map[string]string
		want string
	}{
		{"nothing said", nil, map[string]string{"PADDOCK_HOME": empty}, "http://127.0.0.1:11434"},
		{"OLLAMA_HOST", nil, map[string]string{"PADDOCK_HOME": empty, "OLLAMA_HOST": "0.0.0.0:5000"}, "http://127.0.0.1:5000"},
		{"the setting goes before it", []string{"--home", home}, map[string]string{"OLLAMA_HOST": "127.0.0.1:5000"}, "http://mac.local:11434"},
		{"a home in one word", []string{"--listen", ":1", "--home=" + home}, nil, "http://mac.local:11434"},
		{"a home from the environment", nil, map[string]string{"PADDOCK_HOME": home}, "http://mac.local:11434"},
	} {
		got, err := address(c.args, func(name string) string { return c.env[name] })
		if err != nil || got != c.want {
			t.Errorf("%s: %s, %v, want %s", c.name, got, err, c.want)
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
