package identity

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/open4x/socialops/runtime/console"
	"github.com/open4x/socialops/runtime/inbox"
)

const (
	// LocalAudience is whom development tokens are for.
	LocalAudience = "socialops"
	localIssuer   = "socialops-dev"
	localClaim    = "permissions"
	localLifetime = 12 * time.Hour
)

// NewLocalKey makes a key for [NewLocal].
func NewLocalKey() []byte {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err) // never: the random source aborts the program instead
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		panic(err) // never, of a key that was just made
	}
	return der
}

// Local signs tokens and checks them: for development, where whoever may read the key
// is whoever asks.
type Local struct {
	audience string
	signer   jose.Signer
	public   []jose.JSONWebKey
	now      func() time.Time
}

// NewLocal takes a private key as PKCS#8, of P-256.
func NewLocal(key []byte, audience string) (*Local, error) {
	parsed, err := x509.ParsePKCS8PrivateKey(key)
	if err != nil {
		return nil, fmt.Errorf("reading the console's key: %w", err)
	}
	private, ok := parsed.(*ecdsa.PrivateKey)
	if !ok || private.Curve != elliptic.P256() {
		return nil, errors.New("the console's key is not of P-256: remove the file, and another is made")
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: private}, (&jose.SignerOptions{}).WithType("at+jwt"))
	if err != nil {
		return nil, fmt.Errorf("using the console's key: %w", err)
	}
	return &Local{
		audience: audience, signer: signer, now: time.Now,
		public: []jose.JSONWebKey{{Key: private.Public(), Algorithm: string(jose.ES256)}},
	}, nil
}

// Verify implements [console.Verifier].
func (l *Local) Verify(_ context.Context, token string) (console.User, error) {
	signed, err := parseSigned(token)
	if err != nil {
		return console.User{}, err
	}
	payload := verifyWith(signed, l.public)
	if payload == nil {
		return console.User{}, refusef(nil, "it was signed with another key than this data folder's")
	}
	return verified(payload, expectation{localIssuer, l.audience, localClaim}, l.now())
}

// Issue makes a token for 12 hours.
func (l *Local) Issue(subject string, permissions []string) (string, console.User, error) {
	if !isSubject(subject) {
		return "", console.User{}, inbox.Errorf(inbox.CodeInvalid, "the subject is 1 to %d characters on one line, without blanks around it", maxSubject)
	}
	now := l.now().UTC().Truncate(time.Second)
	expires := now.Add(localLifetime)
	payload, err := json.Marshal(map[string]any{
		"iss": localIssuer, "aud": l.audience, "sub": subject, "name": subject, localClaim: permissions,
		"iat": now.Unix(), "exp": expires.Unix(),
	})
	if err != nil {
		return "", console.User{}, fmt.Errorf("writing the token: %w", err)
	}
	signed, err := l.signer.Sign(payload)
	if err != nil {
		return "", console.User{}, fmt.Errorf("signing the token: %w", err)
	}
	token, err := signed.CompactSerialize()
	if err != nil {
		return "", console.User{}, fmt.Errorf("writing the token: %w", err)
	}
	return token, console.User{Subject: subject, Name: subject, Permissions: permissions, Expires: expires}, nil
}

var _ console.Verifier = (*Local)(nil)
