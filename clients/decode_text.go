package clients

import (
	"bytes"
	"encoding/json"

	"github.com/go-faster/jx"
)

// texts gathers strings, and gives them one piece of memory together.
type texts struct {
	gathered []byte
	spans    []span
}

// span is a string that has been gathered: what lies between the end of the one before and its own.
type span struct {
	into *string
	end  int
}

// id reads a string that may be kept without its entity, and is set by settle.
func (d *decoder) id(into *string) error { return d.gather(&d.ids, into) }

// text reads a string that is set by settle.
func (d *decoder) text(into *string) error { return d.gather(&d.texts, into) }

func (d *decoder) gather(among *texts, into *string) error {
	quoted, err := d.quoted()
	if quoted == nil {
		return err
	}
	if among.gathered, err = appendText(among.gathered, quoted); err != nil {
		return err
	}
	among.spans = append(among.spans, span{into, len(among.gathered)})
	return nil
}

// settle sets the strings read since the last time.
func (t *texts) settle() {
	memory, from := string(t.gathered), 0
	for _, s := range t.spans {
		*s.into, from = memory[from:s.end], s.end
	}
	t.gathered, t.spans = t.gathered[:0], t.spans[:0]
}

// appendText appends what a string says. jx does not pair the halves of surrogates as encoding/json does where one is
// alone; it writes U+FFFD then.
func appendText(to, quoted []byte) ([]byte, error) {
	if bytes.IndexByte(quoted, '\\') < 0 {
		return append(to, quoted[1:len(quoted)-1]...), nil
	}
	plain, err := jx.DecodeBytes(quoted).StrAppend(to)
	if err != nil || !bytes.Contains(plain[len(to):], []byte("\uFFFD")) {
		return plain, err
	}
	var text string
	err = json.Unmarshal(quoted, &text)
	return append(to, text...), err
}
