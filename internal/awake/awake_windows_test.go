package awake

import "testing"

func TestWindowsGivesALockAndTakesItBack(t *testing.T) {
	for range 2 {
		l, err := take(t.Context(), "why")
		if err != nil {
			t.Fatal(err)
		}
		l.release()
	}
}
