package main

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"
)

func TestPlan(t *testing.T) {
	workloads := []*workload{{name: "timeline-10", items: 10}, {name: "timeline-100", items: 100}, {name: "timeline-1000", items: 1000}, {name: "trivial"}}
	tests := []struct {
		quick bool
		cells string
		want  string
	}{
		{false, "timeline-10/warm", "timeline-10/warm/1 timeline-10/warm/16 timeline-10/warm/64 timeline-10/warm/256"},
		{false, "1000/5ms", "timeline-1000/5ms/1 timeline-1000/5ms/16 timeline-1000/5ms/64"},
		{false, "trivial/.*/16$", "trivial/cold/16"},
		{true, "", "timeline-100/cold/16 timeline-100/warm/16 timeline-100/5ms/16 trivial/cold/16"},
		{false, "nothing", ""},
	}
	for _, test := range tests {
		var names []string
		for _, c := range plan(workloads, test.quick, regexp.MustCompile(test.cells)) {
			names = append(names, c.String())
		}
		if got := strings.Join(names, " "); got != test.want {
			t.Errorf("quick %v, %q: got %s, want %s", test.quick, test.cells, got, test.want)
		}
	}
}

func TestAFixedServerIsMeasuredInOneMode(t *testing.T) {
	cells := plan([]*workload{{name: "profile", items: 20}}, true, regexp.MustCompile(""))
	for _, s := range servers() {
		var in []string
		for _, c := range cells {
			if s.measured(c) {
				in = append(in, c.mode.name)
			}
		}
		want := []string{"cold", "warm", "5ms"}
		if s.name == "static" {
			want = want[:1]
		}
		if !slices.Equal(in, want) {
			t.Errorf("%s is measured in %v, want %v", s.name, in, want)
		}
	}
}

func TestDifference(t *testing.T) {
	tests := []struct{ want, got, at string }{
		{`{"a":1,"b":[true,null]}`, `{"b":[true,null],"a":1}`, ""},
		{`{"a":"<"}`, `{"a":"\u003c"}`, ""},
		{`{"a":[{"b":1},{"b":2}]}`, `{"a":[{"b":1},{"b":3}]}`, "at .a[1].b: want 2, got 3"},
		{`{"a":[1,2]}`, `{"a":[1]}`, "at .a: want [1,2], got [1]"},
		{`{"a":null}`, `{}`, "at .a"},
		{`{}`, `{"a":null}`, "at :"},
		{`{"a":1}`, `{"a":1.0}`, "at .a"},
		{`{}`, `{} {}`, "behind"},
		{`{}`, `{`, "EOF"},
	}
	for _, test := range tests {
		err := difference([]byte(test.want), []byte(test.got))
		if (err == nil) != (test.at == "") || (err != nil && !strings.Contains(err.Error(), test.at)) {
			t.Errorf("%s and %s: got %v, want %q", test.want, test.got, err, test.at)
		}
	}
}

// TestUnequalAnswersAreNotTimed holds a server to answers that it does not give.
func TestUnequalAnswersAreNotTimed(t *testing.T) {
	w := &workload{name: "w", bodies: [][]byte{[]byte(`{"query":"{a}"}`), []byte(`{"query":"{b}"}`)}}
	reference := []exchange{{w.bodies[0], []byte(`{"data":{"a":1}}`)}, {w.bodies[1], []byte(`{"data":{"b":1}}`)}}
	for name, test := range map[string]struct {
		answers []exchange
		want    string
	}{
		"equal":      {reference, ""},
		"unequal":    {[]exchange{reference[0], {w.bodies[1], []byte(`{"data":{"b":2}}`)}}, "at .b"},
		"errors":     {[]exchange{reference[0], {w.bodies[1], []byte(`{"data":{"b":1},"errors":[]}`)}}, "not whole"},
		"unrecorded": {reference[:1], "status 404"},
	} {
		server := httptest.NewServer(static(test.answers))
		requests, err := hold(t.Context(), server.URL, w, reference)
		server.Close()
		if (err == nil) != (test.want == "") || (err != nil && !strings.Contains(err.Error(), test.want)) {
			t.Errorf("%s: got %v, want %q", name, err, test.want)
		}
		if err == nil && (len(requests) != 2 || requests[1].Length != len(reference[1].Answer)) {
			t.Errorf("%s: expects %v", name, requests)
		}
	}
}

func TestProbes(t *testing.T) {
	server := httptest.NewServer(withProbes(http.NotFoundHandler()))
	defer server.Close()
	if !healthy(t.Context(), server.URL) || healthy(t.Context(), server.URL+"/elsewhere") {
		t.Error("a server that answers is not taken for healthy, or one that does not is")
	}
}

func TestLongTimelineQueryHasEveryPage(t *testing.T) {
	query := longTimelineQuery()
	for _, want := range []string{"p0: posts(first: 100) {", "p1: posts(first: 100, after: $a1) {", "p9: posts(first: 100, after: $a9) {", "$a9: String!"} {
		if !strings.Contains(query, want) {
			t.Errorf("%s is not in\n%s", want, query)
		}
	}
	var body map[string]any
	if err := json.Unmarshal(request("", trivialQuery, nil), &body); err != nil || len(body) != 1 || body["query"] != "{__typename}" {
		t.Errorf("the trivial request is %v, %v", body, err)
	}
}

func TestLayout(t *testing.T) {
	for _, cores := range [][]int{nil, {3}} {
		if l := newLayout(cores); l.server != nil || !strings.Contains(l.String(), "not pinned") {
			t.Errorf("with cores %v the server runs on %v", cores, l.server)
		}
	}
	if l := newLayout([]int{2, 5, 7}); !slices.Equal(l.server, []int{2}) || !slices.Equal(l.others, []int{5, 7}) {
		t.Errorf("cores are laid out as %v", l)
	}
}
