package identity

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"time"
	"unicode/utf8"
)

const (
	fetchTimeout = 10 * time.Second
	maxAnswer    = 1 << 20
	maxRedirects = 3
	maxErrorText = 300
)

// checkURL wants HTTPS, as whoever could change the answers could sign in as anybody;
// the machine itself needs none.
func checkURL(address string) error {
	u, err := url.Parse(address)
	if err != nil {
		return fmt.Errorf("%q is no URL", address)
	}
	return checkParsed(u)
}

func checkParsed(u *url.URL) error {
	switch {
	case u.Host == "" || u.User != nil || u.Fragment != "":
		return fmt.Errorf("%q: want an address such as https://login.example.com/realm", u.Redacted())
	case u.Scheme == "https", u.Scheme == "http" && isLoopback(u.Hostname()):
		return nil
	default:
		return fmt.Errorf("%q: want https, as anybody on the way could change what is asked there", u.Redacted())
	}
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// boundedClient is a client of whom no answer is too long, and that is led nowhere
// that it would not have gone itself.
func boundedClient(base *http.Client) *http.Client {
	if base == nil {
		base = http.DefaultClient
	}
	c := *base
	c.Timeout = fetchTimeout
	c.Jar = nil
	transport := c.Transport
	if transport == nil {
		transport = http.DefaultTransport
	}
	c.Transport = bounded{transport}
	c.CheckRedirect = func(r *http.Request, via []*http.Request) error {
		if len(via) > maxRedirects {
			return errors.New("it leads on and on")
		}
		return checkParsed(r.URL)
	}
	return &c
}

// bounded fails answers that are too long.
type bounded struct{ http.RoundTripper }

// RoundTrip implements [http.RoundTripper].
func (b bounded) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := b.RoundTripper.RoundTrip(r)
	if err != nil {
		return nil, err //nolint:wrapcheck // as it is
	}
	resp.Body = http.MaxBytesReader(nil, resp.Body, maxAnswer)
	return resp, nil
}

func get(ctx context.Context, client *http.Client, address string) ([]byte, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, http.NoBody)
	if err != nil {
		return nil, fmt.Errorf("asking: %w", err)
	}
	r.Header.Set("Accept", "application/json")
	resp, err := client.Do(r)
	if err != nil {
		return nil, err //nolint:wrapcheck // names the address
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s answers %s", address, resp.Status)
	}
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, fmt.Errorf("reading the answer of %s: %w", address, err)
	}
	return body, nil
}

// shortened is an error of go-oidc without the page that it may hold.
func shortened(err error) error {
	text := err.Error()
	if len(text) <= maxErrorText {
		return err
	}
	end := maxErrorText
	for !utf8.RuneStart(text[end]) {
		end--
	}
	return errors.New(text[:end] + "…")
}
