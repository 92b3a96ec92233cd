package cli_test

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"paddock/safety"
	"paddock/share"
)

// shareStrictly shares the demo with encryption, as an owner does who has chosen
// nothing, and returns its address.
func (d *desk) shareStrictly() (*running, string) {
	d.t.Helper()
	d.strict = true
	show := d.start("share", "--demo", "--listen", "127.0.0.1:0")
	url := show.see(`Sharing at\n  (https://127\.0\.0\.1:\d+)  \(This machine only\)\nEncrypted`)[1]
	show.see("Ctrl-C ends it")
	return show, url
}

// encrypted asks for the models over TLS, believing the home's ca.pem.
func encrypted(t *testing.T, d *desk, url, key string) (int, error) {
	t.Helper()
	pem, err := os.ReadFile(filepath.Join(d.home, "ca.pem"))
	roots := x509.NewCertPool()
	if err != nil || !roots.AppendCertsFromPEM(pem) {
		t.Fatalf("ca.pem: %v", err)
	}
	tr := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}
	defer tr.CloseIdleConnections()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url+"/api/tags", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+key)
	res, err := (&http.Client{Transport: tr}).Do(req)
	if err != nil {
		return 0, err
	}
	defer res.Body.Close()
	return res.StatusCode, nil
}

func TestShareEncrypts(t *testing.T) {
	d := newDesk(t)
	show, url := d.shareStrictly()
	key := strings.TrimSpace(d.must("keys", "copy", "demo"))
	if code, err := encrypted(t, d, url, key); code != 200 || err != nil {
		t.Errorf("%d %v", code, err)
	}
	show.see(`demo +127\.0\.0\.1 +Go +List models +Done +\S+ ms  \(demo\)\n`)
	if code := get(t, strings.Replace(url, "https", "http", 1), key); code != http.StatusUpgradeRequired {
		t.Errorf("in clear: %d", code)
	}
	show.see(`demo .* Not encrypted .*\(not encrypted\)`)
	if strings.Contains(show.out.String(), "http://127") {
		t.Errorf("it shows an address for plain HTTP:\n%s", show.out)
	}

	var status struct {
		Encrypted  bool             `json:"encrypted"`
		Encryption share.Encryption `json:"encryption"`
	}
	if err := json.Unmarshal([]byte(d.must("status", "--json")), &status); err != nil || !status.Encrypted || !status.Encryption.Ready {
		t.Fatalf("%+v %v", status, err)
	}
	print := status.Encryption.Fingerprint
	for _, command := range [][]string{{"status"}, {"authority"}} {
		if out := d.must(command...); !strings.Contains(out, print) {
			t.Errorf("%s does not show the fingerprint:\n%s", command[0], out)
		}
	}

	// The switch takes effect at once, and back.
	d.must("settings", "set", "share.allow-http", "true")
	if code := get(t, strings.Replace(url, "https", "http", 1), key); code != 200 {
		t.Errorf("allowed in clear: %d", code)
	}
	show.see(`– Plain HTTP was allowed\n`)
	d.must("settings", "set", "share.allow-http", "false")

	// A new authority, by one command that says what it breaks.
	r := d.run("authority", "rotate")
	if r.code != 0 || strings.Contains(r.out, print) || !strings.Contains(r.err, "Every teammate has to fetch ca.pem again") {
		t.Errorf("%+v", r)
	}
	until(t, "the new one is shown", func() bool { code, err := encrypted(t, d, url, key); return code == 200 && err == nil })
}

func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	limit := time.After(15 * time.Second)
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-limit:
			t.Fatal("not seen: " + what)
		case <-tick.C:
		}
	}
}

func TestTheAuthorityWithoutAnInstance(t *testing.T) {
	d := newDesk(t)
	if out := d.must("authority"); !strings.Contains(out, "There is no authority yet") {
		t.Error(out)
	}
	first := d.must("authority", "rotate")
	second := d.must("authority", "rotate")
	print := regexp.MustCompile(`[0-9A-F:]{95}`)
	if a, b := print.FindString(first), print.FindString(second); a == "" || b == "" || a == b {
		t.Errorf("%q %q", first, second)
	}
	d.says(2, "", "~unknown command", "authority", "destroy")
}

