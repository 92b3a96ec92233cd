package cli_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"paddock/cli"
	"paddock/internal/standin"
	"paddock/keystore"
	"paddock/requestlog"
	"paddock/safety"
	"paddock/settings"
	"paddock/share"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// desk is a person at a terminal, with a home of their own.
type desk struct {
	t       *testing.T
	home    string
	program cli.Program
	vault   *shelf // what `--vault keychain` and auto open
	strict  bool   // the owner asks for encryption; most tests are about something else
	found   safety.Found
}

// shelf is a keychain that outlives the programs that use it, and can be made
// to refuse.
type shelf struct {
	*keystore.MemoryVault
	mu  sync.Mutex
	say error
}

func (*shelf) Kind() keystore.VaultKind { return keystore.VaultKeychain }
func (*shelf) Describe() string         { return "the OS keychain" }
func (*shelf) Close() error             { return nil }

func (s *shelf) refuse(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.say = err
}

func (s *shelf) answer() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.say
}

func (s *shelf) Set(ctx context.Context, id string, k keystore.Secret) error {
	if err := s.answer(); err != nil {
		return err
	}
	return s.MemoryVault.Set(ctx, id, k)
}

func (s *shelf) Delete(ctx context.Context, id string) error {
	if err := s.answer(); err != nil {
		return err
	}
	return s.MemoryVault.Delete(ctx, id)
}

func (s *shelf) Get(ctx context.Context, id string) (keystore.Secret, error) {
	if err := s.answer(); err != nil {
		return keystore.Secret{}, err
	}
	return s.MemoryVault.Get(ctx, id)
}

func newDesk(t *testing.T) *desk {
	t.Helper()
	for _, name := range []string{"PADDOCK_HOME", "PADDOCK_VAULT", "PADDOCK_PASSPHRASE_FILE", "OLLAMA_HOST", "XDG_RUNTIME_DIR", "DISPLAY", "WAYLAND_DISPLAY"} {
		t.Setenv(name, "")
	}
	t.Setenv("TMPDIR", t.TempDir())
	d := &desk{t: t, home: filepath.Join(t.TempDir(), "home"), vault: &shelf{MemoryVault: keystore.NewMemoryVault()}}
	d.program = cli.Program{Edition: "test", Open: d.open}
	return d
}

// open is main's own, but for the keychain.
func (d *desk) open(p cli.Parts) (*share.Share, func() error, error) {
	choices, err := settings.Open(p.Home)
	if err != nil {
		return nil, nil, err
	}
	var vault keystore.Vault = d.vault
	if p.Vault == keystore.VaultMemory || p.Vault == keystore.VaultFile {
		if vault, err = keystore.OpenVault(p.Vault, p.Home, p.Prompt); err != nil {
			return nil, nil, err
		}
	}
	keys, err := keystore.Open(p.Home, vault, keystore.Options{})
	if err != nil {
		return nil, nil, err
	}
	p.Flags.AllowHTTP = p.Flags.AllowHTTP || !d.strict
	sh := share.New(share.Options{
		Version: "test", Home: p.Home, Settings: choices, Keys: keys, Log: requestlog.New(1000), Flags: p.Flags, Finder: d,
		Demo: func(ctx context.Context) (string, func(), error) { return standin.Start(ctx, standin.Options{}) },
	})
	return sh, keys.Close, nil
}

// Find is what the safety check finds on the test's machine.
func (d *desk) Find(context.Context, safety.Ask) safety.Found { return d.found }

// prefix is how the program names itself on the home.
func (d *desk) prefix() string { return "paddock --home " + d.home }

type result struct {
	code     int
	out, err string
}

var secret = regexp.MustCompile(`pdk_[0-9A-Za-z]{20,}`)

// check looks for what must hold of every command.
func (d *desk) check(args []string, r result) {
	d.t.Helper()
	line := strings.Join(args, " ")
	if secret.MatchString(r.err) {
		d.t.Errorf("paddock %s: a key on standard error", line)
	}
	if prints := regexp.MustCompile("keys (add|copy|rotate)"); secret.MatchString(r.out) && !prints.MatchString(line) {
		d.t.Errorf("paddock %s: a key on standard output", line)
	}
	if strings.ContainsFunc(r.out+r.err, func(c rune) bool { return c < ' ' && c != '\n' && c != '\t' || c == 0x7f || c >= 0x80 && c < 0xa0 }) {
		d.t.Errorf("paddock %s: a control character: %q %q", line, r.out, r.err)
	}
	if r.code == 1 && strings.Count(r.err, "\n") != 1 {
		d.t.Errorf("paddock %s: not one line: %q", line, r.err)
	}
	if r.code != 0 && !strings.Contains(r.err, "paddock: ") {
		d.t.Errorf("paddock %s: exit code %d, and it does not say why: %q", line, r.code, r.err)
	}
}

