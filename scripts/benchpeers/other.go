//go:build !linux

package main

import (
	"fmt"
	"os"
)

func main() {
	_, _ = fmt.Fprintln(os.Stderr, "benchpeers: the comparison reads /proc and fetches Debian's nginx, so it runs on Linux only")
	os.Exit(1)
}
