package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"paddock/internal/control"
	"paddock/keystore"
	"paddock/policy"
	"paddock/requestlog"
	"paddock/settings"
	"paddock/share"
)

// keyPatience is how long a keychain may take before a command gives up: long
// enough for a person to type a password.
const keyPatience = 60 * time.Second

type addArgs struct {
	Name  string       `json:"name"`
	Grant policy.Grant `json:"grant"`
}

type editArgs struct {
	Name  string       `json:"name"`
	Grant policy.Grant `json:"grant"`
	Given []string     `json:"given"` // which members of the grant are meant
}

type rotateArgs struct {
	Name  string        `json:"name"`
	Grace time.Duration `json:"grace_ns"`
}

// secretResult is a key that was made or changed.
type secretResult struct {
	Key  keystore.Key `json:"key"`
	Text string       `json:"text"` // the key itself: only over the socket or to the asking person
	// Older says that an old secret was still in its grace, which ended by this.
	Older bool `json:"older,omitempty"`
}

type logArgs struct {
	Follow bool `json:"follow"`
}

// coded is an error with a stable code that crosses the socket.
type coded struct {
	code string
	text string
}

func (e coded) Error() string { return e.text }
func (e coded) Code() string  { return e.code }

// ops answers operations on one instance. The same functions answer a command
// when no instance runs, so the two can never differ. quit ends it; nil when nothing runs.
type ops struct {
	sh       *share.Share
	quit     func()
	over     <-chan struct{} // closed when the instance is about to end; nil when nothing runs
	windowed bool            // it will have a window, if it has none yet
}

// The codes of errors that the command line itself acts on.
const (
	codeBadValue  = "bad-value"
	codeNoSetting = "no-setting"
	codeEnding    = "ending"   // ask again: nobody will answer soon, and then the files are free
	codeStarting  = "starting" // ask again: the window is about to open
)

func read[T any](args json.RawMessage) (v T, err error) {
	if len(args) > 0 {
		err = json.Unmarshal(args, &v)
	}
	return v, err
}

// handle is a control.Handler. Errors leave it as sentences.
func (o ops) handle(ctx context.Context, op string, args json.RawMessage, emit func(any) error) (any, error) {
	select {
	case <-o.over:
		if op != control.OpState { // which tells how far the end has come
			return nil, coded{codeEnding, "the Paddock that runs is about to end"}
		}
	default:
	}
	v, err := o.do(ctx, op, args, emit)
	if err != nil {
		return nil, coded{code(err), sentence(err)}
	}
	return v, nil
}

func (o ops) do(ctx context.Context, op string, args json.RawMessage, emit func(any) error) (any, error) {
	sh := o.sh
	switch op {
	case control.OpState:
		return sh.State(), nil
	case control.OpStart:
		sh.Start()
		return nil, nil
	case control.OpStop:
		sh.Stop()
		if o.quit != nil && sh.Screen() == nil {
			o.quit() // a terminal that only shares has nothing left to do
		}
		return nil, nil
	case control.OpWatch:
		return nil, streamState(ctx, sh, emit)
	case control.OpQuit:
		if screen := sh.Screen(); screen != nil {
			screen.Quit()
		} else if o.quit != nil {
			o.quit()
		}
		return nil, nil
	case control.OpKeysList:
		return sh.State().Keys, nil
	case control.OpLog:
		a, err := read[logArgs](args)
		if err != nil {
			return nil, err
		}
		return nil, streamLog(ctx, sh.Log(), a.Follow, emit)
	case control.OpSettingsList:
		return sh.Settings().List(), nil
	case control.OpKeysAdd:
		a, err := read[addArgs](args)
		if err != nil {
			return nil, err
		}
		ctx, cancel := context.WithTimeout(ctx, keyPatience)
		defer cancel()
		k, secret, err := sh.AddKey(ctx, a.Name, a.Grant)
		if err != nil {
			return nil, err
		}
		return secretResult{Key: whole(k), Text: secret.Reveal()}, nil
	case control.OpKeysEdit:
		a, err := read[editArgs](args)
		if err != nil {
			return nil, err
		}
		return o.edit(a)
	case control.OpKeysRotate:
		a, err := read[rotateArgs](args)
		if err != nil {
			return nil, err
		}
		ctx, cancel := context.WithTimeout(ctx, keyPatience)
		defer cancel()
		before, _ := sh.Key(a.Name)
		k, secret, err := sh.RotateKey(ctx, a.Name, a.Grace)
		if err != nil {
			return nil, named(err, a.Name)
		}
		return secretResult{whole(k), secret.Reveal(), before.OldUntil.After(time.Now())}, nil
	case control.OpOriginsList:
		return sh.State().Websites, nil
	case control.OpResume:
		return o.resume()
	case control.OpPanic:
		return note{}, sh.Panic()
	case control.OpCheck:
		return sh.Check(ctx), nil
	}
	a, err := read[control.NameArgs](args)
	if err != nil {
		return nil, err
	}
	switch op {
	case control.OpPause, control.OpAuthority, control.OpLogin:
		return o.switched(ctx, op, a)
	case control.OpShow, control.OpKeysClip, control.OpAddressClip:
		return nil, o.onScreen(ctx, op, a)
	case control.OpOriginsAllow, control.OpOriginsBlock, control.OpOriginsRemove:
		return o.origin(op, a.Name)
	}
	return o.named(ctx, op, a)
}

