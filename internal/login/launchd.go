package login

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
)

// launchAgent writes a LaunchAgent (launchd.plist(5)). It begins with a session
// that has a screen and is not started anew when it ends: who quits means it.
func launchAgent(e Entry) ([]byte, error) {
	var b bytes.Buffer
	b.WriteString(xml.Header)
	b.WriteString(`<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0">
<dict>
	<key>Label</key>
	<string>` + ID + `</string>
	<key>ProgramArguments</key>
	<array>
`)
	for _, arg := range e.Command {
		b.WriteString("\t\t<string>")
		if err := xml.EscapeText(&b, []byte(arg)); err != nil {
			return nil, err
		}
		b.WriteString("</string>\n")
	}
	b.WriteString(`	</array>
	<key>RunAtLoad</key>
	<true/>
	<key>ProcessType</key>
	<string>Interactive</string>
	<key>LimitLoadToSessionType</key>
	<string>Aqua</string>
</dict>
</plist>
`)
	return b.Bytes(), nil
}

// parseLaunchAgent reads one, also as a person left it. It is on when launchd
// starts it by itself and the file does not say Disabled; what `launchctl
// disable` says is elsewhere, see disabledIn.
func parseLaunchAgent(data []byte) (command []string, on bool, err error) {
	var list struct {
		XMLName xml.Name `xml:"plist"`
		Dict    struct {
			Items []plistItem `xml:",any"`
		} `xml:"dict"`
	}
	d := xml.NewDecoder(bytes.NewReader(data))
	if err := d.Decode(&list); err != nil {
		return nil, false, err
	}
	// Behind the list there may be space and comments, and nothing else.
	for {
		t, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, false, err
		}
		if _, more := t.(xml.StartElement); more {
			return nil, false, errors.New("it has more than one property list")
		}
	}
	items := list.Dict.Items
	if len(items)%2 != 0 {
		return nil, false, errors.New("it has a key without a value")
	}
	values := map[string]plistItem{}
	for i := 0; i < len(items); i += 2 {
		if items[i].XMLName.Local != "key" {
			return nil, false, fmt.Errorf("it has <%.20s> in the place of a key", items[i].XMLName.Local)
		}
		values[items[i].Text] = items[i+1]
	}
	for _, x := range values["ProgramArguments"].Items {
		if x.XMLName.Local != "string" {
			return nil, false, fmt.Errorf("it has <%.20s> in the place of an argument", x.XMLName.Local)
		}
		command = append(command, x.Text)
	}
	if len(command) == 0 {
		return nil, false, errors.New("it names no command")
	}
	on = values["RunAtLoad"].XMLName.Local == "true" && values["Disabled"].XMLName.Local != "true"
	return command, on, nil
}

// plistItem is a key or a value.
type plistItem struct {
	XMLName xml.Name
	Text    string      `xml:",chardata"`
	Items   []plistItem `xml:",any"`
}

// disabledIn finds our line in what `launchctl print-disabled` prints. It weighs
// more than the file. Until macOS 12 the line says true, later disabled.
func disabledIn(output []byte) bool {
	for line := range strings.Lines(string(output)) {
		name, state, ok := strings.Cut(line, "=>")
		if ok && strings.TrimSpace(name) == `"`+ID+`"` {
			state = strings.TrimSpace(state)
			return state == "true" || state == "disabled"
		}
	}
	return false
}
