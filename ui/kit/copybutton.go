package kit

import (
	"time"

	"fyne.io/fyne/v2"

	"paddock/assets"
)

// CopyWords are what a copy button says before and after.
type CopyWords struct{ Copy, Copied string }

const copiedFor = 2 * time.Second

// NewCopyButton returns a button that says for two seconds that it copied.
// copy gets done and calls it, on Fyne's thread, when the clipboard really
// holds the text: a key may first have to come out of a keychain.
func NewCopyButton(style Style, words CopyWords, copy func(done func())) *Button {
	b := NewButton(style, words.Copy, assets.Copy, nil)
	b.keep = words.Copied
	var timer *time.Timer
	turn := 0 // counts presses, so that a late timer does not end a newer one
	done := func() {
		turn++
		mine := turn
		if timer != nil {
			timer.Stop()
		}
		b.Set(words.Copied, assets.Allowed)
		timer = time.AfterFunc(copiedFor, func() {
			fyne.Do(func() {
				if mine == turn {
					b.Set(words.Copy, assets.Copy)
				}
			})
		})
	}
	b.act = func() { copy(done) }
	b.forget = func() {
		turn++
		if timer != nil {
			timer.Stop()
		}
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
