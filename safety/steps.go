package safety

import (
	"fmt"
	"net"
	"regexp"
	"strconv"
	"strings"
)

// runner is how Ollama is started on this machine.
type runner struct {
	unit, container, hand, app bool
	name                       string // of the unit
	user                       bool   // the unit is the user's own
}

// ollamaRuns finds out from the evidence; where it says nothing, the usual ways
// of the system.
func (e Evidence) ollamaRuns() runner {
	if e.OS == "darwin" || e.OS == "windows" {
		return runner{app: true}
	}
	var r runner
	for _, s := range e.Found.Servers {
		switch {
		case s.From != FromProcess:
		case s.Container:
			r.container = true
		case s.Unit != "":
			r.unit, r.name, r.user = true, s.Unit, s.UserUnit
		default:
			r.hand = true
		}
	}
	if r == (runner{}) {
		return runner{unit: e.OS == "linux", name: "ollama.service", hand: true}
	}
	return r
}

// home address of Ollama: this machine only.
func (e Evidence) loopback() string {
	port := 11434
	if e.Found.Probe.Port > 0 {
		port = e.Found.Probe.Port
	}
	return net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
}

// closeOllama are the steps that make Ollama listen on this machine only.
func (e Evidence) closeOllama() []Step {
	var steps []Step
	r := e.ollamaRuns()
	if r.app && (e.Found.App.Expose || !e.Found.App.Read) {
		steps = append(steps, exposeOff)
	}
	if r.container {
		steps = append(steps, Step{
			Text: "Ollama runs in a container. Let its port lead in from this machine only: where the container is made, put this in place of its -p or ports setting, and make it anew.",
			Code: "-p " + e.loopback() + ":11434",
		})
	}
	return append(steps, e.tell(r, "OLLAMA_HOST", e.loopback(), "host")...)
}

var exposeOff = Step{Text: "Open Settings in Ollama's app and switch off “Expose Ollama to the network”. Ollama restarts by itself."}

// closeOrigins are the steps that keep websites from calling Ollama directly.
func (e Evidence) closeOrigins() []Step {
	steps := e.tell(e.ollamaRuns(), "OLLAMA_ORIGINS", "", "origins")
	return append(steps, Step{Text: "A website that needs Ollama can be allowed in Paddock instead, where it needs a key as well."})
}

// tell are the steps that give Ollama a variable, or take it away when value is
// "". The drop-in of each variable has its own name, which sorts after those
// that are there, so that it has the last word.
func (e Evidence) tell(r runner, name, value, short string) []Step {
	switch {
	case e.OS == "darwin":
		return []Step{
			{Text: "Take back what was set for all apps:", Code: "launchctl unsetenv " + name},
			{Text: "Quit Ollama in the menu bar and open it again."},
		}
	case e.OS == "windows":
		return []Step{
			{
				Text: "Take the variable back, in PowerShell:",
				Code: "[Environment]::SetEnvironmentVariable('" + name + "', $null, 'User')",
			},
			{Text: "If it was set for all accounts, remove it under “Edit the system environment variables” as well."},
			{Text: "Quit Ollama by its icon next to the clock and start it again."},
		}
	}
	var steps []Step
	if r.unit {
		sudo, systemctl, folder := "sudo ", "sudo systemctl", "/etc/systemd/system/"+r.name+".d"
		if r.user {
			sudo, systemctl, folder = "", "systemctl --user", "~/.config/systemd/user/"+r.name+".d"
		}
		text := "Ollama is started by systemd. Tell it so there, and restart it; running requests stop:"
		if r.hand {
			text = "If Ollama was installed by its installer, systemd starts it. Tell it so there, and restart it; running requests stop:"
		}
		steps = append(steps, Step{Text: text, Code: fmt.Sprintf(
			"%smkdir -p %s\nprintf '[Service]\\nEnvironment=\"%s=%s\"\\n' | %stee %s/zz-paddock-%s.conf\n%s daemon-reload && %s restart %s",
			sudo, folder, name, value, sudo, folder, short, systemctl, systemctl, r.name)})
	}
	if r.hand {
		text, code := "If you start Ollama yourself, stop it and start it so:", name+"="+value+" ollama serve"
		if !r.unit {
			text = "Stop the Ollama that runs, and start it so:"
		}
		if value == "" {
			code = "env -u " + name + " ollama serve"
		}
		steps = append(steps, Step{Text: text, Code: code})
	}
	if r.container && value == "" {
		steps = append(steps, Step{Text: "Ollama runs in a container: make it anew without " + name + "."})
	}
	return steps
}

// plainWord is what needs no quotes on any command line.
var plainWord = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9._-]*$`)

// quoted makes one word of a path for the shells of Linux and macOS, or returns
// false for what cannot be copied as one line.
func quoted(s string) (string, bool) {
	if clean(s) != s { // as long, and without control characters
		return "", false
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'", true
}
