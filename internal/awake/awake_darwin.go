package awake

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strconv"
)

// caffeinate is part of macOS. -i holds back the sleep that comes by itself and
// leaves the screen alone; -w ends it with this process, however that ends.
const caffeinate = "/usr/bin/caffeinate"

// take starts caffeinate. The reason is not told: it has no place for one.
func take(context.Context, string) (*lock, error) {
	// Not CommandContext: it is to live for longer than the call that began it.
	cmd := exec.Command(caffeinate, "-i", "-w", strconv.Itoa(os.Getpid())) //nolint:noctx // release ends it
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("starting caffeinate: %w", err)
	}
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		_ = cmd.Wait() // that it has ended is all there is to know
	}()
	return &lock{lost: gone, release: func() {
		_ = cmd.Process.Kill() // which fails when it has ended already
		<-gone
	}}, nil
}
