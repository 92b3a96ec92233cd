//go:build linux

package fakess

import "github.com/godbus/dbus/v5"

// secret is the struct (oayays) that carries a secret.
type secret struct {
	Session     dbus.ObjectPath
	Parameters  []byte
	Value       []byte
	ContentType string
}

// errGone is the answer to nobody: the service was closed during the call.
var errGone = dbus.NewError("org.freedesktop.DBus.Error.NoReply", []any{"the keychain went away"})

var (
	errLocked       = dbus.NewError("org.freedesktop.Secret.Error.IsLocked", []any{"the collection is locked"})
	errNoSuchObject = dbus.NewError("org.freedesktop.Secret.Error.NoSuchObject", []any{"there is no such object"})
)

// service is org.freedesktop.Secret.Service.
type service struct{ s *Service }

// OpenSession opens a session in which secrets travel as they are.
func (v service) OpenSession(algorithm string, _ dbus.Variant) (dbus.Variant, dbus.ObjectPath, *dbus.Error) {
	if !v.s.called("OpenSession") {
		return dbus.MakeVariant(""), "/", errGone
	}
	if algorithm != "plain" {
		return dbus.MakeVariant(""), "/", dbus.NewError("org.freedesktop.DBus.Error.NotSupported", []any{algorithm})
	}
	v.s.mu.Lock()
	p := v.s.next(root + "/session")
	v.s.mu.Unlock()
	_ = v.s.conn.Export(session{}, p, sessionInterface)
	return dbus.MakeVariant(""), p, nil
}

// Unlock unlocks at once or with a prompt.
func (v service) Unlock(objects []dbus.ObjectPath) ([]dbus.ObjectPath, dbus.ObjectPath, *dbus.Error) {
	if !v.s.called("Unlock") {
		return nil, "/", errGone
	}
	v.s.mu.Lock()
	locked, absent, how := v.s.locked, v.s.absent, v.s.onUnlock
	v.s.mu.Unlock()
	none := []dbus.ObjectPath{}
	switch {
	case absent:
		return none, "/", nil
	case !locked:
		return objects, "/", nil
	case how.Outcome == NoPrompt:
		return none, "/", nil
	}
	return none, v.s.ask(how, func() dbus.Variant {
		v.s.Unlock()
		return dbus.MakeVariant(objects)
	}), nil
}

// Lock locks the collection.
func (v service) Lock(objects []dbus.ObjectPath) ([]dbus.ObjectPath, dbus.ObjectPath, *dbus.Error) {
	if !v.s.called("Lock") {
		return nil, "/", errGone
	}
	v.s.Lock()
	return objects, "/", nil
}

// SearchItems searches all collections, of which there is one.
func (v service) SearchItems(attributes map[string]string) (open, locked []dbus.ObjectPath, _ *dbus.Error) {
	if !v.s.called("SearchItems") {
		return nil, nil, errGone
	}
	found, none := v.s.find(attributes), []dbus.ObjectPath{}
	if v.s.Locked() {
		return none, found, nil
	}
	return found, none, nil
}

// ReadAlias names the default collection.
func (v service) ReadAlias(name string) (dbus.ObjectPath, *dbus.Error) {
	if !v.s.called("ReadAlias") {
		return "/", errGone
	}
	v.s.mu.Lock()
	defer v.s.mu.Unlock()
	if name != "default" || v.s.absent {
		return "/", nil
	}
	return login, nil
}

// session is org.freedesktop.Secret.Session.
type session struct{}

// Close ends the session.
func (session) Close() *dbus.Error { return nil }

// collection is org.freedesktop.Secret.Collection.
type collection struct{ s *Service }

// SearchItems works on a locked collection too: attributes are no secrets.
func (c collection) SearchItems(attributes map[string]string) ([]dbus.ObjectPath, *dbus.Error) {
	if !c.s.called("SearchItems") {
		return nil, errGone
	}
	return c.s.find(attributes), nil
}

// CreateItem stores a secret, at once or with a prompt.
func (c collection) CreateItem(props map[string]dbus.Variant, sec secret, _ bool) (dbus.ObjectPath, dbus.ObjectPath, *dbus.Error) {
	if !c.s.called("CreateItem") {
		return "/", "/", errGone
	}
	attributes, _ := props[itemInterface+".Attributes"].Value().(map[string]string)
	label, _ := props[itemInterface+".Label"].Value().(string)
	c.s.mu.Lock()
	refusal, locked, how := c.s.refusal, c.s.locked, c.s.onCreate
	c.s.mu.Unlock()
	switch {
	case refusal != "":
		return "/", "/", dbus.NewError("org.freedesktop.DBus.Error.Failed", []any{refusal})
	case locked:
		return "/", "/", errLocked
	case how.Outcome == NoPrompt:
		return c.s.store(label, attributes, sec.Value), "/", nil
	}
	return "/", c.s.ask(how, func() dbus.Variant {
		return dbus.MakeVariant(c.s.store(label, attributes, sec.Value))
	}), nil
}

// itemObject is org.freedesktop.Secret.Item.
type itemObject struct {
	s    *Service
	path dbus.ObjectPath
}

// GetSecret gives the secret of an unlocked item.
func (i itemObject) GetSecret(session dbus.ObjectPath) (secret, *dbus.Error) {
	if !i.s.called("GetSecret") {
		return secret{}, errGone
	}
	i.s.mu.Lock()
	defer i.s.mu.Unlock()
	it, ok := i.s.items[i.path]
	switch {
	case !ok:
		return secret{}, errNoSuchObject
	case i.s.locked:
		return secret{}, errLocked
	}
	return secret{session, []byte{}, it.value, "text/plain; charset=utf8"}, nil
}

// Delete deletes the item, at once or with a prompt.
func (i itemObject) Delete() (dbus.ObjectPath, *dbus.Error) {
	if !i.s.called("Delete") {
		return "/", errGone
	}
	i.s.mu.Lock()
	refusal, locked, how := i.s.refusal, i.s.locked, i.s.onDelete
	i.s.mu.Unlock()
	switch {
	case refusal != "":
		return "/", dbus.NewError("org.freedesktop.DBus.Error.Failed", []any{refusal})
	case locked:
		return "/", errLocked
	case how.Outcome == NoPrompt:
		i.s.remove(i.path)
		return "/", nil
	}
	return i.s.ask(how, func() dbus.Variant {
		i.s.remove(i.path)
		return dbus.MakeVariant("")
	}), nil
}
