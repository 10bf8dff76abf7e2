package engine

// Counts are how many objects an answer has, place by place: the root first, each place in front of those below it. They do not change.
type Counts []Count

// Count is how many objects of one type stand at one place of an answer, over all lists.
type Count struct {
	typ     *Type
	step    *step // that led there; nil at the root
	above   int32
	objects int32
}

// Above is the place that this one is below, as an index into the counts; below 0 for the root.
func (c Count) Above() int { return int(c.above) }

// Key is the response key that leads there from above; empty for the root.
func (c Count) Key() string {
	if c.step == nil {
		return ""
	}
	return c.step.ast.Alias
}

// Type is the name of the objects' type.
func (c Count) Type() string { return c.typ.Name }

// Objects is how many there are.
func (c Count) Objects() int { return int(c.objects) }

// count counts the columns below a root; nil when there are none. All that stands in columns stands in the answer, unless a null rose.
func count(root *column) Counts {
	n := root.places()
	if n == 1 {
		return nil
	}
	counts := make(Counts, 0, n)
	root.count(&counts, -1)
	return counts
}

func (col *column) places() int {
	n := 1
	for i := range col.results {
		for _, below := range col.results[i].below {
			n += below.places()
		}
	}
	return n
}

func (col *column) count(into *Counts, above int32) {
	at := int32(len(*into))
	*into = append(*into, Count{col.sel.typ, col.step, above, int32(len(col.objs))})
	for i := range col.results {
		for _, below := range col.results[i].below {
			below.count(into, at)
		}
	}
}
