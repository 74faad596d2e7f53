module github.com/open4x/socialops/hack/tools/values-schema

go 1.26.0

require go.yaml.in/yaml/v3 v3.0.5
