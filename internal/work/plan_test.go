package work

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// model is a piece of work in the hands of processes that die, sleep and come back, with what the documentation of definitions and of
// Cancel promises.
type model struct {
	*rapid.T
	engine   *Engine
	d        Definition
	r        Record
	now      time.Time
	inHand   []attempted // begun and not settled; their processes may be thought dead
	done     []bool      // steps that were told to have succeeded
	undone   []bool
	finals   bool // a final step was begun
	undos    int  // the step that was undone last
	interest map[string]int
}

type attempted struct {
	began Record
	act   action
}

func TestPlanKeepsItsPromises(t *testing.T) {
	seen := map[string]int{}
	rapid.Check(t, func(t *rapid.T) {
		for range 50 { // for one alone the hundred runs of a check are few
			m := newModel(t, seen)
			for range rapid.IntRange(0, 60).Draw(t, "moves") {
				m.move()
			}
			m.drain()
		}
	})
	for _, what := range []string{"COMPLETED", "COMPENSATED", "CANCELLED", "FAILED", "late", "overtaken", "during a step", "stuck", "given up"} {
		if seen[what] == 0 {
			t.Errorf("it never came to: %s", what)
		}
	}
	t.Log(seen)
}

func newModel(t *rapid.T, seen map[string]int) *model {
	m := &model{T: t, engine: &Engine{options: Options{Scale: 1}}, now: time.Unix(1e9, 0), interest: seen}
	n := rapid.IntRange(1, 5).Draw(t, "steps")
	m.done, m.undone, m.undos = make([]bool, n), make([]bool, n), n
	m.d = Definition{Name: "it.v1", Kind: rapid.SampledFrom([]Kind{Job, Saga}).Draw(t, "kind")}
	m.d.Retry = Retry{Attempts: rapid.IntRange(1, 3).Draw(t, "attempts"), First: time.Minute, Most: 4 * time.Minute}
	m.r = Record{ID: "id", Kind: m.d.Kind, Name: m.d.Name, State: Pending, Attempts: 1, CreatedAt: m.now, UpdatedAt: m.now}
	if rapid.Bool().Draw(t, "later") {
		m.r.RunAt = m.now.Add(time.Hour)
	}
	for i := range n {
		step := StepDefinition{Name: fmt.Sprint("s", i), Final: rapid.IntRange(0, 4).Draw(t, "final") == 0}
		if wait := rapid.IntRange(-3, 3).Draw(t, "wait"); wait > 0 {
			until := m.now.Add(time.Duration(wait) * time.Hour)
			step.Wait = func(Record) time.Time { return until }
		}
		m.d.Steps = append(m.d.Steps, step)
		m.r.Steps = append(m.r.Steps, Step{Name: step.Name, State: StepPending})
	}
	return m
}

func (m *model) move() {
	switch rapid.SampledFrom([]string{"act", "act", "act", "act", "settle", "settle", "settle", "settle", "time", "uncount", "die", "cancel", "time", "retry", "unknown"}).Draw(m.T, "move") {
	case "act":
		m.act()
	case "settle":
		if a, ok := m.take(); ok {
			m.settle(a, rapid.SampledFrom([]error{nil, nil, errors.New("transient"), Permanent(errors.New("permanent"))}).Draw(m.T, "outcome"))
		}
	case "uncount":
		if a, ok := m.take(); ok {
			m.change(func(r *Record) error { return uncount(r, a.began, a.act) })
		}
	case "die": // an effect may come late, but never the outcome
		m.take()
	case "cancel":
		m.cancel()
	case "time":
		m.now = m.now.Add(rapid.SampledFrom([]time.Duration{time.Second, 10 * time.Minute, 2 * time.Hour}).Draw(m.T, "passes"))
	case "unknown": // a version comes by that does not know such work
		if !m.r.State.Ended() {
			m.change(func(r *Record) error { r.State = Stuck; return nil })
		}
	case "retry":
		failed := m.r.State == Failed
		if err := m.change(func(r *Record) error { return again(r, m.now) }); (err == nil) != failed {
			m.Fatalf("tried again: %v, %+v", err, m.r)
		}
	}
}

