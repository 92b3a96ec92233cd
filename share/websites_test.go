package share

import (
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"paddock/policy"
	"paddock/settings"
)

// page sends a request as a page of an origin does, and returns the status and
// what the browser is told.
func (r *rig) page(origin, key string) (int, string) {
	r.t.Helper()
	req, err := http.NewRequestWithContext(r.t.Context(), http.MethodGet, "http://127.0.0.1:11435/api/tags", nil)
	if err != nil {
		r.t.Fatal(err)
	}
	req.Header.Set("Origin", origin)
	req.Header.Set("Authorization", "Bearer "+key)
	res, err := r.net.client.Do(req)
	if err != nil {
		r.t.Fatal(err)
	}
	defer res.Body.Close()
	return res.StatusCode, res.Header.Get("Access-Control-Allow-Origin")
}

const site = "https://app.example.com"

func TestWebsites(t *testing.T) {
	bubble(t, "a switch holds from the very next request on", nil, func(t *testing.T, r *rig) {
		r.share()
		key := r.key("alice")
		for i, step := range []struct {
			do     func() error
			status int
		}{
			{func() error { return nil }, http.StatusForbidden},
			{func() error { return r.AllowOrigin("HTTPS://App.example.com/") }, http.StatusOK},
			{func() error { return r.BlockOrigin(site) }, http.StatusForbidden},
			{func() error { return r.AllowOrigin(site) }, http.StatusOK},
			{func() error { return r.RemoveOrigin(site) }, http.StatusForbidden},
			{func() error { return r.AllowOrigin("https://app.example.com:*") }, http.StatusOK},
			{func() error { return r.settings.RemoveOrigin("https://app.example.com:*") }, http.StatusForbidden},
		} {
			if err := step.do(); err != nil {
				t.Fatal(err)
			}
			if i == 6 { // behind our back, as it were: noticed, but not at once
				synctest.Wait()
			}
			status, told := r.page(site, key)
			if status != step.status || (told == site) != (status == http.StatusOK) {
				t.Errorf("step %d: %d, and the browser is told %q", i, status, told)
			}
		}
		if code := r.ask("11435", key, http.MethodGet, "/api/tags", ""); code != http.StatusOK {
			t.Errorf("a program: %d", code)
		}
	})

	bubble(t, "presets stand apart from the list", nil, func(t *testing.T, r *rig) {
		for _, err := range []error{r.AllowOrigin("obsidian"), r.AllowOrigin("tauri"), r.BlockOrigin("tauri"), r.AllowOrigin(site), r.BlockOrigin("http://localhost:3000")} {
			if err != nil {
				t.Fatal(err)
			}
		}
		now := r.State().Websites
		if want := []policy.OriginRule{{Origin: site, Allowed: true}, {Origin: "http://localhost:3000"}}; !reflect.DeepEqual(now.List, want) {
			t.Errorf("the list: %v", now.List)
		}
		if len(now.Presets) != len(policy.Presets()) {
			t.Fatalf("the presets: %+v", now.Presets)
		}
		for i, p := range policy.Presets() {
			if want := (PresetState{p.Name, p.Name == "obsidian", p.Patterns}); !reflect.DeepEqual(now.Presets[i], want) {
				t.Errorf("got %+v, want %+v", now.Presets[i], want)
			}
		}
	})

	bubble(t, "what was refused is remembered until the owner decides", nil, func(t *testing.T, r *rig) {
		r.share()
		key := r.key("alice")
		began := time.Now()
		for range 3 {
			after(time.Minute)
			r.page(site, key)
		}
		r.page("http://localhost:5173", key)
		r.page("null", key) // cannot be allowed, so nobody is asked
		want := []RefusedOrigin{
			{"http://localhost:5173", 1, began.Add(3 * time.Minute), began.Add(3 * time.Minute)},
			{site, 3, began.Add(time.Minute), began.Add(3 * time.Minute)},
		}
		if got := r.State().Websites.Refused; !reflect.DeepEqual(got, want) {
			t.Errorf("got %+v, want %+v", got, want)
		}
		if err := errors.Join(r.AllowOrigin("local"), r.BlockOrigin(site)); err != nil {
			t.Fatal(err)
		}
		r.page(site, key)
		if got := r.State().Websites.Refused; len(got) != 0 {
			t.Errorf("after the decision: %+v", got)
		}
		if err := r.RemoveOrigin(site); err != nil {
			t.Fatal(err)
		}
		r.page(site, key)
		if got := r.State().Websites.Refused; len(got) != 1 || got[0].Count != 1 {
			t.Errorf("after the line is gone: %+v", got)
		}
	})

	bubble(t, "the errors are those of the settings", nil, func(t *testing.T, r *rig) {
		for _, err := range []error{r.AllowOrigin("*"), r.BlockOrigin("null"), r.RemoveOrigin("x")} {
			if _, ok := errors.AsType[*settings.ValueError](err); !ok {
				t.Errorf("got %v", err)
			}
		}
		if err := r.RemoveOrigin(site); !errors.Is(err, settings.ErrNoOrigin) {
			t.Errorf("got %v", err)
		}
	})
}

