package operation

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/vektah/gqlparser/v2/ast"

	"tributary/internal/limit"
	"tributary/internal/version"
)

// The codes of a request whose version of the schema it cannot have.
const (
	CodeVersionUnknown  = "VERSION_UNKNOWN"
	CodeVersionConflict = "VERSION_CONFLICT"
	CodeVersionSunset   = "VERSION_SUNSET"
)

// VersionsPath is where the versions are listed, and what is to become of them: what Link fields refer to.
const VersionsPath = "/versions"

// Views are the versions of one schema. They do not change and are safe for concurrent use.
type Views struct {
	all      []*View // the oldest first
	standard string  // the version of those who name none; empty: the oldest that has not ended
	now      func() time.Time
}

// ViewsConfig says how a schema is shown.
type ViewsConfig struct {
	Weights map[string]float64   // see NewView; a weight counts in the versions that have what it names
	Default int                  // the version of those who name none; 0: the oldest that has not ended
	Sunsets map[string]time.Time // ends of versions, by name, in place of the schema's own; a zero time takes one back
	Now     func() time.Time     // time.Now when nil
}

// NewViews makes a view of each version that a schema lists. The error says what is wrong with the schema's directives or the configuration.
func NewViews(whole *ast.Schema, c ViewsConfig) (*Views, error) {
	versions, err := version.Read(whole)
	if err != nil {
		return nil, fmt.Errorf("versions of the schema: %w", err)
	}
	if _, err := limit.NewModel(whole, c.Weights); err != nil { // a coordinate that no version has
		return nil, fmt.Errorf("costs of the schema: %w", err)
	}
	v := &Views{now: c.Now}
	if v.now == nil {
		v.now = time.Now
	}
	for _, one := range versions {
		if at, set := c.Sunsets[one.Name()]; set {
			if err := one.End(at); err != nil {
				return nil, err
			}
		}
		weights := maps.Clone(c.Weights)
		maps.DeleteFunc(weights, func(coordinate string, _ float64) bool { return !has(one.Schema, coordinate) })
		view, err := newView(one.Name(), whole, one, weights)
		if err != nil {
			return nil, fmt.Errorf("version %d: %w", one.Number, err)
		}
		v.all = append(v.all, view)
	}
	for name := range c.Sunsets {
		if v.Named(name) == nil {
			return nil, fmt.Errorf("there is no version %q to end", name)
		}
	}
	if c.Default != 0 {
		v.standard = strconv.Itoa(c.Default)
		if view := v.Named(v.standard); view == nil || v.Ended(view) != nil {
			return nil, fmt.Errorf("there is no version %d to answer in by default, or it has ended", c.Default)
		}
	}
	return v, nil
}

// All are the views of all versions, the oldest first. Nobody changes the slice.
func (v *Views) All() []*View { return v.all }

// Named is the view of a version; nil where there is none of that name.
func (v *Views) Named(name string) *View {
	for _, view := range v.all {
		if view.Name == name {
			return view
		}
	}
	return nil
}

// Standard is the view of those who name no version: as configured, or the oldest that has not ended, the newest if all have.
func (v *Views) Standard() *View {
	if v.standard != "" {
		return v.Named(v.standard)
	}
	for _, view := range v.all {
		if v.Ended(view) == nil {
			return view
		}
	}
	return v.all[len(v.all)-1]
}

// Asked is where a request may name a version, as a number with or without a v in front of it, several with commas between them; empty
// where it names none.
type Asked struct {
	Path   string // /v1/graphql
	Header string // Api-Version
	Accept string // the parameter version of a media type
	Query  string // ?version=
	Pin    string // of the API key
}

// VersionError is why a request gets no view. Its message is for the caller and quotes nothing of the request.
type VersionError struct {
	Code    string
	Status  int // of HTTP
	Message string
	Header  []Field
}

func (e *VersionError) Error() string { return e.Message }

