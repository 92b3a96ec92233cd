//go:build linux && e2e

package e2e_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"paddock/internal/testnet"
	"paddock/share"
)

// TestSoak is a long day of a laptop, in fast motion: mixed traffic, an address
// that changes all the time, and at the end nothing is left of it: no goroutines'
// worth of threads, no descriptors, no memory. SOAK says how long; in CI it is
// short, `make soak` takes an hour.
func TestSoak(t *testing.T) {
	length, every := time.Minute, 10*time.Second
	if text := os.Getenv("SOAK"); text != "" {
		d, err := time.ParseDuration(text)
		if err != nil {
			t.Fatalf("SOAK: %v", err)
		}
		length, every = d, time.Minute
	}
	v := newVillage(t)
	v.share("--demo")
	key := strings.TrimSpace(v.p.Must("keys", "add", "alice", "--rate", "none", "--concurrent", "none"))
	auth := "Authorization: Bearer " + key
	// Connections to Ollama that are kept for the next request belong to the start
	// as to the end.
	var first sync.WaitGroup
	for range 8 {
		first.Go(func() {
			for range 5 {
				v.something(v.mate, atHome, auth)
			}
		})
	}
	first.Wait()
	v.settle()
	before := v.weigh()

	var sent, failed atomic.Int64
	end := make(chan struct{})
	var people sync.WaitGroup
	for range 4 {
		people.Go(func() {
			for {
				select {
				case <-end:
					return
				default:
				}
				place, at := v.mate, atHome
				if rand.IntN(2) == 0 {
					place, at = v.guest, inCafe
				}
				sent.Add(1)
				if !v.something(place, at, auth) {
					failed.Add(1) // whoever is in the other network finds nobody
				}
			}
		})
	}
	moves := 0
	for until := time.Now().Add(length); time.Now().Before(until); moves++ {
		<-time.After(every)
		v.unplug()
		if moves%2 == 0 {
			v.goToCafe()
			v.until("the address in the café", 10*time.Second, shows(inCafe))
		} else {
			v.goHome()
			v.until("the address at home", 10*time.Second, shows(atHome))
		}
	}
	close(end)
	people.Wait()
	v.settle()
	after := v.weigh()
	st := v.state()
	t.Logf("%d requests (%d found nobody), %d moves: before %+v, after %+v; %d in the log", sent.Load(), failed.Load(), moves, before, after, st.Totals.Requests)
	if sent.Load() == failed.Load() || st.Totals.Failed > 0 {
		t.Errorf("%d of %d requests found nobody, %d failed", failed.Load(), sent.Load(), st.Totals.Failed)
	}
	if after.descriptors > before.descriptors+10 {
		t.Errorf("%d descriptors, %d before", after.descriptors, before.descriptors)
	}
	if after.threads > before.threads+12 {
		t.Errorf("%d threads, %d before", after.threads, before.threads)
	}
	if after.memory > before.memory+48<<20 {
		t.Errorf("%d MiB, %d before", after.memory>>20, before.memory>>20)
	}
	if st.Phase != share.Sharing || st.Running+st.Waiting != 0 {
		t.Errorf("at the end: %s, %d running, %d waiting", st.Phase, st.Running, st.Waiting)
	}
}

// something is one of the things that people do, and says whether it went well.
func (v *village) something(place *testnet.Place, at, auth string) bool {
	url := "https://" + at + ":11435"
	args := []string{"--disable", "-sS", "-o", "/dev/null", "-m", "5", "--connect-timeout", "1", "--noproxy", "*", "--cacert", v.ca()}
	switch rand.IntN(5) {
	case 0:
		args = append(args, "-H", auth, url+"/api/tags")
	case 1:
		args = append(args, "-H", auth, url+"/api/chat", "-d", `{"model":"demo","messages":[{"role":"user","content":"hi"}]}`)
	case 2: // leaves in the middle
		args = append(args, "-m", "0.05", "-H", auth, url+"/api/chat", "-d", `{"model":"demo","messages":[{"role":"user","content":"hi"}]}`)
	case 3: // in clear
		args = append(args, "http://"+at+":11435/api/tags")
	case 4: // with no key, and trusting nobody
		args = append(args, "-k", url+"/api/tags")
	}
	return exec.Command("ip", append([]string{"netns", "exec", place.Name, "curl"}, args...)...).Run() == nil
}

// weight is what a process holds.
type weight struct{ descriptors, threads, memory int }

func (v *village) weigh() weight {
	v.t.Helper()
	fds, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", v.show.Pid()))
	if err != nil {
		v.t.Fatal(err)
	}
	tasks, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*", v.show.Pid()))
	if err != nil {
		v.t.Fatal(err)
	}
	return weight{len(fds), len(tasks), v.show.Memory()}
}

// settle lets connections that were left time out: they have as long as a
// request's head.
func (v *village) settle() { <-time.After(12 * time.Second) }
