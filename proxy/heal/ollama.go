package heal

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// maxList bounds what is read of /api/ps.
const maxList = 1 << 20

// list asks which models are in memory, by canonical name.
func (w *Watchdog) list(ctx context.Context, target *url.URL) (map[string]*sighting, error) {
	body, err := w.ask(ctx, target, http.MethodGet, "/api/ps", nil)
	if err != nil {
		return nil, err
	}
	return parseList(body, time.Now(), w.Canonical)
}

// parseList reads the answer of /api/ps.
func parseList(body []byte, now time.Time, canonical func(string) string) (map[string]*sighting, error) {
	var answer struct {
		Models []struct {
			Model   string    `json:"model"`
			Name    string    `json:"name"`
			Expires time.Time `json:"expires_at"`
			Context int64     `json:"context_length"`
		} `json:"models"`
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		return nil, fmt.Errorf("read /api/ps: %w", err)
	}
	seen := make(map[string]*sighting, len(answer.Models))
	for _, m := range answer.Models {
		s := &sighting{at: now, expires: m.Expires, context: max(m.Context, 0)}
		for _, name := range []string{m.Model, m.Name} {
			if name != "" {
				seen[canonical(name)] = s
			}
		}
	}
	return seen, nil
}

// unload asks Ollama to unload a model as soon as nobody uses it.
func (w *Watchdog) unload(ctx context.Context, target *url.URL, name string) error {
	body, err := json.Marshal(struct {
		Model     string `json:"model"`
		KeepAlive int    `json:"keep_alive"`
	}{name, 0})
	if err != nil {
		return err
	}
	_, err = w.ask(ctx, target, http.MethodPost, "/api/generate", body)
	return err
}

// ask sends one short request of the watchdog's own.
func (w *Watchdog) ask(ctx context.Context, target *url.URL, method, path string, body []byte) ([]byte, error) {
	ctx, stop := context.WithTimeout(ctx, askLimit)
	defer stop()
	to := *target
	to.Path, to.RawPath, to.RawQuery = strings.TrimSuffix(to.Path, "/")+path, "", ""
	r, err := http.NewRequestWithContext(ctx, method, to.String(), bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	r.Header.Set("User-Agent", "paddock")
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	answer, err := w.Transport.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	b, err := io.ReadAll(io.LimitReader(answer.Body, maxList))
	if err != nil {
		return nil, err
	}
	if answer.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s %s: Ollama answered %d", method, path, answer.StatusCode)
	}
	return b, nil
}

// canonical folds the spellings of a model's name that Ollama takes for the same
// (types/model/name.go, as far as names in its own list need it).
func canonical(name string) string {
	n := strings.ToLower(strings.TrimSpace(name))
	n = strings.TrimPrefix(n, "registry.ollama.ai/")
	n = strings.TrimPrefix(n, "library/")
	if !strings.Contains(n[strings.LastIndexByte(n, '/')+1:], ":") {
		n += ":latest"
	}
	return n
}
