package demo

import (
	"context"
	"net/http"
	"strconv"
	"sync"
)

// spillBytes is how much of an answer is gathered before it goes out in pieces.
const spillBytes = 256 << 10

var jsonType = []string{"application/json"}

// stream is the answer of a read: small ones leave in one piece with their length, large ones page by page.
type stream struct {
	w    http.ResponseWriter
	b    []byte
	sent bool
}

// streams keeps buffers for later answers.
type streams struct{ pool sync.Pool }

func (s *streams) get(w http.ResponseWriter) *stream {
	out, ok := s.pool.Get().(*stream)
	if !ok {
		out = &stream{b: make([]byte, 0, 16<<10)}
	}
	out.w, out.b, out.sent = w, out.b[:0], false
	return out
}

func (s *streams) put(out *stream) {
	out.w = nil
	if cap(out.b) <= 4*spillBytes {
		s.pool.Put(out)
	}
}

// spill sends what was gathered if it is much. The status is then 200 for good.
func (out *stream) spill() {
	if len(out.b) < spillBytes {
		return
	}
	if !out.sent {
		out.w.Header()["Content-Type"] = jsonType
		out.sent = true
	}
	out.w.Write(out.b) // the read's context ends when the client has gone
	out.b = out.b[:0]
}

// finish sends the rest.
func (out *stream) finish() {
	if !out.sent {
		h := out.w.Header()
		h["Content-Type"] = jsonType
		h["Content-Length"] = []string{strconv.Itoa(len(out.b))}
	}
	out.w.Write(out.b) // the client has gone
}

// batch answers {"items":[…]} with the one column, documents, of a query.
func (out *stream) batch(ctx context.Context, p *pool, text string, args ...any) error {
	rows, err := p.query(ctx, text, args...)
	if err != nil {
		return err
	}
	defer rows.Close() // Err tells
	out.b = append(out.b, `{"items":[`...)
	first := true
	var doc string
	for rows.Next() {
		if err := rows.Scan(&doc); err != nil {
			return err
		}
		if !first {
			out.b = append(out.b, ',')
		}
		first = false
		out.b = append(out.b, doc...)
		out.spill()
	}
	out.b = append(out.b, `]}`...)
	return rows.Err()
}

// page answers one page of the one list that keys, a JSON array of one value, names.
func (out *stream) page(ctx context.Context, p *pool, l *listing, keys string, w window) error {
	return l.read(ctx, p, keys, 1, w, func(_ int, h head, items []item, more bool) {
		out.b = appendPage(out.b, w, h, items, more)
	})
}

// groups answers one page for every key.
func (out *stream) groups(ctx context.Context, p *pool, l *listing, keys []string, w window) error {
	out.b = append(out.b, `{"groups":{`...)
	err := l.read(ctx, p, jsonKeys(keys), len(keys), w, func(key int, h head, items []item, more bool) {
		if key > 0 {
			out.b = append(out.b, ',')
		}
		out.b = append(appendString(out.b, keys[key]), ':')
		out.b = appendPage(out.b, w, h, items, more)
		out.spill()
	})
	out.b = append(out.b, `}}`...)
	return err
}

// counts answers {"counts":{…}} with a number for every key; the query gives (key, number) in the keys' order.
func (out *stream) counts(ctx context.Context, p *pool, text string, keys []string) error {
	rows, err := p.query(ctx, text, jsonKeys(keys))
	if err != nil {
		return err
	}
	defer rows.Close() // Err tells
	out.b = append(out.b, `{"counts":{`...)
	for i := 0; rows.Next(); i++ {
		var key, value string
		if err := rows.Scan(&key, &value); err != nil {
			return err
		}
		if i > 0 {
			out.b = append(out.b, ',')
		}
		out.b = append(append(appendString(out.b, key), ':'), value...)
	}
	out.b = append(out.b, `}}`...)
	return rows.Err()
}

// readGroups answers the windows of one kind of list, whose keys a required parameter names.
func readGroups(ctx context.Context, q params, out *stream, p *pool, parameter string, l *listing) error {
	keys, err := q.required(parameter)
	if err != nil {
		return err
	}
	w, err := q.window()
	if err != nil {
		return err
	}
	return out.groups(ctx, p, l, keys, w)
}
