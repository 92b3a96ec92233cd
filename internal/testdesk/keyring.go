//go:build linux

package testdesk

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/godbus/dbus/v5"
)

// guilt is gnome-keyring's own interface for unlocking without a question, which
// is how the log-in screen does it.
const guilt = "org.gnome.keyring.InternalUnsupportedGuiltRiddenInterface"

// Keyring is a real gnome-keyring-daemon on a private bus, with a home of its
// own. There is no prompter on the bus, so whatever would ask its owner is
// refused at once, as on a desktop whose prompt cannot be shown.
type Keyring struct {
	// Home is where the keyring file lies, under .local/share/keyrings.
	Home string

	t        testing.TB
	bus      *Bus
	password string
	dir      string
	daemon   *daemon
}

// StartKeyring starts the daemon with an unlocked keyring and returns when its
// collection can be used. It stops when the test ends.
func (b *Bus) StartKeyring(t testing.TB) *Keyring {
	t.Helper()
	need(t, "gnome-keyring-daemon")
	dir, err := os.MkdirTemp("", "ring-")
	check(t, "make a home for the keyring", err)
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	k := &Keyring{t: t, bus: b, password: "pw", dir: dir, Home: filepath.Join(dir, "home")}
	for _, d := range []string{k.Home, k.runtime()} {
		check(t, "make a home for the keyring", os.Mkdir(d, 0o700))
	}
	k.Start()
	t.Cleanup(k.Stop)
	return k
}

func (k *Keyring) runtime() string { return filepath.Join(k.dir, "run") }

// Start starts the daemon again after [Keyring.Stop], unlocked.
func (k *Keyring) Start() {
	k.t.Helper()
	// In the foreground, so that the process started is the one to stop. The
	// password must not end in a newline: it would become part of it.
	cmd := exec.Command("gnome-keyring-daemon", "--foreground", "--unlock", "--components=secrets")
	cmd.Stdin = strings.NewReader(k.password)
	cmd.Env = []string{
		"PATH=" + os.Getenv("PATH"), "LANG=C.UTF-8",
		"HOME=" + k.Home, "XDG_RUNTIME_DIR=" + k.runtime(), "DBUS_SESSION_BUS_ADDRESS=" + k.bus.Address,
	}
	d, err := launch(cmd)
	check(k.t, "start gnome-keyring-daemon", err)
	k.daemon = d
	Wait(k.t, "an unlocked keyring", startLimit, func() bool {
		return k.bus.HasOwner(secretsName) && k.exists() && !k.Locked()
	})
}

// Stop ends the daemon: the keychain is gone from the desktop. The keyring file
// stays, and Start brings it back.
func (k *Keyring) Stop() { k.daemon.stop() }

// Lock locks the collection, as the owner does in the keychain program or a
// screen lock does for them.
func (k *Keyring) Lock() {
	k.t.Helper()
	var locked []dbus.ObjectPath
	var prompt dbus.ObjectPath
	check(k.t, "lock the keyring", k.bus.call(secretsName, secretsPath, secretsService+".Lock", []dbus.ObjectPath{loginCollection}).Store(&locked, &prompt))
	Wait(k.t, "a locked keyring", callLimit, k.Locked)
}

// Unlock unlocks the collection without a question.
func (k *Keyring) Unlock() {
	k.t.Helper()
	session, err := k.bus.secretSession()
	check(k.t, "open a keychain session", err)
	defer k.bus.call(secretsName, session, "org.freedesktop.Secret.Session.Close")
	check(k.t, "unlock the keyring", k.bus.call(secretsName, secretsPath, guilt+".UnlockWithMasterPassword", loginCollection,
		wireSecret{session, []byte{}, []byte(k.password), "text/plain"}).Err)
	Wait(k.t, "an unlocked keyring", callLimit, func() bool { return !k.Locked() })
}

// Locked says whether the collection is locked. A keyring that does not answer
// counts as locked.
func (k *Keyring) Locked() bool {
	var yes bool
	err := k.bus.conn.Object(secretsName, loginCollection).StoreProperty(secretsCollection+".Locked", &yes)
	return err != nil || yes
}

// exists says whether the login collection is there; the daemon answers on the
// bus a moment before it has made it.
func (k *Keyring) exists() bool {
	var paths []dbus.ObjectPath
	err := k.bus.conn.Object(secretsName, secretsPath).StoreProperty(secretsService+".Collections", &paths)
	return err == nil && slices.Contains(paths, loginCollection)
}

// Secrets is [Bus.Secrets].
func (k *Keyring) Secrets(service string) []Secret {
	k.t.Helper()
	return k.bus.Secrets(k.t, service)
}
