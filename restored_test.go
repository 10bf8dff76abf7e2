package main

import (
	"testing"

	"tributary/internal/work"
)

// TestAnAccountIsRestoredByItsOwner takes a deletion back within the grace period, across a kill of the gateway, and finds out when it is too
// late for that.
func TestAnAccountIsRestoredByItsOwner(t *testing.T) {
	torture(t)
	t.Parallel()
	dir := families(t, 3)
	untouched := everything(t, dir, 3)
	s := startStage(t, dir, nil, "--account-grace", "100h")
	owner, other := s.issuer.token(t, map[string]any{"sub": "v00a"}), s.issuer.token(t, map[string]any{"sub": "v00b"})
	refused := func(what, token, mutation string, variables map[string]any, want string) {
		t.Helper()
		if _, code := s.command(t, token, mutation, variables); code != want {
			t.Errorf("%s: %q, want %s", what, code, want)
		}
	}
	const own = `mutation { x: deleteAccount { saga { id } userErrors { code } } }`
	refused("restoring what nobody deletes", owner, restoral, nil, "NOT_DELETING")
	refused("merging an account with itself", s.admin, merge, map[string]any{"from": "user_v00a", "into": "user_v00a"}, "SAME_ACCOUNT")
	x, code := s.command(t, owner, own, nil)
	if code != "" {
		t.Fatal(code)
	}
	id := at(t, x, "saga", "id").(string)
	eventuallySo(t, "the grace period has begun", func() bool { return s.state(t, id) == work.Waiting })
	s.gateway.kill()
	s.start(t)
	refused("deleting twice", owner, own, nil, "ALREADY_DELETING")
	refused("merging into what is deleted", s.admin, merge, map[string]any{"from": "user_v01a", "into": "user_v00a"}, "BUSY")
	for what, mutation := range map[string]string{"restoring": `mutation { x: restoreAccount(userId: "user_v00a") { userErrors { code } } }`, "deleting": `mutation { x: deleteAccount(userId: "user_v00a") { userErrors { code } } }`} {
		if a, err := s.ask(t.Context(), s.url, other, mutation, nil); err == nil || len(a.Errors) != 1 || a.Errors[0].code() != "FORBIDDEN" {
			t.Errorf("%s somebody else: %v", what, err)
		}
	}
	refused("restoring", owner, restoral, nil, "")
	if state := s.ended(t, id); state != work.Compensated {
		t.Errorf("restored, it is %s", state)
	}
	refused("restoring what is restored", owner, restoral, nil, "NOT_DELETING")
	s.gateway.kill()
	s.args = append(s.args, "--account-grace", "0s")
	s.start(t)
	gone := map[string]any{"id": "user_v01a"}
	if state := s.ended(t, s.begin(t, deletion, gone)); state != work.Completed {
		t.Errorf("without a grace period, it is %s", state)
	}
	refused("restoring what is erased", s.admin, restoral, gone, "TOO_LATE")
	refused("deleting what is erased", s.admin, deletion, gone, "NOT_FOUND")
	refused("merging what is erased", s.admin, merge, map[string]any{"from": "user_v01a", "into": "user_v02a"}, "NOT_FOUND")
	s.gateway.kill()
	s.demos.kill()
	now := everything(t, dir, 3)
	for _, i := range []int{0, 2} {
		if d := differ(now[i].state, untouched[i].state); d != "" {
			t.Errorf("family %d is not as it was: %s", i, d)
		}
	}
}
