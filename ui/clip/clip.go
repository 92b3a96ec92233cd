// Package clip puts keys on the clipboard and takes them away again.
package clip

import (
	"time"

	"paddock/keystore"
)

// Keep is how long a key stays on the clipboard.
const Keep = time.Minute

// Board is a clipboard.
type Board interface {
	Content() string
	SetContent(string)
}

// Clip uses one clipboard. Its methods belong to the thread that do runs
// functions on.
type Clip struct {
	board  Board
	do     func(func())
	secret keystore.Secret // what of ours may still be there
	timer  *time.Timer
	turn   int // counts what was put, so that a late timer does not clear a newer key
}

// New returns a Clip. do runs a function on the thread of the clipboard.
func New(board Board, do func(func())) *Clip { return &Clip{board: board, do: do} }

// Secret puts a key on the clipboard and clears it after Keep, if the clipboard
// still holds it then.
func (c *Clip) Secret(s keystore.Secret) {
	c.Forget()
	c.board.SetContent(s.Reveal())
	c.secret = s
	mine := c.turn
	c.timer = time.AfterFunc(Keep, func() {
		c.do(func() {
			if mine == c.turn {
				c.Clear()
			}
		})
	})
}

// Text puts text on the clipboard to stay.
func (c *Clip) Text(s string) {
	c.Forget()
	c.board.SetContent(s)
}

// Clear takes our key off the clipboard, if it is still there. Call it before
// the program ends as well: on most systems the clipboard outlives it.
func (c *Clip) Clear() {
	if !c.secret.IsZero() && c.secret.Equal(keystore.NewSecret(c.board.Content())) {
		c.board.SetContent("")
	}
	c.Forget()
}

// Forget stops caring for what is on the clipboard. It does not touch it, so
// it may be called when the clipboard's thread has ended.
func (c *Clip) Forget() {
	c.turn++
	c.secret = keystore.Secret{}
	if c.timer != nil {
		c.timer.Stop()
	}
}
