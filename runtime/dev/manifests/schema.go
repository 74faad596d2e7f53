package manifests

import (
	"context"
	"fmt"
	"reflect"
	"sync"

	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/cel"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/cel/model"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/defaulting"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/listtype"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/objectmeta"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/pruning"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/validation"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/uuid"
	"k8s.io/apimachinery/pkg/util/validation/field"
	celconfig "k8s.io/apiserver/pkg/apis/cel"
	"k8s.io/apiserver/pkg/cel/common"
	"sigs.k8s.io/yaml"

	"github.com/open4x/socialops/config/crd"
)

// The schemas of the kinds, built from the CRDs' YAML on first use.
var (
	instanceSchema = &kindSchema{build: sync.OnceValue(func() compiled { return mustCompile(crd.SocialOpsInstances) })}
	bindingSchema  = &kindSchema{build: sync.OnceValue(func() compiled { return mustCompile(crd.ChannelBindings) })}
)

// kindSchema admits objects of one kind.
type kindSchema struct{ build func() compiled }

// compiled is what an API server keeps of a CRD's schema.
type compiled struct {
	structural *schema.Structural
	openAPI    validation.SchemaValidator
	rules      *cel.Validator
}

// mustCompile panics on a CRD that no API server would take: it is part of the binary,
// and config/crd has a test that asks an API server's code.
func mustCompile(data []byte) compiled {
	c, err := compile(data)
	if err != nil {
		panic(fmt.Sprintf("reading an embedded CustomResourceDefinition: %v", err))
	}
	return c
}

func compile(data []byte) (compiled, error) {
	var def apiextensionsv1.CustomResourceDefinition
	if err := yaml.Unmarshal(data, &def); err != nil {
		return compiled{}, err
	}
	var internal apiextensions.CustomResourceValidation
	if err := apiextensionsv1.Convert_v1_CustomResourceValidation_To_apiextensions_CustomResourceValidation(def.Spec.Versions[0].Schema, &internal, nil); err != nil {
		return compiled{}, err
	}
	structural, err := schema.NewStructural(internal.OpenAPIV3Schema)
	if err != nil {
		return compiled{}, err
	}
	openAPI, _, err := validation.NewSchemaValidator(internal.OpenAPIV3Schema)
	if err != nil {
		return compiled{}, err
	}
	return compiled{structural, openAPI, cel.NewValidator(structural, true, celconfig.PerCallLimit)}, nil
}

// admit decodes content into the typed object, as an API server would on kubectl
// apply: unknown fields, defaults, schema, rules. earlier is the version in force, which
// the rules may compare with and which lends its UID, or nil. What else an API server
// sets itself (status, resource version, …) is left out.
func admit[T any, P interface {
	*T
	metav1.Object
}](ctx context.Context, s *kindSchema, k key, content map[string]any, earlier P,
) (P, []violation) {
	c := s.build()
	content = runtime.DeepCopyJSON(content)
	delete(content, "status")

	meta, unknown, err := readMeta(k, content)
	if err != nil {
		return nil, violations(field.ErrorList{err})
	}
	unknown = append(unknown, pruning.PruneWithOptions(content, c.structural, true, schema.UnknownFieldPathOptions{TrackUnknownFieldPaths: true})...)
	if len(unknown) > 0 { // an API server stops here too
		return nil, unknownFields(unknown)
	}
	defaulting.PruneNonNullableNullsWithoutDefaults(content, c.structural)
	defaulting.Default(content, c.structural)
	if err := objectmeta.SetObjectMeta(content, meta); err != nil {
		return nil, violations(field.ErrorList{field.InternalError(field.NewPath("metadata"), err)})
	}
	old, err := spec(earlier)
	if err != nil {
		return nil, violations(field.ErrorList{err})
	}
	if errs := c.validate(ctx, meta, content, old); len(errs) > 0 {
		return nil, violations(errs)
	}

	var now P = new(T)
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(content, now); err != nil {
		return nil, violations(field.ErrorList{field.Invalid(nil, field.OmitValueType{}, err.Error())})
	}
	if earlier == nil {
		now.SetUID(uuid.NewUUID())
		now.SetGeneration(1)
		return now, nil
	}
	now.SetUID(earlier.GetUID())
	now.SetGeneration(earlier.GetGeneration())
	// Both come from typed objects, so that what is written in another way is no change.
	if then, err := spec(now); err != nil || !reflect.DeepEqual(then["spec"], old["spec"]) {
		now.SetGeneration(earlier.GetGeneration() + 1)
	}
	return now, nil
}

// spec is an object without its status, as rules see it; nil for a nil object.
func spec[T any, P interface {
	*T
	metav1.Object
}](o P,
) (map[string]any, *field.Error) {
	if o == nil {
		return nil, nil
	}
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(o)
	if err != nil {
		return nil, field.InternalError(nil, err)
	}
	delete(content, "status")
	return content, nil
}

// validate is the API server's order of checks: rules are asked only once the object's
// shape is right.
func (c compiled) validate(ctx context.Context, meta *metav1.ObjectMeta, content, old map[string]any) field.ErrorList {
	errs := validateMeta(meta)
	var oldObject any // stays nil, not a nil map, for a new object
	var celOptions []cel.Option
	if old == nil {
		errs = append(errs, validation.ValidateCustomResource(nil, content, c.openAPI)...)
		errs = append(errs, listtype.ValidateListSetsAndMaps(nil, c.structural, content)...)
	} else {
		oldObject = old
		correlated := common.NewCorrelatedObject(content, old, &model.Structural{Structural: c.structural})
		celOptions = append(celOptions, cel.WithRatcheting(correlated))
		errs = append(errs, validation.ValidateCustomResourceUpdate(nil, content, old, c.openAPI, validation.WithRatcheting(correlated))...)
		if len(listtype.ValidateListSetsAndMaps(nil, c.structural, old)) == 0 {
			errs = append(errs, listtype.ValidateListSetsAndMaps(nil, c.structural, content)...)
		}
	}
	for _, err := range errs {
		switch err.Type {
		case field.ErrorTypeNotSupported, field.ErrorTypeRequired, field.ErrorTypeTooLong, field.ErrorTypeTooMany, field.ErrorTypeTypeInvalid:
			return errs
		}
	}
	ruleErrs, _ := c.rules.Validate(ctx, nil, c.structural, content, oldObject, celconfig.RuntimeCELCostBudget, celOptions...)
	return append(errs, ruleErrs...)
}