// edit changes what a key may do, and answers with the key as it is then.
func (o ops) edit(a editArgs) (any, error) {
	if unknown := copyGiven(new(policy.Grant), a.Grant, a.Given); unknown != "" {
		return nil, unknownOp("to change " + unknown)
	}
	if err := o.sh.EditKey(a.Name, func(g *policy.Grant) { copyGiven(g, a.Grant, a.Given) }); err != nil {
		return nil, named(err, a.Name)
	}
	k, ok := o.sh.Key(a.Name)
	if !ok { // removed meanwhile
		return nil, noKey(a.Name)
	}
	return whole(k), nil
}

// resume ends a pause, or else takes a panic back: who shares and pauses again
// after a panic means the pause.
func (o ops) resume() (any, error) {
	st := o.sh.State()
	switch {
	case st.Paused:
		o.sh.Resume()
		return resumed{"The break is over."}, nil
	case st.Panicked:
		if err := o.sh.UndoPanic(); err != nil {
			return nil, err
		}
		return resumed{"The panic is taken back: the keys work again."}, nil
	}
	return nil, coded{"not-paused", "there is neither a break nor a panic to end"}
}

// switched answers what is turned on or off, or made anew.
func (o ops) switched(ctx context.Context, op string, a control.NameArgs) (any, error) {
	sh := o.sh
	switch op {
	case control.OpPause:
		d, err := time.ParseDuration(a.Value)
		if err != nil || d < 0 {
			return nil, coded{codeBadValue, fmt.Sprintf("%.40q is no time for a break", a.Value)}
		}
		if st := sh.State(); !st.Wanted {
			return nil, coded{"not-sharing", "nothing is shared, so there is nothing to pause"}
		}
		sh.Pause(d)
		return sh.State(), nil
	case control.OpAuthority:
		if a.Name != "rotate" {
			return sh.State().Encryption, nil
		}
		ctx, cancel := context.WithTimeout(ctx, keyPatience)
		defer cancel()
		return sh.RotateAuthority(ctx)
	}
	if a.Value != "" {
		if err := sh.SetAtLogin(a.Value == "on"); err != nil {
			return nil, err
		}
	}
	return sh.AtLogin()
}

// whole fills in what the grant of a key leaves open, so that what is printed
// is what holds.
func whole(k keystore.Key) keystore.Key {
	k.Grant = k.Grant.WithDefaults()
	return k
}

// origin changes one line of the list of websites, and answers with all of them.
func (o ops) origin(op, origin string) (any, error) {
	var err error
	switch op {
	case control.OpOriginsAllow:
		err = o.sh.AllowOrigin(origin)
	case control.OpOriginsBlock:
		err = o.sh.BlockOrigin(origin)
	case control.OpOriginsRemove:
		err = o.sh.RemoveOrigin(origin)
	}
	_, preset := policy.FindPreset(origin)
	if preset && op == control.OpOriginsRemove && errors.Is(err, settings.ErrNoOrigin) {
		err = nil // it is off, as was asked for
	}
	if errors.Is(err, settings.ErrNoOrigin) {
		return nil, coded{"no-origin", fmt.Sprintf("%.200s is not in the list; `paddock origins list` shows it", origin)}
	}
	if err != nil {
		return nil, err
	}
	return o.sh.State().Websites, nil
}

