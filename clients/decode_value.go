package clients

import (
	"errors"
	"slices"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/go-faster/jx"
)

// decoder reads one body. Its readers of members leave a value as it is where there is null.
type decoder struct {
	jx.Decoder // not out of jx's pool: what is put back there keeps the body, which is another answer's by then

	// The strings of the entity that is being read. Ids are kept as keys for longer than the entity they came with, and must
	// not hold the memory of its texts.
	ids, texts texts
}

func newDecoder(body []byte) *decoder {
	if !utf8.Valid(body) {
		body = []byte(string([]rune(string(body)))) // each wrong byte becomes U+FFFD; outside of strings it is wrong still
	}
	d := new(decoder)
	d.ResetBytes(body)
	return d
}

// readObject reads an object by giving the decoder, at the start of each member's value, to member; null is nil.
func readObject[T any](d *decoder, member func(into *T, d *decoder, key []byte) error) (*T, error) {
	if d.Next() == jx.Null {
		return nil, d.Null()
	}
	into := new(T)
	return into, d.ObjBytes(func(_ *jx.Decoder, key []byte) error { return member(into, d, key) })
}

// readEntity reads an object whose strings are among the decoder's ids and texts; null is nil.
func readEntity[T any](d *decoder, member func(into *T, d *decoder, key []byte) error) (*T, error) {
	entity, err := readObject(d, member)
	d.ids.settle()
	d.texts.settle()
	return entity, err
}

var (
	errNoString  = errors.New("want a string")
	errNoInteger = errors.New("want an integer")
)

// unlessNull is room if there is a value for it, or nil.
func unlessNull[T any](d *decoder, room *T) *T {
	if d.Next() == jx.Null {
		return nil
	}
	return room
}

// readWord reads a string that is mostly one of those known.
func readWord[T ~string](d *decoder, into *T, known ...T) error {
	quoted, err := d.quoted()
	if quoted == nil {
		return err
	}
	if i := slices.IndexFunc(known, func(word T) bool { return string(quoted[1:len(quoted)-1]) == string(word) }); i >= 0 {
		*into = known[i]
		return nil
	}
	text, err := appendText(nil, quoted)
	*into = T(text)
	return err
}

// quoted reads a string as it stands in the body; null is nil. No space is left before it: jx looks for the value of a member
// before it hands it over.
func (d *decoder) quoted() ([]byte, error) {
	raw, err := d.Raw()
	switch {
	case err != nil:
		return nil, err
	case raw[0] == '"':
		return raw, nil
	case raw[0] == 'n':
		return nil, nil
	}
	return nil, errNoString
}

// presence tells whether there is a string.
func (d *decoder) presence() (bool, error) {
	quoted, err := d.quoted()
	return quoted != nil, err
}

// int reads an integer.
func (d *decoder) int(into *int) error {
	digits, err := d.Raw() // and not d.Int, which misses some overflows
	if err != nil || digits[0] == 'n' {
		return err
	}
	n, err := strconv.Atoi(string(digits))
	if err != nil {
		return errNoInteger
	}
	*into = n
	return nil
}

// time reads an instant of RFC 3339.
func (d *decoder) time(into *time.Time) error {
	quoted, err := d.quoted()
	if quoted == nil {
		return err
	}
	return into.UnmarshalJSON(quoted)
}

// readCount reads the size of one list.
func readCount(d *decoder) (n int, err error) {
	err = d.int(&n)
	return n, err
}
