package operation

import (
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"github.com/vektah/gqlparser/v2/lexer"
)

// scan refuses a text by its tokens, before it is parsed: the parser descends once for every bracket, and a full stack ends the
// process. What is no GraphQL it leaves to the parser.
func (b Bounds) scan(source *ast.Source) *gqlerror.Error {
	lex := lexer.New(source)
	var nesting brackets
	for tokens := 1; ; tokens++ {
		token, err := lex.ReadToken()
		switch {
		case err != nil || token.Kind == lexer.EOF:
			return nil
		case tokens > b.Tokens:
			return exceeded(CodeTooManyTokens, b.Tokens, "the document has more than %d tokens: split it")
		case token.Kind == lexer.Name && len(token.Value) > b.NameBytes:
			return exceeded(CodeNameTooLong, b.NameBytes, "the document has a name longer than %d bytes: shorten it")
		}
		nesting.read(token.Kind)
		switch {
		case nesting.values > b.ValueDepth:
			return exceeded(CodeTooDeep, b.ValueDepth, "the document has lists or objects more than %d deep: make them flatter, or send them as variables")
		case nesting.selections > b.Depth+b.FragmentNesting || nesting.parentheses > b.Depth:
			return b.tooDeep()
		}
	}
}

// brackets counts those that are open. What is in parentheses are values and types, what is not are selections.
type brackets struct{ parentheses, values, selections int }

func (b *brackets) read(kind lexer.Type) {
	step := 1
	switch kind {
	case lexer.ParenR, lexer.BracketR, lexer.BraceR:
		step = -1
	}
	switch kind {
	case lexer.ParenL, lexer.ParenR:
		b.parentheses = max(0, b.parentheses+step)
	case lexer.BracketL, lexer.BracketR:
		b.values = max(0, b.values+step)
	case lexer.BraceL, lexer.BraceR:
		if b.parentheses > 0 {
			b.values = max(0, b.values+step)
		} else {
			b.selections = max(0, b.selections+step)
		}
	}
}

func (b Bounds) tooDeep() *gqlerror.Error {
	return exceeded(CodeTooDeep, b.Depth, "the document selects fields more than %d deep: ask for fewer levels")
}
