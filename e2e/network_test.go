//go:build linux && e2e

package e2e_test

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"paddock/e2e/ollama"
	"paddock/e2e/program"
	"paddock/internal/testdesk"
	"paddock/internal/testnet"
	"paddock/policy"
	"paddock/requestlog"
	"paddock/safety"
	"paddock/share"
)

// village is an owner's laptop with the network at home and one in a café, and
// the people there. All of them are network namespaces.
type village struct {
	t     *testing.T
	owner *testnet.Place
	mate  *testnet.Place // at home
	guest *testnet.Place // in the café
	p     *program.Program
	show  *program.Process
}

// The owner's addresses in the two networks, and the name of the laptop.
const (
	atHome = "10.77.1.5"
	inCafe = "10.77.2.5"
	laptop = "anna-mbp"
)

// newVillage puts the owner at home.
func newVillage(t *testing.T) *village {
	t.Helper()
	testnet.Needs(t, "ip", "unshare", "curl", "openssl")
	v := &village{t: t, owner: testnet.NewPlace(t), mate: testnet.NewPlace(t), guest: testnet.NewPlace(t), p: program.New(t, program.Lite, nil)}
	v.goHome()
	// The program runs in the owner's place, under the laptop's name.
	inside := filepath.Join(t.TempDir(), "paddock")
	script := fmt.Sprintf("#!/bin/sh\nexec ip netns exec %s unshare --uts sh -c 'hostname %s; exec \"$0\" \"$@\"' '%s' \"$@\"\n", v.owner.Name, laptop, v.p.Bin)
	if err := os.WriteFile(inside, []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	v.p.Bin = inside
	v.p.Set("PADDOCK_VAULT=memory")
	return v
}

// goHome plugs the owner into the network at home, IPv6 and all.
func (v *village) goHome() {
	v.t.Helper()
	testnet.Cable(v.owner, "eth0", atHome+"/24", v.mate, "eth0", "10.77.1.20/24")
	v.owner.IP("addr", "add", "fd77:1::5/64", "dev", "eth0", "nodad")
	v.mate.IP("addr", "add", "fd77:1::20/64", "dev", "eth0", "nodad")
}

func (v *village) goToCafe() {
	v.t.Helper()
	testnet.Cable(v.owner, "eth0", inCafe+"/24", v.guest, "eth0", "10.77.2.20/24")
}

// unplug takes the cable out, and the interface with it.
func (v *village) unplug() {
	v.t.Helper()
	v.owner.IP("link", "del", "eth0")
}

// share shares an Ollama of the owner's place on all networks.
func (v *village) share(flags ...string) {
	v.t.Helper()
	v.show = v.p.Start(append([]string{"share", "--listen", ":11435"}, flags...)...)
	v.show.WaitOut(`Sharing at`)
}

// curlFrom runs curl in a place and returns the status and the body, or what curl says.
func curlFrom(place *testnet.Place, args ...string) (code, body string) {
	cmd := exec.Command("ip", append([]string{"netns", "exec", place.Name, "curl", "--disable", "-sS", "-m", "10", "-w", "\n%{http_code}", "--noproxy", "*"}, args...)...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		return "", err.Error() + " " + string(out)
	}
	at := strings.LastIndexByte(string(out), '\n')
	return string(out[at+1:]), string(out[:at])
}

func (v *village) ca() string { return filepath.Join(v.p.Home, "ca.pem") }

func (v *village) state() (st share.State) {
	v.t.Helper()
	if err := json.Unmarshal([]byte(v.p.Must("status", "--json")), &st); err != nil {
		v.t.Fatal(err)
	}
	return st
}

// until waits for a state, and for no longer than it may take.
func (v *village) until(what string, limit time.Duration, met func(share.State) bool) {
	v.t.Helper()
	testdesk.Wait(v.t, what, limit, func() bool { return met(v.state()) })
}

func shows(address string) func(share.State) bool {
	return func(st share.State) bool {
		return st.Phase == share.Sharing && slices.ContainsFunc(st.Addresses, func(a share.Address) bool { return strings.Contains(a.URL, address) })
	}
}

// TestFromAnotherComputer is what a teammate, and somebody without a key, see of
// the gate across a network.
func TestFromAnotherComputer(t *testing.T) {
	v := newVillage(t)
	avahi := v.mate.Avahi("mate")
	v.share("--demo")
	key := strings.TrimSpace(v.p.Must("keys", "add", "alice"))
	auth := "Authorization: Bearer " + key

	// By every address and name, with the authority that the owner handed over.
	linkLocal := ""
	for line := range strings.Lines(testnet.Run(t, "ip", "-n", v.owner.Name, "-6", "-o", "addr", "show", "dev", "eth0", "scope", "link")) {
		f := strings.Fields(line)
		linkLocal, _, _ = strings.Cut(f[3], "/")
	}
	byName := laptop + ".local:11435:" + atHome
	for name, args := range map[string][]string{
		"IPv4":       {"https://" + atHome + ":11435/api/tags"},
		"IPv6":       {"-g", "https://[fd77:1::5]:11435/api/tags"},
		"link-local": {"-g", "https://[" + linkLocal + "%25eth0]:11435/api/tags"},
		"name.local": {"--resolve", byName, "https://" + laptop + ".local:11435/api/tags"},
		"HTTP/1.1":   {"--http1.1", "https://" + atHome + ":11435/api/tags"},
		"TLS 1.2":    {"--tls-max", "1.2", "https://" + atHome + ":11435/api/tags"},
	} {
		if code, body := curlFrom(v.mate, append(args, "--cacert", v.ca(), "-H", auth)...); code != "200" || !strings.Contains(body, "demo") {
			t.Errorf("%s: %s %s", name, code, body)
		}
	}
	e := entry(t, v.p, "a request by TLS 1.2", func(e requestlog.Entry) bool { return e.TLS == "TLS 1.2" })
	if e.Address != "10.77.1.20" || e.Key != "alice" {
		t.Errorf("%+v", e)
	}

	// OpenSSL sees the chain, and TLS 1.3.
	cmd := exec.Command("ip", "netns", "exec", v.mate.Name, "openssl", "s_client", "-connect", atHome+":11435", "-CAfile", v.ca(), "-verify_return_error", "-verify_ip", atHome)
	cmd.Stdin = strings.NewReader("")
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "Verify return code: 0 (ok)") || !strings.Contains(string(out), "TLSv1.3") || !strings.Contains(string(out), "Paddock authority of "+laptop) {
		t.Errorf("openssl: %v\n%s", err, out)
	}

	// Whoever does not trust it yet gets the certificate, and the log says who does not.
	if code, body := curlFrom(v.mate, "-k", "https://"+atHome+":11435/paddock/ca.pem"); code != "200" || body+"\n" != read(t, v.ca()) && body != read(t, v.ca()) {
		t.Errorf("ca.pem: %s %s", code, body)
	}
	if code, body := curlFrom(v.mate, "https://"+atHome+":11435/api/tags"); code != "" || !strings.Contains(body, "certificate") {
		t.Errorf("without trusting it: %s %s", code, body)
	}
	v.show.WaitOut(`– 10\.77\.1\.20 does not trust the certificate`)

	// In clear there is nothing but the way to do it right.
	for _, path := range []string{"/", "/api/tags", "/v1/models", "/paddock/", "/paddock/ca.pem", "/nothing"} {
		if code, body := curlFrom(v.mate, "-H", auth, "http://"+atHome+":11435"+path); code != "426" || !strings.Contains(body, "https://"+atHome+":11435") {
			t.Errorf("in clear %s: %s %s", path, code, body)
		}
	}
	entry(t, v.p, "whose key was sent in clear", func(e requestlog.Entry) bool { return e.Reason == policy.PlainHTTP && e.Key == "alice" })

	// A stranger without a key gets nothing but 401.
	for _, path := range []string{"/", "/api/tags", "/api/version", "/api/ps", "/v1/models", "/metrics", "/debug/pprof/", "/paddock", "/paddock/keys", "/.git/config"} {
		for _, method := range []string{"GET", "POST", "OPTIONS", "DELETE", "PUT"} {
			if code, body := curlFrom(v.mate, "-k", "-X", method, "https://"+atHome+":11435"+path); code != "401" || strings.Contains(body, "demo") {
				t.Errorf("a stranger: %s %s: %s %s", method, path, code, body)
			}
		}
	}

	// The gate is found without anybody typing an address.
	testnet.Within(t, 15*time.Second, "the gate is found", func() (bool, string) {
		found := avahi.Browse()
		return slices.ContainsFunc(found, func(s testnet.Seen) bool {
			print := strings.ToLower(strings.ReplaceAll(v.state().Encryption.Fingerprint, ":", ""))
			return s.Host == laptop+".local" && s.Addr == atHome && s.Port == "11435" && strings.Contains(s.TXT, "fp="+print) && strings.Contains(s.TXT, "tls=1") && !strings.Contains(s.TXT, "alice")
		}), fmt.Sprint(found)
	})
	if out := avahi.Tool("avahi-resolve", "-4", "-n", laptop+".local"); !strings.Contains(out, atHome) {
		t.Errorf("avahi-resolve: %s", out)
	}
	v.p.Must("settings", "set", "share.discovery", "false")
	testnet.Within(t, 15*time.Second, "the gate is not found any more", func() (bool, string) {
		found := avahi.Browse()
		return len(found) == 0, fmt.Sprint(found)
	})
}

