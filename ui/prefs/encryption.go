//go:build !lite

package prefs

import (
	"context"

	"fyne.io/fyne/v2"

	"paddock/settings"
	"paddock/share"
	"paddock/ui/kit"
	"paddock/ui/theme"
)

var copyWords = kit.CopyWords{Copy: "Copy", Copied: "Copied"}

// encryption is how the gate proves itself, and whether it may be gone without.
type encryption struct {
	s       *Screen
	content *fyne.Container
	plain   *toggle

	fault *note
	retry *kit.Button
	wrong *fyne.Container // both

	reason      *kit.Paragraph
	fingerprint *kit.CopyRow
	file        *kit.CopyRow
	facts       *fyne.Container
	rotate      *kit.Button
	sure        *question
	rotated     *note
	rotating    bool

	own *own
}

func newEncryption(s *Screen) *encryption {
	e := &encryption{s: s, fault: newNote(), rotated: newNote(), reason: kit.NewParagraph(kit.Small, ""), own: newOwn(s)}
	e.plain = newToggle(s, "Allow plain HTTP", settings.ShareAllowHTTP, plainReason).asking(
		"Let requests in that are not encrypted? Everybody who listens in on the network can then read keys, prompts and answers, and use a key that they have read. "+
			"Switching this off again does not take a key back that was sent in clear: make a new secret for it then.",
		"Allow plain HTTP", "Leave it off")
	e.fingerprint = kit.NewCopyRow("Fingerprint", "", copyWords).Shorten(kit.CutMiddle)
	e.file = kit.NewCopyRow("File", "", copyWords).Shorten(kit.CutMiddle)
	e.facts = kit.VBox(theme.Space8, e.fingerprint, e.file)
	e.rotate = kit.NewButton(kit.Outlined, "New certificate authority…", "", func() { e.sure.open(e.rotate) })
	e.sure = newQuestion(s, "Make a new certificate authority? It breaks trust with every teammate: until they have fetched and trusted the new ca.pem, their programs refuse to connect. "+
		"Connections that are open now run on.", "Make a new one", "Keep this one", e.makeNew)
	e.retry = kit.NewButton(kit.Outlined, "Try again", "", func() { s.o.Keeper.Start() }).Small()
	e.wrong = kit.Beside(theme.Space12, leastWords, e.fault.content, kit.HBox(0, e.retry))
	e.content = newCard("Encryption", e.plain.content,
		newLine("Certificate authority", "", e.reason, e.rotate, e.facts, e.wrong, e.sure.content, e.rotated.content),
		e.own.content)
	return e
}

const (
	plainReason = "For programs that know no https://. Whoever listens in on the network can read keys, prompts and answers that come by it; a key that was sent in clear has to be replaced."
	byFlag      = "Allowed for this run, because Paddock was started with --allow-http. " + plainReason
)

func (e *encryption) object() fyne.CanvasObject { return e.content }

func (e *encryption) makeNew() {
	if e.rotating {
		return
	}
	e.rotating = true
	e.rotate.Disable()
	e.rotated.set(kit.Waiting, "Asking the keychain for a place for the new private key. It may want its password in another window.")
	e.s.content.Refresh()
	e.s.run(func(ctx context.Context) error {
		_, err := e.s.o.Keeper.RotateAuthority(ctx)
		return err
	}, func(err error) {
		e.rotating = false
		e.rotate.Enable()
		if err != nil {
			e.rotated.set(kit.Attention, e.s.o.Say(err))
			return
		}
		e.rotated.set(kit.Allowed, "The new authority is in force. Teammates need the new ca.pem now.")
	})
}

// enter forgets what was said before.
func (e *encryption) enter() {
	if !e.rotating {
		e.rotated.set(kit.Neutral, "")
	}
}

func (e *encryption) show() bool {
	x := e.s.st.Encryption
	flagged := !x.Required && !e.s.now.AllowHTTP
	e.plain.show(!x.Required)
	if flagged != e.plain.power.Disabled() {
		if flagged {
			e.plain.power.Disable()
		} else {
			e.plain.power.Enable()
		}
	}
	why := plainReason
	if flagged {
		why = byFlag
	}
	changed := e.plain.reason.Text() != why
	e.plain.reason.SetText(why)

	words := authorityWords(x)
	changed = changed || e.reason.Text() != words
	e.reason.SetText(words)
	e.setRow(e.fingerprint, x.Fingerprint)
	e.setRow(e.file, x.File)
	changed = show(e.facts, !x.Own && x.Fingerprint != "") || changed
	changed = show(e.rotate, !x.Own && (x.Fingerprint != "" || x.Fault != share.NoCertFault && x.Fault != share.CertFiles)) || changed
	fault := ""
	if !ownFault(x) {
		fault = CertWords(x.Fault, x.Detail)
	}
	changed = e.fault.set(kit.Attention, fault) || changed
	changed = show(e.wrong, fault != "") || changed
	again := fault != "" && (x.Fault == share.CertVault || x.Fault == share.CertUnsaved)
	changed = show(e.retry, again) || changed
	if e.s.st.Wanted {
		e.retry.SetText("Try again")
	} else {
		e.retry.SetText("Start sharing")
	}
	return e.own.show() || changed
}

func (e *encryption) setRow(row *kit.CopyRow, value string) {
	if row.Value() != value {
		row.SetValue(value)
	}
}
