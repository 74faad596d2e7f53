package manifests

import (
	"fmt"
	"strings"
	"testing"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"sigs.k8s.io/yaml"

	"github.com/open4x/socialops/config/crd"
	samplefiles "github.com/open4x/socialops/config/samples"
)

// Every CEL rule has a sample that breaks it.
func TestEveryRuleHasASample(t *testing.T) {
	t.Parallel()
	refused, err := samplefiles.Refused()
	if err != nil {
		t.Fatal(err)
	}
	var said strings.Builder
	for _, sample := range refused {
		said.WriteString(strings.Join(sample.Wants, "\n") + "\n")
	}
	for _, data := range [][]byte{crd.SocialOpsInstances, crd.ChannelBindings} {
		var def apiextensionsv1.CustomResourceDefinition
		if err := yaml.Unmarshal(data, &def); err != nil {
			t.Fatal(err)
		}
		var walk func(path string, s apiextensionsv1.JSONSchemaProps)
		walk = func(path string, s apiextensionsv1.JSONSchemaProps) {
			for _, rule := range s.XValidations {
				// The samples quote as much of a message as a person needs.
				words := strings.Fields(rule.Message)
				if start := strings.Join(words[:min(6, len(words))], " "); !strings.Contains(said.String(), start) {
					t.Errorf("%s: no sample in config/samples/invalid breaks the rule %q (%s)", def.Name, rule.Rule, rule.Message)
				}
			}
			for key, property := range s.Properties {
				walk(path+"."+key, property)
			}
			if s.Items != nil && s.Items.Schema != nil {
				walk(path+"[]", *s.Items.Schema)
			}
			if s.AdditionalProperties != nil && s.AdditionalProperties.Schema != nil {
				walk(path+"{}", *s.AdditionalProperties.Schema)
			}
		}
		walk("", *def.Spec.Versions[0].Schema.OpenAPIV3Schema)
	}
}

// An object with as much of everything as the schema takes stays within an API
// server's budget for rules, both as a new object and as a change.
func TestLargestObject(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	b.WriteString(strings.Replace(instanceNamed("large"), "owner: alice", "owner: "+strings.Repeat("a", 255), 1))
	line := func(format string, args ...any) { fmt.Fprintf(&b, "  "+format+"\n", args...) }
	line("billing: {account: %s, prices: {inbound: '999999.999999', reply: '999999.999999'}}", strings.Repeat("a", 128))
	line("resources: {requests: {cpu: '1000m', memory: 1Gi}, limits: {cpu: 2, memory: 2147483648}}")
	line("image: ghcr.io/%s@sha256:%s", strings.Repeat("a", 432), strings.Repeat("0", 64))
	line("exposure: {type: HTTPRoute, host: %s, tls: {mode: Default}, gateway: {name: %s, namespace: %s, sectionName: %[2]s}}",
		strings.TrimSuffix(strings.Repeat(strings.Repeat("a", 62)+".", 4), "."), strings.Repeat("a", 253), strings.Repeat("a", 63))
	line("apiKeys:")
	for i := range 16 {
		line("- {name: key-%02d%s, secretRef: {name: %s, key: %[3]s}}", i, strings.Repeat("a", 57), strings.Repeat("a", 253))
	}
	line("pod:")
	for _, field := range []struct {
		name   string
		n, len int
	}{{"labels", 32, 63}, {"annotations", 32, 4096}, {"nodeSelector", 16, 63}} {
		line("  %s:", field.name)
		for i := range field.n {
			line("    %s/%02d%s: %s", strings.Repeat("a", 253), i, strings.Repeat("a", 61), strings.Repeat("b", field.len))
		}
	}
	line("  env:")
	for i := range 64 {
		line("  - {name: N%02d%s, value: %s}", i, strings.Repeat("A", 125), strings.Repeat("b", 4096))
	}
	line("  tolerations:")
	for range 16 {
		line("  - {key: %s/%s, value: %[2]s, effect: NoExecute, tolerationSeconds: 1}", strings.Repeat("a", 253), strings.Repeat("a", 63))
	}
	line("  topologySpread:")
	for i := range 4 {
		line("  - {topologyKey: %s/%d%s}", strings.Repeat("a", 253), i, strings.Repeat("a", 62))
	}
	line("  priorityClassName: %s", strings.Repeat("a", 253))
	line("  imagePullSecrets:")
	for i := range 8 {
		line("  - {name: %d%s}", i, strings.Repeat("a", 252))
	}

	dir := t.TempDir()
	write(t, dir, "large.yaml", b.String())
	set := read(t, dir, nil)
	checkProblems(t, set, nil)
	checkProblems(t, read(t, dir, set), nil)
	t.Logf("%d bytes", b.Len())
}
