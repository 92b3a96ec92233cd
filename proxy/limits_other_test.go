//go:build !unix

package proxy

// idleConnections is how many connections a test may hold at both their ends.
func idleConnections() int { return min(mostIdle, 2_000) }
