package charts

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
)

func TestLint(t *testing.T) {
	t.Parallel()
	for name, file := range values(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			mustRun(t, helm, "lint", "--strict", chart, "--values", file)
		})
	}
}

// Values that can't be meant are refused before anything is installed, and the message says what to do.
func TestRefusedValues(t *testing.T) {
	t.Parallel()
	const digest = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
	database := []string{"--set", "database.existingSecret.name=db"}
	for name, c := range map[string]struct {
		args []string // beside a database, unless alone
		only bool
		want string
	}{
		"no database": {
			only: true,
			want: "no database is chosen: set one of database.existingSecret.name (a Secret that holds a Postgres URL), database.cloudnativepg.cluster (a CloudNativePG cluster in this namespace) and database.trial.enabled=true (a Postgres that loses its data with its pod)",
		},
		"two databases": {
			args: []string{"--set", "database.trial.enabled=true"},
			want: "2 databases are chosen: keep one of database.existingSecret.name, database.trial.enabled",
		},
		"three databases": {
			args: []string{"--set", "database.trial.enabled=true,database.cloudnativepg.cluster=inbox"},
			want: "3 databases are chosen: keep one of database.existingSecret.name, database.cloudnativepg.cluster, database.trial.enabled",
		},
		"a key and no Secret": {only: true, args: []string{"--set", "database.existingSecret.key=uri"}, want: "no database is chosen"},
		"a URL as the Secret's name": {
			only: true, args: []string{"--set", "database.existingSecret.name=postgres://u:p@h/d"},
			want: "at '/database/existingSecret/name': 'postgres://u:p@h/d' does not match pattern",
		},
		"all namespaces and some": {
			args: []string{"--set", "clusterWide=true,watchNamespaces={a,b}"},
			want: "clusterWide=true watches every namespace: leave watchNamespaces empty, or set clusterWide=false",
		},
		"a namespace twice":      {args: []string{"--set", "watchNamespaces={a,a}"}, want: "at '/watchNamespaces': items at 0 and 1 are equal"},
		"namespaces as a string": {args: []string{"--set", "watchNamespaces=a"}, want: "at '/watchNamespaces': got string, want array"},
		"a namespace's name":     {args: []string{"--set", "watchNamespaces={Team_A}"}, want: "at '/watchNamespaces/0': 'Team_A' does not match pattern"},
		"a gateway without a namespace": {
			args: []string{"--set", "exposure.gateway.name=public"},
			want: "exposure.gateway needs both name and namespace",
		},
		"a listener without a gateway": {
			args: []string{"--set", "exposure.gateway.sectionName=https"},
			want: "exposure.gateway.sectionName needs name and namespace beside it",
		},
		"a URL as the host": {
			args: []string{"--set", "exposure.host=https://inbox.example.com"},
			want: "at '/exposure/host': 'https://inbox.example.com' does not match pattern",
		},
		"a star as a host": {args: []string{"--set", "exposure.allowedHosts={*}"}, want: "at '/exposure/allowedHosts/0': '*' does not match pattern"},
		"a console without an issuer": {
			args: []string{"--set", "console.enabled=true"},
			want: "console.enabled=true needs console.oidc.issuer, the address of the OpenID Connect issuer that signs people in, and console.oidc.clientID, a public client with PKCE there",
		},
		"a console that is no client": {
			args: []string{"--set", "console.enabled=true,console.oidc.issuer=https://login.example.com"},
			want: "console.enabled=true needs console.oidc.clientID: make a public client with PKCE at the issuer",
		},
		"an issuer without TLS": {
			args: []string{"--set", "console.enabled=true,console.oidc.issuer=http://login.example.com"},
			want: "at '/console/oidc/issuer': 'http://login.example.com' does not match pattern",
		},
		"an issuer and no audience": {args: consoleWith("oidc.audience="), want: "at '/console/oidc/audience': minLength: got 0, want 1"},
		"a console's Ingress without a host": {
			args: consoleWith("exposure.type=Ingress"),
			want: "console.exposure.type=Ingress needs console.exposure.host, the name that people open the console at",
		},
		"a console's host without a route": {
			args: consoleWith("exposure.host=inbox.example.com"),
			want: "console.exposure.host leads nowhere while console.exposure.type is None: set it to Ingress or HTTPRoute",
		},
		"a console's HTTPRoute without a Gateway": {
			args: consoleWith("exposure.type=HTTPRoute", "exposure.host=inbox.example.com"),
			want: "console.exposure.type=HTTPRoute attaches to the Gateway of exposure.gateway: set its name and namespace",
		},
		"a console's certificate that nobody presents": {
			args: consoleWith("exposure.type=HTTPRoute", "exposure.host=inbox.example.com", "exposure.tlsSecret=c"),
			want: "console.exposure.tlsSecret is for type Ingress: with an HTTPRoute the Gateway's listener has the certificate",
		},
		"a console's certificate without TLS": {
			args: consoleWith("exposure.type=Ingress", "exposure.host=inbox.example.com", "exposure.tlsSecret=c", "exposure.tls=Off"),
			want: "console.exposure.tlsSecret is a certificate, which console.exposure.tls=Off leaves unused: keep one of them",
		},
		"a console exposed as a Service": {args: consoleWith("exposure.type=LoadBalancer"), want: "at '/console/exposure/type': value must be one of 'None', 'Ingress', 'HTTPRoute'"},
		"a mode of TLS":                  {args: []string{"--set", "exposure.tls=Secret"}, want: "at '/exposure/tls': value must be one of 'Default', 'Off', false"},
		"PodMonitors without metrics": {
			args: []string{"--set", "metrics.enabled=false,monitoring.podMonitor.enabled=true,monitoring.namespace=m"},
			want: "monitoring.podMonitor.enabled=true scrapes the operator's metrics: set metrics.enabled=true",
		},
		"PodMonitors without Prometheus's namespace": {
			args: []string{"--set", "monitoring.podMonitor.enabled=true"},
			want: "monitoring.podMonitor.enabled=true needs monitoring.namespace, where Prometheus runs: the NetworkPolicies of the runtimes let nobody else reach their metrics",
		},
		"alerts without PodMonitors": {
			args: []string{"--set", "monitoring.prometheusRule.enabled=true"},
			want: "monitoring.prometheusRule.enabled=true alerts on what the PodMonitors scrape: set monitoring.podMonitor.enabled=true",
		},
		"an interval that runs fall through": {
			args: []string{"--set", "monitoring.podMonitor.interval=1m"},
			want: "at '/monitoring/podMonitor/interval': '1m' does not match pattern",
		},
		"a digest without its algorithm": {
			args: []string{"--set", "image.digest=" + strings.TrimPrefix(digest, "sha256:")},
			want: "at '/image/digest': '" + strings.TrimPrefix(digest, "sha256:") + "' does not match pattern",
		},
		"no image":              {args: []string{"--set", "image.repository="}, want: "at '/image/repository': minLength: got 0, want 1"},
		"a pull policy":         {args: []string{"--set", "image.pullPolicy=Sometimes"}, want: "at '/image/pullPolicy': value must be one of 'Always', 'IfNotPresent', 'Never'"},
		"pull secrets as names": {args: []string{"--set", "imagePullSecrets={registry}"}, want: "at '/imagePullSecrets/0': got string, want object"},
		"replicas as a string":  {args: []string{"--set-string", "operator.replicas=2"}, want: "at '/operator/replicas': got string, want integer"},
		"too many replicas":     {args: []string{"--set", "operator.replicas=6"}, want: "at '/operator/replicas': maximum: got 6, want 5"},
		"no rollouts":           {args: []string{"--set", "runtime.maxRollouts=0"}, want: "at '/runtime/maxRollouts': minimum: got 0, want 1"},
		"a log level":           {args: []string{"--set", "operator.logLevel=verbose"}, want: "at '/operator/logLevel': value must be one of 'debug', 'info', 'warn', 'error'"},
		"the trial's Postgres as root": {
			only: true, args: []string{"--set", "database.trial.enabled=true,database.trial.runAsUser=0"},
			want: "at '/database/trial/runAsUser': minimum: got 0, want 1",
		},
		"a database's address without a mask": {args: []string{"--set", "database.cidrs={10.0.0.1}"}, want: "at '/database/cidrs/0': '10.0.0.1' does not match pattern"},
		"a port too high":                     {args: []string{"--set", "database.ports={70000}"}, want: "at '/database/ports/0': maximum: got 70,000, want 65,535"},
		"an address of the Bot API":           {args: []string{"--set", "telegram.apiURL=bots.internal"}, want: "at '/telegram/apiURL': 'bots.internal' does not match pattern"},
		"a mistyped value":                    {args: []string{"--set", "watchNamespace={a}"}, want: "additional properties 'watchNamespace' not allowed"},
		"a mistyped value further down":       {args: []string{"--set", "worker.replicas=2"}, want: "at '/worker': additional properties 'replicas' not allowed"},
		// It is patched by hand, and the chart leaves it alone.
		"a suspended worker": {args: []string{"--set", "worker.suspend=true"}, want: "at '/worker': additional properties 'suspend' not allowed"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			args := append([]string{"template", release, chart, "--namespace", home}, c.args...)
			if !c.only {
				args = append(args, database...)
			}
			_, err := run(t, helm, args...)
			if err == nil {
				t.Fatal("it was taken")
			}
			if !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v\nwant %s", err, c.want)
			}
		})
	}
}

