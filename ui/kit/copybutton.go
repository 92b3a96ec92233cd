package kit

import (
	"time"

	"fyne.io/fyne/v2"

	"paddock/assets"
)

// CopyWords are what a copy button says before and after.
type CopyWords struct{ Copy, Copied string }

const copiedFor = 2 * time.Second

// hop brings the timer's news to Fyne's thread. Fyne's test driver runs it on
// the timer's goroutine instead, so tests put a queue here.
var hop = fyne.Do

// NewCopyButton returns a button that says for two seconds that it copied.
// copy gets done and calls it, on Fyne's thread, when the clipboard really
// holds the text: a key may first have to come out of a keychain.
func NewCopyButton(style Style, words CopyWords, copy func(done func())) *Button {
	b := NewButton(style, words.Copy, assets.Copy, nil)
	b.keep = words.Copied
	// turn counts what makes a running timer meaningless: a newer press, or the
	// button leaving the screen. A timer whose turn is over changes nothing, so
	// none has to be stopped from elsewhere.
	turn := 0
	done := func() {
		turn++
		mine := turn
		b.Set(words.Copied, assets.Allowed)
		time.AfterFunc(copiedFor, func() {
			hop(func() {
				if mine == turn {
					b.Set(words.Copy, assets.Copy)
				}
			})
		})
	}
	b.act = func() { copy(done) }
	b.forget = func() {
		turn++
		b.text, b.icon = words.Copy, assets.Copy
	}
	return b
}

// ToClipboard is a copy function for text that is at hand.
func ToClipboard(text func() string) func(done func()) {
	return func(done func()) {
		fyne.CurrentApp().Clipboard().SetContent(text())
		done()
	}
}
