package main

import (
	"context"
	"net/http"
	"path/filepath"
	"time"
)

const (
	issuerNamespace = "issuer"
	issuerHost      = "issuer." + issuerNamespace + ".svc"
	issuerURL       = "https://" + issuerHost + ":8443"
)

// startIssuer runs who signs people in: the bundled simulator as a pod.
func (e *e2e) startIssuer(ctx context.Context) error {
	cert, err := e.authority.issue(time.Now(), issuerHost)
	if err != nil {
		return err
	}
	if err := e.kube.secret(ctx, issuerNamespace, "issuer-tls", cert); err != nil {
		return err
	}
	manifest, err := readManifest(filepath.Join(e.manifests, "issuer.yaml"), map[string]string{"IMAGE": e.images.product, "URL": issuerURL})
	if err != nil {
		return err
	}
	if err := e.kube.apply(ctx, issuerNamespace, manifest); err != nil {
		return err
	}
	return e.kube.rollout(ctx, issuerNamespace, "issuer", startLimit)
}

// token is an access token of the issuer's. Claims take the place of the usual ones.
func (e *e2e) token(ctx context.Context, subject string, permissions []string, claims map[string]any) (string, error) {
	issuer := &inbox{http: e.dialer.client(e.authority.pool()), base: issuerURL}
	var got struct {
		Token string `json:"token"`
	}
	err := issuer.ask(ctx, http.StatusOK, http.MethodPost, "/control/token", map[string]any{"subject": subject, "permissions": permissions, "claims": claims}, &got)
	return got.Token, err
}
