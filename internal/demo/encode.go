package demo

import "unicode/utf8"

const hexDigits = "0123456789abcdef"

// appendString appends s as a JSON string. Unlike encoding/json it leaves <, > and & as they are; bytes that are
// not UTF-8 become U+FFFD.
func appendString(b []byte, s string) []byte {
	b = append(b, '"')
	from := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c >= utf8.RuneSelf {
			r, size := utf8.DecodeRuneInString(s[i:])
			if r == utf8.RuneError && size == 1 {
				b = append(append(b, s[from:i]...), "\ufffd"...)
				from = i + 1
			}
			i += size
			continue
		}
		if c >= ' ' && c != '"' && c != '\\' {
			i++
			continue
		}
		b = appendEscape(append(b, s[from:i]...), c)
		i++
		from = i
	}
	return append(append(b, s[from:]...), '"')
}

func appendEscape(b []byte, c byte) []byte {
	switch c {
	case '"', '\\':
		return append(b, '\\', c)
	case '\n':
		return append(b, '\\', 'n')
	case '\r':
		return append(b, '\\', 'r')
	case '\t':
		return append(b, '\\', 't')
	}
	return append(b, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
}

// appendMember appends `"name":"value"` with a comma behind, for names that need no escaping.
func appendMember(b []byte, name, value string) []byte {
	return append(appendString(appendName(b, name), value), ',')
}

// appendOptional is appendMember, with null for nil.
func appendOptional(b []byte, name string, value *string) []byte {
	if value == nil {
		return append(appendName(b, name), "null,"...)
	}
	return appendMember(b, name, *value)
}

// appendTime appends a time as a member with a comma behind.
func appendTime(b []byte, name string, at stamp) []byte {
	return append(at.append(append(appendName(b, name), '"')), '"', ',')
}

func appendName(b []byte, name string) []byte {
	return append(append(append(b, '"'), name...), '"', ':')
}
