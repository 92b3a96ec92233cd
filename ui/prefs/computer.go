//go:build !lite

package prefs

import (
	"context"

	"fyne.io/fyne/v2"

	"paddock/settings"
	"paddock/ui/kit"
)

// computer is what this machine does by itself.
type computer struct {
	s                  *Screen
	content            *fyne.Container
	login, start, wake *toggle
	known              bool // whether the system starts the program is known
	on                 bool
}

func newComputer(s *Screen) *computer {
	c := &computer{s: s}
	c.login = newToggle(s, "Start Paddock at login", "", "In the tray, without a window.")
	c.login.set = s.o.Keeper.SetAtLogin
	c.login.written = func(on bool) { // no State tells it
		c.on, c.known = on, true
		c.show()
	}
	c.login.power.Disable()
	c.start = newToggle(s, "Start sharing when Paddock starts", settings.ShareAtStart, "Otherwise it waits until you switch sharing on.")
	c.wake = newToggle(s, "Keep awake while a request runs", settings.ShareKeepAwake,
		"This computer does not go to sleep in the middle of an answer. Its screen may go dark, and closing the lid works as ever.")
	c.content = newCard("This computer", c.login.content, c.start.content, c.wake.content)
	return c
}

func (c *computer) object() fyne.CanvasObject { return c.content }

// enter asks the system, where the owner may have changed it since.
func (c *computer) enter() {
	on := false
	c.s.run(func(context.Context) (err error) {
		on, err = c.s.o.Keeper.AtLogin()
		return err
	}, func(err error) {
		c.login.power.Enable() // what cannot be read can perhaps be written
		c.known = err == nil
		if err != nil {
			c.login.trouble.set(kit.Attention, "Whether it does cannot be read. "+c.s.o.Say(err))
			return
		}
		c.login.trouble.set(kit.Attention, "")
		if !c.login.power.Pending() {
			c.on = on
		}
		c.show()
	})
}

func (c *computer) show() bool {
	if c.known {
		c.login.show(c.on)
	} else {
		c.login.word.SetText("")
	}
	c.start.show(c.s.now.AtStart)
	c.wake.show(c.s.now.KeepAwake)
	return false
}
