//go:build linux

package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"embed"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"text/template"
	"time"
)

//go:embed *.tmpl
var templates embed.FS

// The targets, in the order of the tables.
const (
	direct  = "direct"
	nginx   = "nginx"
	caddy   = "Caddy"
	paddock = "Paddock"
)

var targetNames = []string{direct, nginx, caddy, paddock}

// target is one way to the stand-in.
type target struct {
	name   string
	addr   string
	secure string         // address of the encrypted entrance, empty without one
	roots  *x509.CertPool // with which that is checked
	roomy  string         // address of nginx's entrance with large buffers, empty for others
	p      *process
	ring   ring
	logs   string // file of the access log
	errs   string
}

// ring is the keys of a target: all of them may do everything that is asked
// here, but for the withdrawn ones.
type ring struct {
	good      []string
	manager   string
	withdrawn []string
}

// asked is the key that the load presents: from the middle of the table, so
// that a target that compares one after the other is neither lucky nor unlucky.
func (r ring) asked() string { return r.good[len(r.good)/2] }

const (
	goodKeys      = 20
	withdrawnKeys = 8
)

// inventKeys makes keys of the length that Paddock's have.
func inventKeys() ring {
	one := func() string {
		var b [18]byte
		_, _ = rand.Read(b[:]) // never fails since Go 1.24
		return "pdk_" + hex.EncodeToString(b[:])
	}
	var r ring
	for range goodKeys {
		r.good = append(r.good, one())
	}
	for range withdrawnKeys {
		r.withdrawn = append(r.withdrawn, one())
	}
	r.manager = r.good[len(r.good)-1]
	return r
}

// stall is how long a peer may take to start.
const stall = 15 * time.Second

// openPeer starts nginx or Caddy from its template.
func openPeer(ctx context.Context, name, program, dir, upstream string, keys ring) (t *target, err error) {
	plain, err := freePort()
	if err != nil {
		return nil, err
	}
	secure, err := freePort()
	if err != nil {
		return nil, err
	}
	roomy, err := freePort()
	if err != nil {
		return nil, err
	}
	t = &target{name: name, addr: "127.0.0.1:" + plain, secure: "127.0.0.1:" + secure, ring: keys, logs: filepath.Join(dir, "access.log")}
	if name == nginx {
		t.roomy = "127.0.0.1:" + roomy
	}
	cert, key, roots, err := certificate(dir)
	if err != nil {
		return nil, err
	}
	t.roots = roots
	var file string
	var cmd *exec.Cmd
	switch name {
	case nginx:
		file = filepath.Join(dir, "nginx.conf")
		cmd = exec.Command(program, "-e", filepath.Join(dir, "nginx-error.log"), "-p", dir, "-c", file)
	case caddy:
		file = filepath.Join(dir, "Caddyfile")
		cmd = exec.Command(program, "run", "--adapter", "caddyfile", "--config", file)
		cmd.Env = append(os.Environ(), "HOME="+dir, "XDG_DATA_HOME="+dir, "XDG_CONFIG_HOME="+dir)
	}
	config, err := template.ParseFS(templates, filepath.Base(file)+".tmpl")
	if err != nil {
		return nil, err
	}
	f, err := os.Create(file)
	if err != nil {
		return nil, err
	}
	err = errors.Join(config.Execute(f, map[string]any{
		"Dir": dir, "Log": t.logs, "Listen": t.addr, "ListenTLS": t.secure, "ListenRoomy": t.roomy, "Upstream": upstream,
		"Keys": keys.good, "Root": os.Geteuid() == 0, "Cert": cert, "Key": key, "Files": fileLimit(),
	}), f.Close())
	if err != nil {
		return nil, err
	}
	cmd.Dir = dir
	if t.p, err = start(strings.ToLower(name), cmd, dir); err != nil {
		return nil, err
	}
	return t, t.ready(ctx)
}

// openPaddock starts the program as on a server without a screen: all checks,
// and its log on.
func openPaddock(ctx context.Context, program, dir, upstream string) (t *target, missing []string, err error) {
	port, err := freePort()
	if err != nil {
		return nil, nil, err
	}
	t = &target{name: paddock, addr: "127.0.0.1:" + port, logs: filepath.Join(dir, "requests.log")}
	home := filepath.Join(dir, "home")
	own := []string{"HOME=" + dir, "XDG_CONFIG_HOME=" + dir, "OLLAMA_HOST=", "PADDOCK_HOME=" + home, "PADDOCK_VAULT="}
	run := func(args ...string) (string, error) { return output(ctx, dir, own, program, args...) }
	if missing, err = loosen(run); err != nil {
		return nil, nil, err
	}
	cmd := exec.Command(program, "--vault", "memory", "share", "--allow-http", "--listen", t.addr, "--ollama", "http://"+upstream)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), own...)
	log, err := toFile(dir, filepath.Base(t.logs))
	if err != nil {
		return nil, nil, err
	}
	defer func() { _ = log.Close() }() // the program has its own
	cmd.Stdout = log
	if t.p, err = start("paddock", cmd, dir); err != nil {
		return nil, nil, err
	}
	t.errs = t.p.errs
	unlimited, without, err := keyFlags(run)
	if err != nil {
		return t, nil, err
	}
	missing = append(missing, without...)
	if err := t.ready(ctx); err != nil {
		return t, nil, err
	}
	add := func(name, role string) (string, error) {
		key, err := run(append([]string{"keys", "add", name, "--role", role, "--expires", "none"}, unlimited...)...)
		return strings.TrimSpace(key), err
	}
	for i := range goodKeys - 1 {
		key, err := add(fmt.Sprintf("user-%d", i), "user")
		if err != nil {
			return t, nil, err
		}
		t.ring.good = append(t.ring.good, key)
	}
	if t.ring.manager, err = add("manager", "manager"); err != nil {
		return t, nil, err
	}
	t.ring.good = append(t.ring.good, t.ring.manager)
	for i := range withdrawnKeys {
		name := fmt.Sprintf("withdrawn-%d", i)
		key, err := add(name, "user")
		if err == nil {
			_, err = run("keys", "remove", name)
		}
		if err != nil {
			return t, nil, err
		}
		t.ring.withdrawn = append(t.ring.withdrawn, key)
	}
	return t, missing, t.encrypted(ctx, filepath.Join(home, "ca.pem"))
}

