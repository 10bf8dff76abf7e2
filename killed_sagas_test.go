package main

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"tributary/internal/redisclient/redistest"
	"tributary/internal/work"
)

// trouble is a saga about a family and what happens to it on its way.
type trouble struct {
	merges bool
	points []point // those that hold are where the gateway is killed
	id     string  // of the saga
}

func (tr trouble) String() string {
	return fmt.Sprint(map[bool]string{true: "merge", false: "deletion"}[tr.merges], tr.points)
}

// The writes of both sagas in their order, and those that take back what the first of them did once the last of those has failed.
var (
	deletionWrites = []string{"user freeze", "post hide", "comment anonymise", "follower remove", "comment purge", "follower purge", "post purge", "user purge"}
	mergeWrites    = []string{"user freeze", "post transfer", "comment transfer", "follower transfer", "user delete"}
	undoWrites     = []string{"follower restore", "comment restore", "post restore", "user restore"}
)

// failing is the write of a saga at which it turns around in these tests.
func failing(merges bool) string {
	if merges {
		return "follower transfer"
	}
	return "follower remove"
}

// killings are all moments inside the writes of both sagas, forth and back.
func killings() (all []trouble) {
	for _, merges := range []bool{false, true} {
		forth := deletionWrites
		if merges {
			forth = mergeWrites
		}
		for _, how := range []verdict{before, after} {
			for _, write := range forth {
				all = append(all, trouble{merges: merges, points: []point{{write: write, how: how}}})
			}
			for _, write := range undoWrites {
				all = append(all, trouble{merges: merges, points: []point{{write: failing(merges), how: down}, {write: write, how: how}}})
			}
		}
	}
	for i := range 4 {
		all = append(all, trouble{points: []point{{write: deletionWrites[i], how: stray}}}, trouble{merges: true, points: []point{{write: mergeWrites[i], how: stray}}})
	}
	return all
}

// TestTortureSagasAreKilled kills the gateway inside every write of both sagas, before the service has heard of it and when only the
// answer is missing, and between the steps. What was under way reaches the services at the very end. Each saga is carried out once as if
// nothing had happened, or taken back.
func TestTortureSagasAreKilled(t *testing.T) {
	torture(t)
	const seed, atOnce, sample = 17, 13, 7
	all := killings()
	rand.New(rand.NewPCG(seed, 0)).Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	all = all[:rounds(sample, len(all))]
	for _, shared := range []bool{false, true} {
		for group := range slices.Chunk(all, atOnce) {
			t.Run(map[bool]string{true: "Redis", false: "files"}[shared], func(t *testing.T) {
				if rounds(0, 1) == 0 {
					t.Parallel() // in the short run there are two
				}
				var redis *redistest.Server
				if shared {
					redis = redistest.Start(t)
				}
				killSagas(t, redis, slices.Clone(group))
			})
		}
	}
}

// undisturbed are the sagas that the others are held against: both of them carried out, and both taken back.
func undisturbed() []trouble {
	return []trouble{{}, {merges: true}, {points: []point{{write: failing(false), how: down}}}, {merges: true, points: []point{{write: failing(true), how: down}}}}
}

// killSagas runs sagas into their trouble and kills the gateway there, while others are anywhere on their way.
func killSagas(t *testing.T, redis *redistest.Server, troubles []trouble) {
	moving := rounds(6, 12)
	for i := range moving {
		tr := trouble{merges: i%2 == 0}
		if i%3 == 0 {
			tr.points = []point{{write: failing(tr.merges), how: down}}
		}
		troubles = append(troubles, tr)
	}
	model := len(troubles)
	troubles = append(troubles, undisturbed()...)
	dir := families(t, len(troubles))
	untouched := everything(t, dir, len(troubles))
	s := startStage(t, dir, redis, "--account-grace", "0s")
	for i := range troubles[model:] {
		s.enter(t, model+i, &troubles[model+i])
	}
	for _, tr := range troubles[model:] {
		s.ended(t, tr.id)
	}
	for i := range troubles[:model-moving] {
		s.enter(t, i, &troubles[i])
	}
	for _, tr := range troubles[:model-moving] {
		if p := tr.points[len(tr.points)-1]; p.how == before || p.how == stray || p.how == after {
			eventuallySo(t, tr.String()+" is reached", func() bool { return s.gates.holds(p) })
		}
	}
	pace := time.NewTicker(120 * time.Millisecond) // so that they are apart
	defer pace.Stop()
	for i := model - moving; i < model; i++ {
		s.enter(t, i, &troubles[i])
		<-pace.C
	}
	s.gateway.kill()
	t.Logf("killed %s", strings.Join(s.whereabouts(t), ", "))
	s.gates.open()
	began := time.Now()
	s.start(t)
	states := map[work.State]int{}
	ends := make([]work.State, len(troubles))
	for i, tr := range troubles {
		ends[i] = s.ended(t, tr.id)
		states[ends[i]]++
	}
	took := time.Since(began)
	late := s.gates.release()
	t.Logf("%v within %v; what was under way came late and was answered %v", states, took.Round(time.Millisecond), late)
	if rounds(0, 1) > 0 {
		noDrift(t, s.services()...)
	}
	s.gateway.kill()
	s.demos.kill()
	now := everything(t, dir, len(troubles))
	models := now[model:]
	keys := s.keys(t)
	for i, tr := range troubles {
		tr.judge(t, ends[i], untouched[i], now[i], models)
		tr.once(t, ends[i], keys)
	}
}

// enter starts the saga about a family.
func (s *stage) enter(t *testing.T, i int, tr *trouble) {
	t.Helper()
	tr.points = slices.Clone(tr.points)
	for p := range tr.points {
		tr.points[p].account = family(i) + "a"
	}
	s.gates.set(tr.points...)
	tr.id = s.startOn(t, s.url, i, tr.merges)
}

