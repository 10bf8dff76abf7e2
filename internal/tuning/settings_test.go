package tuning

import (
	"errors"
	"math"
	"testing"

	"github.com/KimMachineGun/automemlimit/memlimit"
)

func TestWhatIsGivenWinsOverTheEnvironmentOverDefaults(t *testing.T) {
	const headroom, gib = 32 << 20, 1 << 30
	for name, tt := range map[string]struct {
		percent *int
		limit   *int64
		env     map[string]string
		memory  uint64 // of the machine
		want    Choice
	}{
		"nothing":              {memory: 10 * gib, want: Choice{100, headroom, 10 * gib / 100 * 90, "machine"}},
		"nothing is known":     {want: Choice{100, headroom, math.MaxInt64, "machine"}},
		"more than numbers":    {memory: math.MaxUint64, want: Choice{100, headroom, math.MaxInt64 / 100 * 90, "machine"}},
		"the environment":      {env: map[string]string{"GOGC": "50", "GOMEMLIMIT": "1GiB"}, memory: gib, want: Choice{From: "environment"}},
		"GOGC alone":           {env: map[string]string{"GOGC": "off"}, memory: gib, want: Choice{0, 0, gib / 100 * 90, "machine"}},
		"GOMEMLIMIT alone":     {env: map[string]string{"GOMEMLIMIT": "off"}, memory: gib, want: Choice{100, headroom, 0, "environment"}},
		"an empty environment": {env: map[string]string{"GOGC": "", "GOMEMLIMIT": ""}, memory: gib, want: Choice{100, headroom, gib / 100 * 90, "machine"}},
		"flags": {percent: new(200), limit: new(int64(5000)), env: map[string]string{"GOGC": "50", "GOMEMLIMIT": "1GiB"}, memory: gib,
			want: Choice{200, headroom, 5000, "flag"}},
		"zeros": {percent: new(0), limit: new(int64(0)), memory: gib, want: Choice{-1, 0, math.MaxInt64, "flag"}},
	} {
		t.Run(name, func(t *testing.T) {
			lookup := func(key string) (string, bool) { value, ok := tt.env[key]; return value, ok }
			got := Choose(Settings{Percent: tt.percent, Headroom: headroom, Limit: tt.limit}, lookup, func() (uint64, string) { return tt.memory, "machine" })
			if got != tt.want {
				t.Errorf("got %+v, want %+v", got, tt.want)
			}
		})
	}
}

func TestTheSmallerOfContainerAndMachineCounts(t *testing.T) {
	says := func(bytes uint64, err error) memlimit.Provider { return func() (uint64, error) { return bytes, err } }
	broken := errors.New("no such file")
	for name, tt := range map[string]struct {
		container, machine memlimit.Provider
		bytes              uint64
		from               string
	}{
		"a limit":                     {says(512, nil), says(1000, nil), 512, "container"},
		"a limit beyond the machine":  {says(1<<62, nil), says(1000, nil), 1000, "machine"},
		"no limit":                    {says(0, memlimit.ErrNoLimit), says(1000, nil), 1000, "machine"},
		"no cgroups":                  {says(0, memlimit.ErrCgroupsNotSupported), says(1000, nil), 1000, "machine"},
		"an unreadable cgroup":        {says(0, broken), says(1000, nil), 1000, "machine"},
		"a machine that does not say": {says(512, nil), says(0, broken), 512, "container"},
		"nothing known":               {says(0, broken), says(0, broken), 0, "unknown"},
	} {
		t.Run(name, func(t *testing.T) {
			if bytes, from := memoryOf(tt.container, tt.machine); bytes != tt.bytes || from != tt.from {
				t.Errorf("%d from %s, want %d from %s", bytes, from, tt.bytes, tt.from)
			}
		})
	}
}

func TestThisMachineSaysHowMuchThereIs(t *testing.T) {
	if bytes, from := Memory(); bytes < 64<<20 || from == "unknown" {
		t.Errorf("%d bytes, from %s", bytes, from)
	}
}
