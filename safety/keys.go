package safety

import (
	"fmt"
	"time"
)

// unusedFor is how long a key may lie about before it is spoken of.
const unusedFor = 90 * 24 * time.Hour

// live says whether a key opens the gate now.
func (e Evidence) live(k Key) bool {
	return !k.Suspended && (k.Expires.IsZero() || e.Now.Before(k.Expires))
}

// forever says which keys never end by themselves.
func forever(e Evidence) Fact {
	var names []string
	for _, k := range e.Keys {
		if e.live(k) && k.Expires.IsZero() {
			names = append(names, k.Name)
		}
	}
	f := Fact{ID: KeysForever, Level: OK, Title: "Every key expires"}
	switch {
	case len(e.Keys) == 0:
		f.Title = "There are no keys yet"
	case len(names) > 0:
		f.Level, f.Act = Attention, ActOpenKeys
		f.Title = count(len(names), "One key never expires", "%d keys never expire")
		f.Detail = some(names) + ". A key that ends by itself is one less to forget."
		f.Items = items(names)
		f.Fix = onKey(names, "Let it expire:", "paddock keys edit %s --expires 90d")
	}
	return f
}

// unused says which keys nobody seems to need.
func unused(e Evidence) Fact {
	var names []string
	for _, k := range e.Keys {
		last := k.LastUsed
		if last.Before(k.Created) {
			last = k.Created
		}
		if e.live(k) && !last.IsZero() && e.Now.Sub(last) > unusedFor {
			names = append(names, k.Name)
		}
	}
	f := Fact{ID: KeysUnused, Level: OK, Title: "Every key was used in the last 90 days, or is newer"}
	switch {
	case len(e.Keys) == 0:
		f.Title = "No key lies about unused"
	case len(names) > 0:
		f.Level, f.Act = Attention, ActOpenKeys
		f.Title = count(len(names), "One key was not used for 90 days", "%d keys were not used for 90 days")
		f.Detail = some(names) + ". Suspended keys can be switched on again; those that nobody misses can go."
		f.Items = items(names)
		f.Fix = onKey(names, "Suspend it:", "paddock keys suspend %s")
	}
	return f
}

func items(names []string) []Item {
	list := make([]Item, len(names))
	for i, n := range names {
		list[i].Name = clean(n)
	}
	return list
}

// onKey shows a command for the one key that it is about; with several, or with
// a name that each shell quotes in its own way, how to see them.
func onKey(names []string, text, command string) []Step {
	if len(names) == 1 && plainWord.MatchString(names[0]) {
		return []Step{{Text: text, Code: fmt.Sprintf(command, names[0])}}
	}
	return []Step{{Text: "Go through the keys:", Code: "paddock keys list"}, {Text: "Then, for each of them:", Code: fmt.Sprintf(command, "NAME")}}
}

// vault says where secrets are kept.
func vault(e Evidence) Fact {
	f := Fact{ID: SecretsKept, Level: Attention}
	v := e.Vault
	chain := keychainName(e.OS)
	switch v.Trouble {
	case "locked":
		f.Title, f.Detail = "The keychain is locked", "Teammates' keys work all the same. New ones can be made, and old ones copied, when it is unlocked."
		f.Fix = []Step{{Text: "Unlock it: " + chain + " asks for its password when you copy a key."}}
		return f
	case "missing":
		f.Title, f.Detail = "There is no keychain in this session", "New keys are in memory and end with the program."
		f.Fix = e.keepSecrets()
		return f
	case "silent":
		f.Title, f.Detail = "The keychain did not answer in time", "Its question may be waiting behind another window."
		f.Fix = []Step{{Text: "Answer the question of " + chain + ", then try again."}}
		return f
	case "unkept":
		f.Title, f.Detail = "The keychain did not keep a change", "It said yes and did not do it, as when its question is dismissed."
		f.Fix = []Step{{Text: "Try again, and let " + chain + " do it when it asks."}}
		return f
	case "sealed":
		f.Title, f.Detail = "The sealed file of keys is closed", "There is no passphrase, or a wrong one. Teammates' keys work all the same; none can be made or copied."
		f.Fix = []Step{{Text: "Start Paddock with the right passphrase: it asks for it, or reads it from the file that PADDOCK_PASSPHRASE_FILE names."}}
		return f
	case "unsaved":
		f.Title, f.Detail = "Changes of keys cannot be saved", "They hold until the program ends, and would be forgotten then: a key that you removed would open the gate again."
		f.Fix = []Step{{Text: "See that there is room on the disk, and that Paddock may write in its folder" + e.folder() + "."}}
		return f
	case "":
	default:
		f.Title, f.Detail = "The keychain has a fault", "Teammates' keys work all the same; none can be made or copied now."
		f.Fix = e.keepSecrets()
		return f
	}
	switch v.Kind {
	case "keychain":
		f.Level, f.Title, f.Detail = OK, "Keys are in "+chain, "Nothing secret is in files."
	case "file":
		f.Level, f.Title, f.Detail = OK, "Keys are in a sealed file", "It opens with your passphrase only."
	case "memory":
		if v.Asked {
			f.Level, f.Title, f.Detail = OK, "Keys are in memory, as you asked", "They end with the program. Nothing secret is in files."
			break
		}
		f.Title, f.Detail = "Keys are in memory and end with the program", "No keychain was found to keep them in. Nothing secret is in files."
		f.Fix = e.keepSecrets()
	default:
		f.Level, f.Title, f.Detail = OK, "Keys will be kept in "+chain, "It is asked with the first key. Nothing secret is in files."
	}
	return f
}

func (e Evidence) folder() string {
	if home := clean(e.Home); home != "" {
		return ", " + home
	}
	return ""
}

// keychainName is what people know the keychain as.
func keychainName(goos string) string {
	switch goos {
	case "darwin":
		return "the macOS Keychain"
	case "windows":
		return "Windows Credential Manager"
	}
	return "the desktop's keyring"
}

// keepSecrets are the ways to have a vault that lasts.
func (e Evidence) keepSecrets() []Step {
	file := Step{Text: "Or keep keys in a file that opens with a passphrase:", Code: "paddock --vault file"}
	switch e.OS {
	case "darwin", "windows":
		return []Step{{Text: "Start Paddock in your own desktop session, where " + keychainName(e.OS) + " can be asked."}, file}
	}
	return []Step{{Text: "Start a keyring in your desktop session, such as GNOME Keyring or KWallet, and Paddock again."}, file}
}