// take takes one of the attempts in hand, not always the latest.
func (m *model) take() (attempted, bool) {
	if len(m.inHand) == 0 {
		return attempted{}, false
	}
	i := rapid.IntRange(0, len(m.inHand)-1).Draw(m.T, "of those in hand")
	a := m.inHand[i]
	m.inHand = slices.Delete(m.inHand, i, i+1)
	return a, true
}

// act does what is next, as an attempt of the engine does.
func (m *model) act() {
	switch a := plan(m.r, m.d, m.now); a.kind {
	case actEnd:
		if !m.r.State.Ended() {
			m.Fatalf("nothing is next of %+v", m.r)
		}
	case actWait:
		m.waits(a)
	case actFinish:
		m.change(func(r *Record) error { finish(r, a.state, m.now); return nil })
	case actGiveUp:
		m.interest["given up"]++
		m.change(func(r *Record) error {
			m.engine.failed(r, m.d, a, failureOf(errInterrupted, m.now), true, m.now)
			return nil
		})
	case actDo:
		m.mayDo(a.step)
		m.change(func(r *Record) error { beginDo(r, m.d, a.step, m.now); return nil })
		m.inHand = append(m.inHand, attempted{m.copy(), a})
	case actUndo:
		m.mayUndo(a.step)
		m.change(func(r *Record) error { beginUndo(r, a.step, m.now); return nil })
		m.inHand = append(m.inHand, attempted{m.copy(), a})
	}
}

func (m *model) waits(a action) {
	if !a.until.After(m.now) || m.r.Decision == TakeBack && !slices.ContainsFunc(m.r.Steps, func(s Step) bool { return s.State == StepUndoing }) {
		m.Fatalf("it waits until %v: %+v", a.until, m.r)
	}
	m.change(func(r *Record) error { r.State, r.RunAt = a.state, a.until; return nil })
	under := slices.ContainsFunc(m.r.Steps, func(s Step) bool { return s.State != StepPending && s.State != StepDone })
	if m.r.State == Stuck && m.r.Troubled.IsZero() || m.r.State == Waiting && under || (m.r.State == Running || m.r.State == Compensating) && !under {
		m.Fatalf("it waits as %+v", m.r)
	}
}

func (m *model) mayDo(i int) {
	step, of := m.r.Steps[i], m.d.Steps[i]
	switch {
	case slices.Contains(m.done[:i], false) || slices.Contains(m.done[i:], true):
		m.Fatalf("step %d is done out of turn: %+v", i, m.r)
	case m.r.Decision == TakeBack || slices.Contains(m.undone, true):
		m.Fatalf("step %d is done on the way back: %+v", i, m.r)
	case step.Attempts >= m.d.Retry.Attempts && !final(m.d, i):
		m.Fatalf("step %d is tried too often: %+v", i, m.r)
	case of.Wait != nil && of.Wait(m.r).After(m.now) || m.r.RunAt.After(m.now):
		m.Fatalf("step %d begins before its time: %+v", i, m.r)
	}
	m.finals = m.finals || final(m.d, i)
}

func (m *model) mayUndo(i int) {
	switch {
	case m.r.Kind == Job && m.r.Decision != TakeBack:
		m.Fatalf("a job goes back by itself: %+v", m.r)
	case final(m.d, i) || m.finals:
		m.Fatalf("step %d is undone behind the point of no return: %+v", i, m.r)
	case i > m.undos || m.undone[i]:
		m.Fatalf("step %d is undone out of turn: %+v", i, m.r)
	}
	for _, later := range m.r.Steps[i+1:] {
		if later.State != StepPending && later.State != StepUndone {
			m.Fatalf("step %d is undone before a later one: %+v", i, m.r)
		}
	}
	m.undos = i
}

