package operation

import (
	"encoding/json"
	"testing"

	"pgregory.net/rapid"

	"tributary/internal/limit"
)

func TestTheCostIsWrittenAsJSONDescribesIt(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		report := costReport{Requested: rapid.Int64().Draw(t, "requested")}
		if rapid.Bool().Draw(t, "ran") {
			report.Actual = new(rapid.Int64().Draw(t, "actual"))
		}
		if rapid.Bool().Draw(t, "limited") {
			report.ThrottleStatus = throttleStatus{
				Name: rapid.SampledFrom([]string{"user", "ip-requests"}).Draw(t, "name"), MaximumAvailable: rapid.Int64().Draw(t, "maximum"),
				CurrentlyAvailable: rapid.Int64().Draw(t, "current"),
				RestoreRate:        rapid.SampledFrom([]float64{0, 1, 500, 1e12, 1e18, 1e19, 1e21, 1e300, 0.5, 1e-7, 1.0 / 3}).Draw(t, "rate"),
			}
		}
		if rapid.Bool().Draw(t, "debug") {
			report.Fields = []limit.FieldCost{{Path: []string{"a"}, DefinedCost: 1}}
		}
		want, err := json.Marshal(report)
		if err != nil {
			t.Fatal(err)
		}
		got, err := json.Marshal(report.encoded())
		if err != nil || string(got) != string(want) {
			t.Errorf("%s, %v, want %s", got, err, want)
		}
	})
}
