package cert

import (
	"fmt"
	"os"
	"path/filepath"

	"paddock/internal/atomicfile"
)

// FileName is the file in the home that holds the authority's certificate.
const FileName = "ca.pem"

// Load reads the authority's certificate in a home; fs.ErrNotExist when there is
// none. One that cannot be understood is an *atomicfile.DamagedError, and is left
// as it is.
func Load(home string) (Public, error) {
	path := filepath.Join(home, FileName)
	info, err := os.Stat(path)
	if err != nil {
		return Public{}, fmt.Errorf("reading the authority: %w", err)
	}
	if info.Size() > maxCertPEM {
		return Public{}, &atomicfile.DamagedError{Path: path, Err: ErrNoCertificate}
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return Public{}, fmt.Errorf("reading the authority: %w", err)
	}
	p, err := ParseCertificate(b)
	if err != nil {
		return Public{}, &atomicfile.DamagedError{Path: path, Err: err}
	}
	return p, nil
}

// Save writes the certificate of an authority into a home, whole or not at all.
func Save(home string, p Public) error {
	if err := os.MkdirAll(home, 0o700); err != nil {
		return fmt.Errorf("writing the authority: %w", err)
	}
	if err := atomicfile.Write(filepath.Join(home, FileName), p.CertPEM(), 0o600); err != nil {
		return fmt.Errorf("writing the authority: %w", err)
	}
	return nil
}
