package atomicfile

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
)

// Save writes value as a JSON object with the member "version" in front, mode
// FilePerm. The value must marshal to an object without such a member.
func Save(path string, version int, value any) error {
	data, err := Encode(version, value)
	if err != nil {
		return fmt.Errorf("encoding %s: %w", path, err)
	}
	return Write(path, data, FilePerm)
}

// Load reads what Save wrote. A missing file is an error that is fs.ErrNotExist;
// one that cannot be understood a *DamagedError; one of a newer version a
// *NewerError. In each case the file is left alone and into must not be used.
//
// A member that into does not have counts as damage, since the next Save would
// lose it. Older versions are read into the same value: a format that changes
// the meaning of a member gives it a new name.
func Load(path string, version int, into any) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("reading %s: %w", path, err)
	}
	return Decode(path, data, version, into)
}

// Encode returns the bytes that Save writes.
func Encode(version int, value any) ([]byte, error) {
	body, err := json.Marshal(value)
	if err != nil {
		return nil, err
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(body, &members); err != nil || members == nil {
		return nil, errNotObject
	}
	if _, has := members["version"]; has {
		return nil, errors.New(`the member "version" is taken`)
	}
	head := fmt.Sprintf(`{"version":%d`, version)
	if len(members) > 0 {
		head += ","
	}
	var out bytes.Buffer
	if err := json.Indent(&out, append([]byte(head), body[1:]...), "", "  "); err != nil {
		return nil, err
	}
	out.WriteByte('\n')
	return out.Bytes(), nil
}

// Decode reads what Encode wrote, with the errors of Load; path is what the
// errors name.
func Decode(path string, data []byte, version int, into any) error {
	damaged := func(err error) error { return &DamagedError{Path: path, Err: err} }
	var members map[string]json.RawMessage
	if err := json.Unmarshal(data, &members); err != nil {
		if len(bytes.TrimSpace(data)) == 0 {
			err = errors.New("it is empty")
		}
		return damaged(err)
	}
	if members == nil {
		return damaged(errNotObject)
	}
	raw, has := members["version"]
	if !has {
		return damaged(errors.New("it has no version"))
	}
	var v int
	if err := json.Unmarshal(raw, &v); err != nil || v < 1 {
		return damaged(fmt.Errorf("version %.20s is not a number from 1", raw))
	}
	// Before anything else of the file is looked at: a newer file may well
	// look damaged to us.
	if v > version {
		return &NewerError{Path: path, Version: v, Known: version}
	}
	delete(members, "version")
	body, err := json.Marshal(members)
	if err != nil {
		return damaged(err)
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return damaged(err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return damaged(errNotObject)
	}
	return nil
}
