package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// images are what the run's pods run.
type images struct {
	product, previous, postgres, traefik string
	archives                             []string // of those that no registry gives
	sources                              string   // folder of the release before
}

const productRepository = "docker.io/local/socialops"

// buildImages builds the product's image, that of the release before, and, where the
// cluster pulls from no registry, those of Postgres and Traefik.
func (e *e2e) buildImages(ctx context.Context) error {
	i := &e.images
	i.product, i.previous = productRepository+":"+e.run, productRepository+":"+e.run+"-previous"
	i.postgres, i.traefik = "docker.io/library/postgres:17", "docker.io/library/traefik:v3.6.7"
	steps := []step{
		{"image: this release", func(ctx context.Context) error { return e.buildImage(ctx, i.product, e.root, e.run) }},
		{"image: the release before", func(ctx context.Context) error {
			version, err := e.previousRelease(ctx)
			if err != nil {
				return err
			}
			return e.buildImage(ctx, i.previous, i.sources, version)
		}},
	}
	if !e.cluster.pulls() {
		i.postgres, i.traefik = "docker.io/local/postgres:e2e", "docker.io/local/traefik:v3.6.7"
		steps = append(steps,
			step{"image: Postgres", func(ctx context.Context) error { return e.archive(ctx, "image/postgres.sh", i.postgres) }},
			step{"image: Traefik", func(ctx context.Context) error { return e.archive(ctx, "image/traefik.sh", i.traefik) }},
		)
	}
	// One after the other: each takes all the cores there are.
	return e.steps(ctx, steps...)
}

func (e *e2e) buildImage(ctx context.Context, image, source, version string) error {
	_, tag, _ := strings.Cut(image, ":")
	archive := filepath.Join(e.dir, strings.TrimPrefix(tag, e.run)+"socialops.tar")
	_, err := command{
		dir: e.root, env: []string{"SOURCE=" + source, "VERSION=" + version},
		args: []string{filepath.Join(e.root, "hack", "image.sh"), image, archive},
	}.output(ctx)
	e.images.archives = append(e.images.archives, archive)
	return err
}

// archive has a script pack an image, unless it did so in an earlier run.
func (e *e2e) archive(ctx context.Context, script, image string) error {
	name, _, _ := strings.Cut(filepath.Base(image), ":")
	archive := filepath.Join(e.dir, name+".tar")
	_, err := e.script(ctx, script, image, archive)
	e.images.archives = append(e.images.archives, archive)
	return err
}

func (e *e2e) loadImages(ctx context.Context) error {
	return e.cluster.load(ctx, e.images.archives...)
}

// previousRelease puts the sources of the last tag beside this run's, or, while there
// is no tag, those of HEAD with a lower version. It returns what they call themselves.
func (e *e2e) previousRelease(ctx context.Context) (string, error) {
	git := func(args ...string) (string, error) {
		out, err := command{dir: e.root, args: append([]string{"git"}, args...)}.output(ctx)
		return strings.TrimSpace(out), err
	}
	revision, version := "HEAD", "v0.0.1"
	if tag, err := git("describe", "--tags", "--abbrev=0"); err == nil {
		revision, version = tag, tag
	}
	e.say("the release before is %s", map[bool]string{true: "HEAD, called " + version, false: version}[revision == "HEAD"])
	e.images.sources = filepath.Join(e.dir, "previous")
	if err := errors.Join(os.RemoveAll(e.images.sources), os.MkdirAll(e.images.sources, 0o755)); err != nil {
		return "", fmt.Errorf("making a folder for the release before: %w", err)
	}
	archive := filepath.Join(e.dir, "previous-sources.tar")
	if _, err := git("archive", "--output", archive, revision); err != nil {
		return "", err
	}
	if _, err := (command{args: []string{"tar", "-xf", archive, "-C", e.images.sources}}).output(ctx); err != nil {
		return "", err
	}
	if revision != "HEAD" {
		return version, nil
	}
	return version, lowerVersion(filepath.Join(e.images.sources, "charts", "socialops", "Chart.yaml"), strings.TrimPrefix(version, "v"))
}

// lowerVersion gives a chart another version.
func lowerVersion(path, version string) error {
	b, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("reading the chart: %w", err)
	}
	lines := strings.Split(string(b), "\n")
	for i, line := range lines {
		if strings.HasPrefix(line, "version:") {
			lines[i] = "version: " + version
		}
	}
	if err := os.WriteFile(path, []byte(strings.Join(lines, "\n")), 0o600); err != nil {
		return fmt.Errorf("writing the chart: %w", err)
	}
	return nil
}

// buildHelm builds helm from its module.
func (e *e2e) buildHelm(ctx context.Context) error {
	out, err := e.script(ctx, "tools.sh", "helm")
	e.helm = strings.TrimSpace(out)
	return err
}

// kubectlPath is the kubectl that is installed, or else one built from its module.
func (e *e2e) kubectlPath(ctx context.Context) (string, error) {
	if !e.cluster.direct() {
		if path, err := exec.LookPath("kubectl"); err == nil {
			return path, nil
		}
	}
	out, err := e.script(ctx, "kubernetes.sh", "kubectl")
	return filepath.Join(strings.TrimSpace(out), "kubectl"), err
}
