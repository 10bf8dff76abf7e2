package webhook_test

import (
	"reflect"
	"sync"
	"testing"

	"tributary/internal/work/webhook"
)

// TestAKeyMakesOneEndpoint: who asks again under an idempotency key gets the first endpoint, without its secret.
func TestAKeyMakesOneEndpoint(t *testing.T) {
	b := newBench(t, func(s *setup) { s.options.MaxPerOwner = 2 })
	n := webhook.NewEndpoint{URL: target, EventTypes: []string{"post.*"}, Key: "k"}
	first, secret, err := b.Create(t.Context(), ann, n)
	if err != nil || secret == "" {
		t.Fatal(err)
	}
	again, none, err := b.Create(t.Context(), ann, n)
	if err != nil || none != "" || !reflect.DeepEqual(again, first) {
		t.Errorf("%+v %t, %v", again, none == "", err)
	}
	for _, change := range []func(*webhook.NewEndpoint){
		func(n *webhook.NewEndpoint) { n.URL += "/other" }, func(n *webhook.NewEndpoint) { n.EventTypes = []string{"*"} },
		func(n *webhook.NewEndpoint) { n.Description = "d" }, func(n *webhook.NewEndpoint) { n.Secret = given },
	} {
		other := n
		change(&other)
		_, _, err := b.Create(t.Context(), ann, other)
		refused(t, err, "", webhook.CodeKeyReused)
	}
	if _, err := b.Update(t.Context(), ann, first.ID, webhook.Update{URL: new(target + "/moved")}); err != nil {
		t.Fatal(err)
	}
	other := n
	other.Key = "l"
	second, _, err := b.Create(t.Context(), ann, other)
	if err != nil || second.ID == first.ID {
		t.Errorf("%+v, %v", second, err)
	}
	if again, _, err = b.Create(t.Context(), ann, n); err != nil || again.ID != first.ID || again.URL != target+"/moved" {
		t.Errorf("changed meanwhile, and no room: %+v, %v", again, err)
	}
	for _, caller := range []webhook.Caller{bob, {UserID: "ann", Admin: true}, admin} {
		if theirs, secret, err := b.Create(t.Context(), caller, n); err != nil || theirs.ID == first.ID || secret == "" {
			t.Errorf("%+v under the same key: %+v, %v", caller, theirs, err)
		}
	}
	if err := b.Delete(t.Context(), ann, first.ID); err != nil {
		t.Fatal(err)
	}
	if _, secret, err := b.Create(t.Context(), ann, n); err != nil || secret == "" {
		t.Errorf("after its deletion: %v", err)
	}
}

// TestAKeyMakesOneEndpointAtOnce has many ask at the same time.
func TestAKeyMakesOneEndpointAtOnce(t *testing.T) {
	b := newBench(t, nil)
	var all sync.WaitGroup
	var mu sync.Mutex
	secrets, ids := 0, map[string]bool{}
	for range 8 {
		all.Go(func() {
			made, secret, err := b.Create(t.Context(), ann, webhook.NewEndpoint{URL: target, EventTypes: []string{"*"}, Key: "k"})
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				t.Error(err)
			}
			ids[made.ID] = true
			if secret != "" {
				secrets++
			}
		})
	}
	all.Wait()
	if got, err := b.List(t.Context(), ann); err != nil || len(got) != 1 || len(ids) != 1 || secrets != 1 {
		t.Errorf("%d endpoints, %d ids, %d secrets, %v", len(got), len(ids), secrets, err)
	}
}
