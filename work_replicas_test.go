package main

import (
	"path/filepath"
	"slices"
	"testing"
	"time"

	"tributary/internal/redisclient/redistest"
	"tributary/internal/work"
)

// TestAReplicaDiesUnderItsWork starts sagas and jobs through two gateways and kills one while both are inside steps. The other one takes over
// what that was at, and each step takes effect once.
func TestAReplicaDiesUnderItsWork(t *testing.T) {
	torture(t)
	t.Parallel()
	const sagas, exports, takeover = 12, 8, 30 * time.Second
	troubles := make([]trouble, sagas+2)
	for i := range troubles {
		troubles[i].merges = i%2 == 1
		if i < sagas {
			writes := deletionWrites
			if troubles[i].merges {
				writes = mergeWrites
			}
			troubles[i].points = []point{{account: family(i) + "a", write: writes[i/2%len(writes)], how: paused}}
		}
	}
	dir := families(t, len(troubles))
	untouched := everything(t, dir, len(troubles))
	shared := t.TempDir()
	s := startStage(t, dir, redistest.Start(t), "--account-grace", "0s", "--export-dir", shared, "--replicas", "2")
	other, otherURL := s.second(t)
	for i := range troubles {
		s.gates.set(troubles[i].points...)
		troubles[i].id = s.startOn(t, []string{s.url, otherURL}[i/2%2], i, troubles[i].merges)
	}
	var jobs []string
	for i := range exports {
		token := s.issuer.token(t, map[string]any{"sub": family(i) + "c"})
		a, err := s.ask(t.Context(), []string{s.url, otherURL}[i%2], token, `mutation { x: requestDataExport { job { id } userErrors { code } } }`, nil)
		if err != nil {
			t.Fatal(err)
		}
		jobs = append(jobs, at(t, a.Data, "x", "job", "id").(string))
	}
	for _, tr := range troubles[:sagas] {
		eventuallySo(t, tr.String()+" is reached", func() bool { return s.gates.holds(tr.points[0]) })
	}
	other.kill()
	killed := time.Now()
	eventuallySo(t, "the dead one has left something", func() bool { return len(s.gates.abandoned()) > 0 })
	left := s.gates.abandoned()
	s.gates.open()
	ends := make([]work.State, len(troubles))
	for i, tr := range troubles {
		ends[i] = s.ended(t, tr.id)
	}
	for _, id := range jobs {
		eventuallySo(t, "an export ends", func() bool {
			a, err := s.ask(t.Context(), s.url, s.admin, `query ($id: ID!) { job(id: $id) { state } }`, map[string]any{"id": id})
			return err == nil && at(t, a.Data, "job", "state") == "COMPLETED"
		})
	}
	took := time.Since(killed)
	if took > takeover {
		t.Errorf("everything has ended %v after the kill", took)
	}
	if made, _ := filepath.Glob(filepath.Join(shared, "*.zip")); len(made) != exports {
		t.Errorf("%d exports of %d: %v", len(made), exports, made)
	}
	s.gateway.kill()
	s.demos.kill()
	now, keys := everything(t, dir, len(troubles)), s.keys(t)
	models := []shown{now[sagas], now[sagas+1]}
	for i, tr := range troubles {
		tr.judge(t, ends[i], untouched[i], now[i], models)
		tr.once(t, ends[i], keys)
	}
	slices.Sort(left)
	t.Logf("%d sagas were inside a step on the one that was killed, %v; all %d sagas and exports had ended after %v", len(left), left, len(troubles)+exports, took.Round(time.Millisecond))
}
