package safety

import (
	"fmt"
	"time"
)

// slack is how far clocks and files may disagree without a word: file systems
// round times, and other machines write theirs.
const slack = 5 * time.Minute

// clock says whether the clock can be right. It is held against what cannot lie
// in the future.
func clock(e Evidence) Fact {
	f := Fact{ID: ClockRight, Level: OK, Title: "The clock can be right"}
	latest, what := e.Found.Clock.Newest, "a file of Paddock's was changed"
	for _, k := range e.Keys {
		if k.Created.After(latest) {
			latest, what = k.Created, "a key was made"
		}
		if k.LastUsed.After(latest) {
			latest, what = k.LastUsed, "a key was used"
		}
	}
	if !e.Certificate.Own && e.Certificate.NotBefore.After(latest) {
		latest, what = e.Certificate.NotBefore, "Paddock's certificate was made"
	}
	switch {
	case latest.Sub(e.Now) > slack:
		f.Level, f.Title = Attention, "The clock is wrong"
		f.Detail = fmt.Sprintf("It shows %s, but %s on %s. Keys expire at the wrong time, and teammates' programs may refuse the certificate.", e.full(e.Now), what, e.full(latest))
		f.Fix = setClock(e.OS)
	case e.Found.Clock.Unsynced:
		f.Detail = "Nothing contradicts it. The system says that nothing keeps it right by itself, which is usual in virtual machines."
	default:
		f.Detail = "Nothing contradicts it."
	}
	return f
}

func (e Evidence) full(t time.Time) string {
	return t.In(e.Now.Location()).Format("2 January 2006, 15:04")
}

func setClock(goos string) []Step {
	switch goos {
	case "darwin":
		return []Step{{Text: "Open System Settings, General, Date & Time, and switch on “Set time and date automatically”."}}
	case "windows":
		return []Step{{Text: "Open Settings, Time & language, Date & time, switch on “Set time automatically” and press “Sync now”."}}
	case "linux":
		return []Step{{Text: "Let the system keep it right:", Code: "sudo timedatectl set-ntp true"}}
	}
	return []Step{{Text: "Set it, and let the system keep it right by NTP."}}
}

// files says whether other accounts of this machine get at Paddock's files.
func files(e Evidence) Fact {
	f := Fact{ID: FilesClosed}
	d := e.Found.Files
	switch {
	case e.OS == "windows" && d.Profile:
		f.Level, f.Title, f.Detail = OK, "Paddock's files are yours alone", "They are in your profile folder, which other accounts cannot read."
		return f
	case e.OS == "windows":
		f.Level, f.Title = Unknown, "Who may read Paddock's files was not looked up"
		f.Detail = "They are outside of your profile folder" + e.folder() + "."
		return f
	case !d.Read:
		f.Level, f.Title, f.Detail = Unknown, "Paddock's folder could not be looked at", "Who may read its files is not known."
		return f
	case len(d.Write) > 0 && !d.Shut:
		// Who writes keys.json makes keys.
		f.Level, f.Title = Problem, "Other accounts on this machine can change Paddock's files"
		f.Detail = "With that they can give themselves a key."
	case len(d.Foreign) > 0:
		f.Level, f.Title = Attention, "Some of Paddock's files belong to another account"
		f.Detail = "As after a start with sudo. That account can change them, and Paddock itself may not."
	case d.Shut && len(d.Wide)+len(d.Write) > 0:
		f.Level, f.Title = Attention, "Some of Paddock's files are open wider than need be"
		f.Detail = "Their folder keeps other accounts out, so nobody reads them now; copies of them would be open."
	case len(d.Wide) > 0:
		f.Level, f.Title = Attention, "Other accounts on this machine can read Paddock's files"
		f.Detail = "No key can be read from them, but names, settings and the request log can."
	default:
		f.Level, f.Title, f.Detail = OK, "Paddock's files are yours alone", "No other account can read them."
		return f
	}
	for _, group := range []struct {
		list []File
		text string
	}{{d.Write, "others may write (mode %s)"}, {d.Wide, "others may read (mode %s)"}, {d.Foreign, "belongs to another account (mode %s)"}} {
		for _, file := range group.list {
			name := clean(file.Name)
			if name == "" {
				name = "the folder itself"
			}
			f.Items = append(f.Items, Item{name, fmt.Sprintf(group.text, file.Mode)})
		}
	}
	home, ok := quoted(e.Home)
	if !ok {
		f.Fix = []Step{{Text: "Let only your own account read and write Paddock's folder and what is in it."}}
		return f
	}
	if len(d.Foreign) > 0 {
		f.Fix = append(f.Fix, Step{Text: "Make them yours again:", Code: `sudo chown -R "$(id -u):$(id -g)" -- ` + home})
	}
	if len(d.Wide)+len(d.Write) > 0 {
		f.Fix = append(f.Fix, Step{Text: "Close them to others:", Code: "chmod -R go= -- " + home})
	}
	return f
}