// run runs one command on the home.
func (d *desk) run(args ...string) result {
	d.t.Helper()
	var out, err bytes.Buffer
	code := cli.Main(d.t.Context(), d.program, cli.Streams{In: strings.NewReader(""), Out: &out, Err: &err},
		append([]string{"--home", d.home}, args...))
	r := result{code, out.String(), err.String()}
	d.check(args, r)
	return r
}

// must runs a command that has to succeed, and returns its output.
func (d *desk) must(args ...string) string {
	d.t.Helper()
	r := d.run(args...)
	if r.code != 0 {
		d.t.Fatalf("paddock %s: exit code %d: %s", strings.Join(args, " "), r.code, r.err)
	}
	return r.out
}

// says runs a command and compares what comes of it. Texts that begin with "~"
// are regular expressions.
func (d *desk) says(code int, out, err string, args ...string) {
	d.t.Helper()
	r := d.run(args...)
	if r.code != code || !matches(r.out, out) || !matches(r.err, err) {
		d.t.Errorf("paddock %s: exit code %d\nprinted %q\nsaid    %q\nwant %d\nprinted %q\nsaid    %q", strings.Join(args, " "), r.code, r.out, r.err, code, out, err)
	}
}

func matches(got, want string) bool {
	if pattern, ok := strings.CutPrefix(want, "~"); ok {
		return regexp.MustCompile(pattern).MatchString(got)
	}
	return got == want
}

// running is a command that goes on.
type running struct {
	t        *testing.T
	out, err *screen
	stop     context.CancelFunc
	code     chan int
	over     bool
}

// start begins a command that goes on until it is stopped.
func (d *desk) start(args ...string) *running {
	d.t.Helper()
	return d.startTo(&screen{change: make(chan struct{}, 1)}, args...)
}

func (d *desk) startTo(to *screen, args ...string) *running {
	d.t.Helper()
	ctx, stop := context.WithCancel(d.t.Context())
	r := &running{t: d.t, out: to, err: &screen{change: make(chan struct{}, 1)}, stop: stop, code: make(chan int, 1)}
	go func() {
		code := cli.Main(ctx, d.program, cli.Streams{In: strings.NewReader(""), Out: r.out, Err: r.err}, append([]string{"--home", d.home}, args...))
		d.check(args, result{code, r.out.String(), r.err.String()})
		r.code <- code
	}()
	d.t.Cleanup(func() { r.end() })
	return r
}

// end is Ctrl-C.
func (r *running) end() int {
	r.t.Helper()
	if r.over {
		return 0
	}
	r.stop()
	return r.wait()
}

func (r *running) wait() int {
	r.t.Helper()
	r.over = true
	select {
	case code := <-r.code:
		return code
	case <-time.After(20 * time.Second):
		r.t.Fatalf("it does not end; it printed %s and said %s", r.out, r.err)
		return -1
	}
}

// screen is where a command writes that goes on.
type screen struct {
	mu     sync.Mutex
	text   bytes.Buffer
	change chan struct{}
}

func (s *screen) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	defer func() {
		select {
		case s.change <- struct{}{}:
		default:
		}
	}()
	return s.text.Write(b)
}

func (s *screen) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

// see waits for a text and returns its groups.
func (r *running) see(pattern string) []string {
	r.t.Helper()
	return r.seeOn(r.out, pattern)
}

func (r *running) seeOn(s *screen, pattern string) []string {
	r.t.Helper()
	limit := time.After(15 * time.Second)
	want := regexp.MustCompile(pattern)
	for {
		if m := want.FindStringSubmatch(s.String()); m != nil {
			return m
		}
		select {
		case <-s.change:
		case <-limit:
			r.t.Fatalf("%s does not come; it printed %s and said %s", pattern, r.out, r.err)
		}
	}
}

// share begins to share the demo, and returns where.
func (d *desk) share(args ...string) (*running, string) {
	d.t.Helper()
	r := d.start(append([]string{"share", "--demo", "--listen", "127.0.0.1:0"}, args...)...)
	return r, r.see(`(http://127\.0\.0\.1:\d+)`)[1]
}

func (d *desk) file(name string) string { return filepath.Join(d.home, name) }

func (d *desk) write(name, text string) {
	d.t.Helper()
	if err := os.MkdirAll(d.home, 0o700); err != nil {
		d.t.Fatal(err)
	}
	if err := os.WriteFile(d.file(name), []byte(text), 0o600); err != nil {
		d.t.Fatal(err)
	}
}

func (d *desk) read(name string) string {
	d.t.Helper()
	b, err := os.ReadFile(d.file(name))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		d.t.Fatal(err)
	}
	return string(b)
}

type broken struct{ err error }

func (b broken) Write([]byte) (int, error) { return 0, b.err }

var _ io.Writer = broken{}

// eventually waits for what nothing announces.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	limit := time.After(15 * time.Second)
	for !ok() {
		select {
		case <-tick.C:
		case <-limit:
			t.Fatalf("%s: not within 15 s", what)
		}
	}
}
