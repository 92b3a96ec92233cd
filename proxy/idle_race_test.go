//go:build race

package proxy

// mostIdle is less where every goroutine costs several times as much.
const mostIdle = 2_000
