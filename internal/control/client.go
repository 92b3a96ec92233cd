package control

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"runtime"
	"syscall"
	"time"
)

var (
	// ErrNotRunning says that no instance answers for the home.
	ErrNotRunning = errors.New("no instance is running")

	// ErrGone says that the instance ended before it had answered. What was
	// asked may have happened.
	ErrGone = errors.New("the instance went away")
)

// dialTime is plenty for a socket on this machine.
const dialTime = 3 * time.Second

// RemoteError is the error that an instance answered with.
type RemoteError struct {
	Code    string // one word, for programs
	Message string // for people
}

// Error implements error.
func (e *RemoteError) Error() string { return e.Message }

// Client asks the instance of one home. Each call has a connection of its own,
// so a Client is safe for concurrent use, needs no closing, and goes on working
// when the instance was restarted.
type Client struct{ home string }

// Dial finds the running instance of a home; none is an ErrNotRunning.
func Dial(home string) (*Client, error) {
	abs, err := realHome(home)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("asking %s: %w", home, ErrNotRunning)
	}
	if err != nil {
		return nil, err
	}
	cl := &Client{home: abs}
	ctx, cancel := context.WithTimeout(context.Background(), dialTime)
	defer cancel()
	c, err := cl.dial(ctx)
	if err != nil {
		return nil, err
	}
	_ = c.Close()
	return cl, nil
}

// Call asks for one thing and decodes the answer into result, unless that is
// nil; events are passed over. The instance's own errors are a *RemoteError;
// ErrNotRunning and ErrGone say that there was no answer.
func (cl *Client) Call(ctx context.Context, op string, args, result any) error {
	return cl.Stream(ctx, op, args, nil, result)
}

// Stream is Call with each event handed to onEvent, in order and in the caller's
// goroutine. An error of onEvent ends the request and is returned. Ending ctx
// ends the request on the other side too.
func (cl *Client) Stream(ctx context.Context, op string, args any, onEvent func(json.RawMessage) error, result any) error {
	q := request{Op: op}
	if args != nil {
		raw, err := json.Marshal(args)
		if err != nil {
			return fmt.Errorf("asking for %s: %w", op, err)
		}
		q.Args = raw
	}
	line, err := encode(q)
	if err != nil {
		return fmt.Errorf("asking for %s: %w", op, err)
	}
	c, err := cl.dial(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = c.Close() }()
	defer context.AfterFunc(ctx, func() { _ = c.SetDeadline(time.Unix(1, 0)) })()

	err = exchange(c, line, onEvent, result)
	if err != nil && ctx.Err() != nil && errors.Is(err, ErrGone) {
		err = context.Cause(ctx)
	}
	if _, remote := errors.AsType[*RemoteError](err); err == nil || remote {
		return err // the instance's own words stand alone
	}
	return fmt.Errorf("asking for %s: %w", op, err)
}

func exchange(c *net.UnixConn, line []byte, onEvent func(json.RawMessage) error, result any) error {
	// An instance that is busy answers without reading, so a write that fails
	// is no reason not to listen.
	_, writeErr := c.Write(line)
	for r := bufio.NewReader(c); ; {
		line, err := readLine(r)
		switch {
		case errors.Is(err, errLine):
			return err
		case err != nil:
			return fmt.Errorf("%w: %w", ErrGone, errors.Join(writeErr, err))
		}
		a, err := parseAnswer(line)
		switch {
		case err != nil:
			return err
		case a.Error != nil:
			return &RemoteError{Code: a.Error.Code, Message: a.Error.Message}
		case a.Event != nil:
			if onEvent != nil {
				if err := onEvent(a.Event); err != nil {
					return err
				}
			}
			continue
		case result == nil:
			return nil
		}
		if err := json.Unmarshal(a.Result, result); err != nil {
			return fmt.Errorf("reading the answer: %w", err)
		}
		return nil
	}
}

func (cl *Client) dial(ctx context.Context) (*net.UnixConn, error) {
	path, err := readPointer(cl.home)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("asking %s: %w", cl.home, ErrNotRunning)
	}
	if err != nil {
		return nil, fmt.Errorf("finding the control socket: %w", err)
	}
	var d net.Dialer
	c, err := d.DialContext(ctx, "unix", path)
	if err != nil {
		if nobody(err) && ctx.Err() == nil {
			return nil, fmt.Errorf("asking %s: %w", cl.home, ErrNotRunning)
		}
		return nil, fmt.Errorf("asking %s: %w", cl.home, err)
	}
	u, ok := c.(*net.UnixConn)
	if !ok {
		_ = c.Close()
		return nil, fmt.Errorf("%s is no unix socket", path)
	}
	// Whoever owns the home rules its files anyway, so sudo may ask there.
	if err := checkPeer(u, owner(cl.home)); err != nil {
		_ = c.Close()
		return nil, fmt.Errorf("asking %s: %w", cl.home, err)
	}
	return u, nil
}

// nobody reports whether a failed dial means that no instance is there: the
// socket is gone, or was left behind by one that was killed.
func nobody(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ECONNREFUSED) ||
		runtime.GOOS == "windows" // has numbers of its own for these
}
