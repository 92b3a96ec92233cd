package discovery

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// longest is what one label of a name holds (RFC 1035 section 2.3.4).
const longest = 63

// label writes text as one label, the way that miekg/dns spells what it reads,
// so that two names are the same if their spellings are. Text that is too long
// is cut between characters, control characters are left out (RFC 6763
// section 4.1.1).
func label(text string) string { return escape(cut(clean(text), longest)) }

// numbered is the instance's label after as many gates with its name were met
// (RFC 6762 section 9, RFC 6763 appendix D).
func numbered(instance string, taken int) string {
	if taken == 0 {
		return label(instance)
	}
	suffix := fmt.Sprintf(" (%d)", taken+1)
	return escape(cut(clean(instance), longest-len(suffix)) + suffix)
}

func clean(text string) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return -1
		}
		return r
	}, strings.ToValidUTF8(text, "")))
}

func cut(text string, n int) string {
	if len(text) <= n {
		return text
	}
	for n > 0 && !utf8.RuneStart(text[n]) {
		n--
	}
	return strings.TrimSpace(text[:n])
}

func escape(text string) string {
	var b strings.Builder
	for _, c := range []byte(text) {
		switch {
		case strings.IndexByte(`. '@;()"\`, c) >= 0:
			b.WriteByte('\\')
			b.WriteByte(c)
		case c < ' ' || c > '~':
			fmt.Fprintf(&b, `\%03d`, c)
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}

// plain undoes escape, for people.
func plain(label string) string {
	var b strings.Builder
	for i := 0; i < len(label); i++ {
		c := label[i]
		if c != '\\' || i+1 == len(label) {
			b.WriteByte(c)
			continue
		}
		i++
		if d := label[i:]; len(d) >= 3 && digit(d[0]) && digit(d[1]) && digit(d[2]) {
			b.WriteByte((d[0]-'0')*100 + (d[1]-'0')*10 + d[2] - '0')
			i += 2
			continue
		}
		b.WriteByte(label[i])
	}
	return b.String()
}

func digit(c byte) bool { return '0' <= c && c <= '9' }

// hostOf is NAME.local for what the system calls itself, or "" when that cannot
// be a name. It is the name that [paddock/lan.Us] has too.
func hostOf(hostname string) string {
	short, _, _ := strings.Cut(strings.ToLower(strings.TrimSpace(hostname)), ".")
	if short == "" || short == "localhost" || len(short) > longest ||
		strings.Trim(short, "abcdefghijklmnopqrstuvwxyz0123456789-_") != "" {
		return ""
	}
	return short + ".local."
}

// ownHost is a name for this machine that nobody else has a reason to bear, for
// when HOST.local is another's. It is the same after a restart. taken counts
// how many of them were met already.
func (s *Service) ownHost(taken int) string {
	h := sha256.New()
	for _, t := range s.TXT {
		if strings.HasPrefix(t, "fp=") {
			fmt.Fprintf(h, "%s\n", t)
		}
	}
	fmt.Fprintf(h, "%s\n%d", s.Hostname, taken)
	return "paddock-" + hex.EncodeToString(h.Sum(nil)[:4]) + ".local."
}
