package discovery

import (
	"os"
	"testing"

	"go.uber.org/goleak"
)

// child is what the test binary does instead when a test starts it again, in
// another network namespace; the file with that test sets it.
var child func()

func TestMain(m *testing.M) {
	if child != nil && os.Getenv("PADDOCK_DISCOVERY_CHILD") != "" {
		child()
		return
	}
	goleak.VerifyTestMain(m)
}
