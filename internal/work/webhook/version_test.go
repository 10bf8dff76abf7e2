package webhook_test

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"testing"

	"tributary/internal/work/dispatch"
	"tributary/internal/work/webhook"
)

// twoVersions lets endpoints be pinned to two.
func twoVersions(s *setup) {
	s.options.Supports = func(version int) error {
		if version < 1 || version > 2 {
			return errors.New("no such version")
		}
		return nil
	}
}

// TestAnEndedPinStays: whoever sends back all that an endpoint has changes nothing of its version.
func TestAnEndedPinStays(t *testing.T) {
	ended := false
	b := newBench(t, func(s *setup) {
		s.options.Supports = func(version int) error {
			if ended && version == 1 {
				return errors.New("it has ended")
			}
			return nil
		}
	})
	made, _, err := b.Create(t.Context(), ann, webhook.NewEndpoint{URL: "http://127.0.0.1:9/", EventTypes: []string{"*"}})
	if err != nil {
		t.Fatal(err)
	}
	ended = true
	if _, err := b.Update(t.Context(), ann, made.ID, webhook.Update{Version: new(1), Description: new("d")}); err != nil {
		t.Error(err)
	}
	_, _, err = b.Create(t.Context(), ann, webhook.NewEndpoint{URL: "http://127.0.0.1:9/", EventTypes: []string{"*"}})
	refused(t, err, "version", webhook.CodeInvalid)
}

// TestAnEndpointIsPinned at its making, and until it is changed; each delivery tells to what.
func TestAnEndpointIsPinned(t *testing.T) {
	b := newBench(t, twoVersions)
	r := receive(t, nil)
	delivered := func(id, want string) {
		t.Helper()
		if _, err := b.Ping(t.Context(), ann, id); err != nil {
			t.Fatal(err)
		}
		got := r.requests()
		if version := got[len(got)-1].header["Api-Version"]; len(version) != 1 || version[0] != want {
			t.Errorf("delivered in version %v, want %s", version, want)
		}
	}
	plain, _, err := b.Create(t.Context(), ann, webhook.NewEndpoint{URL: r.URL, EventTypes: []string{"*"}})
	if err != nil || plain.Version != 1 {
		t.Fatal(plain, err)
	}
	delivered(plain.ID, "1")
	pinned, _, err := b.Create(t.Context(), ann, webhook.NewEndpoint{URL: r.URL, EventTypes: []string{"*"}, Version: new(2)})
	if err != nil || pinned.Version != 2 {
		t.Fatal(pinned, err)
	}
	delivered(pinned.ID, "2")
	for _, version := range []int{0, -1, 3} {
		_, _, err := b.Create(t.Context(), ann, webhook.NewEndpoint{URL: r.URL, EventTypes: []string{"*"}, Version: &version})
		refused(t, err, "version", webhook.CodeInvalid)
		_, err = b.Update(t.Context(), ann, pinned.ID, webhook.Update{Version: &version})
		refused(t, err, "version", webhook.CodeInvalid)
	}
	if same, err := b.Update(t.Context(), ann, pinned.ID, webhook.Update{Description: new("d")}); err != nil || same.Version != 2 {
		t.Error(same, err)
	}
	if changed, err := b.Update(t.Context(), ann, pinned.ID, webhook.Update{Version: new(1)}); err != nil || changed.Version != 1 || changed.Description != "d" {
		t.Error(changed, err)
	}
	delivered(pinned.ID, "1")
}

// TestAnEndpointOfBeforeThereWereVersions keeps to the first, and whoever asks again under its key gets it.
func TestAnEndpointOfBeforeThereWereVersions(t *testing.T) {
	b := newBench(t, twoVersions)
	n := webhook.NewEndpoint{URL: target, EventTypes: []string{"post.*"}, Key: "k"}
	made, _, err := b.Create(t.Context(), ann, n)
	if err != nil {
		t.Fatal(err)
	}
	former := sha256.Sum256(fmt.Appendf(nil, `{"URL":%q,"EventTypes":["post.*"],"Secret":"","Description":"","SchemaVersion":"","Key":""}`, target))
	_, err = b.store.Change(t.Context(), made.ID, func(c *dispatch.Consumer) (*dispatch.Consumer, error) {
		var kept map[string]any
		if err := json.Unmarshal(c.Config, &kept); err != nil {
			return nil, err
		}
		delete(kept, "version")
		kept["request"] = former[:]
		c.Config, err = json.Marshal(kept)
		return c, err
	})
	if err != nil {
		t.Fatal(err)
	}
	got, err := b.Get(t.Context(), ann, made.ID)
	if err != nil || got.Version != 1 || !reflect.DeepEqual(got, made) {
		t.Errorf("%+v %v", got, err)
	}
	if again, _, err := b.Create(t.Context(), ann, n); err != nil || again.ID != made.ID {
		t.Errorf("%+v %v", again, err)
	}
	n.Version = new(2)
	_, _, err = b.Create(t.Context(), ann, n)
	refused(t, err, "", webhook.CodeKeyReused)
}
