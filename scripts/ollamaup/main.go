// Command ollamaup says where an Ollama is expected and whether one answers there.
//
// It prints the address and ends with 0 when one does, 1 when none does. The
// address is OLLAMA_HOST read as Ollama reads it; `make run` asks before it
// decides about the demo. A program and not curl, because a fresh machine has
// Go by then and may have no curl.
package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"
)

func main() {
	base := address(os.Getenv("OLLAMA_HOST"))
	_, _ = fmt.Fprintln(os.Stdout, base)
	if err := answers(base); err != nil {
		_, _ = fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// address turns a value of OLLAMA_HOST into a URL: scheme, host and port may
// each be left out, and "listen everywhere" means this machine to a client.
func address(host string) string {
	host = strings.Trim(strings.TrimSpace(host), `"'`)
	scheme, rest, ok := strings.Cut(host, "://")
	port := "11434"
	switch {
	case !ok:
		scheme, rest = "http", host
	case scheme == "http":
		port = "80"
	case scheme == "https":
		port = "443"
	}
	rest, path, _ := strings.Cut(rest, "/")
	name, p, err := net.SplitHostPort(rest)
	if err != nil {
		name = strings.Trim(rest, "[]")
	} else if p != "" {
		port = p
	}
	switch name {
	case "", "0.0.0.0":
		name = "127.0.0.1"
	case "::":
		name = "::1"
	}
	u := url.URL{Scheme: scheme, Host: net.JoinHostPort(name, port)}
	if path = strings.Trim(path, "/"); path != "" {
		u.Path = "/" + path
	}
	return u.String()
}

// answers asks for Ollama's version and takes no other program's word.
func answers(base string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, base+"/api/version", http.NoBody)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 4096))
	if err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK || !strings.Contains(string(body), `"version"`) {
		return fmt.Errorf("%s answers %s, which is not what Ollama says", base, resp.Status)
	}
	return nil
}
