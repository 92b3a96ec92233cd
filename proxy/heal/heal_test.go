package heal

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"testing"
	"testing/synctest"
	"time"
)

// cutMidStream leaves tiny suspect and wedged.
func cutMidStream(r *rig, model string) {
	r.Helper()
	r.must(call(model), time.Millisecond, true)
	r.f.wedge(model)
}

func TestAWedgedSuspectIsHealedInTenSecondsAndTheRequestSucceeds(t *testing.T) {
	bubble(t, func(r *rig) {
		cutMidStream(r, tiny)
		took := r.must(call(tiny), time.Second, false)
		if took < 9*time.Second || took > 14*time.Second {
			r.Errorf("answered after %v", took)
		}
		e := r.happened()
		if len(e) != 1 || e[0].Model != tiny || e[0].Err != nil || e[0].Waiting != 1 || e[0].Waited < 9*time.Second {
			r.Errorf("events %+v", e)
		}
		// It is well now, and no longer suspect.
		if took := r.must(call(tiny), 30*time.Second, false); took != 30*time.Second {
			r.Errorf("then answered after %v", took)
		}
		if len(r.happened()) != 1 {
			r.Error("healed again")
		}
	})
}

func TestAWedgeThatNobodySawIsHealedAfterAMinute(t *testing.T) {
	bubble(t, func(r *rig) {
		r.must(call(tiny), time.Millisecond, false)
		r.f.wedge(tiny) // by a program that does not come through the gate
		took := r.must(call(tiny), time.Second, false)
		if took < time.Minute || took > 70*time.Second {
			r.Errorf("answered after %v", took)
		}
		if e := r.happened(); len(e) != 1 || e[0].Err != nil {
			r.Errorf("events %+v", e)
		}
	})
}

func TestTheExpiryTimeNeedNotBeInTheFuture(t *testing.T) {
	for _, shift := range []time.Duration{-24 * time.Hour, 24 * time.Hour} {
		bubble(t, func(r *rig) {
			r.f.shift = shift // the clocks of two computers, or a clock that jumped
			cutMidStream(r, tiny)
			if took := r.must(call(tiny), time.Second, false); took > 14*time.Second {
				r.Errorf("answered after %v", took)
			}
		})
	}
}

func TestAModelThatLoadsForMinutesIsLeftAlone(t *testing.T) {
	for name, set := range map[string]func(*fake){
		"not listed":        func(f *fake) { f.load = 20 * time.Minute },
		"listed":            func(f *fake) { f.settle = 20 * time.Minute },
		"first not, then":   func(f *fake) { f.load, f.settle = 10*time.Minute, 10*time.Minute },
		"just over a bound": func(f *fake) { f.load, f.settle = 59*time.Second, 62*time.Second },
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(r *rig) {
				set(r.f)
				r.must(call(tiny), time.Second, false)
				r.quiet()
			})
		})
	}
}

// A client left while another one waited for other options: Ollama reloads, and
// the watchdog cannot see that the suspect runner is another one now.
func TestASuspectThatLoadsLosesNoRequest(t *testing.T) {
	bubble(t, func(r *rig) {
		first := <-r.start(r.Context(), call(tiny), r.f.answer(tiny, time.Second))
		sent := 0
		r.f.settle = 5 * time.Minute
		second := r.start(r.Context(), call(other), func(ctx context.Context) (*http.Response, error) {
			sent++
			return r.f.answer(other, time.Second)(ctx)
		})
		synctest.Wait()
		r.w.mu.Lock()
		r.w.models[other].suspect = true
		r.w.mu.Unlock()
		got := <-second
		if got.err != nil || sent != 1 || got.took != 5*time.Minute+time.Second {
			r.Errorf("sent %d times, %+v", sent, got)
		}
		got.end(false)
		first.end(false)
		for _, e := range r.happened() {
			if !errors.Is(e.Err, context.DeadlineExceeded) || e.Waiting != 0 {
				r.Errorf("event %+v", e)
			}
		}
	})
}

func TestALongPromptOnASlowMachineIsNotHealedEarly(t *testing.T) {
	c := call(tiny)
	c.Bytes = 16 << 10 // 4,096 tokens at 20 a second
	for name, left := range map[string]bool{"not suspect": false, "suspect": true} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(r *rig) {
				r.must(call(tiny), time.Second, left)
				takes := 200 * time.Second
				if left {
					takes = 40 * time.Second // a wedge is likelier than so slow a machine
				}
				r.must(c, takes, false)
				r.quiet()
			})
		})
	}
}

