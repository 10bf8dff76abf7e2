package demo

import (
	"bytes"
	"encoding/json"
	"maps"
	"net"
	"net/http"
	"slices"
	"strconv"
)

const (
	// hugeBytes is the length of a huge body.
	hugeBytes = 100 << 20
	// foreignID is the id that nobody asked for.
	foreignID = "foreign"
	// notJSON is what proxies like to answer with.
	notJSON = "<!doctype html><title>502 Bad Gateway</title><h1>Bad Gateway</h1>"
)

// recorder keeps an answer, to spoil it before it leaves.
type recorder struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (r *recorder) Header() http.Header         { return r.header }
func (r *recorder) WriteHeader(status int)      { r.status = status }
func (r *recorder) Write(b []byte) (int, error) { return r.body.Write(b) }

// spoil carries the request out and answers with a spoilt body.
func (a *activeFault) spoil(w http.ResponseWriter, r *http.Request, next http.Handler) {
	kept := &recorder{header: http.Header{}, status: http.StatusOK}
	next.ServeHTTP(kept, r)
	body := kept.body.Bytes()
	maps.Copy(w.Header(), kept.header)
	switch a.Body {
	case BodyReset:
		reset(w, kept.status, body)
		return
	case BodyHuge:
		stream100MB(w, kept.status, body)
		return
	case BodyTruncated:
		body = body[:len(body)/2]
	case BodyNotJSON:
		body = []byte(notJSON)
	case BodyWrongType:
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
	case BodyForeignID, BodyMissingID:
		body = changeIDs(body, a.Body == BodyForeignID)
	}
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(kept.status)
	w.Write(body) // the client has gone
}

// reset sends half of an answer and resets the connection.
func reset(w http.ResponseWriter, status int, body []byte) {
	w.Header().Set("Content-Length", strconv.Itoa(len(body)+1))
	w.WriteHeader(status)
	w.Write(body[:len(body)/2]) // the client has gone
	control := http.NewResponseController(w)
	control.Flush() // likewise
	conn, _, err := control.Hijack()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		tcp.SetLinger(0) // closing then sends a reset
	}
	conn.Close() // that is the point
}

// stream100MB sends an object of 100 MB that ends as the answer does.
func stream100MB(w http.ResponseWriter, status int, body []byte) {
	w.Header().Del("Content-Length")
	w.WriteHeader(status)
	if _, err := w.Write([]byte(`{"padding":"`)); err != nil {
		return
	}
	chunk := bytes.Repeat([]byte{'x'}, 64<<10)
	for range hugeBytes / len(chunk) {
		if _, err := w.Write(chunk); err != nil {
			return
		}
	}
	rest := []byte(`"}`)
	if len(body) > 2 && body[0] == '{' {
		rest = append([]byte(`",`), body[1:]...)
	}
	w.Write(rest) // the client has gone
}

// changeIDs adds one item, group or count under an id that nobody asked for, or takes one away. Answers that have
// none of these, and empty ones, stay as they are.
func changeIDs(body []byte, add bool) []byte {
	var whole map[string]json.RawMessage
	if json.Unmarshal(body, &whole) != nil {
		return body
	}
	if items, ok := whole["items"]; ok {
		whole["items"] = changeItems(items, add)
	}
	for _, name := range []string{"groups", "counts"} {
		if members, ok := whole[name]; ok {
			whole[name] = changeMembers(members, add)
		}
	}
	changed, err := json.Marshal(whole)
	if err != nil {
		return body
	}
	return changed
}

func changeItems(raw json.RawMessage, add bool) json.RawMessage {
	var items []map[string]json.RawMessage
	if json.Unmarshal(raw, &items) != nil || len(items) == 0 {
		return raw
	}
	if add {
		foreign := maps.Clone(items[0])
		for _, name := range []string{"id", "followerId"} {
			if _, ok := foreign[name]; ok {
				foreign[name] = json.RawMessage(`"` + foreignID + `"`)
			}
		}
		items = append(items, foreign)
	} else {
		items = items[1:]
	}
	changed, err := json.Marshal(items)
	if err != nil {
		return raw
	}
	return changed
}

func changeMembers(raw json.RawMessage, add bool) json.RawMessage {
	var members map[string]json.RawMessage
	if json.Unmarshal(raw, &members) != nil || len(members) == 0 {
		return raw
	}
	first := slices.Min(slices.Collect(maps.Keys(members)))
	if add {
		members[foreignID] = members[first]
	} else {
		delete(members, first)
	}
	changed, err := json.Marshal(members)
	if err != nil {
		return raw
	}
	return changed
}
