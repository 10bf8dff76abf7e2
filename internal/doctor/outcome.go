package doctor

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// breach is the error of a check whose service broke the contract.
type breach struct {
	want, saw string
	request   string
}

func (b *breach) Error() string { return "expected " + b.want + "; saw " + b.saw }

// skip is the error of a check that could not be judged.
type skip string

func (s skip) Error() string { return string(s) }

// sawInstead builds a breach; the request may be empty, then the last one of the check is named.
func sawInstead(request, want, saw string, args ...any) error {
	return &breach{want: want, saw: fmt.Sprintf(saw, args...), request: request}
}

func skipf(format string, args ...any) error { return skip(fmt.Sprintf(format, args...)) }

func isSkip(err error) bool {
	_, ok := errors.AsType[skip](err)
	return ok
}

// Bounds of what a report repeats of a service's answer.
const (
	maxDetail  = 400
	maxRequest = 140
)

// printable makes text of a service fit for a terminal: one line, no control characters, at most limit bytes.
func printable(text string, limit int) string {
	text = strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t':
			return ' '
		case r == utf8.RuneError || !unicode.IsPrint(r):
			return '\uFFFD'
		}
		return r
	}, text)
	if len(text) <= limit {
		return text
	}
	cut := limit
	for cut > 0 && !utf8.RuneStart(text[cut]) {
		cut--
	}
	return text[:cut] + "…"
}

// quote shows a value of a service, shortened.
func quote(value string) string { return strconv.Quote(printable(value, 80)) }
