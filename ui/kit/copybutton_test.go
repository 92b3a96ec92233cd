package kit

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"
)

// pump makes the test's goroutine Fyne's thread: what hops waits until the
// returned function runs it.
func pump(t *testing.T) (run func()) {
	t.Helper()
	queue := make(chan func(), 8)
	hop = func(f func()) { queue <- f }
	t.Cleanup(func() { hop = fyne.Do })
	return func() {
		synctest.Wait()
		for len(queue) > 0 {
			(<-queue)()
		}
	}
}

func TestCopyButtonSaysItCopiedForTwoSeconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		run := pump(t)
		b := NewCopyButton(Outlined, words, ToClipboard(func() string { return "the text" }))
		inWindow(t, fyne.NewSize(200, 60), HBox(0, b))
		width := b.MinSize().Width
		test.Tap(b)
		if got := fyne.CurrentApp().Clipboard().Content(); got != "the text" {
			t.Errorf("the clipboard holds %q", got)
		}
		if b.text != "Copied" || b.MinSize().Width != width {
			t.Errorf("says %q, width %v was %v", b.text, b.MinSize().Width, width)
		}
		time.Sleep(1500 * time.Millisecond)
		test.Tap(b) // a second press begins the two seconds again
		time.Sleep(1500 * time.Millisecond)
		run()
		if b.text != "Copied" {
			t.Error("the first timer ended the second word")
		}
		time.Sleep(time.Second)
		run()
		if b.text != "Copy" {
			t.Errorf("still says %q", b.text)
		}
	})
}

// A key may have to come out of a keychain first, and the owner may say no.
func TestCopyButtonDoesNotClaimWhatDidNotHappen(t *testing.T) {
	b := NewCopyButton(Primary, words, func(func()) {})
	inWindow(t, fyne.NewSize(200, 60), HBox(0, b))
	test.Tap(b)
	if b.text != "Copy" {
		t.Errorf("says %q", b.text)
	}
}

func TestCopyButtonForgetsItsTimerWhenItLeaves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		run := pump(t)
		b := NewCopyButton(Outlined, words, ToClipboard(func() string { return "x" }))
		inWindow(t, fyne.NewSize(200, 60), HBox(0, b))
		test.Tap(b)
		test.WidgetRenderer(b).Destroy()
		if b.text != "Copy" {
			t.Errorf("would come back saying %q", b.text)
		}
		time.Sleep(3 * time.Second)
		run()
	})
}

func TestCopyRowCopiesTheWholeValue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		run := pump(t)
		const fingerprint = "9F:3A:51:0C:7E:B2:44:10:9B:7D:22:6C:D8:44:C7:41"
		c := NewCopyRow("Fingerprint", fingerprint, words).Shorten(CutMiddle)
		inWindow(t, fyne.NewSize(360, 40), c)
		if got := textsOf(c); slices.Contains(got, fingerprint) {
			t.Errorf("the value was not shortened: %q", got)
		}
		test.Tap(c.copy)
		if got := fyne.CurrentApp().Clipboard().Content(); got != fingerprint {
			t.Errorf("the clipboard holds %q", got)
		}
		c.SetValue("")
		if !c.copy.Disabled() {
			t.Error("nothing can be copied")
		}
		c.SetValue("AB:CD")
		if c.copy.Disabled() || c.Value() != "AB:CD" {
			t.Error("a new value cannot be copied")
		}
		time.Sleep(3 * time.Second)
		run()
	})
}

func TestCodeBlockFoldsOnScreenOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		run := pump(t)
		const code = "curl --cacert paddock-ca.pem https://anna-mbp.local:11435/api/chat"
		c := NewCodeBlock(code, words, nil)
		box := VBox(0, c)
		inWindow(t, fyne.NewSize(300, 200), box)
		if n := len(c.code.lines); n < 3 {
			t.Errorf("%d lines", n)
		}
		if c.Size().Height < 3*20 {
			t.Errorf("the block is %v high", c.Size().Height)
		}
		test.Tap(c.copy)
		if got := fyne.CurrentApp().Clipboard().Content(); got != code {
			t.Errorf("the clipboard holds %q", got)
		}
		c.SetCode("ls")
		if c.Code() != "ls" || c.AccessibilityLabel() != "ls" {
			t.Error("shows the old code")
		}
		time.Sleep(3 * time.Second)
		run()
	})
}