func read(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// TestTheLaptopMoves from one network to another and back, and loses both.
func TestTheLaptopMoves(t *testing.T) {
	v := newVillage(t)
	v.share("--demo")
	key := strings.TrimSpace(v.p.Must("keys", "add", "alice"))
	auth := "Authorization: Bearer " + key
	const soon = 5 * time.Second

	v.unplug()
	v.goToCafe()
	v.until("the address in the café", soon, shows(inCafe))
	if code, body := curlFrom(v.guest, "--cacert", v.ca(), "-H", auth, "https://"+inCafe+":11435/api/tags"); code != "200" {
		t.Errorf("in the café: %s %s", code, body)
	}
	entry(t, v.p, "a request from the café", func(e requestlog.Entry) bool { return e.Address == "10.77.2.20" && e.Key == "alice" })

	v.unplug()
	v.goHome()
	v.until("the address at home", soon, shows(atHome))
	v.p.Must("settings", "set", "share.network", "here")
	if got := strings.TrimSpace(v.p.Must("settings", "get", "share.network")); got != "only:eth0,10.77.1.0/24" {
		t.Errorf("this network is %q", got)
	}
	if code, body := curlFrom(v.mate, "--cacert", v.ca(), "-H", auth, "https://"+atHome+":11435/api/tags"); code != "200" {
		t.Errorf("at home: %s %s", code, body)
	}

	v.unplug()
	v.goToCafe()
	v.until("sharing waits in the café", soon, func(st share.State) bool { return st.Phase == share.Waiting && st.Problem == share.OtherNetwork })
	if code, body := curlFrom(v.guest, "-k", "https://"+inCafe+":11435/"); code != "" {
		t.Errorf("in a network that was not chosen somebody answers: %s %s", code, body)
	}
	v.show.WaitOut(`Not sharing: this is not the network 10\.77\.1\.0/24 that you chose`)

	// Nothing is left: no crash, no busy loop, and it heals.
	v.unplug()
	v.until("sharing waits without any network", soon, func(st share.State) bool { return st.Phase == share.Waiting || st.Problem == share.NoNetwork })
	if used := cpu(t, v.show.Pid(), 3*time.Second); used > 600*time.Millisecond {
		t.Errorf("without a network it takes %v of 3 s", used)
	}
	v.goHome()
	v.until("it shares again", soon, shows(atHome))
	if code, body := curlFrom(v.mate, "--cacert", v.ca(), "-H", auth, "https://"+atHome+":11435/api/tags"); code != "200" {
		t.Errorf("at home again: %s %s", code, body)
	}
}

// cpu is how much of the processor a process, and those it became, used in a while.
func cpu(t *testing.T, pid int, while time.Duration) time.Duration {
	t.Helper()
	ticks := func() (n int) {
		stat := read(t, fmt.Sprintf("/proc/%d/stat", pid))
		f := strings.Fields(stat[strings.LastIndexByte(stat, ')')+1:])
		for _, i := range []int{11, 12} { // utime and stime, proc(5)
			x, err := strconv.Atoi(f[i])
			if err != nil {
				t.Fatal(err)
			}
			n += x
		}
		return n
	}
	before := ticks()
	<-time.After(while)
	return time.Duration(ticks()-before) * 10 * time.Millisecond
}

// TestOllamaBesideTheGate: a gate is worth nothing while Ollama itself answers
// beside it. The check finds that out by connecting.
func TestOllamaBesideTheGate(t *testing.T) {
	v := newVillage(t)
	serve := func(host string) func() {
		t.Helper()
		home := t.TempDir()
		cmd := exec.Command("ip", "netns", "exec", v.owner.Name, ollama.Binary(t), "serve")
		cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + home, "OLLAMA_HOST=" + host, "OLLAMA_MODELS=" + home, "OLLAMA_NO_CLOUD=1"}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		end := func() {
			_ = cmd.Process.Kill()
			_ = cmd.Wait()
		}
		t.Cleanup(end)
		return end
	}
	level := func(st share.State) safety.Level {
		for _, f := range st.Safety.Facts {
			if f.ID == safety.OllamaReach {
				return f.Level
			}
		}
		return ""
	}

	end := serve("127.0.0.1:11434")
	v.share("--ollama", "http://127.0.0.1:11434")
	v.show.WaitOut(`Ollama 0\.17\.4 answers`)
	v.until("the check to be content", 70*time.Second, func(st share.State) bool { return level(st) == safety.OK })
	if out, _, code := v.p.Run("check"); code != 0 {
		t.Errorf("paddock check: %d\n%s", code, out)
	}

	end()
	end = serve("0.0.0.0:11434")
	began := time.Now()
	v.until("the check to turn red", 70*time.Second, func(st share.State) bool { return level(st) == safety.Problem && st.Safety.Problems == 1 })
	t.Logf("red after %v", time.Since(began).Round(100*time.Millisecond))
	out, errs, code := v.p.Run("check")
	if code != 1 || !strings.Contains(out, atHome) || !strings.Contains(out, "OLLAMA_HOST") || !strings.Contains(errs, "people can walk around the gate") {
		t.Errorf("paddock check: %d %s\n%s", code, errs, out)
	}
	if code, body := curlFrom(v.mate, "http://"+atHome+":11434/api/version"); code != "200" {
		t.Errorf("it is not open at all: %s %s", code, body)
	}

	end()
	serve("127.0.0.1:11434")
	v.until("the check to be content again", 70*time.Second, func(st share.State) bool { return level(st) == safety.OK && st.Safety.Problems == 0 })
}
