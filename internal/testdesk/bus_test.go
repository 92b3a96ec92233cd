//go:build linux

package testdesk_test

import (
	"testing"

	"github.com/godbus/dbus/v5"
	"github.com/zalando/go-keyring"

	"paddock/internal/testdesk"
)

func TestTheSessionBusOfTheProcessIsTheTestsOwn(t *testing.T) {
	for range 2 { // the second time the shared connection of the first must be gone
		t.Run("bus", func(t *testing.T) {
			b := testdesk.NewBus(t)
			b.SetSession(t)
			c, err := dbus.SessionBus()
			if err != nil {
				t.Fatal(err)
			}
			if _, err := c.RequestName("org.example.Paddock", 0); err != nil {
				t.Fatal(err)
			}
			if !b.HasOwner("org.example.Paddock") {
				t.Error("the name asked for on the session bus is not on the private bus")
			}
		})
	}
}

func TestNothingIsStartedBehindTheTestsBack(t *testing.T) {
	b := testdesk.NewBus(t)
	b.SetSession(t)
	if _, err := keyring.Get("paddock", "anyone"); err == nil {
		t.Error("a keychain answered on an empty bus")
	}
}

func TestAClosedBusIsGone(t *testing.T) {
	b := testdesk.NewBus(t)
	b.Close()
	if c, err := dbus.Connect(b.Address); err == nil {
		_ = c.Close()
		t.Error("the bus still answers")
	}
}
