package standin

import (
	"net"
	"net/http"
	"net/netip"
	"os"
	"slices"
	"strings"
)

// Ollama asks two questions before anything else: is the Origin one it knows, and, when it listens on
// loopback, is the Host a local one. Both refusals have an empty body, so a client learns nothing from them.

// passOrigin reports whether the request may go on; if not, it has been answered.
func passOrigin(w http.ResponseWriter, r *http.Request) bool {
	origin := r.Header.Get("Origin")
	if origin == "" || origin == "http://"+r.Host || origin == "https://"+r.Host {
		return true
	}
	if !allowedOrigin(origin) {
		w.WriteHeader(http.StatusForbidden)
		return false
	}
	h := w.Header()
	h.Set("Access-Control-Allow-Origin", origin)
	h.Add("Vary", "Origin")
	if r.Method != http.MethodOptions {
		return true
	}
	h.Set("Access-Control-Allow-Methods", "GET,POST,PUT,PATCH,DELETE,HEAD,OPTIONS")
	h.Set("Access-Control-Allow-Headers", corsHeaders)
	h.Set("Access-Control-Max-Age", "43200")
	h.Add("Vary", "Access-Control-Request-Method")
	h.Add("Vary", "Access-Control-Request-Headers")
	w.WriteHeader(http.StatusNoContent)
	return false
}

// corsHeaders is Ollama's list: neither x-api-key nor anthropic-version is on it.
const corsHeaders = "Authorization,Content-Type,User-Agent,Accept,X-Requested-With,Openai-Beta," +
	"X-Stainless-Arch,X-Stainless-Async,X-Stainless-Custom-Poll-Interval,X-Stainless-Helper-Method,X-Stainless-Lang," +
	"X-Stainless-Os,X-Stainless-Package-Version,X-Stainless-Poll-Helper,X-Stainless-Retry-Count,X-Stainless-Runtime," +
	"X-Stainless-Runtime-Version,X-Stainless-Timeout"

func allowedOrigin(origin string) bool {
	for _, prefix := range []string{"app://", "file://", "tauri://", "vscode-webview://", "vscode-file://"} {
		if strings.HasPrefix(origin, prefix) {
			return true
		}
	}
	for _, scheme := range []string{"http://", "https://"} {
		rest, ok := strings.CutPrefix(origin, scheme)
		if !ok {
			continue
		}
		name, _, _ := strings.Cut(rest, ":")
		if slices.Contains([]string{"localhost", "127.0.0.1", "0.0.0.0"}, name) {
			return true
		}
	}
	return false
}

// passHost reports whether the request may go on; if not, it has been answered.
func passHost(w http.ResponseWriter, r *http.Request) bool {
	local, ok := r.Context().Value(http.LocalAddrContextKey).(net.Addr)
	if !ok {
		return true // not from a socket: a test called the handler itself
	}
	if a, err := netip.ParseAddrPort(local.String()); err == nil && !a.Addr().Unmap().IsLoopback() {
		return true
	}
	host, _, err := net.SplitHostPort(r.Host)
	if err != nil {
		host = r.Host
	}
	if a, err := netip.ParseAddr(host); err == nil {
		if a.IsLoopback() || a.IsPrivate() || a.IsUnspecified() || isOwnAddress(a) {
			return true
		}
	}
	if !allowedHost(host) {
		w.WriteHeader(http.StatusForbidden)
		return false
	}
	if r.Method == http.MethodOptions {
		w.WriteHeader(http.StatusNoContent)
		return false
	}
	return true
}

func allowedHost(host string) bool {
	host = strings.ToLower(host)
	if host == "" || host == "localhost" {
		return true
	}
	if own, err := os.Hostname(); err == nil && host == strings.ToLower(own) {
		return true
	}
	return strings.HasSuffix(host, ".localhost") || strings.HasSuffix(host, ".local") || strings.HasSuffix(host, ".internal")
}

func isOwnAddress(a netip.Addr) bool {
	own, err := net.InterfaceAddrs()
	if err != nil {
		return false
	}
	return slices.ContainsFunc(own, func(o net.Addr) bool {
		p, err := netip.ParsePrefix(o.String())
		return err == nil && p.Addr() == a
	})
}