// startOn starts a saga about a family on any gateway.
func (s *stage) startOn(t *testing.T, url string, i int, merges bool) (id string) {
	t.Helper()
	if merges {
		return s.beginOn(t, url, merge, map[string]any{"from": "user_" + family(i) + "a", "into": "user_" + family(i) + "b"})
	}
	return s.beginOn(t, url, deletion, map[string]any{"id": "user_" + family(i) + "a"})
}

// whereabouts counts where the sagas are that have not ended. The gateway does not run.
func (s *stage) whereabouts(t *testing.T) (places []string) {
	t.Helper()
	all, err := s.records(t).List(t.Context(), work.Filter{Kind: work.Saga}, "", 200)
	if err != nil {
		t.Fatal(err)
	}
	inside, between, over := 0, map[string]int{}, 0
	for _, r := range all {
		under := slices.ContainsFunc(r.Steps, func(step work.Step) bool { return step.State == work.StepRunning || step.State == work.StepUndoing })
		switch {
		case r.State.Ended():
			over++
		case under:
			inside++
		default:
			last := "the beginning"
			for _, step := range r.Steps {
				if step.State == work.StepDone || step.State == work.StepFailed {
					last = step.Name
				}
				if step.State == work.StepUndone {
					last += " and back"
					break
				}
			}
			between[last]++
		}
	}
	places = append(places, fmt.Sprintf("%d ended, %d inside steps", over, inside))
	for place, n := range between {
		places = append(places, fmt.Sprintf("%d behind %s", n, place))
	}
	slices.Sort(places)
	return places
}

// turns says whether a saga has to be taken back: where a write fails that is not behind the point of no return.
func (tr trouble) turns() bool {
	if len(tr.points) == 0 || slices.Contains(deletionWrites[4:], tr.points[0].write) || tr.points[0].write == mergeWrites[4] {
		return false
	}
	return tr.points[0].how == down || tr.points[0].how == stray || tr.points[0].how == outage || tr.points[0].how == lost
}

// judge holds what the services have now against what an undisturbed saga leaves: the same entities in the same versions with the same
// events, so that each step took effect once; or what was there before.
func (tr trouble) judge(t *testing.T, end work.State, untouched, now shown, models []shown) {
	t.Helper()
	turns := tr.turns()
	want, model := work.Completed, 0
	if turns {
		want, model = work.Compensated, 2
	}
	if tr.merges {
		model++
	}
	if end != want {
		t.Errorf("%v ended as %s, want %s", tr, end, want)
		return
	}
	if d := differ(now.state, models[model].state); d != "" {
		t.Errorf("%v leaves other entities than one undisturbed: %s", tr, d)
	}
	if d := differ(now.state, untouched.state); turns && d != "" {
		t.Errorf("%v does not leave what was there before: %s", tr, d)
	}
	if d := differ(now.story, models[model].story); (!turns || tr.points[0].how == down) && d != "" {
		t.Errorf("%v has another story than one undisturbed: %s", tr, d)
	}
}

// differ are the lines that only one of two has, if they are not the same.
func differ(got, want []string) string {
	if slices.Equal(got, want) {
		return ""
	}
	var lines []string
	for _, line := range got {
		if !slices.Contains(want, line) {
			lines = append(lines, "\n+ "+line)
		}
	}
	for _, line := range want {
		if !slices.Contains(got, line) {
			lines = append(lines, "\n- "+line)
		}
	}
	return fmt.Sprintf("%d lines for %d%s", len(got), len(want), strings.Join(lines, ""))
}

// once sees that the services kept an answer under the key of each write of a saga.
func (tr trouble) once(t *testing.T, end work.State, keys map[string]int) {
	t.Helper()
	want := []string{"freezeUser", "hidePosts", "anonymiseComments", "removeFollows", "purgeComments", "purgeFollows", "purgePosts", "purgeUser"}
	switch {
	case tr.merges && end == work.Compensated:
		want = []string{"freezeSource/undo", "transferPosts/undo", "transferComments/undo", "transferFollows/undo", "freezeSource", "transferPosts", "transferComments"}
	case tr.merges:
		want = []string{"freezeSource", "transferPosts", "transferComments", "transferFollows"}
	case end == work.Compensated:
		want = []string{"freezeUser/undo", "hidePosts/undo", "anonymiseComments/undo", "removeFollows/undo", "freezeUser", "hidePosts", "anonymiseComments"}
	}
	if tr.turns() && tr.points[0].write != failing(tr.merges) {
		return // it turned around elsewhere
	}
	_, id, _ := strings.Cut(tr.id, "_")
	for _, step := range want {
		if n := keys[id+"/"+step]; n != 1 {
			t.Errorf("%v: %d answers are kept under the key of %s", tr, n, step)
		}
	}
}

// keys counts the keys under which the services keep answers. They do not run.
func (s *stage) keys(t *testing.T) map[string]int {
	t.Helper()
	keys := map[string]int{}
	for _, service := range []string{"user", "post", "comment", "follower"} {
		for _, key := range all(t, openFile(t, s.demoDir, service), "SELECT key FROM idempotency") {
			keys[key]++
		}
	}
	return keys
}

// services are the flags that name the services and the log.
func (s *stage) services() (args []string) {
	args = []string{"--data-dir", s.dataDir}
	if s.redis != nil {
		args = append(args, "--redis-url", s.redis.URL())
	}
	for name, url := range s.gates.urls {
		args = append(args, "--"+name+"-url", url)
	}
	return args
}
