package doctor

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
)

// gathered is how many checks are skipped for one reason before they share a line.
const gathered = 4

// Write prints the report: the services one by one, a line for each check, breaches first and with what was expected
// and seen, and a summary at the end. Checks that were skipped for one reason share a line. Errors of w are ignored.
func (r Report) Write(w io.Writer) {
	var b strings.Builder
	var services []string
	for _, f := range r.Findings {
		if !slices.Contains(services, f.Service) {
			services = append(services, f.Service)
		}
	}
	for _, service := range services {
		of := Report{Findings: slices.DeleteFunc(slices.Clone(r.Findings), func(f Finding) bool { return f.Service != service })}
		of.writeService(&b, service)
	}
	fmt.Fprintf(&b, "%s in %d checks of %s: %s\n", breaches(r.Breaches()), len(r.Findings), plural(len(services), "service"), r.summary())
	io.WriteString(w, b.String()) //nolint:errcheck // as documented
}

func (r Report) summary() string {
	return fmt.Sprintf("%d passed, %d breached, %d skipped", r.count(Pass), r.count(Breach), r.count(Skipped))
}

func breaches(n int) string {
	switch n {
	case 0:
		return "No breach"
	case 1:
		return "1 breach"
	default:
		return fmt.Sprintf("%d breaches", n)
	}
}

func (r Report) writeService(b *strings.Builder, service string) {
	fmt.Fprintf(b, "%s service: %s\n", service, r.summary())
	slices.SortStableFunc(r.Findings, func(x, y Finding) int {
		return cmp.Or(cmp.Compare(rank(x.Severity), rank(y.Severity)), strings.Compare(x.Check, y.Check))
	})
	reasons, told := make(map[string]int), make(map[string]bool)
	for _, f := range r.Findings {
		if f.Severity == Skipped {
			reasons[f.Detail]++
		}
	}
	for _, f := range r.Findings {
		switch {
		case f.Severity == Breach:
			fmt.Fprintf(b, "  BREACH   %s\n", f.Check)
			if f.Request != "" {
				fmt.Fprintf(b, "           %s\n", f.Request)
			}
			fmt.Fprintf(b, "           %s\n", f.Detail)
		case f.Severity == Pass && f.Detail == "":
			fmt.Fprintf(b, "  pass     %s\n", f.Check)
		case f.Severity == Pass:
			fmt.Fprintf(b, "  pass     %s (%s)\n", f.Check, f.Detail)
		case told[f.Detail]:
		case reasons[f.Detail] < gathered:
			fmt.Fprintf(b, "  skipped  %s: %s\n", f.Check, f.Detail)
		default:
			fmt.Fprintf(b, "  skipped  %d checks: %s\n", reasons[f.Detail], f.Detail)
			told[f.Detail] = true
		}
	}
	b.WriteByte('\n')
}

// rank puts breaches in front, then what passed, then what was skipped.
func rank(s Severity) int { return map[Severity]int{Breach: 0, Pass: 1, Skipped: 2}[s] }
