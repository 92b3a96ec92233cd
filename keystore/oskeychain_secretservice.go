//go:build linux || (dragonfly && cgo) || (freebsd && cgo) || netbsd || openbsd

package keystore

import (
	"context"
	"fmt"
	"slices"

	"github.com/godbus/dbus/v5"
)

const (
	secretsName = "org.freedesktop.secrets"
	secretsPath = dbus.ObjectPath("/org/freedesktop/secrets")
	loginPath   = secretsPath + "/collection/login" // where go-keyring looks first
)

// keychainReady says whether there is a session bus, without starting one:
// go-keyring would run dbus-launch, which leaves a daemon behind each time.
func keychainReady() error {
	c, err := dbus.SessionBusPrivateNoAutoStartup()
	if err != nil {
		return fmt.Errorf("%w: %w", ErrNoVault, err)
	}
	return c.Close()
}

// keychainProbe says whether there is a Secret Service with a keyring that
// go-keyring will find. It has a connection of its own, so that a service that
// hangs takes nothing else with it, and unlocks nothing.
func keychainProbe(ctx context.Context) error {
	c, err := dbus.SessionBusPrivateNoAutoStartup(dbus.WithContext(ctx)) // the context closes it as well
	if err != nil {
		return fmt.Errorf("%w: %w", ErrNoVault, err)
	}
	defer func() { _ = c.Close() }()
	if err := c.Auth(nil); err != nil {
		return fmt.Errorf("%w: %w", ErrNoVault, err)
	}
	if err := c.Hello(); err != nil {
		return fmt.Errorf("%w: %w", ErrNoVault, err)
	}
	// The call starts the service if the system knows how.
	svc := c.Object(secretsName, secretsPath)
	var v dbus.Variant
	err = svc.CallWithContext(ctx, "org.freedesktop.DBus.Properties.Get", 0,
		"org.freedesktop.Secret.Service", "Collections").Store(&v)
	if err != nil {
		return err
	}
	if paths, _ := v.Value().([]dbus.ObjectPath); slices.Contains(paths, loginPath) {
		return nil
	}
	var alias dbus.ObjectPath
	err = svc.CallWithContext(ctx, "org.freedesktop.Secret.Service.ReadAlias", 0, "default").Store(&alias)
	if err == nil && alias != "/" && alias != "" {
		return nil
	}
	return fmt.Errorf("%w: the keychain service has no keyring yet", ErrNoVault)
}
