package safety

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// launchctlWait is how long one question to launchd may take.
const launchctlWait = time.Second

// here points the Finder at this system.
func (f *Finder) here() {
	if home, err := os.UserHomeDir(); err == nil {
		f.AppDB = filepath.Join(home, "Library", "Application Support", "Ollama", "db.sqlite")
	}
	f.system.account = account
}

// account reads what `launchctl setenv` left, which is how Ollama's
// documentation sets variables on macOS. Apps get them when they start.
func account(ctx context.Context) (Server, bool) {
	host, err1 := launchctl(ctx, "OLLAMA_HOST")
	origins, err2 := launchctl(ctx, "OLLAMA_ORIGINS")
	if errors.Join(err1, err2) != nil {
		return Server{}, false
	}
	return Server{From: FromAccount, Readable: true, Host: listenAddress(host), Origins: trimVar(origins)}, true
}

func launchctl(ctx context.Context, name string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, launchctlWait)
	defer cancel()
	out, err := exec.CommandContext(ctx, "/bin/launchctl", "getenv", name).Output() // name is one of the two above
	return strings.TrimSpace(string(out)), err
}
