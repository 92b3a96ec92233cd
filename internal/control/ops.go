package control

// The operations that a running instance answers. They are named here because
// both the command line and the lite tray ask for them.
const (
	OpState         = "state"
	OpPause         = "pause"       // NameArgs.Value is a duration, "0" for until resumed
	OpResume        = "resume"      // ends a pause, or takes a panic back
	OpPanic         = "panic"       // stop, cut everyone off, suspend all keys
	OpCheck         = "check"       // the safety check, made now
	OpAuthority     = "authority"   // NameArgs.Name is "rotate" for a new one
	OpLogin         = "login"       // NameArgs.Value is "on" or "off", empty asks
	OpWatch         = "state.watch" // one event for each change of the state
	OpStart         = "start"
	OpStop          = "stop"
	OpDemo          = "demo" // NameArgs.Value is "on" or "off"
	OpShow          = "show" // NameArgs.Name is the screen: "" for the main window, "new-key", "websites", "safety", "settings", "open-log"
	OpQuit          = "quit"
	OpKeysAdd       = "keys.add"
	OpKeysList      = "keys.list"
	OpKeysShow      = "keys.show"
	OpKeysEdit      = "keys.edit"
	OpKeysRotate    = "keys.rotate"
	OpKeysCopy      = "keys.copy"
	OpKeysClip      = "keys.clip" // the instance puts the key on its clipboard; nothing crosses the socket
	OpAddressClip   = "address.clip"
	OpKeysSuspend   = "keys.suspend"
	OpKeysResume    = "keys.resume"
	OpKeysRemove    = "keys.remove"
	OpOriginsList   = "origins.list" // the websites; the next three answer with them as they are then
	OpOriginsAllow  = "origins.allow"
	OpOriginsBlock  = "origins.block"
	OpOriginsRemove = "origins.remove"
	OpLog           = "log"
	OpRequestsStop  = "requests.stop"
	OpSettingsList  = "settings.list"
	OpSettingsGet   = "settings.get"
	OpSettingsSet   = "settings.set"
)

// NameArgs are the arguments of an operation on one thing with a name.
type NameArgs struct {
	Name  string `json:"name,omitempty"`
	Value string `json:"value,omitempty"`
}
