package operation

import (
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/vektah/gqlparser/v2/gqlerror"
)

// attack is a document that costs its sender little and a careless server much.
type attack struct {
	name, query string
	code        string // empty: it is harmless, and allowed
}

const megabyte = 1 << 20

func joined(n int, format string) string {
	var text strings.Builder
	for i := range n {
		fmt.Fprintf(&text, format, i)
	}
	return text.String()
}

func times(n int, text string) string { return strings.Repeat(text, n) }

// nested puts a text so many times around another.
func nested(n int, before, inner, after string) string {
	return times(n, before) + inner + times(n, after)
}

// filled repeats a text up to a megabyte.
func filled(before, text, after string) string {
	return before + times((megabyte-len(before)-len(after))/len(text), text) + after
}

// chain is so many fragments, each in the one before, and the last with content.
func chain(n int, content string) string {
	var text strings.Builder
	for i := range n - 1 {
		fmt.Fprintf(&text, "fragment F%d on Query{...F%d}", i, i+1)
	}
	return "{...F0}" + text.String() + fmt.Sprintf("fragment F%d on Query{%s}", n-1, content)
}

func attacks() []attack {
	short, long := "{ echo }", times(257, "n")
	return []attack{
		{"tokens", filled("{", "echo ", "}"), CodeTooManyTokens},
		{"one field 90,000 times", "{" + times(90_000, "__typename ") + "}", CodeTooManyTokens},
		{"one field 7,000 times", "{" + times(7_000, "__typename ") + "}", CodeTooManyRootFields},
		{"one field 7,000 times below", "{ me {" + times(7_000, "__typename ") + "} }", CodeTooManyFields},
		{"short comments", filled("{echo", "#\n", "}"), CodeTooManyTokens},
		{"a long comment", filled("{echo", "#", "\n}"), ""},
		{"commas", filled("{echo", ",", "}"), ""},
		{"line ends", filled("{echo", "\r\n", "}"), ""},
		{"byte order marks", filled("", "\uFEFF", "{echo}"), ""},
		{"punctuators", filled("", "!", ""), CodeTooManyTokens},
		{"braces", filled("", "{", ""), CodeTooDeep},
		{"closing braces", filled("", "}", ""), CodeTooManyTokens},
		{"parentheses", filled("{echo", "(", ""), CodeTooDeep},
		{"directives without a name", filled("{echo", "@", ""), CodeTooManyTokens},

		{"fields in fields", filled("{", "me{", ""), CodeTooDeep},
		{"21 levels", "{me" + nested(20, "{friends", "", "}") + "}", CodeTooDeep},
		{"20 levels", "{me" + nested(18, "{friends", "{id}", "}") + "}", ""},
		{"levels through fragments", "{me{...A}} fragment A on User{friends{friends{friends{friends{friends{friends{friends{...B}}}}}}}} fragment B on User{friends{friends{friends{friends{friends{friends{friends{...C}}}}}}}} fragment C on User{friends{friends{friends{friends{friends{friends{id}}}}}}}", CodeTooDeep},
		{"levels in a fragment that is not used", short + "fragment A on User" + nested(21, "{friends", "{id}", "}"), CodeTooDeep},
		{"lists in an argument", "{echo(ll:" + nested(4_000, "[", "1", "]") + ")}", CodeTooDeep},
		{"lists that do not end", filled("{echo(ll:", "[", ""), CodeTooDeep},
		{"objects in an argument", "{echo(p:" + nested(2_000, "{x:1,next:", "null", "}") + ")}", CodeTooDeep},
		{"objects in a default", "query($p:Point=" + nested(21, "{x:1,next:", "null", "}") + "){echo(p:$p)}", CodeTooDeep},
		{"lists in a type", "query($a:" + nested(4_000, "[", "Int", "]") + "){echo(a:$a)}", CodeTooDeep},
		{"lists in a directive", "{echo @skip(if:" + nested(100, "[", "true", "]") + ")}", CodeTooDeep},
		{"20 objects", "{echo(p:" + nested(20, "{x:1,next:", "null", "}") + ")}", ""},

		{"aliases", "{ me {" + joined(101, "a%d:id ") + "} }", CodeTooManyAliases},
		{"aliases in fragments", short + joined(101, "fragment F%[1]d on User{a%[1]d:id}"), CodeTooManyAliases},
		{"aliases of a mutation", "mutation {" + joined(101, "a%d:set(v:1)") + "}", CodeTooManyAliases},
		{"100 aliases", "{ me {" + joined(100, "a%d:id ") + "} }", ""},
		{"root fields", "{" + times(51, "echo ") + "}", CodeTooManyRootFields},
		{"root fields through fragments", "{" + times(26, "...F ") + "} fragment F on Query{echo me{id}}", CodeTooManyRootFields},
		{"root fields of the second operation", "query A{echo} query B{...{" + times(51, "echo ") + "}}", CodeTooManyRootFields},
		{"directives on a field", "{echo" + times(3_000, "@a") + "}", CodeTooManyDirectives},
		{"directives on an operation", "query Q" + times(101, "@skip(if:true)") + "{echo}", CodeTooManyDirectives},
		{"directives on a variable", "query($i:Int" + times(101, "@a") + "){echo(i:$i)}", CodeTooManyDirectives},
		{"directives on fragments", "{...F" + times(51, "@a") + "} fragment F on Query" + times(51, "@a") + "{echo}", CodeTooManyDirectives},
		{"directives on inline fragments", "{" + times(101, "...@include(if:true){echo}") + "}", CodeTooManyDirectives},
		{"operations", joined(21, "query Q%d{echo}"), CodeTooManyOperations},
		{"operations of one name", times(21, "query Q{echo}"), CodeTooManyOperations},

		{"a fragment in itself", "{...F} fragment F on Query{...F}", CodeFragmentCycle},
		{"a fragment in itself, deeper", "{me{...F}} fragment F on User{friends{...{friends{...F}}}}", CodeFragmentCycle},
		{"two fragments in each other", "{...A} fragment A on Query{...B} fragment B on Query{...A}", CodeFragmentCycle},
		{"a circle that nobody uses", short + joined(10, "fragment F%d on Query{...F%[1]d9}") + joined(10, "fragment F%d9 on Query{...F%[1]d}"), CodeFragmentCycle},
		{"a circle of 20", chain(20, "...F0"), CodeFragmentCycle},
		{"a circle of 1,000", chain(1_000, "...F0"), CodeFragmentsTooDeep},
		{"a chain of 1,000 fragments", chain(1_000, "echo"), CodeFragmentsTooDeep},
		{"a chain that nobody uses, from its end", short + ascending(1_000), CodeFragmentsTooDeep},
		{"a chain of 31 fragments", chain(31, "echo"), CodeFragmentsTooDeep},
		{"a chain of 30 fragments", chain(30, "echo"), ""},
		{"inline fragments", "{" + nested(1_000, "...{", "echo", "}") + "}", CodeTooDeep},
		{"31 inline fragments", "{" + nested(31, "...{", "echo", "}") + "}", CodeFragmentsTooDeep},
		{"fragments that double", bomb(25, 2), CodeTooManyFields},
		{"fragments that double below", below(bomb(28, 2)), CodeTooManyFields},
		{"a wide bomb", below(bomb(4, 500)), CodeTooManyFields},
		{"fragments, each with all others", "{me{...F0}}" + everyOther(20), CodeTooManyFields},
		{"fields of fragments that nobody uses", short + joined(2, "fragment F%d on User{"+times(2_600, "id ")+"}"), CodeTooManyFields},
		{"fragments of one name", "{...F}" + times(1_000, "fragment F on Query{echo}"), CodeValidationFailed},
		{"fragments that nobody uses", short + joined(1_000, "fragment F%d on Query{echo}"), CodeValidationFailed},

		{"introspection in circles", "{__schema{types{fields{type{fields{type{fields{name}}}}}}}}", CodeIntrospectionTooDeep},
		{"introspection in circles, in fragments", `{__type(name:"User"){...A}} fragment A on __Type{fields{type{...B}}} fragment B on __Type{interfaces{...C}} fragment C on __Type{possibleTypes{name}}`, CodeIntrospectionTooDeep},
		{"introspection of inputs in circles", `{__type(name:"Point"){inputFields{type{inputFields{type{inputFields{name}}}}}}}`, CodeIntrospectionTooDeep},
		{"two lists of introspection", `{__type(name:"User"){fields{type{fields{name}}}}}`, ""},

		{"a long name", filled("{", "n", "}"), CodeNameTooLong},
		{"a long alias", "{" + long + ":echo}", CodeNameTooLong},
		{"a long fragment name", "{..." + long + "}", CodeNameTooLong},
		{"a long enum value", "{echo(c:" + long + ")}", CodeNameTooLong},
		{"a long name in a list", "{echo(a:[" + long + "])}", CodeNameTooLong},
		{"a long string", filled(`{echo(s:"`, "s", `")}`), ""},
		{"a long string for an enum", filled(`{echo(c:"`, "s", `")}`), CodeValidationFailed},
		{"a long string, 30 fragments deep", chain(30, `echo(i:"`+times(megabyte-2_000, "s")+`")`), CodeValidationFailed},
		{"a long number", filled("{echo(i:", "9", ")}"), CodeValidationFailed},
		{"a long fraction", filled("{echo(f:0.", "9", ")}"), ""},
		{"a string of escapes", filled(`{echo(s:"`, `\u00e4`, `")}`), ""},
		{"a string of half characters", `{echo(s:"\ud800")}`, ""},
		{"a wrong escape", `{echo(s:"\u12ä4")}`, CodeParseFailed},
		{"a block of quotes", filled(`{echo(s:"""`, `""\"""`, `""")}`), ""},
		{"a block of lines", filled(`{echo(s:"""`, " \n", `""")}`), ""},
		{"a string that does not end", filled(`{echo(s:"`, "s", ""), CodeParseFailed},
		{"a zero byte", "{echo\x00}", CodeParseFailed},
		{"zero bytes", filled("", "\x00", ""), CodeParseFailed},
		{"no UTF-8", "{echo(s:\"\xff\xfe\")}", CodeParseFailed},
		{"no UTF-8 in a comment", "{echo}#\xc3", CodeParseFailed},
		{"a text of another language", filled("", "<p>ä</p>", ""), CodeParseFailed},

		{"values", "{echo(l:[" + times(5_001, "1 ") + "])}", CodeTooManyArguments},
		{"values in fragments", "{" + times(40, "...F ") + "} fragment F on Query{echo(l:[" + times(200, "1 ") + "])}", CodeTooManyArguments},
		{"arguments on one field", "{echo(" + joined(3_000, "a%d:1 ") + ")}", CodeValidationFailed},
		{"one argument often", "{echo(" + times(3_000, "i:1 ") + ")}", CodeValidationFailed},
		{"members of an object", "{echo(p:{" + times(2_000, "x:1 ") + "})}", CodeValidationFailed},
		{"variables", "query(" + joined(2_400, "$v%d:Int ") + "){echo}", CodeValidationFailed},
		{"variables of one name", "query(" + times(2_000, "$v:Int ") + "){echo}", CodeValidationFailed},
		{"variables that are not defined", "{echo(a:[" + joined(4_000, "$v%d ") + "])}", CodeValidationFailed},
		{"unknown fields", "{me{" + joined(4_000, times(200, "n")+"%d ") + "}}", CodeValidationFailed},
		{"unknown types", short + joined(600, "fragment F%[1]d on "+times(200, "T")+"%[1]d{id}"), CodeValidationFailed},
		{"unknown fragments", "{me{" + joined(4_000, "...F%d ") + "}}", CodeValidationFailed},
		{"wrong selections", "{me{" + times(1_600, "id{id}") + "}}", CodeValidationFailed},
		{"conflicts", "{me{" + joined(40, "n%[1]d:name n%[1]d:id ") + "}}", CodeValidationFailed},

		// As much as the bounds allow of what the rules walk again and again.
		{"fields in 30 fragments", chain(30, "me{"+times(4_900, "id ")+"}"), ""},
		{"fields in 30 fragments, the last unknown", chain(30, "me{"+times(4_900, "id ")+"no}"), CodeValidationFailed},
		{"values in 30 fragments", chain(30, "echo(l:["+times(4_900, "1 ")+"])"), ""},
		{"objects in 30 fragments", chain(30, "echo(p:"+nested(19, "{x:1,next:", "null", "}")+")"+" me{"+joined(80, "echo%d:name ")+"}"), ""},
		{"deep objects in 30 fragments", chain(30, "echo(p:{x:1,tags:["+times(3_000, `"a" `)+"],next:"+nested(17, "{x:1,next:", "null", "}")+"})"), ""},
		{"many values deep in 30 fragments", chain(30, "echo(p:"+nested(18, "{x:1,next:", "{x:1,tags:["+times(450, `"a" `)+"]}", "}")+")"), ""},
		{"more values deep in 30 fragments", chain(30, "echo(p:"+nested(18, "{x:1,next:", "{x:1,tags:["+times(4_800, `"a" `)+"]}", "}")+")"), CodeTooManyArguments},
		{"a long argument, met 1,600 times", "{me{" + times(1_600, "...F ") + `}} fragment F on User{friends(first:"` + times(megabyte-10_000, "s") + `"){id}}`, CodeValidationFailed},
		{"two long arguments, met 900 times", "{me{" + times(900, "...F ") + "}} fragment F on User{" + times(2, `friends(first:"`+times(megabyte/2-5_000, "s")+`"){id}`) + "}", CodeValidationFailed},
		{"1,000 fragments", "{me{" + joined(1_000, "...F%d ") + "}}" + joined(1_000, "fragment F%d on User{id}"), ""},
		{"400 fragments with one of 400", "{me{" + joined(400, "...F%d ") + "}}" + joined(400, "fragment F%d on User{...G}") + "fragment G on User{id id id id id}", ""},
		{"1,200 conditions", "{me{" + times(1_200, "...on User{id}") + "}}", ""},
		{"forks", "{me" + forks(8, "{...F}") + "} fragment F on User" + forks(2, "{id}"), ""},
		{"1,000 variables", "query(" + joined(1_000, "$v%d:Any ") + "){echo(a:[" + times(2, joined(1_000, "$v%d ")) + "])}", ""},
		{"variables in 20 operations", joined(20, "query Q%d("+joined(20, "$v%d:Any ")+"){...F}") + "fragment F on Query{echo(a:[" + joined(20, "$v%d ") + "])}", ""},
	}
}

