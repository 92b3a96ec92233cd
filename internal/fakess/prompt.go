//go:build linux

package fakess

import (
	"time"

	"github.com/godbus/dbus/v5"
)

// Outcome is what becomes of a prompt.
type Outcome int

const (
	// NoPrompt acts without asking; for unlocking, it refuses without asking.
	NoPrompt Outcome = iota
	// Accept is an owner who says yes.
	Accept
	// Dismiss is an owner who closes the prompt.
	Dismiss
	// Ignore is an owner who is not there: the prompt stays open until
	// [Service.Settle] or until the caller gives up.
	Ignore
)

// Prompt is how the fake asks its owner.
type Prompt struct {
	Outcome Outcome
	// After is how long the owner takes.
	After time.Duration
	// Stray sends the caller a signal that has nothing to do with the prompt
	// before it is answered, as any busy desktop may.
	Stray bool
}

// PromptShown returns how many prompts were shown so far.
func (s *Service) PromptShown() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.shown
}

// PromptOpen returns how many prompts are open now.
func (s *Service) PromptOpen() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.open)
}

// Settle answers all open prompts, yes or no, and returns how many there were.
func (s *Service) Settle(yes bool) int {
	s.mu.Lock()
	var list []*prompt
	for _, p := range s.open {
		list = append(list, p)
	}
	s.mu.Unlock()
	for _, p := range list {
		p.settle(yes)
	}
	return len(list)
}

// Stray sends a signal to the connection given that nobody there asked for.
func (s *Service) stray(to dbus.Sender) {
	s.conn.Send(&dbus.Message{
		Type: dbus.TypeSignal,
		Headers: map[dbus.HeaderField]dbus.Variant{
			dbus.FieldDestination: dbus.MakeVariant(string(to)),
			dbus.FieldPath:        dbus.MakeVariant(dbus.ObjectPath("/org/example/Weather")),
			dbus.FieldInterface:   dbus.MakeVariant("org.example.Weather"),
			dbus.FieldMember:      dbus.MakeVariant("Changed"),
		},
	}, nil)
}

// ask makes a prompt object; act is what happens if the owner says yes, and its
// result is what the caller is told.
func (s *Service) ask(how Prompt, act func() dbus.Variant) dbus.ObjectPath {
	s.mu.Lock()
	p := &prompt{s: s, path: s.next(root + "/prompt"), how: how, act: act}
	s.mu.Unlock()
	_ = s.conn.Export(p, p.path, promptInterface)
	return p.path
}

// prompt is org.freedesktop.Secret.Prompt.
type prompt struct {
	s    *Service
	path dbus.ObjectPath
	how  Prompt
	act  func() dbus.Variant
}

// Prompt shows the prompt; the answer comes as a signal.
func (p *prompt) Prompt(sender dbus.Sender, _ string) *dbus.Error {
	if !p.s.called("Prompt") {
		return nil
	}
	p.s.mu.Lock()
	p.s.shown++
	p.s.open[p.path] = p
	p.s.mu.Unlock()
	go func() {
		if p.how.Stray {
			p.s.stray(sender)
		}
		if p.how.After > 0 && !p.s.pause(p.how.After) {
			return
		}
		if p.how.Outcome != Ignore {
			p.settle(p.how.Outcome == Accept)
		}
	}()
	return nil
}

// Dismiss is the caller taking the prompt back.
func (p *prompt) Dismiss() *dbus.Error {
	p.s.called("Dismiss")
	p.settle(false)
	return nil
}

// settle closes the prompt. Only the first answer counts. The object stays on
// the bus: taking it off races with look-ups inside godbus.
func (p *prompt) settle(yes bool) {
	p.s.mu.Lock()
	_, open := p.s.open[p.path]
	delete(p.s.open, p.path)
	p.s.mu.Unlock()
	if !open {
		return
	}
	result := dbus.MakeVariant("")
	if yes {
		result = p.act()
	}
	_ = p.s.conn.Emit(p.path, promptInterface+".Completed", !yes, result)
}
