package safety

import (
	"io"
	"os"
	"testing"

	"go.uber.org/goleak"
)

// TestMain also plays a running Ollama: a process of this name that does
// nothing until its input ends.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Getenv("PADDOCK_TEST_STANDS_IN") != "" {
		_, _ = os.Stdout.WriteString("up\n")
		_, _ = io.Copy(io.Discard, os.Stdin)
		os.Exit(0)
	}
	goleak.VerifyTestMain(m)
}
