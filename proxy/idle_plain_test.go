//go:build !race

package proxy

const mostIdle = 10_000
