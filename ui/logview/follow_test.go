package logview

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"

	"paddock/requestlog"
	"paddock/share"
	"paddock/ui/theme"
)

// follower is a view that follows a real log. Fyne's test driver runs what is
// handed to Fyne's thread on the caller's goroutine, which is exact only where
// synctest.Wait stands between the two.
type follower struct {
	*View
	log    *requestlog.Log
	state  share.State
	wake   chan struct{}
	window fyne.Window
	end    func() // ends Follow and waits for it
}

func follow(t *testing.T, kept int) *follower {
	t.Helper()
	app := test.NewTempApp(t)
	app.Settings().SetTheme(theme.New(theme.Light))
	f := &follower{log: requestlog.New(kept), state: sharing(), wake: make(chan struct{}, 1)}
	f.View = New(f.log, Actions{
		State: func() share.State { return f.state },
		Watch: func() (<-chan struct{}, func()) { return f.wake, func() {} },
		Start: func() {}, Stop: func(string) bool { return true }, Copy: func(string) {},
	})
	f.window = app.NewWindow("")
	f.window.SetPadded(false)
	f.window.SetContent(f.Content())
	f.window.Resize(fyne.NewSize(1280, 760))
	f.Attach(f.window)
	f.hop = func(paint func()) {
		thread.Lock()
		defer thread.Unlock()
		paint()
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { f.Follow(ctx); close(done) }()
	f.end = func() { cancel(); <-done }
	synctest.Wait()
	return f
}

// thread stands for Fyne's: what a test did comes before the next paint.
var thread sync.Mutex

// after lets time pass and everything settle.
func after(d time.Duration) {
	thread.Lock()
	thread.Unlock() //nolint:staticcheck // an empty section orders what lies around it
	time.Sleep(d)
	synctest.Wait()
}

func entry(n int) requestlog.Entry {
	e := finishedDay()[n%18]
	e.ID, e.Time = fmt.Sprint("burst ", n), time.Now()
	return e
}

func TestABurstIsAtMostTenPaintsASecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := follow(t, requestlog.DefaultKept)
		defer f.end()
		after(time.Second)
		before := f.paints
		for n := range 5000 {
			f.log.Append(entry(n))
			time.Sleep(200 * time.Microsecond)
		}
		after(time.Second)
		if n := f.paints - before; n < 5 || n > 11 {
			t.Errorf("one second of 5,000 requests is %d paints", n)
		}
		if f.feed.Len() != 5000 || f.feed.Row(0).Seq != 5000 {
			t.Errorf("%d rows, the newest is %d", f.feed.Len(), f.feed.Row(0).Seq)
		}
		top := f.board.done.shown[0]
		if top.key.Seq != 5000 || top.text != Row(f.feed.Row(0), time.Now()) || top.box.Position().Y != 0 {
			t.Errorf("the row at the top is %d at %v: %+v", top.key.Seq, top.box.Position(), top.text)
		}
		if n := len(f.board.done.shown); n > 30 {
			t.Errorf("%d rows are drawn, though far fewer are seen", n)
		}
		f.log.Append(entry(5000))
		after(time.Second)
		if f.feed.Len() != MaxRows || f.feed.Older() != 1 {
			t.Errorf("%d rows, %d older", f.feed.Len(), f.feed.Older())
		}
	})
}

func TestABurstFasterThanTheRingIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := follow(t, 10)
		defer f.end()
		f.log.Append(entry(0))
		after(time.Second)
		for n := range 25 {
			f.log.Append(entry(n))
		}
		after(time.Second)
		missed := f.feed.Missed()
		if f.feed.Len()+int(missed) != 26 || missed == 0 {
			t.Errorf("%d rows, %d missed", f.feed.Len(), missed)
		}
		if want := fmt.Sprintf("%d gone before they could be listed", missed); !strings.HasSuffix(f.status.Text(), want) {
			t.Errorf("status line %q, want %q at its end", f.status.Text(), want)
		}
	})
}

func TestNothingHappensWhenNothingHappens(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := follow(t, 100)
		defer f.end()
		after(time.Second)
		before := f.paints
		after(time.Hour)
		if f.paints != before {
			t.Errorf("%d paints in an idle hour", f.paints-before)
		}
		f.state = share.State{Phase: share.Off}
		f.wake <- struct{}{}
		after(time.Second)
		if f.paints != before+1 || !f.empty.words.start {
			t.Errorf("a new state is %d paints and shows %+v", f.paints-before, f.empty.words)
		}
	})
}

func TestRunningRequestsTick(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := follow(t, 100)
		defer f.end()
		e := entry(0)
		r := f.log.Begin(e)
		after(time.Second)
		before := f.paints
		after(10 * time.Second)
		if n := f.paints - before; n != 40 {
			t.Errorf("ten seconds of a running request are %d paints, want four a second", n)
		}
		if got := f.board.running.shown[0].text.Took; got != "11 s" {
			t.Errorf("took is %q", got)
		}
		r.End(e)
		after(time.Second)
		before = f.paints
		after(10 * time.Second)
		if f.paints != before {
			t.Error("it ticks on after the last request ended")
		}
	})
}

func TestAHiddenWindowCostsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := follow(t, 100)
		defer f.end()
		after(time.Second)
		f.SetVisible(false)
		before := f.paints
		f.log.Begin(entry(0))
		for n := range 20 {
			f.log.Append(entry(n))
			after(time.Second)
		}
		if f.paints != before {
			t.Errorf("%d paints while hidden", f.paints-before)
		}
		f.SetVisible(true)
		after(time.Second)
		if f.feed.Len() != 20 || len(f.feed.Slots()) != 1 {
			t.Errorf("after showing: %d rows, %d running", f.feed.Len(), len(f.feed.Slots()))
		}
	})
}

// Fyne drops what is queued when the program quits, and may be busy for long.
func TestOnePieceOfWorkIsOutstanding(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		test.NewTempApp(t)
		log := requestlog.New(100)
		v := New(log, Actions{State: sharing})
		var queue []func()
		v.hop = func(f func()) { queue = append(queue, f) }
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { v.Follow(ctx); close(done) }()
		for n := range 50 {
			log.Append(entry(n))
			after(paintEvery)
		}
		if len(queue) != 1 {
			t.Fatalf("%d pieces of work wait for a busy thread", len(queue))
		}
		queue[0]()
		after(time.Second)
		if len(queue) != 2 {
			t.Fatalf("%d pieces of work after the thread was free again", len(queue))
		}
		cancel() // the second one is never run
		<-done
	})
}

// A pointer that left the window across its edge is never heard of again.
func TestARestingPointerLetsGo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := follow(t, 100)
		defer f.end()
		f.log.Append(entry(0))
		after(time.Second)
		test.MoveMouse(f.window.Canvas(), fyne.NewPos(400, 180))
		f.log.Append(entry(1))
		after(time.Second)
		if f.feed.Waiting() != 1 {
			t.Fatalf("%d wait under the pointer", f.feed.Waiting())
		}
		after(pointerHolds)
		if f.feed.Waiting() != 0 || f.feed.Len() != 2 {
			t.Errorf("%d wait under a pointer that is gone", f.feed.Waiting())
		}
	})
}
