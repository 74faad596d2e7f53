// Command values-schema prints the JSON schema of a Helm chart's values, made of the values file itself: types are
// those of the defaults, descriptions the comments that helm-docs takes too, and further rules are JSON schema in a
// line of YAML.
//
//	# @schema {enum: [Always, IfNotPresent, Never]}
//	# -- When the image is pulled
//	pullPolicy: IfNotPresent
//
// A map takes no keys but those of its defaults, unless its own line says something of additionalProperties, as a map
// of labels does. Every value needs a description.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"

	"go.yaml.in/yaml/v3"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: values-schema VALUES.yaml > values.schema.json")
		os.Exit(2)
	}
	if err := run(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "values-schema:", err)
		os.Exit(1)
	}
}

func run(path string) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	var doc yaml.Node
	if err := yaml.Unmarshal(data, &doc); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if len(doc.Content) == 0 || doc.Content[0].Kind != yaml.MappingNode {
		return fmt.Errorf("%s: want a map of values", path)
	}
	root, err := object(doc.Content[0])
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	// Helm hands a parent chart's globals down to every chart.
	root["properties"].(map[string]any)["global"] = map[string]any{"type": "object", "description": "Values of a parent chart; none is read here"}
	root["$schema"] = "http://json-schema.org/draft-07/schema#"
	out := json.NewEncoder(os.Stdout)
	out.SetEscapeHTML(false)
	out.SetIndent("", "  ")
	return out.Encode(root)
}

// object is the schema of a map of values; keys come in the order of the alphabet, as in any JSON of Go's.
func object(node *yaml.Node) (map[string]any, error) {
	properties := map[string]any{}
	for i := 0; i < len(node.Content); i += 2 {
		key, value := node.Content[i], node.Content[i+1]
		schema, err := property(key, value)
		if err != nil {
			return nil, fmt.Errorf("line %d, %s: %w", key.Line, key.Value, err)
		}
		properties[key.Value] = schema
	}
	return map[string]any{"type": "object", "properties": properties, "additionalProperties": false}, nil
}

func property(key, value *yaml.Node) (map[string]any, error) {
	description, rules, err := comment(key.HeadComment)
	if err != nil {
		return nil, err
	}
	schema := map[string]any{}
	_, free := rules["additionalProperties"]
	switch value.Kind {
	case yaml.MappingNode:
		schema["type"] = "object"
		if !free {
			if schema, err = object(value); err != nil {
				return nil, err
			}
		}
	case yaml.SequenceNode:
		schema["type"] = "array"
	case yaml.ScalarNode:
		if schema["type"], err = scalar(value); err != nil {
			return nil, err
		}
	default:
		return nil, errors.New("want a map, a list or a plain value")
	}
	if description != "" {
		schema["description"] = description
	}
	for name, rule := range rules {
		schema[name] = rule
	}
	if schema["description"] == nil {
		return nil, errors.New("has no description")
	}
	return schema, nil
}

func scalar(value *yaml.Node) (string, error) {
	switch value.ShortTag() {
	case "!!str":
		return "string", nil
	case "!!bool":
		return "boolean", nil
	case "!!int":
		return "integer", nil
	case "!!float":
		return "number", nil
	default:
		return "", fmt.Errorf("its default %q has no type that a schema knows", value.Value)
	}
}

// comment takes a value's comment apart: the description after the double dash, up to a line of helm-docs' own, and
// the rules of the @schema line before it.
func comment(text string) (description string, rules map[string]any, err error) {
	// What stands apart above belongs to no value.
	if i := strings.LastIndex(text, "\n\n"); i >= 0 {
		text = text[i+2:]
	}
	var words []string
	described := false
	for line := range strings.SplitSeq(text, "\n") {
		line = strings.TrimSpace(strings.TrimPrefix(line, "#"))
		switch {
		case strings.HasPrefix(line, "@schema "):
			if err := yaml.Unmarshal([]byte(strings.TrimPrefix(line, "@schema ")), &rules); err != nil {
				return "", nil, fmt.Errorf("its @schema line: %w", err)
			}
		case strings.HasPrefix(line, "-- "):
			described = true
			words = append(words, strings.TrimPrefix(line, "-- "))
		case strings.HasPrefix(line, "@"):
			described = false
		case described:
			words = append(words, line)
		}
	}
	return strings.Join(words, " "), rules, nil
}
