package safety

import (
	"context"
	"errors"
	"os"
	"path/filepath"

	"golang.org/x/sys/windows/registry"
)

// here points the Finder at this system.
func (f *Finder) here() {
	if local := os.Getenv("LOCALAPPDATA"); local != "" {
		f.AppDB = filepath.Join(local, "Ollama", "db.sqlite")
	}
	if home, err := os.UserHomeDir(); err == nil {
		f.People = home
	}
	f.system.account = account
	f.system.firewall = windowsFirewall
}

// account reads the variables that programs of this account get when they
// start: the account's own go before the machine's.
func account(context.Context) (Server, bool) {
	host, err1 := variable("OLLAMA_HOST")
	origins, err2 := variable("OLLAMA_ORIGINS")
	if errors.Join(err1, err2) != nil {
		return Server{}, false
	}
	return Server{From: FromAccount, Readable: true, Host: listenAddress(host), Origins: trimVar(origins)}, true
}

func variable(name string) (string, error) {
	for _, place := range []struct {
		root registry.Key
		path string
	}{
		{registry.CURRENT_USER, `Environment`},
		{registry.LOCAL_MACHINE, `SYSTEM\CurrentControlSet\Control\Session Manager\Environment`},
	} {
		key, err := registry.OpenKey(place.root, place.path, registry.QUERY_VALUE)
		if err != nil {
			return "", err
		}
		value, _, err := key.GetStringValue(name)
		_ = key.Close()
		if err == nil {
			return value, nil
		}
		if !errors.Is(err, registry.ErrNotExist) {
			return "", err
		}
	}
	return "", nil
}

// windowsFirewall says whether it is on for private networks. Its rules are not
// read: they name programs, and Windows asks the owner about each.
func windowsFirewall() (Firewall, bool) {
	key, err := registry.OpenKey(registry.LOCAL_MACHINE, `SYSTEM\CurrentControlSet\Services\SharedAccess\Parameters\FirewallPolicy\StandardProfile`, registry.QUERY_VALUE)
	if err != nil {
		return Firewall{}, false
	}
	defer func() { _ = key.Close() }()
	on, _, err := key.GetIntegerValue("EnableFirewall")
	return Firewall{Kind: "windows", On: on != 0}, err == nil
}
