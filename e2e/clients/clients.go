//go:build linux

// Package clients runs real npm clients against a server: ollama, openai,
// @anthropic-ai/sdk, @langchain/ollama and ai with a provider for Ollama, and
// pages in a browser.
//
// They are installed at the versions of the lock file with "npm ci" into the cache of package
// [paddock/e2e/cache], once for each lock file.
package clients

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"paddock/e2e/cache"
)

//go:embed *.mjs package.json package-lock.json .npmrc
var files embed.FS

// Client is one of the npm packages.
type Client string

// The clients.
const (
	Ollama    Client = "ollama"
	OpenAI    Client = "openai"
	Anthropic Client = "anthropic"
	LangChain Client = "langchain" // @langchain/ollama
	AISDK     Client = "aisdk"     // ai with ollama-ai-provider-v2
)

// All is every client.
var All = []Client{Ollama, OpenAI, Anthropic, LangChain, AISDK}

// Action is what a client does.
type Action string

// The actions. All clients chat.
const (
	List  Action = "list"
	Chat  Action = "chat"
	Embed Action = "embed"
)

// Can says whether a client has a way to act so.
func (c Client) Can(a Action) bool {
	switch a {
	case List:
		return c != LangChain && c != AISDK
	case Embed:
		return c != Anthropic
	default:
		return true
	}
}

// Set is the installed clients, pointed at one server with one key. Its fields
// may be changed between runs.
type Set struct {
	// BaseURL is the server without a path such as /v1.
	BaseURL string
	// Key is the API key, sent in the way of each client.
	Key string
	// Env is added to the environment, such as "NODE_EXTRA_CA_CERTS=/ca.pem".
	Env []string

	t   testing.TB
	dir string
}

// New installs the clients if needed and points them at a server.
func New(t testing.TB, baseURL, key string) *Set {
	t.Helper()
	for _, tool := range []string{"node", "npm"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Fatalf("%s is not installed; the clients need Node.js 18 or later with npm", tool)
		}
	}
	s := &Set{BaseURL: baseURL, Key: key, t: t, dir: t.TempDir()}
	installed := cache.Once(t, "clients-"+lockHash(t), install)
	if err := os.Symlink(filepath.Join(installed, "node_modules"), filepath.Join(s.dir, "node_modules")); err != nil {
		t.Fatal(err)
	}
	if err := unpack(s.dir, "*.mjs"); err != nil {
		t.Fatal(err)
	}
	return s
}

// lockHash names the installation; another lock file makes another one.
func lockHash(t testing.TB) string {
	t.Helper()
	lock, err := files.ReadFile("package-lock.json")
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(lock)
	return hex.EncodeToString(sum[:6])
}

// install installs exactly what the lock file says.
func install(dir string) error {
	if err := unpack(dir, "package*.json", ".npmrc"); err != nil {
		return err
	}
	cmd := exec.Command("npm", "ci")
	cmd.Dir = dir
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("npm ci: %w\n%s", err, out.Bytes())
	}
	return nil
}

// unpack writes embedded files to a folder.
func unpack(dir string, patterns ...string) error {
	for _, p := range patterns {
		names, err := fs.Glob(files, p)
		if err != nil {
			return err
		}
		for _, name := range names {
			b, err := files.ReadFile(name)
			if err != nil {
				return err
			}
			if err := os.WriteFile(filepath.Join(dir, name), b, 0o644); err != nil {
				return err
			}
		}
	}
	return nil
}