func TestAnAnswerInOnePieceHasMoreTime(t *testing.T) {
	c := call(tiny)
	c.Whole = true
	bubble(t, func(r *rig) {
		r.must(call(tiny), time.Second, true)
		r.must(c, 2*time.Minute, false)
		r.must(c, 10*time.Minute, false)
		r.must(c, time.Second, true) // such an answer cannot wedge
		r.must(call(tiny), 50*time.Second, false)
		r.quiet()
	})
}

func TestAModelThatIsBusyForAnotherTeammateIsLeftAlone(t *testing.T) {
	bubble(t, func(r *rig) {
		r.must(call(tiny), time.Second, true) // suspect, and expires_at stands still
		long := <-r.start(r.Context(), call(tiny), r.f.answer(tiny, time.Second))
		r.w.mu.Lock()
		r.w.models[tiny].suspect = true
		r.w.mu.Unlock()
		waits := r.start(r.Context(), call(tiny), r.f.answer(tiny, time.Second))
		time.Sleep(time.Hour)
		long.end(false)
		got := <-waits
		if got.err != nil {
			r.Fatal(got.err)
		}
		got.end(false)
		r.quiet()
	})
}

func TestAModelThatIsUsedByAnotherProgramIsLeftAlone(t *testing.T) {
	bubble(t, func(r *rig) {
		r.must(call(tiny), time.Second, false)
		// Somebody's short requests end again and again; ours is unlucky.
		unlucky := r.start(r.Context(), call(tiny), func(ctx context.Context) (*http.Response, error) {
			for range 100 {
				run := r.f.get(tiny)
				if err := wait(ctx, 3700*time.Millisecond); err != nil {
					return nil, err
				}
				r.f.release(tiny, run)
			}
			return r.f.answer(tiny, time.Second)(ctx)
		})
		got := <-unlucky
		if got.err != nil {
			r.Fatal(got.err)
		}
		got.end(false)
		r.quiet()
	})
}

func TestAnotherProgramThatWaitsTooKeepsTheModelInMemory(t *testing.T) {
	bubble(t, func(r *rig) {
		cutMidStream(r, tiny)
		foreign := r.f.get(tiny)
		ctx, leave := context.WithTimeout(r.Context(), 10*time.Minute)
		defer leave()
		sent := 0
		got := <-r.start(ctx, call(tiny), func(ctx context.Context) (*http.Response, error) {
			sent++
			return r.f.answer(tiny, time.Second)(ctx)
		})
		if !errors.Is(got.err, context.DeadlineExceeded) {
			r.Errorf("%+v", got)
		}
		if e := r.happened(); len(e) != 1 || !errors.Is(e[0].Err, ErrStays) || sent != 2 {
			r.Errorf("sent %d times, events %+v", sent, e)
		}
		r.f.release(tiny, foreign)
		// Ollama was asked, so the model went when the last one left.
		if took := r.must(call(tiny), time.Second, false); took != time.Second {
			r.Errorf("answered after %v", took)
		}
	})
}

func TestAnOllamaThatIsDeadIsToldOnce(t *testing.T) {
	bubble(t, func(r *rig) {
		cutMidStream(r, tiny)
		r.f.down = true
		ctx, leave := context.WithTimeout(r.Context(), 10*time.Minute)
		defer leave()
		sent := 0
		got := <-r.start(ctx, call(tiny), func(ctx context.Context) (*http.Response, error) {
			sent++
			return r.f.answer(tiny, time.Second)(ctx)
		})
		if !errors.Is(got.err, context.DeadlineExceeded) || sent != 1 {
			r.Errorf("sent %d times, %+v", sent, got)
		}
		if e := r.happened(); len(e) != 1 || !errors.Is(e[0].Err, errDown) || e[0].Model != "" {
			r.Errorf("events %+v", e)
		}
	})
}

func TestAnOllamaWithoutAddressIsNotAsked(t *testing.T) {
	bubble(t, func(r *rig) {
		cutMidStream(r, tiny)
		r.target = nil
		ctx, leave := context.WithTimeout(r.Context(), 10*time.Minute)
		defer leave()
		<-r.start(ctx, call(tiny), r.f.answer(tiny, time.Second))
		r.quiet()
	})
}

