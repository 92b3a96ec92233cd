// Command benchpeers measures Paddock beside nginx and Caddy.
//
//	benchpeers [-quick] [-only METRIC,…] [-rounds N] [-markdown | -into FILE] -paddock FILE
//
// One run, one machine, one stand-in for Ollama behind all three and one client
// in front of them: requests a second, latency, token streams, bodies, a flood
// of wrong keys, clients that leave, restarts of Ollama, processor time and
// memory. The targets take turns within each round and begin with another one
// each time, so that a busy machine is busy for all of them; what is compared
// are the ratios of one round. Every answer that is lost or cut is counted.
//
// nginx comes from the distribution's packages, Caddy from the Go module proxy;
// both lie in the work folder and nowhere else. A peer that cannot be had ends
// the run with the reason. Everything listens on 127.0.0.1, and what was started
// is ended, also on Ctrl-C.
package main
