package explain

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
	"unicode/utf8"

	"github.com/vektah/gqlparser/v2/ast"
)

// Write prints the tree of batches below the fields that led to them, in the order of the operation. took is its whole time.
func (t *Trace) Write(w io.Writer, op *ast.OperationDefinition, took time.Duration) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	// A field stands below the one that leads to it, also where it began beside it.
	slices.SortStableFunc(t.batches, func(a, b *Batch) int { return cmp.Or(a.depth()-b.depth(), a.start.Compare(b.start)) })
	root := &line{}
	placed := map[*Batch]string{}
	for _, batch := range t.batches {
		for _, field := range slices.SortedFunc(maps.Keys(batch.Fields), shortest) {
			root.place(field, batch, placed)
		}
	}
	order := map[string]int{}
	number(order, "", op.SelectionSet)
	root.sort(order)
	if _, err := fmt.Fprintf(w, "%s\n%s\n\n", strings.TrimSpace(string(op.Operation)+" "+op.Name), t.summary(root.rounds(0, time.Time{}), took)); err != nil {
		return err
	}
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	root.write(table, "", "")
	return table.Flush()
}

// number gives every field path of a selection its place in the order of the text.
func number(order map[string]int, above string, selections ast.SelectionSet) {
	for _, selection := range selections {
		switch selection := selection.(type) {
		case *ast.Field:
			path := above + selection.Alias
			if _, seen := order[path]; !seen {
				order[path] = len(order)
			}
			number(order, path+".", selection.SelectionSet)
		case *ast.InlineFragment:
			number(order, above, selection.SelectionSet)
		case *ast.FragmentSpread:
			number(order, above, selection.Definition.SelectionSet)
		}
	}
}

// shortest puts fields nearer to the root first, so that a batch shows where it began.
func shortest(a, b string) int {
	return cmp.Or(strings.Count(a, ".")-strings.Count(b, "."), strings.Compare(a, b))
}

// depth is how far from the root the nearest field is that wanted something of a batch.
func (b *Batch) depth() int {
	nearest := slices.MinFunc(slices.Collect(maps.Keys(b.Fields)), shortest)
	return strings.Count(nearest, ".")
}

func (t *Trace) summary(rounds int, took time.Duration) string {
	calls, services := 0, map[string]bool{}
	for _, batch := range t.batches {
		for _, call := range batch.Calls {
			if sent(call) {
				calls++
				services[call.Service] = true
			}
		}
	}
	return fmt.Sprintf("%s to %s in %s, %s", plural(calls, "call"), plural(len(services), "service"), plural(rounds, "round"), milliseconds(took))
}

// rounds is how many times something waited for what stands above it; what began beside that is of the same round. The line is of
// the given round, and ended then.
func (l *line) rounds(round int, end time.Time) int {
	last := round
	for _, child := range l.children {
		its := max(round, 1)
		if round > 0 && !child.begin.Before(end) {
			its++
		}
		last = max(last, child.rounds(its, child.end))
	}
	return last
}

// line is one field of the tree and what it led to.
type line struct {
	field    string // from the root
	notes    []string
	begin    time.Time // of its first batch
	end      time.Time // of the last call of its batches
	children []*line
}

// place puts a batch below the nearest field that is there already.
func (l *line) place(field string, batch *Batch, placed map[*Batch]string) {
	for _, child := range l.children {
		if child.field == field {
			child.add(batch, placed)
			return
		}
		if strings.HasPrefix(field, child.field+".") {
			child.place(field, batch, placed)
			return
		}
	}
	child := &line{field: field}
	child.add(batch, placed)
	l.children = append(l.children, child)
}

func (l *line) add(batch *Batch, placed map[*Batch]string) {
	if l.begin.IsZero() || batch.start.Before(l.begin) {
		l.begin = batch.start
	}
	for _, call := range batch.Calls {
		if end := call.Start.Add(call.Duration); end.After(l.end) {
			l.end = end
		}
	}
	if first, ok := placed[batch]; ok {
		l.notes = append(l.notes, "\t\tin the batch of "+first)
		return
	}
	placed[batch] = l.field
	l.notes = append(l.notes, describe(batch)...)
}

func (l *line) sort(order map[string]int) {
	slices.SortFunc(l.children, func(a, b *line) int { return order[a.field] - order[b.field] })
	for _, child := range l.children {
		child.sort(order)
	}
}

func (l *line) write(w io.Writer, above, prefix string) {
	for i, child := range l.children {
		branch, next := "├─ ", "│  "
		if i == len(l.children)-1 {
			branch, next = "└─ ", "   "
		}
		name := strings.TrimPrefix(child.field, above)
		for n, note := range child.notes {
			if n > 0 {
				branch, name = next, ""
			}
			fmt.Fprintf(w, "%s%s%s\t%s\n", prefix, branch, name, note)
		}
		child.write(w, child.field+".", prefix+next)
	}
}

// describe gives a line for each call of a batch.
func describe(batch *Batch) []string {
	asked := 0
	for _, n := range batch.Fields {
		asked += n
	}
	var lines []string
	for _, call := range batch.Calls {
		lines = append(lines, describeCall(call, batch.Keys, asked))
	}
	if len(lines) == 0 {
		lines = []string{"\t\tno call"}
	}
	return lines
}

const maxTarget = 72

func clip(s string) string {
	if utf8.RuneCountInString(s) <= maxTarget {
		return s
	}
	return string([]rune(s)[:maxTarget-1]) + "…"
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

func milliseconds(d time.Duration) string {
	return fmt.Sprintf("%.1f ms", float64(d.Microseconds())/1000)
}