func TestAnotherAddressIsAnotherOllama(t *testing.T) {
	bubble(t, func(r *rig) {
		cutMidStream(r, tiny)
		got := r.start(r.Context(), call(tiny), r.f.answer(tiny, time.Second))
		time.Sleep(5 * time.Second)
		r.mu.Lock()
		r.target = &url.URL{Scheme: "http", Host: "10.0.0.9:11434"}
		r.mu.Unlock()
		time.Sleep(30 * time.Second)
		r.quiet() // what was seen of the first one does not count
		g := <-got
		if g.err != nil || len(r.happened()) != 1 {
			r.Fatal(g.err)
		}
		g.end(false)
	})
}

func TestTwoWedgedModelsAreHealedAtOnce(t *testing.T) {
	bubble(t, func(r *rig) {
		cutMidStream(r, tiny)
		cutMidStream(r, other)
		a := r.start(r.Context(), call(tiny), r.f.answer(tiny, time.Second))
		b := r.start(r.Context(), call(other), r.f.answer(other, time.Second))
		for _, c := range []<-chan result{a, b} {
			got := <-c
			if got.err != nil || got.took > 14*time.Second {
				r.Errorf("%+v", got)
			}
			got.end(false)
		}
		if len(r.happened()) != 2 {
			r.Error(r.happened())
		}
	})
}

func TestAllWhoWaitAreAnsweredAndAWedgeWhileOthersWaitIsHealed(t *testing.T) {
	bubble(t, func(r *rig) {
		// The first answer since the model was loaded, so that it was never idle.
		first := <-r.start(r.Context(), call(tiny), r.f.answer(tiny, time.Second))
		var waits []<-chan result
		for range 20 {
			waits = append(waits, r.start(r.Context(), call(tiny), r.f.answer(tiny, time.Millisecond)))
		}
		synctest.Wait()
		run := r.f.runners[tiny]
		r.f.release(tiny, run) // its client leaves, and the slot stays lost
		first.a.End(true)
		began := time.Now()
		done := make(chan struct{})
		for _, c := range waits {
			go func() {
				got := <-c
				if got.err != nil {
					r.Error(got.err)
				} else {
					got.end(false)
				}
				done <- struct{}{}
			}()
		}
		for range waits {
			<-done
		}
		if took := time.Since(began); took > 15*time.Second {
			r.Errorf("all answered after %v", took)
		}
		if e := r.happened(); len(e) != 1 || e[0].Err != nil || e[0].Waiting != 20 {
			r.Errorf("events %+v", e)
		}
	})
}

func TestAModelIsHealedOnceAMinuteAndARequestOnce(t *testing.T) {
	bubble(t, func(r *rig) {
		cutMidStream(r, tiny)
		r.must(call(tiny), time.Second, false)
		began := time.Now()
		cutMidStream(r, tiny)
		took := r.must(call(tiny), time.Second, false)
		if e := r.happened(); len(e) != 2 || e[1].At.Sub(e[0].At) < time.Minute || took < 50*time.Second {
			r.Errorf("after %v, %v: %+v", took, time.Since(began), e)
		}
		// One that was sent again already is left waiting.
		time.Sleep(2 * time.Minute)
		cutMidStream(r, tiny)
		ctx, leave := context.WithTimeout(r.Context(), 20*time.Minute)
		defer leave()
		sent := 0
		got := <-r.start(ctx, call(tiny), func(ctx context.Context) (*http.Response, error) {
			sent++
			if sent == 2 {
				r.f.wedge(tiny)
			}
			return r.f.answer(tiny, time.Second)(ctx)
		})
		if sent != 2 || !errors.Is(got.err, context.DeadlineExceeded) || len(r.happened()) != 3 {
			r.Errorf("sent %d times, %v, %+v", sent, got.err, r.happened())
		}
		// It has left, and the next one is answered.
		r.must(call(tiny), time.Second, false)
		if len(r.happened()) != 4 {
			r.Errorf("%+v", r.happened())
		}
	})
}

func TestWhoGivesUpEarlyHelpsTheNext(t *testing.T) {
	bubble(t, func(r *rig) {
		r.must(call(tiny), time.Second, false)
		r.f.wedge(tiny)
		began := time.Now()
		for {
			ctx, leave := context.WithTimeout(r.Context(), 20*time.Second)
			got := <-r.start(ctx, call(tiny), r.f.answer(tiny, time.Second))
			leave()
			if got.err == nil {
				got.end(false)
				break
			}
			if time.Since(began) > 2*time.Minute {
				r.Fatal("clients that wait for 20 s are never answered")
			}
		}
	})
}

