package manifests

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/open4x/socialops/api/v1alpha1"
)

// state is what outlives the process: the instances and bindings in force, so that
// UIDs, generations and rules about changes hold across restarts. Secrets are left out.
type state struct {
	Instances []stored[*v1alpha1.SocialOpsInstance] `json:"instances"`
	Bindings  []stored[*v1alpha1.ChannelBinding]    `json:"bindings"`
}

type stored[T any] struct {
	Source
	Object T `json:"object"`
}

// Save writes the set's instances and bindings to a file, whole or not at all, for
// [Load] to read after a restart.
func (s *Set) Save(path string) error {
	var st state
	for _, o := range s.Instances {
		st.Instances = append(st.Instances, stored[*v1alpha1.SocialOpsInstance]{s.sources[key{v1alpha1.KindSocialOpsInstance, o.Namespace, o.Name}], o})
	}
	for _, o := range s.Bindings {
		st.Bindings = append(st.Bindings, stored[*v1alpha1.ChannelBinding]{s.sources[key{v1alpha1.KindChannelBinding, o.Namespace, o.Name}], o})
	}
	data, err := json.MarshalIndent(st, "", "  ")
	if err != nil {
		return fmt.Errorf("saving manifests: %w", err)
	}
	if err := replaceFile(path, append(data, '\n'), 0o600); err != nil {
		return fmt.Errorf("saving manifests: %w", err)
	}
	return nil
}

// Load reads what [Set.Save] wrote; without a file there, an empty set.
func Load(path string) (*Set, error) {
	s := &Set{sources: map[key]Source{}}
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return s, nil
	}
	if err != nil {
		return nil, fmt.Errorf("loading manifests: %w", err)
	}
	var st state
	if err := json.Unmarshal(data, &st); err != nil {
		return nil, fmt.Errorf("loading manifests: %s is damaged; remove it, and the manifests count as new: %w", path, err)
	}
	for _, o := range st.Instances {
		if o.Object != nil {
			s.Instances = append(s.Instances, o.Object)
			s.sources[key{v1alpha1.KindSocialOpsInstance, o.Object.Namespace, o.Object.Name}] = o.Source
		}
	}
	for _, o := range st.Bindings {
		if o.Object != nil {
			s.Bindings = append(s.Bindings, o.Object)
			s.sources[key{v1alpha1.KindChannelBinding, o.Object.Namespace, o.Object.Name}] = o.Source
		}
	}
	return s.sorted(), nil
}

// replaceFile writes a file beside the old one and puts it in its place.
func replaceFile(path string, data []byte, mode os.FileMode) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), ".manifests-*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = f.Close()
			_ = os.Remove(f.Name())
		}
	}()
	if _, err = f.Write(data); err != nil {
		return err
	}
	if err = f.Chmod(mode); err != nil {
		return err
	}
	if err = f.Sync(); err != nil {
		return err
	}
	if err = f.Close(); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}
