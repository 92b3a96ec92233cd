package awake

import (
	"context"
	"fmt"
	"runtime"

	"golang.org/x/sys/windows"
)

// Flags of SetThreadExecutionState (winbase.h).
const (
	esSystemRequired = 0x00000001 // not ES_DISPLAY_REQUIRED: the screen may go dark
	esContinuous     = 0x80000000
)

var setThreadExecutionState = windows.NewLazySystemDLL("kernel32.dll").NewProc("SetThreadExecutionState")

// take makes a thread that wants the system awake. The wish is the thread's and
// ends with it. The reason is not told: the call has no place for one.
func take(context.Context, string) (*lock, error) {
	if err := setThreadExecutionState.Find(); err != nil {
		return nil, fmt.Errorf("finding SetThreadExecutionState: %w", err)
	}
	over, asked, done := make(chan struct{}), make(chan error, 1), make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		if before, _, err := setThreadExecutionState.Call(esContinuous | esSystemRequired); before == 0 {
			asked <- fmt.Errorf("asking Windows to stay awake: %w", err)
			return
		}
		asked <- nil
		<-over
		_, _, _ = setThreadExecutionState.Call(esContinuous)
	}()
	if err := <-asked; err != nil {
		<-done
		return nil, err
	}
	return &lock{release: func() {
		close(over)
		<-done
	}}, nil
}
