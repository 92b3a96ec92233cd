package keystore

import (
	"testing"
	"paddock/policy"
)
var grant = policy.Grant{Role: policy.RoleUser}
func readIndex(t *testing.T, home string) index { t.Helper(); x, err := loadIndex(indexPath(home)); if err != nil { t.Fatal(err) }; return x }
