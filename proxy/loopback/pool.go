package loopback

import (
	"slices"
	"sync"
	"time"
)

// pool keeps connections that wait for their next request. The one that waited
// least is taken first, so that what a burst needed grows old and is closed.
type pool struct {
	mu    sync.Mutex // guards what follows
	wait  []*conn    // by the time they came, the latest last
	sweep *time.Timer
}

// take returns a live connection to the address, or nil.
func (p *pool) take(address string) *conn {
	for {
		c := p.pop(address)
		if c == nil || c.live() {
			return c
		}
		c.nc.Close()
	}
}

func (p *pool) pop(address string) *conn {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i, c := range slices.Backward(p.wait) {
		if c.address == address {
			p.wait = slices.Delete(p.wait, i, i+1)
			return c
		}
	}
	return nil
}

// put takes a connection back. Nothing of the last request may be left in it,
// and nothing may be left that can end it.
func (p *pool) put(c *conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.wait) >= maxIdle {
		c.nc.Close()
		return
	}
	c.since = time.Now()
	p.wait = append(p.wait, c)
	if p.sweep == nil {
		p.sweep = time.AfterFunc(idleTimeout, p.expire)
	}
}

// expire closes what has waited too long, and comes again while anything waits.
func (p *pool) expire() {
	p.mu.Lock()
	defer p.mu.Unlock()
	now, old := time.Now(), 0
	for old < len(p.wait) && now.Sub(p.wait[old].since) >= idleTimeout {
		p.wait[old].nc.Close()
		old++
	}
	p.forget(old)
	if len(p.wait) == 0 {
		p.sweep = nil
		return
	}
	p.sweep.Reset(idleTimeout - now.Sub(p.wait[0].since))
}

// drop closes everything.
func (p *pool) drop() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range p.wait {
		c.nc.Close()
	}
	p.forget(len(p.wait))
}

// forget removes the n oldest.
func (p *pool) forget(n int) {
	left := copy(p.wait, p.wait[n:])
	clear(p.wait[left:])
	p.wait = p.wait[:left]
}
