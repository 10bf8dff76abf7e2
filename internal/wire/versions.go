package wire

import (
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"time"

	"tributary/internal/operation"
)

// versionEntry is one version in the list of Versions. Days are in UTC.
type versionEntry struct {
	Version      string             `json:"version"`
	Status       string             `json:"status"` // supported, deprecated or ended
	Default      bool               `json:"default"`
	Endpoint     string             `json:"endpoint"`
	Released     string             `json:"released,omitempty"`
	Deprecated   string             `json:"deprecated,omitempty"`
	Sunset       string             `json:"sunset,omitempty"`
	Deprecations []deprecationEntry `json:"deprecations,omitempty"`
}

type deprecationEntry struct {
	Coordinate string `json:"coordinate"`
	Reason     string `json:"reason"`
	Announced  string `json:"announced,omitempty"`
	Sunset     string `json:"sunset,omitempty"`
}

// Versions answers with the versions of the schema, the oldest first, and what is to become of them: what Link fields of deprecated and
// ended ones refer to. With elements it also lists what of each is deprecated.
func Versions(views *operation.Views, elements bool, now func() time.Time) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		entries := make([]versionEntry, 0, len(views.All()))
		for _, view := range views.All() {
			entries = append(entries, entryOf(view, view == views.Standard(), elements, now()))
		}
		raw, _ := json.Marshal(map[string]any{"versions": entries}) // strings alone
		w.Header().Set("Cache-Control", "no-cache")
		write(w, mediaJSON, http.StatusOK, raw)
	})
}

func entryOf(view *operation.View, standard, elements bool, now time.Time) versionEntry {
	v := view.Version
	e := versionEntry{
		Version: view.Name, Status: "supported", Default: standard, Endpoint: "/v" + view.Name + "/graphql",
		Released: dayOf(v.Released), Deprecated: dayOf(v.Deprecated), Sunset: dayOf(v.Sunset),
	}
	switch {
	case v.Ended(now):
		e.Status = "ended"
	case !v.Deprecated.IsZero() && !now.Before(v.Deprecated):
		e.Status = "deprecated"
	}
	if elements {
		for _, coordinate := range slices.Sorted(maps.Keys(v.Deprecations)) {
			d := v.Deprecations[coordinate]
			e.Deprecations = append(e.Deprecations, deprecationEntry{coordinate, d.Reason, dayOf(d.Since), dayOf(v.Ends(d))})
		}
	}
	return e
}

// dayOf is a day as it is written, empty for none.
func dayOf(at time.Time) string {
	if at.IsZero() {
		return ""
	}
	return at.Format(time.DateOnly)
}