// Choose finds the view of a request: what it says itself, which must be one thing, else what its key is pinned to, else Standard. A
// version that has ended is not chosen, however it was named.
func (v *Views) Choose(a Asked) (*View, *VersionError) {
	if a == (Asked{}) {
		return v.unlessEnded(v.Standard())
	}
	var said string
	for _, place := range [...]string{a.Path, a.Header, a.Accept, a.Query} {
		for name := range strings.SplitSeq(place, ",") {
			if name = strings.TrimSpace(name); len(name) > 1 {
				name = strings.TrimPrefix(name, "v")
			}
			if said != "" && name != "" && name != said {
				return nil, &VersionError{Code: CodeVersionConflict, Status: http.StatusBadRequest, Message: "the request names two versions: say it once, by path, Api-Version, Accept or ?version"}
			}
			if name != "" {
				said = name
			}
		}
	}
	if said == "" {
		said = a.Pin
	}
	view := v.Standard()
	if said != "" {
		view = v.Named(said)
	}
	if view == nil {
		unknown := &VersionError{Code: CodeVersionUnknown, Status: http.StatusBadRequest, Message: "there is no such version: there are " + v.names()}
		if a.Path != "" {
			unknown.Status = http.StatusNotFound
		}
		return nil, unknown
	}
	return v.unlessEnded(view)
}

func (v *Views) unlessEnded(view *View) (*View, *VersionError) {
	if ended := v.Ended(view); ended != nil {
		return nil, ended
	}
	return view, nil
}

// Ended is why nothing more is answered in a view that was chosen before; nil as long as its version has not ended.
func (v *Views) Ended(view *View) *VersionError {
	if view.Version.Sunset.IsZero() || !view.Version.Ended(v.now()) {
		return nil
	}
	return &VersionError{
		Code: CodeVersionSunset, Status: http.StatusGone, Message: "version " + view.Name + " has ended: there are " + v.names(),
		Header: view.header,
	}
}

// names lists the versions that can be had.
func (v *Views) names() string {
	var names []string
	for _, view := range v.all {
		if !view.Version.Ended(v.now()) {
			names = append(names, view.Name)
		}
	}
	if len(names) == 0 {
		return "none"
	}
	return strings.Join(names, ", ")
}

// Header are the fields that every answer in this view carries, since its version is deprecated or ends. Nobody changes them.
func (v *View) Header() []Field { return v.header }

// notices say since when something is deprecated (RFC 9745) and when it ends (RFC 8594), as far as that is known; nil for neither.
func notices(since, ends time.Time) []Field {
	var fields []Field
	if !since.IsZero() {
		fields = append(fields, Field{"Deprecation", "@" + strconv.FormatInt(since.Unix(), 10)}, Field{"Link", "<" + VersionsPath + `>; rel="deprecation"; type="application/json"`})
	}
	if !ends.IsZero() {
		fields = append(fields, Field{"Sunset", ends.UTC().Format(http.TimeFormat)}, Field{"Link", "<" + VersionsPath + `>; rel="sunset"; type="application/json"`})
	}
	return fields
}

// has says whether a schema has what a coordinate of limit.NewModel names.
func has(schema *ast.Schema, coordinate string) bool {
	owner, argument, _ := strings.Cut(strings.TrimSuffix(coordinate, ":)"), "(")
	if directive, ok := strings.CutPrefix(owner, "@"); ok {
		def := schema.Directives[directive]
		return def != nil && def.Arguments.ForName(argument) != nil
	}
	name, field, member := strings.Cut(owner, ".")
	def := schema.Types[name]
	if def == nil || !member {
		return def != nil
	}
	found := def.Fields.ForName(field)
	return found != nil && (argument == "" || found.Arguments.ForName(argument) != nil)
}

// ErrNoVersion is what Supports gives for a version that cannot be pinned.
var ErrNoVersion = errors.New("there is no such version, or it has ended")

// Supports says whether something may be pinned to a version: nil, or ErrNoVersion.
func (v *Views) Supports(number int) error {
	i := slices.IndexFunc(v.all, func(view *View) bool { return view.Version.Number == number })
	if i < 0 || v.Ended(v.all[i]) != nil {
		return ErrNoVersion
	}
	return nil
}
