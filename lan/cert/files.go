package cert

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"time"
)

const (
	maxFile = 1 << 20 // a chain has some 10 KB
	// unsettled is how long a file may change once more without its time
	// showing it: FAT counts in steps of two seconds.
	unsettled = 3 * time.Second
)

// What can be wrong with a file before its content is looked at.
var (
	// ErrMissing: there is no such file.
	ErrMissing = errors.New("no such file")
	// ErrUnreadable: it is there, but this program may not or cannot read it.
	ErrUnreadable = errors.New("the file cannot be read")
)

// FileError says which of the owner's files is wrong, and in what.
type FileError struct {
	Path string
	Err  error // ErrMissing, ErrUnreadable, ErrNoCertificate, ErrNoKey, ErrOtherKey, ErrExpired or ErrNotYetValid
}

// Error implements error.
func (e *FileError) Error() string { return fmt.Sprintf("%s: %v", e.Path, e.Err) }

// Unwrap returns what is wrong.
func (e *FileError) Unwrap() error { return e.Err }

// pair is the owner's own certificate with its key.
type pair struct {
	cert  *tls.Certificate
	hosts hosts
	sum   [sha256.Size]byte // of both files
}

// files follows two files of the owner.
type files struct {
	certFile, keyFile string
	seen              [2]fs.FileInfo // as they were before the last reading
	settled           bool           // that reading need not be repeated while they look the same
	pair              *pair          // the last good one of these files
	problem           error          // of the last reading
}

// refresh returns the pair in use, nil without one, and what is wrong.
func (f *files) refresh(certFile, keyFile string, now time.Time) (*pair, error) {
	if f.certFile != certFile || f.keyFile != keyFile {
		*f = files{certFile: certFile, keyFile: keyFile}
	}
	if certFile == "" && keyFile == "" {
		return nil, nil // nothing wanted, nothing wrong
	}
	f.reload(now)
	if f.problem == nil {
		leaf := f.pair.cert.Leaf
		if err := validAt(now, leaf.NotBefore, leaf.NotAfter); err != nil {
			return f.pair, &FileError{Path: certFile, Err: err}
		}
	}
	return f.pair, f.problem
}

// reload reads both files unless they look as they did.
func (f *files) reload(now time.Time) {
	var seen [2]fs.FileInfo
	for n, path := range []string{f.certFile, f.keyFile} {
		fi, err := os.Stat(path) // through symbolic links, which certbot replaces
		if err != nil {
			f.fail(path, err)
			return
		}
		if !fi.Mode().IsRegular() || fi.Size() > maxFile { // a pipe would never end
			f.fail(path, ErrUnreadable)
			return
		}
		seen[n] = fi
	}
	if f.settled && same(f.seen[0], seen[0]) && same(f.seen[1], seen[1]) {
		return
	}
	// Looked at before reading: a change meanwhile shows at the next look.
	f.seen, f.settled = seen, old(seen[0], now) && old(seen[1], now)

	certPEM, err := readFile(f.certFile)
	if err != nil {
		f.fail(f.certFile, err)
		return
	}
	keyPEM, err := readFile(f.keyFile)
	if err != nil {
		f.fail(f.keyFile, err)
		return
	}
	sum := sumOf(certPEM, keyPEM)
	if f.pair != nil && f.pair.sum == sum { // touched, or read once more
		f.problem = nil
		return
	}
	cert, err := parsePair(certPEM, keyPEM)
	if err != nil {
		path := f.certFile
		if errors.Is(err, ErrNoKey) || errors.Is(err, ErrOtherKey) {
			path = f.keyFile
		}
		f.problem = &FileError{Path: path, Err: err}
		return
	}
	f.pair, f.problem = &pair{cert: cert, hosts: hostsOf(cert.Leaf), sum: sum}, nil
}

// fail notes that a file could not be read, which may change without its time.
func (f *files) fail(path string, err error) {
	reason := ErrUnreadable
	if errors.Is(err, fs.ErrNotExist) {
		reason = ErrMissing
	}
	f.settled, f.problem = false, &FileError{Path: path, Err: reason}
}

func same(a, b fs.FileInfo) bool {
	return os.SameFile(a, b) && a.Size() == b.Size() && a.ModTime().Equal(b.ModTime())
}

func old(fi fs.FileInfo, now time.Time) bool {
	age := now.Sub(fi.ModTime())
	return age > unsettled || age < -unsettled
}

func readFile(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	b, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	_ = f.Close()
	if err == nil && len(b) > maxFile {
		err = ErrUnreadable
	}
	return b, err
}

// sumOf keeps the two apart: a byte that moves from one to the other counts.
func sumOf(a, b []byte) [sha256.Size]byte {
	first, second := sha256.Sum256(a), sha256.Sum256(b)
	return sha256.Sum256(append(first[:], second[:]...))
}

// parsePair reads a certificate, its chain after it, and its private key. Both
// may stand in one file, named twice. Its errors are the Err variables, bare:
// what a library says of a private key may quote it.
func parsePair(certPEM, keyPEM []byte) (*tls.Certificate, error) {
	chain := blocks(certPEM, func(kind string) bool { return kind == certBlock })
	if len(chain) == 0 {
		return nil, ErrNoCertificate
	}
	for _, der := range chain {
		if _, err := x509.ParseCertificate(der); err != nil {
			return nil, ErrNoCertificate
		}
	}
	keys := blocks(keyPEM, func(kind string) bool { return kind == keyBlock || strings.HasSuffix(kind, " "+keyBlock) })
	if len(keys) == 0 || !isKey(keys[0]) {
		return nil, ErrNoKey
	}
	c, err := tls.X509KeyPair(certPEM, keyPEM)
	if err != nil {
		return nil, ErrOtherKey
	}
	if c.Leaf == nil { // GODEBUG=x509keypairleaf=0
		if c.Leaf, err = x509.ParseCertificate(c.Certificate[0]); err != nil {
			return nil, ErrNoCertificate
		}
	}
	return &c, nil
}

// blocks returns the contents of the PEM blocks of a kind.
func blocks(text []byte, wanted func(kind string) bool) [][]byte {
	var all [][]byte
	for {
		block, rest := pem.Decode(text)
		if block == nil {
			return all
		}
		if wanted(block.Type) {
			all = append(all, block.Bytes)
		}
		text = rest
	}
}

// isKey reports whether der is a private key in one of the forms that
// tls.X509KeyPair reads. With a pass phrase it is none of them.
func isKey(der []byte) bool {
	if _, err := x509.ParsePKCS8PrivateKey(der); err == nil {
		return true
	}
	if _, err := x509.ParsePKCS1PrivateKey(der); err == nil {
		return true
	}
	_, err := x509.ParseECPrivateKey(der)
	return err == nil
}
