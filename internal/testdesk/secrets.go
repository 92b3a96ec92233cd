//go:build linux

package testdesk

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"
)

const (
	secretsName       = "org.freedesktop.secrets"
	secretsPath       = dbus.ObjectPath("/org/freedesktop/secrets")
	secretsService    = "org.freedesktop.Secret.Service"
	secretsCollection = "org.freedesktop.Secret.Collection"
	secretsItem       = "org.freedesktop.Secret.Item"

	// loginCollection is where gnome-keyring keeps what it unlocks at log-in.
	loginCollection = secretsPath + "/collection/login"
	defaultAlias    = secretsPath + "/aliases/default"
)

// Secret is one item of the keychain, as the Secret Service tells it.
type Secret struct {
	Path       dbus.ObjectPath
	Label      string
	Attributes map[string]string
	Locked     bool
	Value      string // empty while locked
}

// wireSecret is the struct (oayays) of the Secret Service.
type wireSecret struct {
	Session     dbus.ObjectPath
	Parameters  []byte
	Value       []byte
	ContentType string
}

// Secrets reads every item whose attribute "service" has the value given from
// the Secret Service on the bus. It goes straight to D-Bus, so it shows what
// really lies in the keychain and not what the program believes.
func (b *Bus) Secrets(t testing.TB, service string) []Secret {
	t.Helper()
	list, err := b.readSecrets(service)
	check(t, "read the keychain", err)
	return list
}

func (b *Bus) readSecrets(service string) ([]Secret, error) {
	session, err := b.secretSession()
	if err != nil {
		return nil, err
	}
	defer b.call(secretsName, session, "org.freedesktop.Secret.Session.Close")
	var open, locked []dbus.ObjectPath
	err = b.call(secretsName, secretsPath, secretsService+".SearchItems", map[string]string{"service": service}).Store(&open, &locked)
	if err != nil {
		return nil, fmt.Errorf("search: %w", err)
	}
	var list []Secret
	for i, p := range append(open, locked...) {
		s := Secret{Path: p, Locked: i >= len(open)}
		object := b.conn.Object(secretsName, p)
		if err := object.StoreProperty(secretsItem+".Label", &s.Label); err != nil {
			return nil, fmt.Errorf("label of %s: %w", p, err)
		}
		if err := object.StoreProperty(secretsItem+".Attributes", &s.Attributes); err != nil {
			return nil, fmt.Errorf("attributes of %s: %w", p, err)
		}
		if !s.Locked {
			var w wireSecret
			if err := b.call(secretsName, p, secretsItem+".GetSecret", session).Store(&w); err != nil {
				return nil, fmt.Errorf("secret of %s: %w", p, err)
			}
			s.Value = string(w.Value)
		}
		list = append(list, s)
	}
	return list, nil
}

// StoreSecret puts an item into the keychain, as another program would.
func (b *Bus) StoreSecret(t testing.TB, service, user, value string) {
	t.Helper()
	session, err := b.secretSession()
	check(t, "open a keychain session", err)
	defer b.call(secretsName, session, "org.freedesktop.Secret.Session.Close")
	props := map[string]dbus.Variant{
		secretsItem + ".Label":      dbus.MakeVariant(service + " " + user),
		secretsItem + ".Attributes": dbus.MakeVariant(map[string]string{"service": service, "username": user}),
	}
	var item, prompt dbus.ObjectPath
	err = b.call(secretsName, loginCollection, secretsCollection+".CreateItem", props,
		wireSecret{session, []byte{}, []byte(value), "text/plain"}, true).Store(&item, &prompt)
	check(t, "store a secret", err)
	if prompt != "/" {
		t.Fatalf("store a secret: the keychain wants to ask its owner (%s)", prompt)
	}
}

// DeleteSecrets removes every item of the service, as its owner might do in a
// keychain program, and returns how many there were.
func (b *Bus) DeleteSecrets(t testing.TB, service string) int {
	t.Helper()
	list, err := b.readSecrets(service)
	check(t, "read the keychain", err)
	for _, s := range list {
		var prompt dbus.ObjectPath
		check(t, "delete "+string(s.Path), b.call(secretsName, s.Path, secretsItem+".Delete").Store(&prompt))
		if prompt != "/" {
			t.Fatalf("delete %s: the keychain wants to ask its owner", s.Path)
		}
	}
	return len(list)
}

// secretSession opens a session in which secrets travel as they are.
func (b *Bus) secretSession() (dbus.ObjectPath, error) {
	var ignored dbus.Variant
	var session dbus.ObjectPath
	err := b.call(secretsName, secretsPath, secretsService+".OpenSession", "plain", dbus.MakeVariant("")).Store(&ignored, &session)
	if err != nil {
		return "", fmt.Errorf("open a session: %w", err)
	}
	return session, nil
}

// callLimit bounds every D-Bus call of the test itself.
const callLimit = 10 * time.Second

// call calls a method with a limit.
func (b *Bus) call(name string, path dbus.ObjectPath, method string, args ...any) *dbus.Call {
	ctx, stop := context.WithTimeout(context.Background(), callLimit)
	defer stop()
	return b.conn.Object(name, path).CallWithContext(ctx, method, 0, args...)
}
