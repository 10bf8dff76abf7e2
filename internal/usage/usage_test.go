package usage_test

import (
	"fmt"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"tributary/internal/usage"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var noon = time.Date(2026, 3, 1, 12, 0, 0, 123456000, time.UTC)

// clock is a time that a test sets.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

func web(version string) usage.Caller { return usage.Caller{Client: "web", ClientVersion: version} }

func top(t *testing.T, table *usage.Table, n int) []usage.Row {
	t.Helper()
	rows, err := table.Top(t.Context(), n)
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

func wantRows(t *testing.T, table *usage.Table, want ...usage.Row) {
	t.Helper()
	got := top(t, table, 100)
	if len(got) != len(want) {
		t.Fatalf("got %+v, want %+v", got, want)
	}
	for i := range got {
		if !reflect.DeepEqual(got[i], want[i]) {
			t.Errorf("row %d is %+v, want %+v", i, got[i], want[i])
		}
	}
}

func TestNames(t *testing.T) {
	long := strings.Repeat("a", 64)
	for _, tt := range []struct {
		caller usage.Caller
		want   string
	}{
		{usage.Caller{}, "unknown"},
		{usage.Caller{Client: "web"}, "web"},
		{usage.Caller{Client: "@acme/iOS app_1.2:x-y"}, "@acme/iOS app_1.2:x-y"},
		{usage.Caller{Client: long}, long},
		{usage.Caller{Client: long + "a"}, "invalid"},
		{usage.Caller{Client: "wéb"}, "invalid"},
		{usage.Caller{Client: "web\n"}, "invalid"},
		{usage.Caller{Client: `web",x="`}, "invalid"},
		{usage.Caller{KeyID: "k1", KeyName: "reports"}, "key reports"},
		{usage.Caller{KeyID: "k1", KeyName: "Grüße"}, "key k1"},
		{usage.Caller{KeyID: "k1", KeyName: long + "a"}, "key k1"},
		{usage.Caller{Client: "web", KeyID: "k1", KeyName: "reports"}, "web"},
	} {
		if got := tt.caller.Name(); got != tt.want {
			t.Errorf("%+v is %q, want %q", tt.caller, got, tt.want)
		}
	}
}

func TestTable(t *testing.T) {
	c := &clock{at: noon}
	table := usage.New(nil, c.now)
	if err := table.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	table.Note(web("1.0"), 1, []string{"User.a", "User.b"})
	c.pass(time.Minute)
	table.Note(web("no\nversion"), 1, []string{"User.a"})
	table.Note(usage.Caller{ClientVersion: "3"}, 2, []string{"User.b"})
	want := []usage.Row{
		{Use: usage.Use{Coordinate: "User.a", Version: 1, Client: "web"}, ClientVersion: "1.0", Count: 2, First: noon, Last: noon.Add(time.Minute)},
		{Use: usage.Use{Coordinate: "User.b", Version: 1, Client: "web"}, ClientVersion: "1.0", Count: 1, First: noon, Last: noon},
		{Use: usage.Use{Coordinate: "User.b", Version: 2, Client: "unknown"}, Count: 1, First: noon.Add(time.Minute), Last: noon.Add(time.Minute)},
	}
	wantRows(t, table, want...)
	if rows := top(t, table, 1); len(rows) != 1 || rows[0].Coordinate != "User.a" {
		t.Errorf("the first is %+v", rows)
	}
	c.pass(usage.KeepFor)
	wantRows(t, table, want[0], want[2])
	c.pass(time.Second)
	wantRows(t, table)
}

// TestNamesAreBounded: the first hundred are told apart, and those who say nothing or nothing of use need no room.
func TestNamesAreBounded(t *testing.T) {
	table := usage.New(nil, time.Now)
	note := func(name string) string { return table.Note(usage.Caller{Client: name}, 1, []string{"User.a"}) }
	for i := range usage.MaxNames {
		if name := fmt.Sprint("client ", i); note(name) != name {
			t.Fatalf("%s has no room", name)
		}
	}
	for name, want := range map[string]string{"one more": "other", "client 7": "client 7", "": "unknown", "?": "invalid"} {
		if got := note(name); got != want {
			t.Errorf("%q counts as %q, want %q", name, got, want)
		}
	}
	if rows := top(t, table, 1000); len(rows) != usage.MaxNames+3 {
		t.Errorf("%d rows", len(rows))
	}
}

// TestRowsAreBounded: in a full table all clients of what is new are one.
func TestRowsAreBounded(t *testing.T) {
	c := &clock{at: noon}
	table := usage.New(nil, c.now)
	for i := range usage.MaxRows {
		table.Note(web(""), 1, []string{fmt.Sprint("User.f", i)})
	}
	for _, name := range []string{"app", "web"} {
		table.Note(usage.Caller{Client: name}, 1, []string{"User.more"})
	}
	table.Note(web(""), 1, []string{"User.f7"})
	rows := top(t, table, 3)
	if rows[0].Count != 2 || rows[1].Count != 2 || rows[0].Use != (usage.Use{Coordinate: "User.f7", Version: 1, Client: "web"}) || rows[1].Use != (usage.Use{Coordinate: "User.more", Version: 1, Client: "other"}) {
		t.Errorf("%+v", rows)
	}
	c.pass(usage.KeepFor + time.Second)
	table.Note(web(""), 1, []string{"User.new"})
	if rows := top(t, table, 10); len(rows) != 1 || rows[0].Client != "web" {
		t.Errorf("what is outdated takes room: %+v", rows)
	}
}
