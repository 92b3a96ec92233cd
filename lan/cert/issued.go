package cert

import (
	"crypto/tls"
	"time"

	"paddock/lan"
)

// renewPause is the least time between two certificates of one authority, of which
// the later one proves nothing that the earlier one does not. A new address waits
// for nothing: it is shown to the owner at once, and has to work.
const renewPause = time.Second

// issued is the certificate that an authority made last.
type issued struct {
	from     *Authority
	cert     *tls.Certificate // nil: none yet
	subjects subjects
	at       time.Time
}

// refresh makes a certificate if one is due and returns what is wrong with the
// authority, or nil. When making one fails, the last stays.
func (i *issued) refresh(a *Authority, us lan.Us, now time.Time) error {
	if a == nil {
		*i = issued{}
		return nil
	}
	if i.from == nil || i.from.Fingerprint() != a.Fingerprint() {
		*i = issued{from: a} // another authority waits for nothing
	}
	want := a.subjects(us)
	if i.due(want, now) && !(i.justMade(now) && i.subjects.cover(want)) {
		cert, err := a.issue(want, us.Hostname(), now)
		if err != nil {
			return err
		}
		i.cert, i.subjects, i.at = cert, want, now
	}
	return validAt(now, a.cert.NotBefore, a.cert.NotAfter)
}

func (i *issued) due(want subjects, now time.Time) bool {
	if i.cert == nil || !i.subjects.equal(want) {
		return true
	}
	begin, end := i.cert.Leaf.NotBefore, i.cert.Leaf.NotAfter
	if now.Before(begin) && i.from.begin(now).Before(begin) {
		return true // the clock was ahead when it was made, and another begins earlier
	}
	if end.Equal(i.from.cert.NotAfter) {
		return false // another would not live longer
	}
	return end.Sub(now) <= end.Sub(begin)/3
}

// justMade is false when the clock went back: then nobody knows.
func (i *issued) justMade(now time.Time) bool {
	since := now.Sub(i.at)
	return i.cert != nil && since >= 0 && since < renewPause
}

func validAt(now, begin, end time.Time) error {
	switch {
	case now.After(end):
		return ErrExpired
	case now.Before(begin):
		return ErrNotYetValid
	}
	return nil
}
