package oidcsim

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// addControl serves what tests ask of a simulator in another process.
func (i *Issuer) addControl() {
	i.mux.HandleFunc("POST /control/token", func(w http.ResponseWriter, r *http.Request) {
		var want struct {
			Subject     string         `json:"subject"`
			Permissions []string       `json:"permissions"`
			Claims      map[string]any `json:"claims"` // in place of the usual ones
		}
		if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 64<<10)).Decode(&want); err != nil {
			http.Error(w, "want {subject, permissions, claims}", http.StatusBadRequest)
			return
		}
		token, err := i.Sign(merged(i.Claims(want.Subject, want.Permissions...), want.Claims), nil)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		writeJSON(w, http.StatusOK, map[string]any{"token": token})
	})
	i.mux.HandleFunc("POST /control/rotate", func(w http.ResponseWriter, _ *http.Request) {
		i.Rotate(jose.ES256, false)
		w.WriteHeader(http.StatusNoContent)
	})
}

// Serve serves an issuer until ctx ends. The listener speaks TLS already, or none.
func Serve(ctx context.Context, l net.Listener, i *Issuer) error {
	server := &http.Server{Handler: i, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 30 * time.Second, WriteTimeout: 30 * time.Second}
	stop := context.AfterFunc(ctx, func() { _ = server.Close() })
	defer stop()
	if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serving: %w", err)
	}
	return nil
}
