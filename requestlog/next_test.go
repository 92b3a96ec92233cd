package requestlog

import "testing"

// Pages put together are what Since gives at once, whatever the page.
func TestPagesAreTheWhole(t *testing.T) {
	l := New(7)
	for range 20 {
		l.Append(Entry{})
	}
	all, _, allMissed := l.Since(0, 0)
	for page := 1; page < 10; page++ {
		var got []Entry
		var seq, missed uint64
		for {
			some, next, out := l.Next(seq, page)
			missed += out
			if len(some) == 0 {
				if next != seq {
					t.Fatalf("page %d: nothing came, and the number went from %d to %d", page, seq, next)
				}
				break
			}
			if len(some) > page {
				t.Fatalf("page %d has %d entries", page, len(some))
			}
			got, seq = append(got, some...), next
		}
		if len(got) != len(all) || got[0].Seq != all[0].Seq || got[len(got)-1].Seq != all[len(all)-1].Seq || missed != allMissed {
			t.Errorf("page %d: %d entries from %d, %d missed", page, len(got), got[0].Seq, missed)
		}
	}
	if some, next, _ := New(3).Next(0, 5); some != nil || next != 0 {
		t.Errorf("an empty log gave %v, %d", some, next)
	}
}
