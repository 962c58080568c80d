// Command coredns is CoreDNS with the plugins that a cluster without a way out needs. ../build.sh builds it.
package main

import (
	"github.com/coredns/coredns/core/dnsserver"
	"github.com/coredns/coredns/coremain"

	_ "github.com/coredns/coredns/plugin/cache"
	_ "github.com/coredns/coredns/plugin/errors"
	_ "github.com/coredns/coredns/plugin/health"
	_ "github.com/coredns/coredns/plugin/kubernetes"
	_ "github.com/coredns/coredns/plugin/ready"
	_ "github.com/coredns/coredns/plugin/rewrite"
)

func main() {
	// In the order in which they see a query.
	dnsserver.Directives = []string{"health", "ready", "errors", "cache", "rewrite", "kubernetes"}
	coremain.Run()
}
