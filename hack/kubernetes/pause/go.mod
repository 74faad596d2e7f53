module github.com/open4x/socialops/hack/kubernetes/pause

go 1.26.0
