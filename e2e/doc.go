// Package e2e proves Paddock from end to end with nothing mocked: the real
// program on a private desktop with a real keychain, a real Ollama behind it and
// real clients in front of it.
//
// The tests stand behind the build tag e2e:
//
//	go test -tags e2e -count=1 -timeout 30m ./e2e/...
//
// The first run builds Ollama and installs the npm clients into a cache folder,
// which takes a few minutes; see package [paddock/e2e/cache]. The folders below
// hold the parts: package ollama runs the server, package clients its npm
// clients, package program Paddock itself; package testdesk is the desktop.
package e2e