// onScreen answers the operations that need a window.
func (o ops) onScreen(ctx context.Context, op string, a control.NameArgs) error {
	screen := o.sh.Screen()
	if screen == nil && o.windowed {
		return coded{codeStarting, "the window is not open yet; try again"}
	}
	if screen == nil {
		return coded{"no-window", "the Paddock that runs shares from a terminal and has neither window nor clipboard"}
	}
	switch op {
	case control.OpAddressClip:
		screen.Clip(o.sh.State().Address())
	case control.OpKeysClip:
		ctx, cancel := context.WithTimeout(ctx, keyPatience)
		defer cancel()
		secret, err := o.sh.CopyKey(ctx, a.Name)
		if err != nil {
			return err
		}
		screen.ClipSecret(secret)
	default:
		screen.Show(a.Name)
	}
	return nil
}

// named answers the operations that work on one thing with a name.
func (o ops) named(ctx context.Context, op string, a control.NameArgs) (any, error) {
	sh := o.sh
	ctx, cancel := context.WithTimeout(ctx, keyPatience)
	defer cancel()
	switch op {
	case control.OpKeysShow:
		if k, ok := sh.Key(a.Name); ok {
			return whole(k), nil
		}
		return nil, noKey(a.Name)
	case control.OpKeysCopy:
		secret, err := sh.CopyKey(ctx, a.Name)
		if err != nil {
			return nil, named(err, a.Name)
		}
		return secret.Reveal(), nil
	case control.OpKeysSuspend:
		return nil, named(sh.SuspendKey(a.Name), a.Name)
	case control.OpKeysResume:
		return nil, named(sh.ResumeKey(a.Name), a.Name)
	case control.OpKeysRemove:
		return removed(named(sh.RemoveKey(ctx, a.Name), a.Name))
	case control.OpRequestsStop:
		if !sh.StopRequest(a.Name) {
			return nil, coded{"not-running", "no request with this id runs now"}
		}
		return nil, nil
	case control.OpDemo:
		return nil, sh.UseDemo(ctx, a.Value == "on")
	case control.OpSettingsGet:
		return sh.Settings().Value(a.Name)
	case control.OpSettingsSet:
		return nil, sh.Set(a.Name, a.Value)
	}
	return nil, unknownOp(op)
}

func unknownOp(what string) error {
	return coded{"unknown-op", fmt.Sprintf("the Paddock that runs is of another version and does not know %.80q", what)}
}

// noKey says that there is no key of a name.
func noKey(name string) error {
	return coded{"no-key", fmt.Sprintf("there is no key %.80q; `paddock keys list` shows them", name)}
}

// named puts the name that was asked for into the error that there is no such key.
func named(err error, name string) error {
	if errors.Is(err, keystore.ErrNoKey) {
		return noKey(name)
	}
	return err
}

// note is something worth saying about what was done.
type note struct {
	Note string `json:"note,omitempty"`
}

// removed takes a secret that is left in the vault for what it is: the key is
// revoked for good, and who asked for that got it.
func removed(err error) (any, error) {
	_, left := errors.AsType[*keystore.LeftoverError](err)
	_, unsaved := errors.AsType[*keystore.UnsavedError](err)
	if left && !unsaved {
		return note{"its secret is still in the keychain, where it opens nothing; Paddock clears it away later"}, nil
	}
	return note{}, err
}

// streamState emits the state as it is and after each change until ctx ends.
func streamState(ctx context.Context, sh *share.Share, emit func(any) error) error {
	wake, stop := sh.Watch()
	defer stop()
	for {
		if err := emit(sh.State()); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-wake:
		}
	}
}

// logPage is how many entries are copied out of the log at a time.
const logPage = 500

// streamLog emits what is kept, then what comes until ctx ends or nobody takes it.
func streamLog(ctx context.Context, log *requestlog.Log, follow bool, emit func(any) error) error {
	wake, stop := log.Watch()
	defer stop()
	var last uint64
	for {
		for {
			entries, next, _ := log.Next(last, logPage)
			last = next
			if len(entries) == 0 {
				break
			}
			for _, e := range entries {
				if err := emit(e); err != nil {
					return err
				}
			}
		}
		if !follow {
			return nil
		}
		select {
		case <-ctx.Done():
			return nil
		case <-wake:
		}
	}
}

