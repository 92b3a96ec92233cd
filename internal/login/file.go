package login

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"paddock/internal/atomicfile"
)

// mostBytes bounds what is read; an entry has a few hundred.
const mostBytes = 64 << 10

// filePerm is what such files have: nothing in them is secret, and launchd
// passes over one that others may write.
const filePerm os.FileMode = 0o644

// file is an entry that is a file.
type file struct {
	path   string
	encode func(Entry) ([]byte, error)
	decode func([]byte) (command []string, on bool, err error)
}

func (f file) set(e Entry) error {
	data, err := f.encode(e)
	if err != nil {
		return err
	}
	if have, err := f.content(); err == nil && bytes.Equal(have, data) {
		return nil
	}
	return atomicfile.Write(f.path, data, filePerm)
}

func (f file) clear() error {
	err := os.Remove(f.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

func (f file) read() ([]string, bool, error) {
	data, err := f.content()
	if errors.Is(err, fs.ErrNotExist) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, err
	}
	command, on, err := f.decode(data)
	if err != nil {
		return nil, false, &atomicfile.DamagedError{Path: f.path, Err: err}
	}
	return command, on, nil
}

func (f file) content() ([]byte, error) {
	r, err := os.Open(f.path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = r.Close() }()
	data, err := io.ReadAll(io.LimitReader(r, mostBytes+1))
	if err == nil && len(data) > mostBytes {
		err = fmt.Errorf("%s is longer than %d bytes", f.path, mostBytes)
	}
	return data, err
}
