package login

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// desktopEntry writes a file for an autostart folder (freedesktop.org: Desktop
// Entry Specification, Desktop Application Autostart Specification).
func desktopEntry(e Entry) ([]byte, error) {
	exec, err := quoteExec(e.Command)
	if err != nil {
		return nil, err
	}
	var b strings.Builder
	b.WriteString("[Desktop Entry]\nType=Application\n")
	for _, line := range [][2]string{{"Name", e.Name}, {"Comment", e.Comment}, {"Exec", exec}, {"Icon", ID}} {
		if line[1] != "" {
			fmt.Fprintf(&b, "%s=%s\n", line[0], escapeValue(line[1]))
		}
	}
	b.WriteString("Terminal=false\nX-GNOME-Autostart-enabled=true\n")
	return []byte(b.String()), nil
}

// parseDesktopEntry reads one, also as a desktop or a person left it: GNOME
// switches an entry off with a key of its own, all others with Hidden, which
// means "as if deleted".
func parseDesktopEntry(data []byte) (command []string, on bool, err error) {
	if !utf8.Valid(data) {
		return nil, false, errors.New("it is not UTF-8")
	}
	keys, found := map[string]string{}, false
	here := false
	for line := range strings.Lines(string(data)) {
		line = strings.TrimRight(line, "\r\n")
		if strings.HasPrefix(line, "[") {
			here = strings.TrimRight(line, " \t") == "[Desktop Entry]"
			found = found || here
			continue
		}
		if k, v, ok := strings.Cut(line, "="); ok && here && !strings.HasPrefix(line, "#") {
			keys[strings.TrimRight(k, " \t")] = strings.TrimLeft(v, " \t")
		}
	}
	if !found {
		return nil, false, errors.New("it has no group [Desktop Entry]")
	}
	if hidden := isTrue(keys["Hidden"]); hidden && keys["Exec"] == "" {
		return nil, false, nil // such a file may consist of that alone
	}
	exec, err := unescapeValue(keys["Exec"])
	if err != nil {
		return nil, false, err
	}
	if command, err = parseExec(exec); err != nil {
		return nil, false, err
	}
	gnome, has := keys["X-GNOME-Autostart-enabled"]
	on = keys["Type"] == "Application" && !isTrue(keys["Hidden"]) && (!has || isTrue(gnome))
	return command, on, nil
}

// isTrue takes the old way to write a boolean too, as GLib does.
func isTrue(v string) bool {
	v = strings.TrimRight(v, " \t")
	return v == "true" || v == "1"
}

// escapeValue writes what is to be the value of a key. It comes on top of the
// quoting of Exec, which makes four backslashes of one in a path.
func escapeValue(s string) string {
	s = strings.NewReplacer(`\`, `\\`, "\n", `\n`, "\t", `\t`, "\r", `\r`).Replace(s)
	if strings.HasPrefix(s, " ") { // which would be taken for space around "="
		s = `\s` + s[1:]
	}
	return s
}

func unescapeValue(s string) (string, error) {
	var b strings.Builder
	for rest := s; rest != ""; {
		plain, after, found := strings.Cut(rest, `\`)
		b.WriteString(plain)
		if !found {
			break
		}
		i := -1
		if after != "" {
			i = strings.IndexByte(`sntr\`, after[0])
		}
		if i < 0 {
			return "", fmt.Errorf("a backslash in %.200q stands before nothing that it could mean", s)
		}
		b.WriteByte(" \n\t\r\\"[i])
		rest = after[1:]
	}
	return b.String(), nil
}

const (
	// plainExec is what needs no quotes in Exec beside letters and digits.
	plainExec = "/._-+,:@%="
	// escapedExec is what a backslash must stand before inside the quotes.
	escapedExec = "\"`$\\"
)

// quoteExec writes a command as the key Exec has it.
func quoteExec(command []string) (string, error) {
	if len(command) == 0 {
		return "", errors.New("no command")
	}
	if strings.Contains(command[0], "=") {
		return "", fmt.Errorf("a desktop does not start %q: the path of a program may not contain an equal sign", command[0])
	}
	var words []string
	for _, arg := range command {
		// A lone % begins a field code such as %f, which desktops replace.
		words = append(words, quoteWord(strings.ReplaceAll(arg, "%", "%%")))
	}
	return strings.Join(words, " "), nil
}

func quoteWord(s string) string {
	if s != "" && !strings.ContainsFunc(s, func(r rune) bool { return !isPlain(r) }) {
		return s
	}
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		if strings.ContainsRune(escapedExec, r) {
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
	b.WriteByte('"')
	return b.String()
}

func isPlain(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune(plainExec, r)
}

// parseExec reads what quoteExec writes, and what others may have made of it:
// field codes have nothing to stand for at login and fall away.
func parseExec(s string) ([]string, error) {
	var command []string
	for {
		s = strings.TrimLeft(s, " \t\n")
		if s == "" {
			break
		}
		raw, rest, err := nextWord(s)
		if err != nil {
			return nil, err
		}
		s = rest
		word, err := expandCodes(raw)
		if err != nil {
			return nil, err
		}
		if word != "" || raw == "" {
			command = append(command, word)
		}
	}
	if len(command) == 0 {
		return nil, errors.New("it names no command")
	}
	return command, nil
}

// nextWord returns the first word with its quotes taken off. Like GLib it takes
// quotes in the middle of a word, although the specification has none.
func nextWord(s string) (word, rest string, err error) {
	var b strings.Builder
	quoted := false
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '"':
			quoted = !quoted
		case c == '\\' && quoted && i+1 < len(s) && strings.IndexByte(escapedExec, s[i+1]) >= 0,
			c == '\\' && !quoted && i+1 < len(s):
			i++
			b.WriteByte(s[i])
		case !quoted && strings.IndexByte(" \t\n", c) >= 0:
			return b.String(), s[i:], nil
		default:
			b.WriteByte(c)
		}
	}
	if quoted {
		return "", "", fmt.Errorf("%.200q has a quote that does not end", s)
	}
	return b.String(), "", nil
}

// expandCodes replaces field codes in one word.
func expandCodes(s string) (string, error) {
	var b strings.Builder
	for {
		plain, after, found := strings.Cut(s, "%")
		b.WriteString(plain)
		if !found {
			return b.String(), nil
		}
		if after == "" {
			return "", fmt.Errorf("%.200q ends in a lone %%", s)
		}
		if after[0] == '%' {
			b.WriteByte('%')
		}
		s = after[1:]
	}
}
