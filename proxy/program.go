package proxy

import (
	"crypto/tls"
	"strconv"
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
	{"aiohttp/", "aiohttp"},
	{"python-requests/", "requests"},
	{"python-httpx/", "httpx"},
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
	return shown(first, 32)
}

func tlsVersion(s *tls.ConnectionState) string {
	if s == nil {
		return ""
	}
	return tls.VersionName(s.Version)
}

func cleanModel(name string) string { return shown(name, requestlog.MaxModel) }

const keySign = "pdk_"

// shown makes text from outside fit for the log. People paste keys into the
// wrong field, the address above all, so whatever looks like one is taken out.
func shown(s string, limit int) string {
	if len(s) > limit+256 {
		s = s[:limit+256]
	}
	plain := s
	for range 3 { // a key with an escaped letter is one all the same, escaped twice too
		plain = unescaped(plain)
	}
	if plain != s && strings.Contains(plain, keySign) {
		s = plain
	}
	for at := 0; ; {
		i := strings.Index(s[at:], keySign)
		if i < 0 {
			return requestlog.Clean(s, limit)
		}
		at += i + len(keySign)
		end := at
		for end < len(s) && isBase62(s[end]) {
			end++
		}
		if end-at >= 6 {
			s = s[:at] + "…" + s[end:]
		}
	}
}

// unescaped undoes percent-escapes and leaves what is none as it is.
func unescaped(s string) string {
	if !strings.Contains(s, "%") {
		return s
	}
	b := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if s[i] == '%' && i+2 < len(s) {
			if v, err := strconv.ParseUint(s[i+1:i+3], 16, 8); err == nil {
				b = append(b, byte(v))
				i += 2
				continue
			}
		}
		b = append(b, s[i])
	}
	return string(b)
}

func isBase62(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z'
}