func (m *model) settle(a attempted, failure error) {
	err := m.change(func(r *Record) error { return m.engine.settle(r, a.began, m.d, a.act, failure, nil, m.now) })
	switch {
	case err != nil:
		m.interest["overtaken"]++
		return
	case failure == nil && a.act.kind == actDo:
		m.done[a.act.step] = true
	case failure == nil:
		m.undone[a.act.step] = true
	}
	if m.r.Decision == TakeBack && a.act.kind == actDo && !m.r.RunAt.IsZero() {
		m.Fatalf("the way back waits: %+v", m.r)
	}
	if m.r.State == Stuck {
		m.interest["stuck"]++
	}
}

func (m *model) cancel() {
	before := m.copy()
	under := slices.ContainsFunc(before.Steps, func(s Step) bool { return s.State == StepRunning })
	back := before.Decision == TakeBack || undoing(before) && !before.State.Ended()
	late := before.Decision == Proceed || before.State.Ended() || m.d.Kind == Job && before.State != Waiting && begun(before)
	err := m.change(func(r *Record) error { return takeBack(r, m.now) })
	switch {
	case back:
		if err != nil || m.r.Decision != before.Decision {
			m.Fatalf("on its way back: %v, %+v", err, m.r)
		}
	case late:
		m.interest["late"]++
		if !errors.Is(err, ErrTooLate) || m.r.Decision != before.Decision {
			m.Fatalf("too late: %v, %+v", err, m.r)
		}
	case err != nil || m.r.Decision != TakeBack || m.finals:
		m.Fatalf("in time: %v, %+v", err, m.r)
	case under:
		m.interest["during a step"]++
	}
}

// change changes the record and checks what holds after any change.
func (m *model) change(change func(*Record) error) error {
	before := m.copy()
	if err := change(&m.r); err != nil {
		m.r = before
		return err
	}
	switch {
	case before.Decision != Undecided && m.r.Decision != before.Decision:
		m.Fatalf("decided twice: %+v", m.r)
	case m.finals && m.r.Decision != Proceed:
		m.Fatalf("undecided behind the point of no return: %+v", m.r)
	case m.r.State.Ended() != !m.r.EndedAt.IsZero() || m.r.State.Ended() && !m.r.RunAt.IsZero():
		m.Fatalf("ended or not: %+v", m.r)
	}
	return nil
}

func (m *model) copy() Record {
	r := m.r
	r.Steps = slices.Clone(r.Steps)
	return r
}

// drain lets all succeed from here on: it comes to an end, and to the right one.
func (m *model) drain() {
	for range 10 * (len(m.r.Steps) + 1) {
		if m.r.State.Ended() {
			m.checkEnd()
			return
		}
		if a := plan(m.r, m.d, m.now); a.kind == actWait {
			m.now = a.until
		}
		held := len(m.inHand)
		if m.act(); len(m.inHand) > held {
			m.settle(m.inHand[held], nil)
			m.inHand = m.inHand[:held]
		}
	}
	m.Fatalf("it never ends: %+v", m.r)
}

func (m *model) checkEnd() {
	var states []StepState
	for _, step := range m.r.Steps {
		states = append(states, step.State)
	}
	only := func(allowed ...StepState) bool {
		return !slices.ContainsFunc(states, func(s StepState) bool { return !slices.Contains(allowed, s) })
	}
	m.interest[string(m.r.State)]++
	right := false
	switch m.r.State {
	case Completed:
		right = only(StepDone) && !slices.Contains(m.done, false) && !slices.Contains(m.undone, true) && m.r.Decision == Proceed
	case Compensated:
		right = only(StepUndone, StepPending) && slices.Contains(m.undone, true) && (m.r.Kind == Saga || m.r.Decision == TakeBack) && !m.finals
	case Cancelled:
		right = only(StepPending) && m.r.Decision == TakeBack && !slices.Contains(m.done, true)
	case Failed:
		right = m.r.Kind == Job && only(StepDone, StepFailed, StepPending) && slices.Contains(states, StepFailed) && m.r.Decision != TakeBack && !m.finals
	}
	for i := range m.r.Steps {
		if m.undone[i] != (states[i] == StepUndone) || m.done[i] && states[i] == StepPending {
			right = false
		}
	}
	if !right {
		m.Fatalf("it ended as %+v, done %v, undone %v", m.r, m.done, m.undone)
	}
}
