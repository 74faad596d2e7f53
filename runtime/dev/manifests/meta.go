package manifests

import (
	"fmt"

	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/objectmeta"
	apivalidation "k8s.io/apimachinery/pkg/api/validation"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// violation is one thing that is wrong with an object, as an API server words it.
type violation struct{ field, message string }

func violations(errs field.ErrorList) []violation {
	list := make([]violation, 0, len(errs))
	for _, err := range errs {
		v := violation{err.Field, err.ErrorBody()}
		if v.field == "<nil>" { // a rule about the whole object
			v.field = ""
		}
		list = append(list, v)
	}
	return list
}

// unknownFields words what an API server says of fields that a kind doesn't have.
func unknownFields(paths []string) []violation {
	list := make([]violation, 0, len(paths))
	for _, path := range paths {
		list = append(list, violation{message: fmt.Sprintf("unknown field %q", path)})
	}
	return list
}

// readMeta reads the metadata that a folder may set (name, namespace, labels and
// annotations; the rest is an API server's) and the paths of fields that no metadata has.
func readMeta(k key, content map[string]any) (*metav1.ObjectMeta, []string, *field.Error) {
	meta, _, unknown, err := objectmeta.GetObjectMetaWithOptions(content, objectmeta.ObjectMetaOptions{ReturnUnknownFieldPaths: true})
	if err != nil {
		return nil, nil, field.Invalid(field.NewPath("metadata"), field.OmitValueType{}, err.Error())
	}
	kept := &metav1.ObjectMeta{Namespace: k.namespace, Name: k.name}
	if meta != nil {
		kept.Labels, kept.Annotations = meta.Labels, meta.Annotations
	}
	return kept, unknown, nil
}

func validateMeta(meta *metav1.ObjectMeta) field.ErrorList {
	return apivalidation.ValidateObjectMeta(meta, true, apivalidation.NameIsDNSSubdomain, field.NewPath("metadata"))
}

// metaString reads a string of the metadata, empty when it isn't there.
func metaString(content map[string]any, name string) (string, *field.Error) {
	metadata, _ := content["metadata"].(map[string]any)
	value, there := metadata[name]
	if !there || value == nil {
		return "", nil
	}
	text, ok := value.(string)
	if !ok {
		return "", field.TypeInvalid(field.NewPath("metadata", name), value, "must be a string: put it in quotes")
	}
	return text, nil
}
