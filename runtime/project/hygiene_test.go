package project_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/open4x/socialops/api/v1alpha1"
	"github.com/open4x/socialops/runtime/project"
	"github.com/open4x/socialops/runtime/provider/telegram/botapisim"
)

// Whatever goes wrong, no secret ends up in a row, a condition or an error.
func TestSecretsShowNowhere(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const hook = "webhook_secret_by_hand"
	secrets := []string{token1, "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", githubSecret, keyValue, hook}
	look := func(where, text string) {
		t.Helper()
		for _, s := range secrets {
			if strings.Contains(text, s) || strings.Contains(text, fmt.Sprintf("%x", s)) {
				t.Errorf("%s shows a secret: %s", where, text)
			}
		}
	}
	w.m = samples()
	w.m.Secrets[0].Data[v1alpha1.KeyTelegramWebhookSecret] = []byte(hook)
	w.m.Secrets = append(w.m.Secrets, &project.Secret{Namespace: "default", Name: "key", Data: map[string][]byte{"key": []byte(keyValue)}})
	w.m.Instances[0].Manifest.Spec.APIKeys = []v1alpha1.APIKey{{Name: "named", SecretRef: v1alpha1.SecretKeyReference{Name: "key"}}}
	for what, fault := range map[string]botapisim.Fault{
		"no fault":    {Method: "none"},
		"dropped":     {Method: "getme", Drop: botapisim.BeforeAnswer},
		"refused":     {Method: "getme", Status: http.StatusUnauthorized},
		"cut":         {Method: "getwebhookinfo", Drop: botapisim.MidAnswer},
		"odd":         {Method: "setwebhook", Status: http.StatusBadRequest, Description: "Bad Request: bad webhook"},
		"overwhelmed": {Method: "setwebhook", Status: http.StatusTooManyRequests, RetryAfter: 3},
	} {
		w.sim.Inject(fault)
		w.clock.advance(27 * time.Hour)
		w.exec("UPDATE account SET webhook_check_at = NULL, webhook_hash = ''")
		r, err := w.All(t.Context(), w.m)
		if err != nil {
			t.Errorf("%s: %v", what, err)
		}
		for n, b := range r.Bindings {
			look(what+": "+n.String(), fmt.Sprint(b.Conditions))
		}
		for n, a := range r.Accounts {
			look(what+": "+n.String(), fmt.Sprint(a.Conditions))
		}
		look(what+": the rows", w.snapshot())
		w.sim.ClearFaults()
	}
	closed := w.db.Pool(t, "owner")
	closed.Close()
	w.Store = configurationOn(closed)
	r, err := w.All(t.Context(), w.m)
	if err == nil {
		t.Fatal("no error without a database")
	}
	look("the error", err.Error())
	look("the conditions", fmt.Sprint(r.Instances, r.Bindings))
}