// forks is a selection whose every two leaves have to be compared, since they may be those of one user.
func forks(depth int, leaf string) string {
	if depth == 0 {
		return leaf
	}
	next := forks(depth-1, leaf)
	return "{friends" + next + "...on Node{friends" + next + "}}"
}

// bomb is so many fragments, each so often in the one before.
func bomb(levels, width int) string {
	var text strings.Builder
	for i := range levels - 1 {
		fmt.Fprintf(&text, "fragment F%d on Query{%s}", i, times(width, fmt.Sprintf("...F%d ", i+1)))
	}
	return "{...F0}" + text.String() + fmt.Sprintf("fragment F%d on Query{__typename}", levels-1)
}

// below moves fragments from the root to a user.
func below(query string) string {
	return "{me{...F0}}" + strings.ReplaceAll(strings.TrimPrefix(query, "{...F0}"), " on Query", " on User")
}

// ascending is so many fragments, each after the one that it spreads.
func ascending(n int) string {
	var text strings.Builder
	text.WriteString("fragment F0 on Query{echo}")
	for i := range n {
		fmt.Fprintf(&text, "fragment F%d on Query{...F%d}", i+1, i)
	}
	return text.String()
}

// everyOther is so many fragments, each with all that follow.
func everyOther(n int) string {
	var text strings.Builder
	for i := range n {
		fmt.Fprintf(&text, "fragment F%d on User{id ", i)
		for j := i + 1; j < n; j++ {
			fmt.Fprintf(&text, "...F%d ", j)
		}
		text.WriteString("}")
	}
	return text.String()
}

