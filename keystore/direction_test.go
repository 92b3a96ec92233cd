package keystore

import (
	"errors"
	"testing"
	"time"

	"paddock/policy"
)

func TestDirectionOfAnEdit(t *testing.T) {
	models := func(patterns ...string) policy.Models {
		m, err := policy.ParseModels(patterns)
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	rate := func(n int, per time.Duration) policy.Grant {
		return policy.Grant{Rate: policy.Rate{Count: n, Per: per}}
	}
	some, other := policy.Grant{Models: models("llama3*")}, policy.Grant{Models: models("llama3:8b")}
	soon, late := policy.Grant{Expires: noon}, policy.Grant{Expires: noon.Add(time.Hour)}
	for name, c := range map[string]struct {
		old, now  policy.Grant
		way, back direction
	}{
		"nothing":                   {policy.Grant{}, policy.Grant{}, takes, takes},
		"role":                      {policy.Grant{Role: policy.RoleManager}, policy.Grant{}, takes, gives},
		"cloud":                     {policy.Grant{Cloud: true}, policy.Grant{}, takes, gives},
		"address":                   {policy.Grant{InAddress: true}, policy.Grant{}, takes, gives},
		"models of all":             {policy.Grant{}, some, takes, gives},
		"other models":              {some, other, gives, gives},
		"an end":                    {policy.Grant{}, soon, takes, gives},
		"an earlier end":            {late, soon, takes, gives},
		"fewer a minute":            {rate(10, time.Minute), rate(9, time.Minute), takes, gives},
		"as many in an hour":        {rate(10, time.Minute), rate(10, time.Hour), takes, gives},
		"more at once, fewer a day": {rate(10, time.Minute), rate(100, 24*time.Hour), gives, gives},
		"a rate of none":            {policy.Grant{Rate: policy.NoRate}, rate(1000, time.Second), takes, gives},
		"less than usual":           {policy.Grant{}, rate(119, time.Minute), takes, gives},
		"the usual, by its name":    {policy.Grant{}, policy.Grant{}.WithDefaults(), takes, takes},
		"fewer at once":             {policy.Grant{}, policy.Grant{Concurrent: 3}, takes, gives},
		"any number at once":        {policy.Grant{}, policy.Grant{Concurrent: policy.NoCap}, gives, takes},
		"tokens":                    {policy.Grant{}, policy.Grant{TokensPerDay: 100}, takes, gives},
		"fewer tokens":              {policy.Grant{TokensPerDay: 100}, policy.Grant{TokensPerDay: 99}, takes, gives},
		"some of both":              {policy.Grant{Cloud: true}, policy.Grant{Concurrent: 5}, gives, gives},
	} {
		if got := directionOf(c.old, c.now); got != c.way {
			t.Errorf("%s: takes is %v", name, got)
		}
		if got := directionOf(c.now, c.old); got != c.back {
			t.Errorf("%s, the other way round: takes is %v", name, got)
		}
	}
}

// The story: the owner takes the cloud from a key because somebody spends the
// account, and the disk is full.
func TestAnEditThatTakesHoldsWithoutADisk(t *testing.T) {
	home := t.TempDir()
	s, ring := ringStore(t, home)
	d := &disk{}
	s.save = d.save
	_, secret := mustAdd(t, s, "alice")
	cloud := func(on bool) error { return s.Edit("alice", func(g *policy.Grant) { g.Cloud = on }) }
	if err := cloud(true); err != nil {
		t.Fatal(err)
	}
	d.fail.Store(1)
	var unsaved *UnsavedError
	if err := cloud(false); !errors.As(err, &unsaved) || !errors.Is(err, errDisk) {
		t.Errorf("taking says %v", err)
	}
	if s.Authenticate(secret.Reveal()).Grant.Cloud {
		t.Error("it is not taken")
	}
	if err := cloud(true); errors.As(err, &unsaved) || !errors.Is(err, errDisk) {
		t.Errorf("giving says %v", err)
	}
	if s.Authenticate(secret.Reveal()).Grant.Cloud {
		t.Error("it is given")
	}
	d.fail.Store(0)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if k, _ := reopen(t, home, ring).Find("alice"); k.Grant.Cloud {
		t.Error("it is not written later")
	}
}