func TestRefusedWebsitesAreBounded(t *testing.T) {
	bubble(t, "the one that was seen least lately leaves", nil, func(t *testing.T, r *rig) {
		began := time.Now()
		for i := range 150 {
			r.sites.refuse(fmt.Sprintf("https://n%d.example", i), began.Add(time.Duration(i)*time.Second))
			r.sites.refuse(site, began.Add(time.Duration(i)*time.Second)) // comes again and again, so it stays
		}
		got := r.State().Websites.Refused
		if len(got) != maxRefused {
			t.Fatalf("%d are remembered", len(got))
		}
		if got[0].Origin != site || got[0].Count != 150 || got[1].Origin != "https://n149.example" || got[maxRefused-1].Origin != "https://n51.example" {
			t.Errorf("first %+v and %+v, last %+v", got[0], got[1], got[maxRefused-1])
		}
	})

	bubble(t, "a clock that is set back moves nothing back", nil, func(t *testing.T, r *rig) {
		now := time.Now()
		r.sites.refuse(site, now)
		r.sites.refuse(site, now.Add(-time.Hour))
		if got := r.State().Websites.Refused; len(got) != 1 || got[0].Count != 2 || !got[0].Last.Equal(now) {
			t.Errorf("got %+v", got)
		}
	})

	bubble(t, "a burst of them wakes ten times a second at most", nil, func(t *testing.T, r *rig) {
		after(time.Second)
		wake, stop := r.Watch()
		defer stop()
		wakes, over := 0, make(chan struct{})
		go func() {
			defer close(over)
			for {
				select {
				case <-wake:
					wakes++
					if got := r.State().Websites.Refused; len(got) == 1 && got[0].Count == 2000 {
						return
					}
				case <-time.After(time.Minute):
					t.Error("the last one was lost")
					return
				}
			}
		}()
		for range 2000 {
			r.sites.refuse(site, time.Now())
			time.Sleep(time.Millisecond)
		}
		<-over
		if wakes > 25 {
			t.Errorf("%d wakes in 2 s", wakes)
		}
	})
}

func TestManyWhoChangeWebsites(t *testing.T) {
	bubble(t, "the gate ends with what the settings end with", nil, func(t *testing.T, r *rig) {
		r.share()
		key := r.key("alice")
		var all sync.WaitGroup
		for range 4 {
			all.Go(func() {
				for range 10 {
					_ = r.AllowOrigin(site)
					_ = r.State()
					_ = r.BlockOrigin(site)
				}
			})
			all.Go(func() {
				for range 20 {
					r.sites.refuse(site, time.Now())
					_ = r.State()
				}
			})
		}
		all.Wait()
		status, _ := r.page(site, key)
		if allowed := r.settings.Get().Origins[0].Allowed; allowed != (status == http.StatusOK) {
			t.Errorf("the settings say %v, the gate %d", allowed, status)
		}
	})
}