func TestErrorsOfOllamaAreNoSignOfLife(t *testing.T) {
	bubble(t, func(r *rig) {
		cutMidStream(r, tiny)
		bad := func(context.Context) (*http.Response, error) {
			return &http.Response{StatusCode: http.StatusBadRequest, Body: http.NoBody}, nil
		}
		waits := r.start(r.Context(), call(tiny), r.f.answer(tiny, time.Second))
		for range 3 {
			time.Sleep(3 * time.Second)
			got := <-r.start(r.Context(), call(tiny), bad)
			got.a.End(false)
		}
		got := <-waits
		if got.err != nil || got.took > 14*time.Second {
			r.Errorf("%+v", got)
		}
		got.end(false)
	})
}

func TestTheClientLeavesDuringTheHealing(t *testing.T) {
	bubble(t, func(r *rig) {
		cutMidStream(r, tiny)
		foreign := r.f.get(tiny) // so that it lasts
		ctx, leave := context.WithTimeout(r.Context(), 18*time.Second)
		defer leave()
		got := <-r.start(ctx, call(tiny), r.f.answer(tiny, time.Second))
		if !errors.Is(got.err, context.DeadlineExceeded) || got.took != 18*time.Second {
			r.Errorf("%+v", got)
		}
		r.f.release(tiny, foreign)
		r.must(call(tiny), time.Second, false) // waits for the end of it
	})
}

func TestAComputerThatSleptWasNotSilent(t *testing.T) {
	bubble(t, func(r *rig) {
		cutMidStream(r, tiny)
		waits := r.start(r.Context(), call(tiny), r.f.answer(tiny, time.Second))
		time.Sleep(2500 * time.Millisecond)
		r.w.mu.Lock()
		r.w.last = r.w.last.Add(-time.Hour) // as if the last look were that old
		r.w.mu.Unlock()
		time.Sleep(time.Second)
		r.quiet()
		got := <-waits
		if got.err != nil {
			r.Fatal(got.err)
		}
		got.end(false)
	})
}

func TestASendThatPanicsLeavesNothingBehind(t *testing.T) {
	bubble(t, func(r *rig) {
		func() {
			defer func() { _ = recover() }()
			_, _, _ = r.w.Do(r.Context(), call(tiny), func(context.Context) (*http.Response, error) { panic("x") })
		}()
		if r.w.waiting != 0 || r.w.models[tiny].first != nil {
			r.Error("it still waits")
		}
	})
}

func TestNothingRunsWhileNobodyWaits(t *testing.T) {
	bubble(t, func(r *rig) {
		for range 100 {
			r.must(call(tiny), time.Millisecond, false)
		}
		time.Sleep(2 * tick)
		synctest.Wait()
		r.w.mu.Lock()
		if r.w.armed || r.w.waiting != 0 {
			r.Errorf("armed %v, waiting %d", r.w.armed, r.w.waiting)
		}
		r.w.mu.Unlock()
		if r.f.asked != 0 {
			r.Errorf("Ollama was asked %d times", r.f.asked)
		}
	})
}

func TestAnEndCanBeSaidTwiceAndByNobody(t *testing.T) {
	bubble(t, func(r *rig) {
		(*Attempt)(nil).End(true)
		got := <-r.start(r.Context(), call(tiny), r.f.answer(tiny, 0))
		got.end(false)
		got.end(true)
		if m := r.w.models[tiny]; m.streams != 0 || m.suspect {
			r.Errorf("%+v", m)
		}
	})
}

func TestNamesFromRequestsDoNotPileUp(t *testing.T) {
	bubble(t, func(r *rig) {
		for i := range 3 * mostModels {
			c := call(string(rune('a'+i%26)) + time.Duration(i).String())
			r.must(c, 0, false)
		}
		if n := len(r.w.models); n > mostModels {
			r.Errorf("%d models", n)
		}
	})
}

func TestCloseEndsAHealing(t *testing.T) {
	bubble(t, func(r *rig) {
		cutMidStream(r, tiny)
		foreign := r.f.get(tiny)
		defer r.f.release(tiny, foreign)
		ctx, leave := context.WithTimeout(r.Context(), time.Minute)
		defer leave()
		waits := r.start(ctx, call(tiny), r.f.answer(tiny, time.Second))
		time.Sleep(15 * time.Second)
		began := time.Now()
		r.w.Close()
		if time.Since(began) > 0 {
			r.Error("Close waited")
		}
		<-waits
		if len(r.happened()) != 0 {
			r.Errorf("%+v", r.happened())
		}
	})
}
