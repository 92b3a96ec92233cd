//go:build !lite

package ui

import (
	"fmt"

	"fyne.io/fyne/v2"

	"paddock/share"
	"paddock/ui/tray"
)

// closed is the button in the main window's frame. With a tray the window goes
// there and the program goes on. Without one there is no way back to a hidden
// window, so closing it ends the program, and asks first while that takes
// something away from others.
func (p *program) closed() {
	if p.closing || p.asking {
		return
	}
	p.asking = true
	p.work.Go(func() {
		kind := p.host(p.ctx) // may take two seconds
		if p.ctx.Err() != nil {
			return
		}
		p.do(func() {
			p.asking = false
			p.close(kind)
		})
	})
}

func (p *program) close(kind tray.HostKind) {
	st := p.sh.State()
	switch {
	case kind == tray.Native:
		remember(p.app.Preferences(), prefMain, p.main.Canvas().Size())
		p.main.Hide()
		p.tellOnce(st)
	case st.Phase == share.Off:
		p.leave()
	default:
		p.asking = true
		ask(p.main, question{
			title: "Quit Paddock?", sentence: quitWords(st), yes: "Quit", no: "Go on sharing",
			answered: func(yes bool) {
				p.asking = false
				if yes {
					p.leave()
				}
			},
		})
	}
}

func quitWords(st share.State) string {
	// Stop refuses at once what waits for its turn, and gives what runs five
	// seconds.
	words := "This desktop has no tray to go on in, so closing the window ends sharing."
	switch n := st.Running; {
	case n == 1:
		words += " One request that runs has five seconds to finish."
	case n > 1:
		words += fmt.Sprintf(" %d requests that run have five seconds to finish.", n)
	}
	switch n := st.Waiting; {
	case n == 1:
		words += " One request that waits is refused at once."
	case n > 1:
		words += fmt.Sprintf(" %d requests that wait are refused at once.", n)
	}
	return words
}

// tellOnce says, the first time only, where the program went.
func (p *program) tellOnce(st share.State) {
	if p.app.Preferences().Bool(prefTold) {
		return
	}
	p.app.Preferences().SetBool(prefTold, true)
	text := "Paddock goes on in the tray. Its menu has everything, and Quit."
	if st.Phase == share.Sharing {
		text = "Paddock goes on sharing in the tray. Its menu has Stop sharing, and Quit."
	}
	p.notify(fyne.NewNotification("Paddock", text))
}
