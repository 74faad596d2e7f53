package charts

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	batchv1 "k8s.io/api/batch/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/open4x/socialops/controllers/kubetest"
)

// Helm installs the chart in a cluster, upgrades it beside what people patch by hand, and takes it away without the
// CRDs. There is nothing that would run pods here, so the hook is left out; it is tried on a real node.
func TestInstallUpgradeUninstall(t *testing.T) {
	t.Parallel()
	// CRDs that Helm owns are in nobody else's way on a server of its own.
	server := kubetest.NewServer(t, kubetest.Options{})
	kubeconfig := adminsKubeconfig(t, server)
	do := func(args ...string) (string, error) {
		t.Helper()
		return run(t, helm, append(args, "--namespace", home, "--kubeconfig", kubeconfig)...)
	}
	must := func(args ...string) {
		t.Helper()
		if out, err := do(args...); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
	}
	values := []string{"--values", values(t)["existing-secret"]}

	// The CRDs of this server are not Helm's, as they aren't after an uninstall of a release with another name.
	out, err := do(append([]string{"install", release, chart, "--create-namespace"}, values...)...)
	if err == nil || !strings.Contains(err.Error(), "invalid ownership metadata") {
		t.Fatalf("somebody else's CRDs were taken: %v\n%s", err, out)
	}
	must(append([]string{"install", release, chart, "--create-namespace", "--take-ownership"}, values...)...)

	worker := &batchv1.CronJob{ObjectMeta: metav1.ObjectMeta{Namespace: home, Name: "socialops-worker"}}
	pause := client.RawPatch(types.MergePatchType, []byte(`{"spec":{"suspend":true}}`))
	if err := server.Client.Patch(t.Context(), worker, pause, client.FieldOwner("kubectl-patch")); err != nil {
		t.Fatal(err)
	}
	must(append([]string{"upgrade", release, chart, "--set", "worker.logLevel=debug"}, values...)...)
	if err := server.Client.Get(t.Context(), client.ObjectKeyFromObject(worker), worker); err != nil {
		t.Fatal(err)
	}
	if !*worker.Spec.Suspend {
		t.Error("an upgrade resumed a worker that was paused by hand")
	}
	if args := strings.Join(worker.Spec.JobTemplate.Spec.Template.Spec.Containers[0].Args, " "); !strings.Contains(args, "--log-level=debug") {
		t.Errorf("the upgrade did not reach the worker: %s", args)
	}
	must("rollback", release, "1")

	must("uninstall", release, "--no-hooks")
	if err := server.Client.Get(t.Context(), client.ObjectKeyFromObject(worker), worker); !apierrors.IsNotFound(err) {
		t.Errorf("the worker outlived its release: %v", err)
	}
	for _, name := range []string{"socialopsinstances.socialops.dev", "channelbindings.socialops.dev"} {
		if err := server.Client.Get(t.Context(), client.ObjectKey{Name: name}, &apiextensionsv1.CustomResourceDefinition{}); err != nil {
			t.Errorf("the uninstall took a CRD along: %v", err)
		}
	}
	// The same name finds them again.
	must(append([]string{"install", release, chart}, values...)...)
}

// adminsKubeconfig is a file that lets Helm be the server's admin.
func adminsKubeconfig(t *testing.T, server *kubetest.Env) string {
	t.Helper()
	const name = "test"
	c := clientcmdapi.NewConfig()
	c.Clusters[name] = &clientcmdapi.Cluster{Server: server.Config.Host, CertificateAuthorityData: server.Config.CAData}
	c.AuthInfos[name] = &clientcmdapi.AuthInfo{ClientCertificateData: server.Config.CertData, ClientKeyData: server.Config.KeyData}
	c.Contexts[name] = &clientcmdapi.Context{Cluster: name, AuthInfo: name}
	c.CurrentContext = name
	data, err := clientcmd.Write(*c)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "kubeconfig")
	if err := os.WriteFile(file, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}
