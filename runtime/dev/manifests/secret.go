package manifests

import (
	"encoding/base64"

	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// kindSecret is the third kind that is read from a folder.
const kindSecret = "Secret"

// maxSecret is the most bytes that a Secret may hold, as in a cluster.
const maxSecret = 1 << 20

// Secret is a core/v1 Secret, with stringData already merged into Data.
type Secret struct {
	Namespace, Name     string
	Labels, Annotations map[string]string
	Data                map[string][]byte
}

// GetNamespace returns the Secret's namespace.
func (s *Secret) GetNamespace() string { return s.Namespace }

// GetName returns the Secret's name.
func (s *Secret) GetName() string { return s.Name }

// String names the Secret; its data never ends up in a log by way of %v.
func (s *Secret) String() string { return objectName(kindSecret, s.Namespace, s.Name) }

// GoString is String, for %#v.
func (s *Secret) GoString() string { return s.String() }

// decodeSecret reads a Secret as an API server would. No message repeats a value.
func decodeSecret(k key, content map[string]any) (*Secret, []violation) {
	meta, unknown, metaErr := readMeta(k, content)
	if metaErr != nil {
		return nil, violations(field.ErrorList{metaErr})
	}
	for name := range content {
		switch name {
		case "apiVersion", "kind", "metadata", "data", "stringData", "type", "immutable":
		default:
			unknown = append(unknown, name)
		}
	}
	if len(unknown) > 0 {
		return nil, unknownFields(unknown)
	}

	errs := validateMeta(meta)
	if _, ok := content["type"].(string); !ok && content["type"] != nil {
		errs = append(errs, field.TypeInvalid(field.NewPath("type"), field.OmitValueType{}, "must be a string"))
	}
	if _, ok := content["immutable"].(bool); !ok && content["immutable"] != nil {
		errs = append(errs, field.TypeInvalid(field.NewPath("immutable"), field.OmitValueType{}, "must be true or false"))
	}
	s := &Secret{Namespace: k.namespace, Name: k.name, Labels: meta.Labels, Annotations: meta.Annotations, Data: map[string][]byte{}}
	errs = append(errs, s.put("data", content["data"], base64.StdEncoding.DecodeString)...)
	// stringData comes last, as it overrides data.
	errs = append(errs, s.put("stringData", content["stringData"], func(text string) ([]byte, error) { return []byte(text), nil })...)
	size := 0
	for _, value := range s.Data {
		size += len(value)
	}
	if size > maxSecret {
		errs = append(errs, field.TooLong(field.NewPath("data"), "", maxSecret))
	}
	if len(errs) > 0 {
		return nil, violations(errs)
	}
	return s, nil
}

// put adds the values of data or stringData.
func (s *Secret) put(name string, values any, decode func(string) ([]byte, error)) field.ErrorList {
	path := field.NewPath(name)
	keys, ok := values.(map[string]any)
	if !ok && values != nil {
		return field.ErrorList{field.TypeInvalid(path, field.OmitValueType{}, "must be a map of keys to strings")}
	}
	var errs field.ErrorList
	for key, value := range keys {
		at := path.Key(key)
		for _, message := range validation.IsConfigMapKey(key) {
			errs = append(errs, field.Invalid(at, field.OmitValueType{}, message))
		}
		text, ok := value.(string)
		if !ok && value != nil {
			errs = append(errs, field.TypeInvalid(at, field.OmitValueType{}, "must be a string: put the value in quotes"))
			continue
		}
		decoded, err := decode(text)
		if err != nil {
			errs = append(errs, field.Invalid(at, field.OmitValueType{}, "must be base64; plain text goes under stringData"))
			continue
		}
		s.Data[key] = decoded
	}
	return errs
}
