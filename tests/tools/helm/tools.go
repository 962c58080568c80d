//go:build tools

// Package helm pins the helm that renders the chart in tests: ../build.sh builds it.
package helm

import _ "helm.sh/helm/v3/cmd/helm"