func TestPauseAndResume(t *testing.T) {
	d := newDesk(t)
	d.says(1, "", "paddock: Paddock does not run, so nothing is shared\n", "pause", "15m")
	d.says(1, "", "~neither a break nor a panic", "resume")
	show, url := d.shareStrictly()
	key := strings.TrimSpace(d.must("keys", "copy", "demo"))
	d.says(0, "", `~^Paused until \d\d:\d\d; requests that run may finish\.\n$`, "pause", "15m")
	show.see(`Paused until \d\d:\d\d`)
	if code, err := encrypted(t, d, url, key); code != 503 || err != nil {
		t.Errorf("%d %v", code, err)
	}
	if out := d.must("status"); !strings.HasPrefix(out, "Paused until ") || !strings.Contains(out, url) {
		t.Error(out)
	}
	d.says(0, "", "The break is over.\n", "resume")
	if code, err := encrypted(t, d, url, key); code != 200 || err != nil {
		t.Errorf("%d %v", code, err)
	}
	d.says(0, "", "~^Paused until `paddock --home \\S+ resume`|^Paused until `paddock resume`", "pause")
	d.says(0, "", "The break is over.\n", "resume")
	for _, bad := range []string{"soon", "-5m", "0", "1ms"} {
		if r := d.run("pause", bad); r.code != 2 && !strings.HasPrefix(bad, "-") {
			t.Errorf("pause %s: %+v", bad, r)
		}
	}
	d.says(2, "", "~takes one duration", "pause", "1m", "2m")
}

func TestPanic(t *testing.T) {
	d := newDesk(t)
	show, url := d.shareStrictly()
	key := strings.TrimSpace(d.must("keys", "copy", "demo"))
	d.says(0, "", "~Everyone is cut off and every key is suspended", "panic")
	until(t, "the port is closed", func() bool { _, err := encrypted(t, d, url, key); return err != nil })
	show.see("Everyone is cut off")
	if out := d.must("status"); !strings.Contains(out, "Not sharing.\nEveryone is cut off") {
		t.Error(out)
	}
	if out := d.must("keys", "list"); !strings.Contains(out, "suspended") {
		t.Error(out)
	}
	d.says(0, "", "The panic is taken back: the keys work again.\n", "resume")
	// The port is another one than before, since the system chose it.
	again := show.see(`(?s)Everyone is cut off.*Sharing at\n  (https://127\.0\.0\.1:\d+)`)[1]
	until(t, "it shares again", func() bool { code, err := encrypted(t, d, again, key); return code == 200 && err == nil })
	if out := d.must("log"); !strings.Contains(out, "– Panic: ") || !strings.Contains(out, "– Panic taken back: 1 key let in again") {
		t.Error(out)
	}

	// And with nothing running: the keys are suspended in the file.
	show.end()
	d.says(0, "", "~Everyone is cut off", "panic")
	if out := d.must("keys", "list"); !strings.Contains(out, "suspended") {
		t.Error(out)
	}
	d.says(0, "", "~taken back", "resume")
}

func TestCheck(t *testing.T) {
	d := newDesk(t)
	d.strict = true
	out := d.must("check")
	if !strings.Contains(out, "✓ Only encrypted connections are taken\n") {
		t.Error(out)
	}
	at := netip.MustParseAddr("192.168.1.5")
	d.found = safety.Found{Probe: safety.Probe{At: time.Now(), Port: 11434, Asked: []netip.Addr{at}, Answered: []safety.Answer{{Addr: at, Version: "0.17.4"}}}}
	r := d.run("check")
	if r.code != 1 || !strings.HasPrefix(r.out, "✕ Ollama ") || !strings.Contains(r.out, "192.168.1.5") || !strings.Contains(r.err, "1 problem: people can walk around the gate") {
		t.Errorf("%d %s\n%s", r.code, r.err, r.out)
	}
	r = d.run("check", "--json")
	var s share.Safety
	if err := json.Unmarshal([]byte(r.out), &s); err != nil || r.code != 1 || s.Problems != 1 || len(s.Facts) < 10 {
		t.Errorf("%d %v %+v", r.code, err, s)
	}
}

func TestNetworksByCommand(t *testing.T) {
	d := newDesk(t)
	d.says(2, "", "~share.network cannot be", "settings", "set", "share.network", "everywhere")
	d.must("settings", "set", "share.network", "interface:nosuch0")
	show := d.start("share", "--demo", "--listen", ":0")
	show.see("Not sharing: the network interface nosuch0 is not there; waiting for it")
	d.must("settings", "set", "share.network", "private")
	show.see("Sharing")
}
