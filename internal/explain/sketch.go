package explain

import (
	"fmt"
	"io"
	"math"
	"strings"

	"tributary/internal/engine"
	"tributary/internal/limit"
)

// twig is a line of the tree: columns, and what stands below it.
type twig struct {
	name, rest string
	below      []twig
	levels     int // fields with calls that wait for one another, from here down
}

// sketch makes the tree, and adds up.
type sketch struct {
	serial         bool
	calls, objects int64
}

// branch tells the places of one selection: leaves that need no call on one line, every other field on its own.
func (k *sketch) branch(places []engine.Place, sizes limit.Sizes) twig {
	top := k.serial
	k.serial = false
	var t twig
	var leaves []string
	at := -1
	for _, place := range places {
		if place.Type == "" && place.Way == engine.InObject {
			if at < 0 {
				at = len(t.below)
				t.below = append(t.below, twig{})
			}
			leaves = append(leaves, label(place))
			continue
		}
		child := k.place(place, sizes)
		t.below = append(t.below, child)
		if top {
			t.levels += child.levels
		} else {
			t.levels = max(t.levels, child.levels)
		}
	}
	if at >= 0 {
		t.below[at] = twig{name: clip(strings.Join(leaves, ", ")), rest: inObject}
	}
	return t
}

func (k *sketch) place(place engine.Place, sizes limit.Sizes) twig {
	parents := sizes.Objects()
	t := twig{name: label(place)}
	how := "in the object"
	switch place.Way {
	case engine.PerParent:
		k.calls, t.levels = plus(k.calls, parents), 1
		how = many(parents, "call", "calls, one after the other")
	case engine.Together:
		k.calls, t.levels = plus(k.calls, 1), 1
		how = "1 call for " + many(parents, "object", "objects")
	}
	if place.Type == "" {
		t.rest = "\t\t" + how
		return t
	}
	if strings.HasPrefix(place.Name, "__") {
		t.rest = place.Type + "\t\t" + how + ", not counted below"
		return t
	}
	values := sizes.Values(place.Key)
	k.objects = plus(k.objects, values)
	t.rest = fmt.Sprintf("%s\t%s\t%s", place.Type, counted(values), how)
	below := 0
	for _, branch := range place.Below {
		inner, _ := sizes.Below(place.Key, branch.Type)
		child := k.branch(branch.Places, inner)
		below = max(below, child.levels)
		if branch.Type == place.Type {
			t.below = child.below
			continue
		}
		child.name, child.rest = "… on "+branch.Type, fmt.Sprintf("\t%s\t", counted(inner.Objects()))
		if n := len(t.below); n > 0 && t.below[n-1].like(child) {
			t.below[n-1].name += ", " + branch.Type
			continue
		}
		t.below = append(t.below, child)
	}
	t.levels += below
	return t
}

// like says of two types of one place that nothing but leaves is selected of either, and the same.
func (t twig) like(o twig) bool {
	return t.rest == o.rest && t.leafy() && o.leafy() && t.below[0].name == o.below[0].name
}

func (t twig) leafy() bool { return len(t.below) == 1 && t.below[0].rest == inObject }

// inObject is the rest of a line of leaves.
const inObject = "\t\tin the object"

func (t *twig) write(w io.Writer, prefix string) {
	for i := range t.below {
		child, branch, next := &t.below[i], "├─ ", "│  "
		if i == len(t.below)-1 {
			branch, next = "└─ ", "   "
		}
		fmt.Fprintf(w, "%s%s%s\t%s\n", prefix, branch, child.name, child.rest)
		child.write(w, prefix+next)
	}
}

// label is a field as the operation has it, without what is selected on it.
func label(place engine.Place) string {
	text := place.Name
	if place.Key != place.Name {
		text = place.Key + ": " + place.Name
	}
	if len(place.Arguments) == 0 {
		return text
	}
	var arguments []string
	for _, argument := range place.Arguments {
		arguments = append(arguments, argument.Name+": "+argument.Value.String())
	}
	return clip(text + "(" + strings.Join(arguments, ", ") + ")")
}

// plus adds what is not negative; math.MaxInt64 stands for that many or any more.
func plus(a, b int64) int64 {
	if a > math.MaxInt64-b {
		return math.MaxInt64
	}
	return a + b
}

func counted(n int64) string {
	if n == math.MaxInt64 {
		return "more than can be counted"
	}
	return fmt.Sprint(n)
}

func many(n int64, one, more string) string {
	if n == 1 {
		return "1 " + one
	}
	return counted(n) + " " + more
}
