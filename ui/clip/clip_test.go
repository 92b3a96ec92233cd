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

func inline(f func()) { f() }

func TestAKeyLeavesTheClipboardAfterAMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &board{}
		c := New(b, inline)
		c.Secret(keystore.NewSecret("pdk_one"))
		time.Sleep(Keep - time.Second)
		synctest.Wait()
		if b.text != "pdk_one" {
			t.Fatalf("the clipboard holds %q too early", b.text)
		}
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if b.text != "" {
			t.Fatalf("the clipboard still holds %q", b.text)
		}
	})
}

func TestWhatSomebodyElseCopiedStays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &board{}
		c := New(b, inline)
		c.Secret(keystore.NewSecret("pdk_one"))
		b.text = "a shopping list"
		time.Sleep(2 * Keep)
		synctest.Wait()
		if b.text != "a shopping list" {
			t.Fatalf("the clipboard holds %q", b.text)
		}
	})
}

// A second key copied half a minute after the first has its own full minute.
func TestEachKeyHasItsOwnMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &board{}
		c := New(b, inline)
		c.Secret(keystore.NewSecret("pdk_one"))
		time.Sleep(Keep / 2)
		c.Secret(keystore.NewSecret("pdk_two"))
		time.Sleep(Keep - time.Second)
		synctest.Wait()
		if b.text != "pdk_two" {
			t.Fatalf("the clipboard holds %q", b.text)
		}
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if b.text != "" {
			t.Fatalf("the clipboard still holds %q", b.text)
		}
	})
}

func TestTextStays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &board{}
		c := New(b, inline)
		c.Secret(keystore.NewSecret("pdk_one"))
		c.Text("http://anna.local:11435")
		time.Sleep(2 * Keep)
		synctest.Wait()
		c.Clear()
		if b.text != "http://anna.local:11435" {
			t.Fatalf("the clipboard holds %q", b.text)
		}
	})
}

func TestQuittingClears(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &board{}
		c := New(b, inline)
		c.Secret(keystore.NewSecret("pdk_one"))
		c.Clear()
		if b.text != "" {
			t.Fatalf("the clipboard still holds %q", b.text)
		}
	})
}
