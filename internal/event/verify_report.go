package event

import (
	"fmt"
	"io"
	"strings"
)

// DriftKind says in what the log and the services disagree about a subject.
type DriftKind int

// The ways of drifting apart.
const (
	MissingInLog     DriftKind = iota // a service has it and the log has no event of it
	MissingInService                  // it lives by the log and its service does not have it
	DeletedInLog                      // it is gone by the log and its service has it
	DifferentVersion                  // the versions differ, and the fields perhaps
	DifferentFields                   // fields differ in the same version
	Broken                            // its events do not follow from each other
	driftKinds
)

func (k DriftKind) String() string {
	return [...]string{"missing in the log", "missing in the service", "deleted in the log alone", "different versions", "different fields",
		"broken history"}[k]
}

// Drift is a disagreement about one subject. It holds names of fields and never their values.
type Drift struct {
	Subject                    string
	Kind                       DriftKind
	LogVersion, ServiceVersion int64    // 0 where it is missing
	Fields                     []string // that differ, sorted; none where one side lacks it
}

// MaxDrifts is how many drifts a report tells one by one; all are counted.
const MaxDrifts = 1000

// Report is what Verify found.
type Report struct {
	Subjects  int     // of the log
	Entities  int     // of the services
	Unchecked int     // subjects of kinds that no service was named for
	Drifts    []Drift // the first MaxDrifts
	counts    [driftKinds]int
}

func (r *Report) add(d Drift) {
	r.counts[d.Kind]++
	if len(r.Drifts) < MaxDrifts {
		r.Drifts = append(r.Drifts, d)
	}
}

// Count is how many subjects drifted in a way.
func (r Report) Count(kind DriftKind) int { return r.counts[kind] }

// Total is how many subjects drifted.
func (r Report) Total() (n int) {
	for _, count := range r.counts {
		n += count
	}
	return n
}

// Write prints the report for a person: a line for each drift, then the sums. The error is the writer's.
func (r Report) Write(w io.Writer) error {
	var b strings.Builder
	for _, d := range r.Drifts {
		fmt.Fprintf(&b, "%s: %s", printable(d.Subject), d.Kind)
		if d.LogVersion > 0 || d.ServiceVersion > 0 {
			fmt.Fprintf(&b, " (version %d in the log, %d in the service)", d.LogVersion, d.ServiceVersion)
		}
		for i, name := range d.Fields {
			b.WriteString([]string{": ", ", "}[min(i, 1)] + printable(name))
		}
		b.WriteByte('\n')
	}
	if more := r.Total() - len(r.Drifts); more > 0 {
		fmt.Fprintf(&b, "and %d more\n", more)
	}
	fmt.Fprintf(&b, "%d subjects of the log and %d entities of the services compared\n", r.Subjects, r.Entities)
	if r.Unchecked > 0 {
		fmt.Fprintf(&b, "%d subjects not compared, since no service holds their kind\n", r.Unchecked)
	}
	for kind := range driftKinds {
		if r.counts[kind] > 0 {
			fmt.Fprintf(&b, "%s: %d\n", kind, r.counts[kind])
		}
	}
	if r.Total() == 0 {
		b.WriteString("no drift\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// printable quotes a name of a service's making that a terminal should not be given as it is.
func printable(name string) string {
	if quoted := fmt.Sprintf("%q", name); quoted != `"`+name+`"` {
		return quoted
	}
	return name
}
