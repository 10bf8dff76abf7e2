package wire

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

type rung struct{ alarm }

func (*rung) ring(time.Time) {}

// TestWheel holds against a map of times that alarms ring once, not before their time and at most one tick after it.
func TestWheel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := &wheel{tick: time.Second}
		alarms := make([]rung, 5)
		due := map[*alarm]int{} // by ticks
		now := 0
		for range rapid.IntRange(1, 40).Draw(t, "steps") {
			a := &alarms[rapid.IntRange(0, len(alarms)-1).Draw(t, "alarm")].alarm
			switch rapid.IntRange(0, 2).Draw(t, "step") {
			case 0:
				after := rapid.IntRange(-1, 3*wheelSlots).Draw(t, "after")
				w.set(a, time.Duration(after)*time.Second)
				due[a] = now + max(after, 0) + 1
			case 1:
				w.stop(a)
				delete(due, a)
			case 2:
				for range rapid.IntRange(1, 2*wheelSlots).Draw(t, "ticks") {
					now++
					for _, a := range w.advance(nil) {
						if due[a] != now {
							t.Fatalf("it rings at %d, due at %d", now, due[a])
						}
						delete(due, a)
					}
					for _, at := range due {
						if at <= now {
							t.Fatalf("it does not ring at %d", at)
						}
					}
				}
			}
		}
	})
}
