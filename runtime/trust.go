package runtime

import (
	"crypto/x509"
	"fmt"
	"os"
	"path/filepath"
)

// TrustedCAs are the public certificates and those of a file; nil without one. The
// flag that named it is told of.
func TrustedCAs(flag, path string) (*x509.CertPool, error) {
	if path == "" {
		return nil, nil //nolint:nilnil // the usual ones
	}
	pem, err := os.ReadFile(filepath.Clean(path))
	if err != nil {
		return nil, fmt.Errorf("reading --%s: %w", flag, err)
	}
	pool, err := x509.SystemCertPool()
	if err != nil {
		pool = x509.NewCertPool()
	}
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("--%s: %s holds no certificate", flag, path)
	}
	return pool, nil
}
