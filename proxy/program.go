package proxy

import (
	"crypto/tls"
	"strings"

	"paddock/requestlog"
)

// programs names the programs that teammates use by what their User-Agent
// holds, the most telling first: Open WebUI calls itself aiohttp, and a browser
// names every browser.
var programs = []struct{ sign, name string }{
	{"ollama-js/", "ollama-js"},
	{"ollama-python/", "ollama-python"},
	{"ollama/", "ollama"},
	{"OpenAI/JS", "OpenAI JS"},
	{"OpenAI/Python", "OpenAI Python"},
	{"AsyncOpenAI/Python", "OpenAI Python"},
	{"Anthropic/JS", "Anthropic JS"},
	{"Anthropic/Python", "Anthropic Python"},
	{"AsyncAnthropic/Python", "Anthropic Python"},
	{"claude-cli/", "Claude Code"},
	{"n8n", "n8n"},
	{"Continue/", "Continue"},
	{"Paddock/", "Paddock"},
	{"curl/", "curl"},
	{"Wget/", "wget"},
	{"aiohttp/", "Python aiohttp"},
	{"python-requests/", "Python requests"},
	{"python-httpx/", "Python httpx"},
	{"Go-http-client/", "Go"},
	{"axios/", "axios"},
	{"undici", "Node.js"},
	{"node", "Node.js"},
	{"Obsidian/", "Obsidian"},
	{"Code/", "VS Code"},
	{"Edg/", "Edge"},
	{"Firefox/", "Firefox"},
	{"Chrome/", "Chrome"},
	{"Safari/", "Safari"},
}

// program shortens a User-Agent to the name of a program.
func program(userAgent string) string {
	if userAgent == "" {
		return ""
	}
	for _, p := range programs {
		if strings.Contains(userAgent, p.sign) {
			return p.name
		}
	}
	first, _, _ := strings.Cut(userAgent, "/")
	first, _, _ = strings.Cut(first, " ")
	return requestlog.Clean(first, 32)
}

func tlsVersion(s *tls.ConnectionState) string {
	if s == nil {
		return ""
	}
	return tls.VersionName(s.Version)
}

func cleanModel(name string) string { return requestlog.Clean(name, requestlog.MaxModel) }