// loosen lifts the limits that would end the load instead of measuring the
// gate. It says which of them this version does not have.
func loosen(run func(...string) (string, error)) (missing []string, err error) {
	have, err := run("settings", "list")
	if err != nil {
		return nil, err
	}
	for _, s := range []struct{ name, value, instead string }{
		{"limits.connections", "none", "100000"},
		{"limits.connections-per-address", "none", "100000"},
		{"limits.running-at-once", "none", "100000"},
		{"limits.waiting-per-key", "none", "100000"},
	} {
		if !strings.Contains(have, s.name+" ") {
			missing = append(missing, "setting "+s.name)
			continue
		}
		if _, err := run("settings", "set", s.name, s.value); err != nil {
			if _, err := run("settings", "set", s.name, s.instead); err != nil {
				return nil, err
			}
		}
	}
	return missing, nil
}

// keyFlags are those that make a key without limits, as far as this version has them.
func keyFlags(run func(...string) (string, error)) (flags, missing []string, err error) {
	help, err := run("keys", "add", "--help")
	if err != nil {
		return nil, nil, err
	}
	for _, name := range []string{"--rate", "--concurrent", "--tokens-per-day"} {
		if strings.Contains(help, name+" ") {
			flags = append(flags, name, "none")
		} else {
			missing = append(missing, "keys add "+name)
		}
	}
	return flags, missing, nil
}

// ready waits until the target answers anything.
func (t *target) ready(ctx context.Context) error {
	end := time.Now().Add(stall)
	for {
		if err := t.p.dead(); err != nil {
			return err
		}
		w, err := dial(t.addr, "")
		if err == nil {
			_, _, err = w.do([]byte("GET /api/version HTTP/1.1\r\nHost: " + t.addr + "\r\n\r\n"))
			w.close()
		}
		if err == nil {
			return nil
		}
		if time.Now().After(end) {
			return fmt.Errorf("%s does not answer: %w", t.name, err)
		}
		if err := pause(ctx, 20*time.Millisecond); err != nil {
			return err
		}
	}
}

// encrypted waits until Paddock's port speaks TLS, and takes its authority.
func (t *target) encrypted(ctx context.Context, authority string) error {
	t.secure = t.addr
	end := time.Now().Add(stall)
	for {
		err := t.trust(authority)
		if err == nil {
			var w *wire
			if w, err = dialTLS(t.secure, "", t.tls(nil)); err == nil {
				w.close()
				return nil
			}
		}
		if time.Now().After(end) {
			return fmt.Errorf("%s does not speak TLS: %w", t.name, err)
		}
		if err := pause(ctx, 20*time.Millisecond); err != nil {
			return err
		}
	}
}

// trust reads the authority's certificate from its file.
func (t *target) trust(file string) error {
	b, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	t.roots = x509.NewCertPool()
	if !t.roots.AppendCertsFromPEM(b) {
		return fmt.Errorf("%s holds no certificate", file)
	}
	return nil
}

// certificate makes one for 127.0.0.1 in dir, of the kind that Paddock's is: on
// P-256, from an authority on P-256 whose certificate is sent along.
func certificate(dir string) (cert, key string, roots *x509.CertPool, err error) {
	top := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "benchpeers authority"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		IsCA: true, BasicConstraintsValid: true, MaxPathLenZero: true, KeyUsage: x509.KeyUsageCertSign,
	}
	topKey, err1 := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	secret, err2 := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err := errors.Join(err1, err2); err != nil {
		return "", "", nil, err
	}
	topDER, err1 := x509.CreateCertificate(rand.Reader, top, top, &topKey.PublicKey, topKey)
	der, err2 := x509.CreateCertificate(rand.Reader, &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "benchpeers"}, NotBefore: top.NotBefore, NotAfter: top.NotAfter,
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}, top, &secret.PublicKey, topKey)
	pkcs8, err3 := x509.MarshalPKCS8PrivateKey(secret)
	if err := errors.Join(err1, err2, err3); err != nil {
		return "", "", nil, err
	}
	roots = x509.NewCertPool()
	chain := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: topDER})
	roots.AppendCertsFromPEM(chain)
	chain = append(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), chain...)
	cert, key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	return cert, key, roots, errors.Join(
		os.WriteFile(cert, chain, 0o600),
		os.WriteFile(key, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8}), 0o600),
	)
}

// expectStatus makes an error of an answer that is not the one expected.
func expectStatus(got, want int) error {
	if got != want {
		return fmt.Errorf("answered %d %s", got, http.StatusText(got))
	}
	return nil
}

func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
