package proxy

import "runtime"

// heap is what lives after a collection, and after a second one, which takes what
// pools still hold of earlier tests.
func heap() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