// consoleWith are the arguments of a console with some values of its own.
func consoleWith(values ...string) []string {
	all := []string{"console.enabled=true", "console.oidc.issuer=https://login.example.com", "console.oidc.clientID=c"}
	for _, v := range values {
		all = append(all, "console."+v)
	}
	return []string{"--set", strings.Join(all, ",")}
}

// A parent chart hands its globals down.
func TestGlobalsAreTaken(t *testing.T) {
	t.Parallel()
	template(t, "--set", "database.trial.enabled=true,global.imageRegistry=registry.example.com")
}

// The schema is what editors show.
func TestEveryValueIsDescribed(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile(chart + "/values.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	type schema struct {
		Description          string
		Type                 any
		Properties           map[string]*schema
		AdditionalProperties any
	}
	var root schema
	if err := json.Unmarshal(data, &root); err != nil {
		t.Fatal(err)
	}
	var walk func(path string, s *schema)
	walk = func(path string, s *schema) {
		if path != "" && s.Description == "" {
			t.Errorf("%s has no description", path)
		}
		if s.Properties != nil && s.AdditionalProperties != false {
			t.Errorf("%s takes what it doesn't know", path)
		}
		for name, property := range s.Properties {
			walk(path+"."+name, property)
		}
	}
	walk("", &root)
}