// call asks the running instance, or does it on the files when none runs.
func (a *app) call(ctx context.Context, op string, args, result any) error {
	return retry(ctx, func() error {
		err := a.ask(ctx, op, args, result)
		if !errors.Is(err, control.ErrNotRunning) {
			return err
		}
		return a.offline(ctx, op, args, result)
	})
}

// ask asks the running instance; control.ErrNotRunning says that there is none.
func (a *app) ask(ctx context.Context, op string, args, result any) error {
	client, err := control.Dial(a.home)
	if err != nil {
		return err
	}
	patience := askPatience
	if strings.HasPrefix(op, "keys.") || op == control.OpAuthority {
		patience += keyPatience // the keychain may ask a person
	}
	limited, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	err = client.Call(limited, op, args, result)
	if err != nil && limited.Err() != nil && ctx.Err() == nil {
		return errors.New("the Paddock that runs does not answer; end it, or look what it waits for")
	}
	return err
}

// askPatience is how long an instance that runs may take to answer.
const askPatience = 10 * time.Second

const (
	turnPatience = 2 * closePatience // an instance that ends takes one for running requests
	turnEvery    = 25 * time.Millisecond
)

// retry tries again while an instance on the same home is just starting, just
// ending, or is another command that has the files for a moment.
func retry(ctx context.Context, try func() error) error {
	limit := time.Now().Add(turnPatience)
	tick := time.NewTicker(turnEvery)
	defer tick.Stop()
	for {
		err := try()
		c := ""
		if r, ok := errors.AsType[*control.RemoteError](err); ok {
			c = r.Code
		}
		busy := errors.Is(err, control.ErrRunning) || c == codeEnding || c == codeStarting
		if !busy || time.Now().After(limit) {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-tick.C:
		}
	}
}

// offline does one operation on the files, holding the lock of the home.
func (a *app) offline(ctx context.Context, op string, args, result any) (err error) {
	if op == control.OpKeysAdd && a.vault == string(keystore.VaultMemory) {
		return coded{"memory", "a key in memory ends with the program, and no Paddock runs that could keep it; start `paddock share` first, or take another --vault"}
	}
	lock, err := control.Claim(a.home)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, lock.Release()) }()
	sh, closeAll, err := a.open(share.Flags{})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closeAll()) }()
	raw, err := json.Marshal(args)
	if err != nil {
		return fmt.Errorf("writing the request: %w", err)
	}
	v, err := ops{sh: sh}.do(ctx, op, raw, func(any) error { return nil })
	if err != nil {
		return err
	}
	if op == control.OpKeysAdd && v.(secretResult).Key.Vault == keystore.VaultMemory {
		return coded{"memory", "this session has no keychain, so the key would end with this command; start `paddock share` first, or use --vault file"}
	}
	if result == nil {
		return nil
	}
	raw, err = json.Marshal(v)
	if err != nil {
		return fmt.Errorf("writing the answer: %w", err)
	}
	return json.Unmarshal(raw, result)
}

func (a *app) open(flags share.Flags) (*share.Share, func() error, error) {
	return a.Open(Parts{
		Home: a.home, Vault: keystore.VaultKind(a.vault), Prompt: a.prompt, Flags: flags, LoginArgs: a.loginArgs(), Stderr: a.Err,
	})
}

// loginArgs are what this program is to be started with at login: on the same
// home, in the tray, or where this edition has no window, sharing.
func (a *app) loginArgs() []string {
	if a.Window != nil {
		return append(slices.Clone(a.named), "--hidden")
	}
	return append([]string{"share"}, a.named...)
}

// code is the stable name of a known error.
func code(err error) string {
	var c interface{ Code() string }
	var damaged *keystore.DamagedError
	switch {
	case errors.As(err, &c):
		return c.Code()
	case errors.As(err, &damaged):
		return "damaged" // by a value, perhaps, which nobody has typed now
	case errors.Is(err, keystore.ErrNoKey):
		return "no-key"
	case errors.Is(err, keystore.ErrNameTaken):
		return "name-taken"
	case errors.Is(err, keystore.ErrLocked):
		return "vault-locked"
	case errors.Is(err, keystore.ErrNoVault):
		return "no-vault"
	case errors.Is(err, keystore.ErrTimeout):
		return "vault-timeout"
	}
	if _, ok := errors.AsType[*settings.ValueError](err); ok {
		return codeBadValue
	}
	if _, ok := errors.AsType[*settings.UnknownError](err); ok {
		return codeNoSetting
	}
	return control.CodeFailed
}
