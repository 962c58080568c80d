//go:build tools

// Package tools pins the API server that build.sh builds as kube-apiserver-1.30.4.
package tools

import _ "k8s.io/kubernetes/cmd/kube-apiserver"
