package watch

import (
	"sync"
	"testing"
)

func TestWakeNeverWaitsAndLosesNoUpdate(t *testing.T) {
	var l List
	l.Wake() // nobody listens
	c, stop := l.Add()
	other, stopOther := l.Add()
	for range 3 {
		l.Wake()
	}
	<-c
	select {
	case <-c:
		t.Fatal("three wakes before a read are one token")
	default:
	}
	l.Wake()
	<-c
	<-other
	stopOther()
	l.Wake()
	select {
	case <-other:
		t.Fatal("a stopped watch was woken")
	default:
	}
	<-c
	stop()
	stop() // twice is fine
}

func TestWakeBesideAddAndStop(t *testing.T) {
	var l List
	var g sync.WaitGroup
	for range 4 {
		g.Go(func() {
			for range 500 {
				_, stop := l.Add()
				l.Wake()
				stop()
			}
		})
	}
	g.Wait()
	if n := len(*l.all.Load()); n != 0 {
		t.Fatalf("%d watchers left", n)
	}
}