func TestAttacks(t *testing.T) {
	p, view := testPreparer(t), testView(t, "v")
	for _, tt := range attacks() {
		t.Run(tt.name, func(t *testing.T) {
			errs := guarded(t, p, view, tt.query)
			switch {
			case tt.code == "" && errs != nil:
				t.Fatalf("refused: %v", errs)
			case tt.code == "":
				return
			case len(errs) == 0:
				t.Fatalf("allowed, want %s", tt.code)
			}
			for _, err := range errs {
				if err.Extensions["code"] != tt.code {
					t.Errorf("%v of %v, want %s", err.Extensions, err, tt.code)
				}
				if len(err.Message) > 4*maxShownRunes {
					t.Errorf("a message of %d bytes", len(err.Message))
				}
			}
			if len(errs) > DefaultBounds().Errors+1 {
				t.Errorf("%d errors", len(errs))
			}
		})
	}
}

// guarded prepares a document, and fails if that takes more of the processor than any document may. Measured are at most 50 ms; the
// rest is for the race detector.
func guarded(t testing.TB, p *Preparer, view *View, query string) gqlerror.List {
	t.Helper()
	if len(query) > megabyte {
		t.Fatalf("the document has %d bytes", len(query))
	}
	start := processorTime(t)
	_, errs := p.document(view, query)
	if took := processorTime(t) - start; took > time.Second {
		t.Errorf("took %v", took)
	}
	return errs
}

// processorTime is what this process has used of the processors: what else the machine does is not in it.
func processorTime(t testing.TB) time.Duration {
	t.Helper()
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		t.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
