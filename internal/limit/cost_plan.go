package limit

// Plan is what one operation costs. It does not change and is safe for concurrent use.
type Plan struct {
	model      *Model
	conditions []condition // the first of them always holds
	variables  []variableCharge
	owns       []own
	sizes      []size
	steps      []step      // of each selection together
	selections []selection // each behind those below it; the last one is the operation's
	still      *evaluation // the only one there is, if nothing depends on the variables
	rigid      bool        // nothing depends on the data, unless a field fails
	uncounted  bool        // what it did cost does not follow from how many objects there are
}

// selection is what is selected on objects of one concrete type.
type selection struct {
	weight      milli // of the object
	first, next int32 // its steps
	costly      bool  // an object may cost something
}

// step is one response key of a selection.
type step struct {
	key      string
	typename bool
	choices  []choice // the field runs if any of them applies, and costs what the dearest does
	leaf     milli    // what a value weighs that is no object
	lists    int      // around the values
	size     int32    // of the outermost list: an index into sizes
	members  []member // the concrete types of the value, by name; none for a leaf
	shapes   []int32  // the selections of the members, each once
	names    []string // response keys that tell which member an object is
	varies   bool     // its cost depends on how many values there are
}

// member is what is selected on one possible type.
type member struct {
	typeName  string
	selection int32
}

// choice is what a field costs in itself where a condition holds.
type choice struct {
	under conditionID
	own   int32
}

// own is what a field costs in itself, once floored at 0: the weights of field, arguments and directives.
type own struct {
	base      milli
	variables []int32 // charges that depend on a variable
}

// variableCharge is what a variable costs in one kind of place.
type variableCharge struct {
	name  string
	value *inputValue
}

// size is a number of elements: the largest of what the sources ask for, else the fallback.
type size struct {
	sources  []sizeSource
	fallback int64
}

func (s size) of(variables map[string]any) int64 {
	largest := int64(-1)
	for _, source := range s.sources {
		if n, given := source.size(variables); given {
			largest = max(largest, n)
		}
	}
	if largest < 0 {
		return s.fallback
	}
	return largest
}
