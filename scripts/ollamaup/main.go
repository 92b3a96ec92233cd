// Command ollamaup says where an Ollama is expected and whether one answers there.
//
// It prints the address and ends with 0 when one does, 1 when none does. The
// address is the one that Paddock would take; `make run` asks before it decides
// about the demo. A program and not curl, because a fresh machine has
// Go by then and may have no curl.
package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"paddock/settings"
)

func main() {
	base, err := address(os.Args[1:], os.Getenv)
	if err == nil {
		_, _ = fmt.Fprintln(os.Stdout, base)
		err = answers(base)
	}
	if err != nil {
		_, _ = fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// address is where Paddock itself would look with these arguments: the setting
// share.ollama of its home, else OLLAMA_HOST, else Ollama's usual place.
func address(args []string, getenv func(string) string) (string, error) {
	home := getenv("PADDOCK_HOME")
	for i, arg := range args {
		if value, ok := strings.CutPrefix(arg, "--home="); ok {
			home = value
		}
		if arg == "--home" && i+1 < len(args) {
			home = args[i+1]
		}
	}
	if home == "" {
		dir, err := os.UserConfigDir()
		if err != nil {
			return "", err
		}
		home = filepath.Join(dir, "paddock")
	}
	choices, err := settings.Open(home)
	if err != nil {
		return "", err
	}
	u, err := settings.Upstream("", choices.Get().Ollama, getenv("OLLAMA_HOST"))
	if err != nil {
		return "", err
	}
	return strings.TrimSuffix(u.String(), "/"), nil
}

// answers asks for Ollama's version and takes no other program's word.
func answers(base string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, base+"/api/version", http.NoBody)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 4096))
	if err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK || !strings.Contains(string(body), `"version"`) {
		return fmt.Errorf("%s answers %s, which is not what Ollama says", base, resp.Status)
	}
	return nil
}
