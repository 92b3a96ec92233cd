//go:build linux

package ollama

import (
	"embed"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"paddock/e2e/cache"
)

// Version is the Ollama that the tests run.
const Version = "v0.17.4"

// include holds the header that is left out of Ollama's module zip (as every
// folder named vendor is) and that no distribution packages.
//
//go:embed include
var include embed.FS

// headers asks the preprocessor for the two other headers that are left out.
const headers = `
#if !__has_include(<nlohmann/json_fwd.hpp>)
#error nlohmann/json_fwd.hpp is missing
#endif
#if !__has_include(<stb/stb_image.h>)
#error stb/stb_image.h is missing
#endif
`

// Binary returns the path of an ollama program of [Version]. It is built from
// source with plain go install the first time and kept in the cache.
// PADDOCK_E2E_OLLAMA names another one to use instead.
func Binary(t testing.TB) string {
	t.Helper()
	if bin := os.Getenv("PADDOCK_E2E_OLLAMA"); bin != "" {
		if _, err := os.Stat(bin); err != nil {
			t.Fatalf("PADDOCK_E2E_OLLAMA: %v", err)
		}
		return bin
	}
	return filepath.Join(cache.Once(t, "ollama-"+Version, build), "ollama")
}

// build builds Ollama into dir: the processor only, no cmake. Without
// optimisation of the C++ it takes a quarter of the time and is quick enough for
// models this small.
func build(dir string) error {
	if err := checkCompiler(); err != nil {
		return err
	}
	inc, err := writeHeaders()
	if err != nil {
		return err
	}
	cmd := exec.Command("go", "install", "-trimpath",
		"-ldflags=-s -w -X=github.com/ollama/ollama/version.Version="+strings.TrimPrefix(Version, "v"),
		"github.com/ollama/ollama@"+Version)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOBIN="+dir, "GOFLAGS=", "CGO_ENABLED=1", "CGO_CPPFLAGS=-I"+inc, "CGO_CXXFLAGS=-O0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("build Ollama %s: %w\n%s", Version, err, tail(out))
	}
	return nil
}

func checkCompiler() error {
	cmd := exec.Command("g++", "-E", "-x", "c++", "-o", os.DevNull, "-")
	cmd.Stdin = strings.NewReader(headers)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("building Ollama needs a C++ compiler and two header packages; on Debian: apt-get install g++ nlohmann-json3-dev libstb-dev: %w\n%s", err, tail(out))
	}
	return nil
}

// writeHeaders puts the embedded headers into the cache. The path must not
// depend on where this project lies or which run it is: it is part of the key
// of Go's build cache, and a new path compiles all of llama.cpp again.
func writeHeaders() (string, error) {
	root, err := cache.Root()
	if err != nil {
		return "", err
	}
	from := "include/miniaudio/miniaudio.h"
	text, err := include.ReadFile(from)
	if err != nil {
		return "", err
	}
	to := filepath.Join(root, "ollama-"+from)
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return "", err
	}
	return filepath.Join(root, "ollama-include"), os.WriteFile(to, text, 0o644)
}

// tail keeps the end of a long message.
func tail(b []byte) string {
	const most = 4000
	if len(b) > most {
		b = append([]byte("…"), b[len(b)-most:]...)
	}
	return strings.TrimSpace(string(b))
}
