package identity

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/go-jose/go-jose/v4"

	"github.com/open4x/socialops/runtime/console"
)

const (
	// keysFresh is for how long the issuer's keys are used without another look: a key
	// that it withdrew is accepted no longer than this.
	keysFresh = 10 * time.Minute
	// keysKept is for how long the last keys known serve while the issuer is away.
	keysKept = 24 * time.Hour
	// pause is between two looks at the issuer, whatever key ids tokens name: anybody
	// can make those up. An issuer publishes a key well before it signs with it.
	pause = 10 * time.Second
	// patience is how long a request waits for a look that is under way.
	patience = fetchTimeout + time.Second
)

// OIDC says whose tokens are taken.
type OIDC struct {
	Issuer   string // as its tokens have it, letter for letter
	Audience string // that a token must be for
	// PermissionsClaim names the claim with what the user may do: an array of texts, or
	// one text with blanks between. A dot leads into an object: realm_access.roles.
	PermissionsClaim string
	// HTTPClient is for tests and for issuers with certificates of their own; nil: the usual one.
	HTTPClient *http.Client
	Log        *slog.Logger
	Now        func() time.Time
}

// Verifier checks an issuer's access tokens with keys that [Verifier.Run] keeps fresh.
// It works without go-oidc's own verifier and key set, which allow no difference of clocks
// where a token ends, match names of claims in any case, ask the issuer for each signature
// that fits no key, keep withdrawn keys, and don't tell an issuer that is away from a bad token.
type Verifier struct {
	options OIDC
	client  *http.Client
	wanted  chan struct{} // holds one: somebody waits for a look at the issuer

	mu     sync.Mutex
	keys   []jose.JSONWebKey
	gotten time.Time     // when the keys came
	asked  time.Time     // when the issuer was asked last; zero: never
	err    error         // what that came to
	looked chan struct{} // closed once the issuer was asked again
}

// NewOIDC makes a verifier. It asks nobody yet.
func NewOIDC(o OIDC) (*Verifier, error) {
	if err := checkURL(o.Issuer); err != nil {
		return nil, fmt.Errorf("the issuer: %w", err)
	}
	if o.Audience == "" {
		return nil, errors.New("the audience is missing: which tokens are for this console?")
	}
	if o.PermissionsClaim == "" {
		return nil, errors.New("the permissions claim is missing: where do tokens say what a user may do?")
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Verifier{options: o, client: boundedClient(o.HTTPClient), wanted: make(chan struct{}, 1), looked: make(chan struct{})}, nil
}

// Run keeps the issuer's keys fresh until ctx ends.
func (v *Verifier) Run(ctx context.Context) error {
	for failing := false; ; {
		err := v.look(ctx)
		next := keysFresh
		switch {
		case ctx.Err() != nil:
			return nil //nolint:nilerr // it was told to stop
		case err != nil:
			next = pause
			if !failing {
				v.options.Log.WarnContext(ctx, "the identity provider's keys are not to be had; trying again", "issuer", v.options.Issuer, "error", err)
			}
		case failing:
			v.options.Log.InfoContext(ctx, "the identity provider's keys are there", "issuer", v.options.Issuer)
		}
		failing = err != nil
		v.rest(ctx, next)
	}
}

// rest waits until it is time for the next look, or somebody wants one who may.
func (v *Verifier) rest(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
			return
		case <-v.wanted:
			if _, mayAsk, _, _ := v.known(); mayAsk { // else another's wish was granted meanwhile
				return
			}
		}
	}
}

// look asks the issuer once.
func (v *Verifier) look(ctx context.Context) error {
	keys, err := v.fetch(ctx)
	v.mu.Lock()
	defer v.mu.Unlock()
	v.asked, v.err = v.options.Now(), err
	if err == nil {
		v.keys, v.gotten = keys, v.asked
	}
	close(v.looked)
	v.looked = make(chan struct{})
	return err
}

// fetch finds the issuer's keys by its discovery document.
func (v *Verifier) fetch(ctx context.Context) ([]jose.JSONWebKey, error) {
	ctx, cancel := context.WithTimeout(ctx, fetchTimeout)
	defer cancel()
	provider, err := oidc.NewProvider(oidc.ClientContext(ctx, v.client), v.options.Issuer)
	if err != nil {
		return nil, fmt.Errorf("asking the issuer for its discovery document: %w", shortened(err))
	}
	var metadata struct {
		KeysURL string `json:"jwks_uri"`
	}
	if err := provider.Claims(&metadata); err != nil {
		return nil, fmt.Errorf("reading the issuer's discovery document: %w", err)
	}
	if err := checkURL(metadata.KeysURL); err != nil {
		return nil, fmt.Errorf("the issuer's jwks_uri: %w", err)
	}
	body, err := get(ctx, v.client, metadata.KeysURL)
	if err != nil {
		return nil, fmt.Errorf("asking for the issuer's keys: %w", err)
	}
	return parseKeys(body)
}

// Verify implements [console.Verifier].
func (v *Verifier) Verify(ctx context.Context, token string) (console.User, error) {
	signed, err := parseSigned(token)
	if err != nil {
		return console.User{}, err
	}
	payload, err := v.payload(ctx, signed)
	if err != nil {
		return console.User{}, err
	}
	return verified(payload, expectation{v.options.Issuer, v.options.Audience, v.options.PermissionsClaim}, v.options.Now())
}

// payload is what one of the issuer's keys signed.
func (v *Verifier) payload(ctx context.Context, signed *jose.JSONWebSignature) ([]byte, error) {
	keys, mayAsk, looked, err := v.known()
	if keys == nil && mayAsk {
		if err := v.await(ctx, looked); err != nil {
			return nil, err
		}
		keys, mayAsk, looked, err = v.known()
	}
	if keys == nil {
		return nil, away(err)
	}
	if payload := verifyWith(signed, keys); payload != nil {
		return payload, nil
	}
	if mayAsk {
		if err := v.await(ctx, looked); err != nil {
			return nil, err
		}
		if keys, _, _, _ = v.known(); keys != nil {
			if payload := verifyWith(signed, keys); payload != nil {
				return payload, nil
			}
		}
	}
	return nil, refusef(nil, "no key of %s fits its signature", v.options.Issuer)
}

// known are the keys in use, nil when there are none, whether the issuer may be asked
// again by now, and the end of its next answer.
func (v *Verifier) known() (keys []jose.JSONWebKey, mayAsk bool, looked <-chan struct{}, err error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	now := v.options.Now()
	if now.Sub(v.gotten) < keysKept {
		keys = v.keys
	}
	return keys, v.asked.IsZero() || now.Sub(v.asked) >= pause, v.looked, v.err
}

// await has the issuer asked, together with whoever else wants it.
func (v *Verifier) await(ctx context.Context, looked <-chan struct{}) error {
	select {
	case v.wanted <- struct{}{}:
	default: // somebody said so already
	}
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-looked:
		return nil
	case <-ctx.Done():
		return away(context.Cause(ctx))
	case <-timer.C:
		return away(errors.New("it takes too long"))
	}
}

var _ console.Verifier = (*Verifier)(nil)
