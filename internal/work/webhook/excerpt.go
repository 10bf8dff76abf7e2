package webhook

import (
	"encoding/json"
	"errors"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	maxExcerpt = 1 << 10
	maxLooked  = 2 << 10 // bytes of an answer that the excerpt is made of
	maxDrained = 64 << 10
	minHidden  = 4 // characters of a value that must not be in an excerpt
	mark       = "…"
)

// excerpt reads an answer's body, up to maxDrained so that the connection can be used again, and returns its start as one line of
// at most maxExcerpt bytes without anything that the values of what was sent say: the data of the event, which may be erased later.
func excerpt(body io.Reader, sent ...json.RawMessage) string {
	start, err := io.ReadAll(io.LimitReader(body, maxLooked))
	rest := int64(0)
	if err == nil {
		rest, err = io.CopyN(io.Discard, body, maxDrained-maxLooked)
	}
	cut := rest > 0 || (err != nil && !errors.Is(err, io.EOF))
	text := plain(string(start))
	hidden := make([]bool, len(text))
	folded := lower(text)
	for value := range values(sent) {
		hide(hidden, folded, value, cut)
	}
	return shorten(text, hidden)
}

// shorten writes the text with one mark for each stretch that is hidden.
func shorten(text string, hidden []bool) string {
	var b strings.Builder
	for i, r := range text {
		piece := string(r)
		if hidden[i] {
			if i > 0 && hidden[i-1] {
				continue
			}
			piece = mark
		}
		if b.Len()+len(piece) > maxExcerpt {
			break
		}
		b.WriteString(piece)
	}
	return b.String()
}

// hide marks where a value is in a text, overlapping as it may. In a text that was cut off, its end may be a value's beginning.
func hide(hidden []bool, text, value string, cut bool) {
	for from := 0; from < len(text); from++ {
		at := strings.IndexByte(text[from:], value[0])
		if at < 0 {
			return
		}
		from += at
		rest := text[from:]
		if !strings.HasPrefix(rest, value) && !(cut && strings.HasPrefix(value, rest)) {
			continue
		}
		for i := range min(len(value), len(rest)) {
			hidden[from+i] = true
		}
	}
}

// values are the strings in JSON texts that are long enough to tell something, as they are and as JSON writes them, folded as the
// text is that they are looked for in.
func values(texts []json.RawMessage) map[string]bool {
	found := map[string]bool{}
	add := func(s string) {
		if line := lower(plain(s)); line != "" && utf8.RuneCountInString(s) >= minHidden {
			found[line] = true
		}
	}
	for _, text := range texts {
		decoder := json.NewDecoder(strings.NewReader(string(text)))
		decoder.UseNumber()
		var v any
		if decoder.Decode(&v) == nil {
			walk(v, func(s string) {
				add(s)
				if escaped, err := json.Marshal(s); err == nil {
					add(string(escaped[1 : len(escaped)-1]))
				}
				var b strings.Builder
				encoder := json.NewEncoder(&b)
				encoder.SetEscapeHTML(false)
				if encoder.Encode(s) == nil {
					add(b.String()[1 : b.Len()-len("\"\n")])
				}
			})
		}
	}
	return found
}

func walk(v any, visit func(string)) {
	switch v := v.(type) {
	case string:
		visit(v)
	case []any:
		for _, each := range v {
			walk(each, visit)
		}
	case map[string]any:
		for _, each := range v {
			walk(each, visit)
		}
	}
}

// plain is text as one line of valid UTF-8: anything that is not printed is a space, and spaces are single.
func plain(s string) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) && r != utf8.RuneError {
			return r
		}
		return ' '
	}, strings.ToValidUTF8(s, " "))
	return strings.Join(strings.Fields(s), " ")
}

// lower folds ASCII alone, so that places in the text stay where they are.
func lower(s string) string {
	return strings.Map(func(r rune) rune {
		if 'A' <= r && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	}, s)
}
