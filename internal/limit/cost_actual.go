package limit

// Actual is what the operation did cost, in points, by what it returned: data is the JSON of the answer's "data", with the
// members in the order of the operation or any other. Objects and values of lists count as they are there, fields as often as the
// objects they are selected on. A null with a failure at its place or below costs what the estimate says of that place,
// or nothing if all such failures are free; a null without one costs the field alone, as an element of a list nothing. An object
// that may be of several types is of the one its __typename says, else of the dearest of those with the response keys it has.
//
// It is never above Estimate if no list is longer than its size and no object has a member twice. Data that is not the JSON of
// an answer to the operation, as far as it has to be read for the cost, costs the estimate.
func (p *Plan) Actual(variables map[string]any, data []byte, failed []Failure) int64 {
	e := p.with(variables)
	root := int32(len(p.selections) - 1)
	if !p.selections[root].costly || p.rigid && len(failed) == 0 {
		return e.objects[root].points()
	}
	w := &walk{plan: p, evaluation: e, scanner: scanner{data: data}, spare: rereads*len(data) + rereads}
	cost := w.root(root, sortFailures(failed))
	if w.peek() != 0 || w.at < len(data) {
		w.fail()
	}
	if w.bad {
		return e.objects[root].points()
	}
	return cost.points()
}

// rereads bounds how often the data is read again, on average, to find the types of objects that do not tell.
const rereads = 64

// walk goes once through the data, along the plan.
type walk struct {
	scanner
	plan *Plan
	*evaluation
	spare int // bytes that may still be read again
}

// root is what the operation's object cost. Where it is null, what its fields did is lost: each counts in full unless it was free.
func (w *walk) root(root int32, failed failures) milli {
	if !w.null() {
		return w.object(root, 0, failed)
	}
	selection := w.plan.selections[root]
	cost := selection.weight
	for at := selection.first; at < selection.next; at++ {
		if of := w.steps[at]; of.active {
			cost = cost.plus(failed.field(0, w.plan.steps[at].key).charged(of.total, of.total))
		}
	}
	return cost
}

// object goes over an object and counts what is selected on it. Its place in the answer is depth deep.
func (w *walk) object(selection int32, depth int, failed failures) milli {
	chosen := w.plan.selections[selection]
	if !chosen.costly {
		w.skip()
		return 0
	}
	cost, expected := chosen.weight, chosen.first
	w.take('{')
	for first := true; w.next(first, '}'); first = false {
		at := w.find(chosen, expected, w.member())
		if at < 0 {
			w.skip()
			continue
		}
		expected = at + 1
		cost = cost.plus(w.field(at, depth+1, failed.field(depth, w.plan.steps[at].key)))
	}
	return cost
}

// find gives the step of a response key, -1 for none. It looks first where the next one should be.
func (w *walk) find(in selection, expected int32, key []byte) int32 {
	for range in.next - in.first {
		if expected >= in.next {
			expected = in.first
		}
		if w.steps[expected].active && w.plan.steps[expected].key == string(key) {
			return expected
		}
		expected++
	}
	return -1
}

// field goes over the value of a field and counts both.
func (w *walk) field(at int32, depth int, failed failures) milli {
	s, of := &w.plan.steps[at], &w.steps[at]
	if w.null() {
		return failed.charged(of.total, of.own)
	}
	if !s.varies {
		w.skip()
		return of.own
	}
	return of.own.plus(w.value(at, s.lists, depth, failed))
}

// value goes over a value that is in so many lists.
func (w *walk) value(at int32, lists, depth int, failed failures) milli {
	s := &w.plan.steps[at]
	switch {
	case lists > 0:
		return w.list(at, lists-1, depth, failed)
	case len(s.shapes) == 0:
		w.skip()
		return s.leaf
	case len(s.shapes) == 1:
		return w.object(s.shapes[0], depth, failed)
	default:
		return w.oneOf(s, depth, failed)
	}
}

// list goes over a list whose elements are in so many lists themselves.
func (w *walk) list(at int32, lists, depth int, failed failures) milli {
	full := w.plan.steps[at].inLists(w.steps[at].value, lists)
	cost := milli(0)
	w.take('[')
	for i := 0; w.next(i == 0, ']'); i++ {
		element := failed.element(depth, i)
		if w.null() {
			cost = cost.plus(element.charged(full, 0))
			continue
		}
		cost = cost.plus(w.value(at, lists, depth+1, element))
	}
	return cost
}

// oneOf goes over an object that may be of several types.
func (w *walk) oneOf(s *step, depth int, failed failures) milli {
	start := w.at
	if shape := w.told(s); shape >= 0 {
		w.reread(start)
		return w.object(shape, depth, failed)
	}
	w.reread(start)
	dearest, found := milli(0), false
	for _, fitting := range []bool{true, false} { // nothing fits what is no answer to the operation
		for _, shape := range s.shapes {
			if fitting && !w.fits(shape) || w.bad {
				continue
			}
			dearest, found = max(dearest, w.object(shape, depth, failed)), true
			w.reread(start)
		}
		if found {
			break
		}
	}
	w.skip()
	return dearest
}

// reread goes back to a place, unless that was done too often.
func (w *walk) reread(start int) {
	if w.spare -= w.at - start; w.bad || w.spare < 0 {
		w.fail()
		return
	}
	w.at = start
}

// told gives the selection of the type that an object says it has, -1 if it does not say so.
func (w *walk) told(s *step) int32 {
	if len(s.names) == 0 {
		return -1
	}
	w.take('{')
	for first := true; w.next(first, '}'); first = false {
		key := w.member()
		if w.peek() != '"' || !contains(s.names, key) {
			w.skip()
			continue
		}
		name := w.text()
		for _, member := range s.members {
			if member.typeName == string(name) {
				return member.selection
			}
		}
	}
	return -1
}

func contains(names []string, key []byte) bool {
	for _, name := range names {
		if name == string(key) {
			return true
		}
	}
	return false
}

// fits says whether an object has the response keys of a selection and no other. It leaves the object to be read.
func (w *walk) fits(shape int32) bool {
	start := w.at
	chosen := w.plan.selections[shape]
	missing := 0
	for _, of := range w.steps[chosen.first:chosen.next] {
		if of.active {
			missing++
		}
	}
	expected, strange := chosen.first, false
	w.take('{')
	for first := true; w.next(first, '}'); first = false {
		at := w.find(chosen, expected, w.member())
		w.skip()
		strange = strange || at < 0
		expected, missing = at+1, missing-1
		if at < 0 {
			expected = chosen.first
		}
	}
	w.reread(start)
	return !strange && missing == 0
}
