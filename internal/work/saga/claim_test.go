package saga

import (
	"errors"
	"testing"
	"time"

	"tributary/internal/work"
)

func TestYields(t *testing.T) {
	at := func(id string, second int64, claimed work.StepState) work.Record {
		return work.Record{ID: id, CreatedAt: time.Unix(second, 0), Steps: []work.Step{{State: claimed}, {State: work.StepPending}}}
	}
	mine := at("m", 5, work.StepRunning)
	for name, test := range map[string]struct {
		others []work.Record
		want   error
	}{
		"alone":                  {[]work.Record{mine}, nil},
		"older":                  {[]work.Record{mine, at("a", 4, work.StepPending)}, errBusy},
		"as old":                 {[]work.Record{at("a", 5, work.StepRunning), mine}, errBusy},
		"later":                  {[]work.Record{mine, at("z", 5, work.StepPending)}, nil},
		"later and looking":      {[]work.Record{at("z", 6, work.StepRunning), mine}, errUndecided},
		"later and on its way":   {[]work.Record{mine, at("z", 6, work.StepDone)}, errBusy},
		"later and giving way":   {[]work.Record{mine, at("z", 6, work.StepFailed)}, nil},
		"one looks, one is done": {[]work.Record{at("y", 6, work.StepRunning), at("z", 7, work.StepDone)}, errBusy},
	} {
		if got := yields(mine, test.others); !errors.Is(got, test.want) {
			t.Errorf("%s: %v", name, got)
		}
	}
	if !work.IsPermanent(errBusy) || work.IsPermanent(errUndecided) {
		t.Error("whoever gives way must not try again, whoever waits must")
	}
}
