package limit

import "bytes"

// scanner walks over JSON without building anything of it. What a walk does not look into is only followed to its end: strings
// and brackets must close, no more is checked. After a failure all of it fails.
type scanner struct {
	data []byte
	at   int
	bad  bool
}

func (s *scanner) fail() { s.bad, s.at = true, len(s.data) }

// peek skips white space and gives the next byte, 0 at the end.
func (s *scanner) peek() byte {
	for ; s.at < len(s.data); s.at++ {
		switch c := s.data[s.at]; c {
		case ' ', '\n', '\t', '\r':
		default:
			return c
		}
	}
	return 0
}

// take goes over a byte that must come next.
func (s *scanner) take(c byte) {
	if s.peek() != c {
		s.fail()
		return
	}
	s.at++
}

// next says whether another element or member follows, in front of the closing bracket, over which it goes.
func (s *scanner) next(first bool, closing byte) bool {
	switch c := s.peek(); {
	case c == closing:
		s.at++
		return false
	case first && c != 0:
		return true
	case c == ',':
		s.at++
		return true
	default:
		s.fail()
		return false
	}
}

// text goes over a string and gives what is between the quotes, escapes as they are.
func (s *scanner) text() []byte {
	s.take('"')
	start := s.at
	for s.at < len(s.data) {
		quote := bytes.IndexByte(s.data[s.at:], '"')
		if quote < 0 {
			break
		}
		end := s.at + quote
		s.at = end + 1
		if !escaped(s.data[start:end]) {
			return s.data[start:end]
		}
	}
	s.fail()
	return nil
}

// escaped says whether the byte behind text is escaped: an odd number of backslashes stands in front of it.
func escaped(text []byte) bool {
	n := 0
	for n < len(text) && text[len(text)-1-n] == '\\' {
		n++
	}
	return n%2 == 1
}

// member goes over a member's name and colon.
func (s *scanner) member() []byte {
	name := s.text()
	s.take(':')
	return name
}

// null goes over a null, if that comes next.
func (s *scanner) null() bool {
	if s.peek() != 'n' {
		return false
	}
	s.skip()
	return true
}

// skip goes over a value.
func (s *scanner) skip() {
	switch c := s.peek(); c {
	case '"':
		s.text()
	case '{', '[':
		s.skipNested()
	case 't':
		s.word("true")
	case 'f':
		s.word("false")
	case 'n':
		s.word("null")
	default:
		s.number()
	}
}

func (s *scanner) word(word string) {
	if s.at+len(word) > len(s.data) || string(s.data[s.at:s.at+len(word)]) != word {
		s.fail()
		return
	}
	s.at += len(word)
}

func (s *scanner) number() {
	start := s.at
	for s.at < len(s.data) && numeric(s.data[s.at]) {
		s.at++
	}
	if s.at == start {
		s.fail()
	}
}

func numeric(c byte) bool {
	return c >= '0' && c <= '9' || c == '-' || c == '+' || c == '.' || c == 'e' || c == 'E'
}

// skipNested goes over an object or an array, without recursion.
func (s *scanner) skipNested() {
	depth := 0
	for s.at < len(s.data) {
		switch s.data[s.at] {
		case '"':
			s.text()
			continue
		case '{', '[':
			depth++
		case '}', ']':
			depth--
		}
		s.at++
		if depth == 0 {
			return
		}
	}
	s.fail()
}
