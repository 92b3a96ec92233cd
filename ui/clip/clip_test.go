package clip

import (
	"testing"
	"testing/synctest"
	"time"

	"paddock/keystore"
)

type board struct{ text string }

func (b *board) Content() string     { return b.text }
func (b *board) SetContent(s string) { b.text = s }

// thread stands for Fyne's: what is handed to it runs in pass.
type thread struct{ todo chan func() }

func newThread() thread { return thread{make(chan func(), 10)} }

func (t thread) do(f func()) { t.todo <- f }

// pass lets time pass.
func (t thread) pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
	for len(t.todo) > 0 {
		(<-t.todo)()
	}
}

func TestAKeyLeavesTheClipboardAfterAMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, ui := &board{}, newThread()
		c := New(b, ui.do)
		c.Secret(keystore.NewSecret("pdk_one"))
		ui.pass(Keep - time.Second)
		if b.text != "pdk_one" {
			t.Fatalf("the clipboard holds %q too early", b.text)
		}
		ui.pass(2 * time.Second)
		if b.text != "" {
			t.Fatalf("the clipboard still holds %q", b.text)
		}
	})
}

func TestWhatSomebodyElseCopiedStays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, ui := &board{}, newThread()
		c := New(b, ui.do)
		c.Secret(keystore.NewSecret("pdk_one"))
		b.text = "a shopping list"
		ui.pass(2 * Keep)
		if b.text != "a shopping list" {
			t.Fatalf("the clipboard holds %q", b.text)
		}
	})
}

// A second key copied half a minute after the first has its own full minute.
func TestEachKeyHasItsOwnMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, ui := &board{}, newThread()
		c := New(b, ui.do)
		c.Secret(keystore.NewSecret("pdk_one"))
		ui.pass(Keep / 2)
		c.Secret(keystore.NewSecret("pdk_two"))
		ui.pass(Keep - time.Second)
		if b.text != "pdk_two" {
			t.Fatalf("the clipboard holds %q", b.text)
		}
		ui.pass(2 * time.Second)
		if b.text != "" {
			t.Fatalf("the clipboard still holds %q", b.text)
		}
	})
}

func TestTextStays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, ui := &board{}, newThread()
		c := New(b, ui.do)
		c.Secret(keystore.NewSecret("pdk_one"))
		c.Text("http://anna.local:11435")
		ui.pass(2 * Keep)
		c.Clear()
		if b.text != "http://anna.local:11435" {
			t.Fatalf("the clipboard holds %q", b.text)
		}
	})
}

func TestQuittingClears(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &board{}
		c := New(b, newThread().do)
		c.Secret(keystore.NewSecret("pdk_one"))
		c.Clear()
		if b.text != "" {
			t.Fatalf("the clipboard still holds %q", b.text)
		}
	})
}
