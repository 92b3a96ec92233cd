//go:build !lite

package keys

import (
	"fmt"
	"strings"
	"time"
	"unicode"

	"paddock/keystore"
	"paddock/policy"
	"paddock/ui/kit"
)

// roleWord is a role as a person reads it.
func roleWord(r policy.Role) string {
	if r == policy.RoleManager {
		return "Manager"
	}
	return "User"
}

// roleMeans says what a role may do.
func roleMeans(r policy.Role) string {
	if r == policy.RoleManager {
		return "also downloads, makes and deletes models"
	}
	return "chats, embeds and sees the models"
}

// cloudWord says under the role whether a key may spend the owner's account.
func cloudWord(cloud bool) string {
	if cloud {
		return "local and cloud"
	}
	return "local only"
}

// expiresWord says when a key ends.
func expiresWord(at, now time.Time) string {
	switch {
	case at.IsZero():
		return "never"
	case !now.Before(at):
		return "expired"
	}
	return dateWord(at)
}

func dateWord(at time.Time) string { return at.Local().Format("2 Jan 2006") }

// agoWord says when something was, as exactly as anybody wants to know.
func agoWord(at, now time.Time) string {
	d := now.Sub(at)
	switch {
	case at.IsZero():
		return "never"
	case d < 10*time.Second:
		return "now"
	case d < time.Minute:
		return fmt.Sprintf("%d s ago", d/time.Second)
	case d < time.Hour:
		return fmt.Sprintf("%d min ago", d/time.Minute)
	case d < 24*time.Hour:
		return fmt.Sprintf("%d h ago", d/time.Hour)
	case d < 48*time.Hour:
		return "yesterday"
	case d < 60*24*time.Hour:
		return fmt.Sprintf("%d days ago", d/(24*time.Hour))
	}
	return dateWord(at)
}

// standing is whether a key works.
type standing int

const (
	working standing = iota
	suspended
	expired
)

func standingOf(k keystore.Key, now time.Time) standing {
	switch {
	case !k.Grant.Expires.IsZero() && !now.Before(k.Grant.Expires):
		return expired
	case k.Suspended:
		return suspended
	}
	return working
}

func (s standing) word() (string, kit.Tone) {
	switch s {
	case suspended:
		return "Suspended", kit.Paused
	case expired:
		return "Expired", kit.Attention
	case working:
	}
	return "On", kit.Neutral
}

// grantWords sums up what a key may do in one line.
func grantWords(g policy.Grant, now time.Time) string {
	parts := []string{roleWord(g.Role), "local models only"}
	if g.Cloud {
		parts[1] = "local and cloud models"
	}
	switch {
	case g.Expires.IsZero():
		parts = append(parts, "never expires")
	case !now.Before(g.Expires):
		parts = append(parts, "expired "+dateWord(g.Expires))
	default:
		parts = append(parts, "expires "+dateWord(g.Expires))
	}
	return strings.Join(parts, " · ")
}

// factWords tells of a key what the table does not. whole means that all of
// its columns are shown.
func factWords(k keystore.Key, now time.Time, whole bool) string {
	parts := []string{roleWord(k.Grant.Role) + ": " + roleMeans(k.Grant.Role)}
	end := expiresWord(k.Grant.Expires, now)
	if !whole {
		used := agoWord(k.LastUsed, now)
		if used != "never" {
			used = "last used " + used
		} else {
			used = "never used"
		}
		parts = append(parts, used)
		switch end {
		case "never":
			parts = append(parts, "never expires")
		case "expired":
		default:
			parts = append(parts, "expires "+end)
		}
	}
	if end == "expired" {
		parts = append(parts, "expired "+dateWord(k.Grant.Expires)+"; make a new key and remove this one")
	}
	if k.Vault == keystore.VaultMemory {
		parts = append(parts, "ends with the program")
	}
	return strings.Join(parts, " · ")
}

// letterOf is the letter on a key's chip: its first letter or digit.
func letterOf(name string) string {
	for _, r := range name {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return string(unicode.ToUpper(r))
		}
	}
	return "•"
}

// nameProblem says while typing what is wrong with a name, or "". An empty one
// is only wrong when it is sent.
func nameProblem(name string, have []keystore.Key, sent bool) string {
	trimmed, err := keystore.CheckName(name)
	if fault, ok := nameFault(err); ok {
		if fault == keystore.NameEmpty && !sent {
			return ""
		}
		return faultWords(fault)
	}
	for _, k := range have {
		if strings.EqualFold(k.Name, trimmed) {
			return taken
		}
	}
	return ""
}

const taken = "There is a key of this name. Take another name, or remove that key first."

func faultWords(f keystore.NameFault) string {
	switch f {
	case keystore.NameEmpty:
		return "A key needs a name: who or what will use it."
	case keystore.NameTooLong:
		return fmt.Sprintf("That is too long: a name has at most %d characters.", keystore.MaxName)
	case keystore.NameUnprintable:
	}
	return "The name holds a character that cannot be shown."
}
