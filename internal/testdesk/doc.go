// Package testdesk gives a test a private little desktop of its own.
//
// A [Bus] is a session bus on which nothing lives but what the test put there;
// a [Keyring] is a real gnome-keyring-daemon on such a bus, and [Secrets] reads
// what lies in it without going through the program under test. A [Desk] adds an
// X server, a tray host and a notification service, so that a test can read and
// click a tray menu as a panel does, and see, click and type into windows.
//
// Nothing of the real desktop is touched. A tool that is missing fails the test
// and names the package that brings it: a test that cannot run is not a pass.
// Every wait has a condition and a limit. The package is for tests only and
// works on Linux.
package testdesk
