//go:build !lite

package keys

import (
	"fmt"
	"strings"
	"time"
	"unicode"

	"paddock/keystore"
	"paddock/policy"
	"paddock/requestlog"
	"paddock/ui/kit"
	"paddock/ui/logview"
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

// modelsWords say which models a key may use, in two short lines.
func modelsWords(g policy.Grant) (title, detail string) {
	if g.Models.All() {
		if g.Cloud {
			return "All", "local and cloud"
		}
		return "All", "local only"
	}
	list := g.Models.List()
	detail = requestlog.Clean(strings.Join(list, ", "), maxList)
	switch {
	case strings.Contains(detail, "*"):
		return "Some", detail
	case len(list) == 1:
		return "1 model", detail
	}
	return fmt.Sprintf("%d models", len(list)), detail
}

// maxList bounds the names of a key's models in one line.
const maxList = 200

// limitWords say how much a key may ask for, in two short lines.
func limitWords(g policy.Grant) (rate, atOnce string) {
	g = g.WithDefaults()
	rate, atOnce = "no limit", "any number at once"
	if g.Rate.Limited() {
		rate = rateWords(g.Rate)
	}
	if g.Concurrent.Limited() {
		atOnce = g.Concurrent.String() + " at once"
	}
	return rate, atOnce
}

// rateWords write a rate as people say it: "120 a minute".
func rateWords(r policy.Rate) string {
	times := map[time.Duration]string{time.Second: " a second", time.Minute: " a minute", time.Hour: " an hour", 24 * time.Hour: " a day"}
	if word, known := times[r.Per]; known {
		return logview.Number(uint64(r.Count)) + word
	}
	return r.String()
}

// todayWords say what a key was used for today, in two short lines, and whether
// its tokens of the day are spent.
func todayWords(k keystore.Key) (requests, tokens string, spent bool) {
	requests = logview.Number(uint64(max(k.Today.Requests, 0))) + " requests"
	if k.Today.Requests == 1 {
		requests = "1 request"
	}
	tokens = logview.Number(uint64(max(k.Today.Tokens, 0))) + " tokens"
	if most := k.Grant.TokensPerDay; most.Limited() && k.Today.Tokens >= int64(most) {
		return requests, "tokens spent", true
	}
	return requests, tokens, false
}

// untilWord names a moment that is to come: "14:00", "14:00 tomorrow".
func untilWord(at, now time.Time) string {
	at, now = at.Local(), now.Local()
	day := func(t time.Time) time.Time { return time.Date(t.Year(), t.Month(), t.Day(), 12, 0, 0, 0, time.UTC) }
	clock := at.Format("15:04")
	switch days := int(day(at).Sub(day(now)) / (24 * time.Hour)); {
	case days <= 0:
		return clock
	case days == 1:
		return clock + " tomorrow"
	case days < 7:
		return clock + " on " + at.Format("Monday")
	}
	return clock + " on " + at.Format("2 Jan 2006")
}

// graceWords say how long an old secret still works, or "" when none does.
func graceWords(k keystore.Key, now time.Time) string {
	until, works := k.OldWorksUntil(now)
	if !works {
		return ""
	}
	return "The old secret works until " + untilWord(until, now) + "."
}

// endsWord says under the role when a key ends, or "" when it does not.
func endsWord(at, now time.Time) string {
	at, now = at.Local(), now.Local()
	switch {
	case at.IsZero():
		return "no end"
	case !now.Before(at):
		return "is over"
	case at.Sub(now) < 300*24*time.Hour:
		return "to " + at.Format("2 Jan")
	}
	return "to " + at.Format("Jan 2006")
}

// endWords say below the choice when the key will end.
func endWords(at, now time.Time) string {
	if !now.Before(at) {
		return "It ended on " + dateWord(at) + " and is refused."
	}
	return "It ends on " + dateWord(at) + "."
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

// grantWords sums up what a key may do in one line. Limits are told where they
// are not the usual ones.
func grantWords(g policy.Grant, now time.Time) string {
	parts := []string{roleWord(g.Role), "local models only"}
	switch {
	case !g.Models.All():
		parts[1] = "only " + requestlog.Clean(strings.Join(g.Models.List(), ", "), maxList)
		if g.Cloud {
			parts = append(parts, "cloud too")
		}
	case g.Cloud:
		parts[1] = "local and cloud models"
	}
	usual := policy.Grant{}.WithDefaults()
	rate, atOnce := limitWords(g)
	full := g.WithDefaults()
	if full.Rate != usual.Rate {
		if !full.Rate.Limited() {
			rate = "any number of requests"
		}
		parts = append(parts, rate)
	}
	if full.Concurrent != usual.Concurrent {
		parts = append(parts, atOnce)
	}
	if full.TokensPerDay.Limited() {
		parts = append(parts, logview.Number(uint64(full.TokensPerDay))+" tokens a day")
	}
	if g.InAddress {
		parts = append(parts, "may stand in the address")
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
	if !k.Grant.Models.All() {
		parts = append(parts, "only "+requestlog.Clean(strings.Join(k.Grant.Models.List(), ", "), maxList))
		if k.Grant.Cloud {
			parts = append(parts, "cloud too")
		}
	}
	if !whole {
		if models, which := modelsWords(k.Grant); k.Grant.Models.All() {
			parts = append(parts, strings.ToLower(models)+" models, "+which)
		}
		rate, atOnce := limitWords(k.Grant)
		if rate == "no limit" {
			rate = "any number of requests"
		}
		parts = append(parts, rate, atOnce)
		if used := agoWord(k.LastUsed, now); used != "never" {
			parts = append(parts, "last used "+used)
		} else {
			parts = append(parts, "never used")
		}
		requests, tokens, _ := todayWords(k)
		parts = append(parts, requests+" and "+tokens+" today")
	}
	if most := k.Grant.TokensPerDay; most.Limited() {
		parts = append(parts, fmt.Sprintf("%s of %s tokens of the day used", logview.Number(uint64(max(k.Today.Tokens, 0))), logview.Number(uint64(most))))
	}
	if k.Grant.InAddress {
		parts = append(parts, "may stand in the address")
	}
	switch end := expiresWord(k.Grant.Expires, now); end {
	case "never":
		parts = append(parts, "never expires")
	case "expired":
		parts = append(parts, "expired "+dateWord(k.Grant.Expires)+"; choose a later end under Edit, or remove it")
	default:
		parts = append(parts, "expires "+end)
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
