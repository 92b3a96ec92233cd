package logview

import (
	"time"

	"paddock/requestlog"
	"paddock/share"
)

// Source is where the requests come from. *requestlog.Log is one.
type Source interface {
	// Since returns the finished entries after seq, oldest first, at most limit
	// of the newest, the number to ask with next, and how many were left out.
	Since(seq uint64, limit int) (entries []requestlog.Entry, last, missed uint64)
	// Running returns the requests that run or wait now, oldest first.
	Running(now time.Time) []requestlog.Entry
	// Counts returns how many requests run or wait now, and the totals.
	Counts() (running int, t requestlog.Totals)
	// Watch returns a channel with a token whenever something may have changed,
	// and a function that ends the watch.
	Watch() (<-chan struct{}, func())
}

// type check
var _ Source = (*requestlog.Log)(nil)

// Actions is what the window asks of the rest of the program. None of them may
// wait: they are called on Fyne's thread, except State and Watch.
type Actions struct {
	State func() share.State                // the picture of this moment
	Watch func() (<-chan struct{}, func())  // of the state; may be nil
	Start func()                            // start sharing
	Stop  func(id string) (wasRunning bool) // stop a request that runs or waits
	Allow func(origin string)               // let a website in from now on
	// AllowHTTP lets requests in that are not encrypted, from now on.
	AllowHTTP func()
	Do        func(func())      // runs a function on Fyne's thread; nil is fyne.Do
	Copy      func(text string) // to the clipboard; never a secret
}
