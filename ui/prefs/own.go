//go:build !lite

package prefs

import (
	"context"
	"errors"
	"strings"

	"fyne.io/fyne/v2"

	"paddock/settings"
	"paddock/share"
	"paddock/ui/kit"
	"paddock/ui/theme"
)

// own is the owner's own certificate, from two files.
type own struct {
	s           *Screen
	content     *fyne.Container
	cert, key   *kit.Field
	apply       *kit.Button
	clear       *kit.Button
	fingerprint *kit.CopyRow
	state       *note
	trouble     *note
	shown       [2]string // the settings as the fields were filled last
	busy        bool
}

func newOwn(s *Screen) *own {
	o := &own{s: s, state: newNote(), trouble: newNote()}
	field := func(label, hint string) *kit.Field {
		return kit.NewField(hint).Labelled(label).Mono().
			OnChanged(func(string) { o.typed() }).
			OnSubmitted(func(string) { o.send() }).
			OnKey(fyne.KeyEscape, o.back)
	}
	o.cert = field("Certificate and its chain, a PEM file", "/etc/ssl/gate.pem")
	o.key = field("Private key, a PEM file", "/etc/ssl/gate.key")
	o.apply = kit.NewButton(kit.Outlined, "Apply", "", o.send).Named("Apply the certificate")
	o.clear = kit.NewButton(kit.Outlined, "Clear", "", func() { o.put("", "") }).Named("Clear the certificate")
	o.fingerprint = kit.NewCopyRow("Fingerprint", "", copyWords).Shorten(kit.CutMiddle)
	o.fingerprint.Hide()
	reason := kit.NewParagraph(kit.Small, "In place of the one that Paddock makes, such as one of your company's. It is read again by itself when the files change.")
	o.content = newLine("Your own certificate", settings.ShareCertificate, reason, nil,
		o.cert, o.key, kit.HBox(theme.Space8, o.apply, o.clear), o.fingerprint, o.state.content, o.trouble.content)
	o.offer()
	return o
}

// dirty says whether the fields say something else than the settings.
func (o *own) dirty() bool { return o.texts() != o.shown }

func (o *own) texts() [2]string {
	return [2]string{strings.TrimSpace(o.cert.Text()), strings.TrimSpace(o.key.Text())}
}

// offer lets only those buttons be pressed that would change something.
func (o *own) offer() {
	enable(o.apply, !o.busy && o.dirty())
	enable(o.clear, !o.busy && (o.shown != [2]string{} || o.dirty()))
}

// typed follows what is typed.
func (o *own) typed() {
	o.offer()
	if o.cert.Problem() != "" || o.key.Problem() != "" {
		if o.check() {
			o.s.content.Refresh() // a long problem takes more lines
		}
	}
}

// check says below the fields what is missing, and whether that changed.
func (o *own) check() bool {
	before := [2]string{o.cert.Problem(), o.key.Problem()}
	text := o.texts()
	problems := [2]string{}
	switch {
	case text[0] == "" && text[1] != "":
		problems[0] = "The key needs its certificate. Name both files, or neither."
	case text[0] != "" && text[1] == "":
		problems[1] = "The certificate needs its key. Name both files, or neither."
	}
	o.cert.SetProblem(problems[0])
	o.key.SetProblem(problems[1])
	return before != problems
}

// back puts the settings into the fields again.
func (o *own) back() {
	o.cert.SetText(o.shown[0])
	o.key.SetText(o.shown[1])
}

func (o *own) send() {
	if o.busy || !o.dirty() {
		return
	}
	if o.check() {
		o.s.content.Refresh()
	}
	switch {
	case o.cert.Problem() != "":
		o.s.o.Focus(o.cert.Focusable())
	case o.key.Problem() != "":
		o.s.o.Focus(o.key.Focusable())
	default:
		text := o.texts()
		o.put(text[0], text[1])
	}
}

// put writes both settings, or neither.
func (o *own) put(cert, key string) {
	if o.busy {
		return
	}
	o.busy = true
	o.cert.SetProblem("")
	o.key.SetProblem("")
	o.cert.Disable()
	o.key.Disable()
	o.trouble.set(kit.Attention, "")
	before := o.s.now.Certificate
	o.offer()
	o.s.run(func(context.Context) error {
		if err := o.s.o.Keeper.Set(settings.ShareCertificate, cert); err != nil {
			return err
		}
		err := o.s.o.Keeper.Set(settings.ShareCertKey, key)
		if err != nil {
			return errors.Join(err, o.s.o.Keeper.Set(settings.ShareCertificate, before))
		}
		return nil
	}, func(err error) {
		o.busy = false
		o.cert.Enable()
		o.key.Enable()
		if err == nil {
			o.shown = [2]string{cert, key}
			o.back()
		} else {
			o.refused(err)
		}
		o.offer()
	})
}

// refused says at the field what is wrong with its value.
func (o *own) refused(err error) {
	var value *settings.ValueError
	if !errors.As(err, &value) {
		o.trouble.set(kit.Attention, o.s.o.Say(err))
		return
	}
	field := o.cert
	if value.Name == settings.ShareCertKey {
		field = o.key
	}
	field.SetProblem(sentence(value.Reason))
	o.s.o.Focus(field.Focusable())
}

func (o *own) show() bool {
	now := [2]string{o.s.now.Certificate, o.s.now.CertificateKey}
	if now != o.shown && !o.busy {
		typed := o.dirty()
		o.shown = now
		if !typed {
			o.back()
		}
		o.offer()
	}
	x := o.s.st.Encryption
	changed := show(o.fingerprint, x.Own)
	if x.Own && o.fingerprint.Value() != x.Fingerprint {
		o.fingerprint.SetValue(x.Fingerprint)
	}
	tone, words := kit.Neutral, ""
	switch {
	case ownFault(x):
		tone, words = kit.Attention, ownFaultWords(x)
	case x.Own:
		tone, words = kit.Allowed, "In use. Good until "+day(x.NotAfter)+"."
	}
	return o.state.set(tone, words) || changed
}

// ownFault says whether the fault is one of the owner's own certificate.
func ownFault(x share.Encryption) bool {
	return x.Fault == share.CertFiles || x.Fault == share.CertExpired && x.Own
}

func enable(b *kit.Button, yes bool) {
	switch {
	case yes && b.Disabled():
		b.Enable()
	case !yes && !b.Disabled():
		b.Disable()
	}
}
