package safety

import (
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strconv"
	"sync"
	"time"
)

// The limits of a round. Own addresses answer at once or refuse at once; only a
// firewall that swallows makes one wait.
const (
	probeWait  = time.Second
	probeAhead = 8
	probeMost  = 32
	probeBody  = 4 << 10
	probeHead  = 16 << 10
)

// Probe asks each of this machine's own addresses, other than loopback, whether
// Ollama answers there, by a real connection: what a firewall or a container
// makes of a listener is seen only so. Listeners for which skip is true are left
// alone.
func (f *Finder) Probe(ctx context.Context, addrs []netip.Addr, port int, skip func(netip.AddrPort) bool) Probe {
	if f.Dial == nil || port <= 0 || port > 65535 {
		return Probe{}
	}
	p := Probe{At: f.now(), Port: port, Asked: probable(addrs, port, skip)}
	var (
		mu     sync.Mutex // guards p.Answered
		wait   sync.WaitGroup
		places = make(chan struct{}, probeAhead)
	)
	for _, addr := range p.Asked {
		places <- struct{}{}
		wait.Go(func() {
			defer func() { <-places }()
			if version, ok := f.answers(ctx, netip.AddrPortFrom(addr, uint16(port))); ok {
				mu.Lock()
				defer mu.Unlock()
				p.Answered = append(p.Answered, Answer{Addr: addr, Version: version})
			}
		})
	}
	wait.Wait()
	slices.SortFunc(p.Answered, func(a, b Answer) int { return a.Addr.Compare(b.Addr) })
	if ctx.Err() != nil && len(p.Answered) == 0 {
		return Probe{} // given up: silence proves nothing
	}
	return p
}

// probable returns the addresses worth a connection, each once.
func probable(addrs []netip.Addr, port int, skip func(netip.AddrPort) bool) []netip.Addr {
	var asked []netip.Addr
	for _, a := range addrs {
		a = a.Unmap()
		if !a.IsValid() || a.IsLoopback() || a.IsUnspecified() || a.IsMulticast() || slices.Contains(asked, a) {
			continue
		}
		if skip != nil && skip(netip.AddrPortFrom(a, uint16(port))) {
			continue
		}
		if asked = append(asked, a); len(asked) == probeMost {
			break
		}
	}
	return asked
}

// answers says whether Ollama is behind an address, and its version. An empty
// 403 is Ollama too: its Host check refused the name in the request, which
// whoever sends it may choose.
func (f *Finder) answers(ctx context.Context, at netip.AddrPort) (version string, ok bool) {
	ctx, cancel := context.WithTimeout(ctx, probeWait)
	defer cancel()
	transport := &http.Transport{ // no Proxy: the environment's does not stand in the way of others
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return f.Dial(ctx, network, at.String()) // with the zone, which a URL has no place for
		},
		DisableKeepAlives:      true,
		DisableCompression:     true,
		MaxResponseHeaderBytes: probeHead,
	}
	defer transport.CloseIdleConnections()
	client := &http.Client{
		Transport:     transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	host := net.JoinHostPort(at.Addr().WithZone("").String(), strconv.Itoa(int(at.Port())))
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+host+"/api/version", nil)
	if err != nil {
		return "", false
	}
	req.Header.Set("User-Agent", "paddock safety check")
	res, err := client.Do(req)
	if err != nil {
		return "", false
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, probeBody))
	if err != nil {
		return "", false
	}
	return isOllama(res.StatusCode, body)
}

// isOllama reads the answer to GET /api/version.
func isOllama(status int, body []byte) (version string, ok bool) {
	switch status {
	case http.StatusForbidden:
		return "", len(body) == 0
	case http.StatusOK:
		var said struct {
			Version string `json:"version"`
		}
		if json.Unmarshal(body, &said) != nil || said.Version == "" {
			return "", false
		}
		return clean(said.Version), true
	}
	return "", false
}

func (f *Finder) now() time.Time {
	if f.Now == nil {
		return time.Now()
	}
	return f.Now()
}
