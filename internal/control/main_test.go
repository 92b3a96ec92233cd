package control

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"testing"

	"go.uber.org/goleak"
)

// instanceHome turns the test program into an instance that can be killed.
const instanceHome = "CONTROL_TEST_INSTANCE"

func TestMain(m *testing.M) {
	if home := os.Getenv(instanceHome); home != "" {
		instance(home)
	}
	// What the desktop of whoever runs the tests says must not matter.
	_ = os.Unsetenv("XDG_RUNTIME_DIR")
	goleak.VerifyTestMain(m)
}

func instance(home string) {
	lock, err := Claim(home)
	if err == nil {
		_, err = Serve(lock, func(context.Context, string, json.RawMessage, func(any) error) (any, error) {
			return os.Getpid(), nil
		})
	}
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println("ready")
	select {}
}
