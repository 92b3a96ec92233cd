//go:build linux

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// caddyVersion is the release that Paddock is compared with.
const caddyVersion = "v2.11.9"

// tools are the programs of the comparison.
type tools struct{ nginx, caddy, wrk, paddock string }

// fetch finds the programs, or gets them from their public packages into the
// work folder. Nothing is installed.
func fetch(ctx context.Context, o options) (tools, error) {
	t := tools{nginx: o.nginx, caddy: o.caddy, paddock: o.paddock}
	var err error
	if t.wrk, err = exec.LookPath("wrk"); err != nil {
		return t, errors.New("wrk is missing, and without it there is no load: apt-get install wrk")
	}
	if t.nginx == "" {
		if t.nginx, err = fetchNginx(ctx, filepath.Join(o.dir, "nginx")); err != nil {
			return t, fmt.Errorf("nginx cannot be had: %w", err)
		}
	}
	if t.caddy == "" {
		if t.caddy, err = fetchCaddy(ctx, filepath.Join(o.dir, "caddy-"+caddyVersion)); err != nil {
			return t, fmt.Errorf("caddy cannot be had: %w", err)
		}
	}
	for _, file := range []string{t.nginx, t.caddy, t.paddock} {
		if err := executable(file); err != nil {
			return t, err
		}
	}
	return t, nil
}

func executable(file string) error {
	i, err := os.Stat(file)
	if err != nil {
		return err
	}
	if i.IsDir() || i.Mode()&0o111 == 0 {
		return fmt.Errorf("%s is no program", file)
	}
	return nil
}

// fetchNginx unpacks the distribution's package without installing it, so that
// no service comes with it and no root is needed.
func fetchNginx(ctx context.Context, dir string) (string, error) {
	file := filepath.Join(dir, "usr/sbin/nginx")
	if executable(file) == nil {
		return file, nil
	}
	say("Getting nginx from the distribution's packages…")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	if err := command(ctx, dir, nil, "apt-get", "download", "nginx"); err != nil {
		return "", err
	}
	debs, err := filepath.Glob(filepath.Join(dir, "nginx_*.deb"))
	if err != nil || len(debs) == 0 {
		return "", errors.Join(err, errors.New("apt-get left no package"))
	}
	if err := command(ctx, dir, nil, "dpkg", "-x", debs[len(debs)-1], dir); err != nil {
		return "", err
	}
	return file, executable(file)
}

// fetchCaddy builds Caddy outside of this module, whose go.mod stays as it is.
func fetchCaddy(ctx context.Context, dir string) (string, error) {
	file := filepath.Join(dir, "caddy")
	if executable(file) == nil {
		return file, nil
	}
	say("Building Caddy %s, once (two to four minutes)…", caddyVersion)
	away, err := os.MkdirTemp("", "benchpeers-")
	if err != nil {
		return "", err
	}
	defer func() { _ = os.RemoveAll(away) }() // it is empty, and the system clears it away otherwise
	env := []string{"GOBIN=" + dir, "GOFLAGS=", "GOWORK=off", "CGO_ENABLED=0"}
	err = command(ctx, away, env, "go", "install", "github.com/caddyserver/caddy/v2/cmd/caddy@"+caddyVersion)
	return file, err
}

// command runs a program to its end; its last words are the error.
func command(ctx context.Context, dir string, env []string, name string, args ...string) error {
	_, err := output(ctx, dir, env, name, args...)
	return err
}

// output is what a program prints.
func output(ctx context.Context, dir string, env []string, name string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), env...)
	var out, said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &said
	if err := cmd.Run(); err != nil {
		last := strings.TrimSpace(said.String())
		return "", fmt.Errorf("%s %s: %w: %s", filepath.Base(name), strings.Join(args, " "), err, last[max(0, len(last)-600):])
	}
	return out.String(), nil
}
