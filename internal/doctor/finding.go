package doctor

// Severity says how a check came out.
type Severity int

// The ways a check can come out.
const (
	Pass    Severity = iota // the service keeps this part of the contract
	Breach                  // it does not; Detail says what was expected and what was seen
	Skipped                 // it could not be judged; Detail says why
)

// String is the word the report uses.
func (s Severity) String() string {
	switch s {
	case Pass:
		return "pass"
	case Breach:
		return "breach"
	default:
		return "skipped"
	}
}

// Finding is the outcome of one check.
type Finding struct {
	Service  string // user, post, comment or follower
	Check    string // stable name, such as user.batch.missing-left-out
	Severity Severity
	Detail   string // of a breach: expected and seen; of a skipped check: the reason; of a pass: empty, or a remark
	Request  string // method and path of the request that decided, without host and credentials; may be empty
}

// Report holds the findings of one run in the order in which they were made, one for each check.
type Report struct {
	Findings []Finding
}

// Breaches counts the checks that a service failed.
func (r Report) Breaches() int { return r.count(Breach) }

func (r Report) count(s Severity) int {
	n := 0
	for _, f := range r.Findings {
		if f.Severity == s {
			n++
		}
	}
	return n
}
