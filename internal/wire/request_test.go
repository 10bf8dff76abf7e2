package wire_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"time"

	"tributary/internal/operation"
	"tributary/internal/wire"
)

const query = `{"query":"{ echo }"}`

func TestRequestsThatAreTaken(t *testing.T) {
	s := newSite(t)
	for _, tt := range []struct {
		name, body string
		want       echoed
	}{
		{"query alone", query, echoed{}},
		{"everything", `{"query":"query A { echo } query B($text: String) { echo(text: $text) }","operationName":"B","variables":{"text":"x"},"extensions":{"any":1}}`, echoed{Operation: "B", Variables: map[string]any{"text": "x"}}},
		{"nulls", `{"query":"{ echo }","operationName":null,"variables":null,"extensions":null}`, echoed{}},
		{"empty name", `{"query":"{ echo }","operationName":""}`, echoed{}},
		{"unknown members", `{"query":"{ echo }","id":7,"batch":[{}],"QUERY":5,"Variables":[]}`, echoed{}},
		{"the last of two members counts", `{"query":"{","query":"query A { echo }"}`, echoed{Operation: "A"}},
		{"space around", " \n" + query + "\r\n\t ", echoed{}},
		{"escapes", `{"query":"query(\u0024text: String) { echo(text: $text) }","variables":{"text":"\u00fc\ud83d\ude00"}}`, echoed{Variables: map[string]any{"text": "ü😀"}}},
		{"numbers as they were written", `{"query":"query($any: Any, $id: ID) { echo(any: $any, id: $id) }","variables":{"any":[12345678901234567890,0.10],"id":9007199254740993}}`,
			echoed{Variables: map[string]any{"any": []any{json.Number("12345678901234567890"), json.Number("0.10")}, "id": "9007199254740993"}}},
		{"mutation", `{"query":"mutation A { set(v: 1) }"}`, echoed{Operation: "A"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := s.post(t, tt.body)
			r.wants(t, http.StatusOK, "")
			got := r.echoed(t)
			if tt.want.Variables == nil {
				tt.want.Variables = map[string]any{}
			}
			if got.RequestID, got.IP = "", ""; !reflect.DeepEqual(got, tt.want) {
				t.Errorf("ran %+v, want %+v", got, tt.want)
			}
		})
	}
}

func TestRequestsThatAreRefused(t *testing.T) {
	s := newSite(t)
	for name, body := range map[string]string{
		"no body":               "",
		"no JSON":               "{ echo SECRET }",
		"cut short":             `{"query":"{ SECRET`,
		"trailing garbage":      query + "SECRET",
		"a second value":        query + query,
		"trailing bracket":      query + "}",
		"null":                  "null",
		"a string":              `"{ SECRET }"`,
		"no query":              `{"SECRET":"{ echo }"}`,
		"query in capitals":     `{"Query":"{ echo }"}`,
		"null query":            `{"query":null}`,
		"empty query":           `{"query":""}`,
		"query is a number":     `{"query":5}`,
		"query is an object":    `{"query":{"SECRET":1}}`,
		"query is a list":       `{"query":["SECRET"]}`,
		"query is a switch":     `{"query":true}`,
		"name is a number":      `{"query":"{ echo }","operationName":5}`,
		"name is an object":     `{"query":"{ echo }","operationName":{"SECRET":1}}`,
		"name is a list":        `{"query":"{ echo }","operationName":["SECRET"]}`,
		"name is a switch":      `{"query":"{ echo }","operationName":false}`,
		"variables is a list":   `{"query":"{ echo }","variables":["SECRET"]}`,
		"variables is a string": `{"query":"{ echo }","variables":"{\"SECRET\":1}"}`,
		"variables is a number": `{"query":"{ echo }","variables":0}`,
		"variables is a switch": `{"query":"{ echo }","variables":false}`,
		"extensions is a list":  `{"query":"{ echo }","extensions":["SECRET"]}`,
		"extensions is a word":  `{"query":"{ echo }","extensions":"SECRET"}`,
		"extensions is 0":       `{"query":"{ echo }","extensions":0}`,
		"not UTF-8":             `{"query":"{ echo(text: \"` + "\xff" + `SECRET\") }"}`,
		"a byte order mark":     "\ufeff" + query,
	} {
		t.Run(name, func(t *testing.T) {
			for _, media := range []string{"application/json", "application/graphql-response+json"} {
				s.post(t, body, "Accept: "+media).wants(t, http.StatusBadRequest, wire.CodeBadRequest)
			}
		})
	}
}

func TestOperationsThatCannotRun(t *testing.T) {
	s := newSite(t)
	for name, tt := range map[string]struct{ body, code string }{
		"syntax":             {`{"query":"{"}`, operation.CodeParseFailed},
		"nothing":            {`{"query":"  "}`, operation.CodeParseFailed},
		"unknown field":      {`{"query":"{ nope }"}`, operation.CodeValidationFailed},
		"unknown operation":  {`{"query":"query A { echo }","operationName":"SECRET"}`, operation.CodeValidationFailed},
		"several operations": {`{"query":"query A { echo } query B { echo }"}`, operation.CodeValidationFailed},
		"wrong variable":     {`{"query":"query($int: Int) { echo(int: $int) }","variables":{"int":"SECRET"}}`, operation.CodeValidationFailed},
		"missing variable":   {`{"query":"query($int: Int!) { echo(int: $int) }"}`, operation.CodeValidationFailed},
		"@defer":             {`{"query":"{ ... @defer { echo } }"}`, operation.CodeDeferNotSupported},
		"subscription":       {`{"query":"subscription { echo }"}`, operation.CodeValidationFailed},
	} {
		t.Run(name, func(t *testing.T) {
			s.post(t, tt.body, "Accept: application/json").wants(t, http.StatusOK, tt.code)
			s.post(t, tt.body).wants(t, http.StatusOK, tt.code)
			r := s.post(t, tt.body, "Accept: application/graphql-response+json")
			r.wants(t, http.StatusBadRequest, tt.code)
			if media := r.header.Get("Content-Type"); !strings.HasPrefix(media, "application/graphql-response+json") {
				t.Errorf("content type %q", media)
			}
		})
	}
}

func TestContentTypes(t *testing.T) {
	s := newSite(t)
	for _, tt := range []struct {
		headers string
		status  int
	}{
		{"Content-Type: application/json", http.StatusOK},
		{"Content-Type: application/json; charset=utf-8", http.StatusOK},
		{`Content-Type: application/json;charset="UTF-8"`, http.StatusOK},
		{"Content-Type: Application/JSON; other=1", http.StatusOK},
		{"Content-Type: application/json\nContent-Encoding: identity", http.StatusOK},
		{"", http.StatusUnsupportedMediaType},
		{"Content-Type: application/json; charset=iso-8859-1", http.StatusUnsupportedMediaType},
		{"Content-Type: application/json; charset=utf-16", http.StatusUnsupportedMediaType},
		{"Content-Type: application/json\nContent-Encoding: gzip", http.StatusUnsupportedMediaType},
		{"Content-Type: application/json; charset", http.StatusUnsupportedMediaType},
		{"Content-Type: application/graphql", http.StatusUnsupportedMediaType},
		{"Content-Type: application/graphql-response+json", http.StatusUnsupportedMediaType},
		{"Content-Type: text/json", http.StatusUnsupportedMediaType},
		{"Content-Type: application/json, text/plain", http.StatusUnsupportedMediaType},
		// What a page of another site can send without asking first:
		{"Content-Type: text/plain", http.StatusUnsupportedMediaType},
		{"Content-Type: text/plain; application/json", http.StatusUnsupportedMediaType},
		{"Content-Type: application/x-www-form-urlencoded", http.StatusUnsupportedMediaType},
		{"Content-Type: multipart/form-data; boundary=x", http.StatusUnsupportedMediaType},
	} {
		var headers []string
		if tt.headers != "" {
			headers = strings.Split(tt.headers, "\n")
		}
		code := map[int]string{http.StatusUnsupportedMediaType: wire.CodeUnsupportedMediaType}[tt.status]
		s.send(t, http.MethodPost, "/graphql", query, headers...).wants(t, tt.status, code)
	}
}

func TestBodiesAreBounded(t *testing.T) {
	s := newSite(t)
	padded := func(size int) string { return query + strings.Repeat(" ", size-len(query)) }
	s.post(t, padded(maxBody)).wants(t, http.StatusOK, "")
	s.post(t, padded(maxBody+1)).wants(t, http.StatusRequestEntityTooLarge, wire.CodeBodyTooLarge)
	s.post(t, `{"query":"SECRET`+strings.Repeat("x", 10*maxBody)).wants(t, http.StatusRequestEntityTooLarge, wire.CodeBodyTooLarge)
}

func TestABodyThatDoesNotArrive(t *testing.T) {
	s := newSite(t)
	conn, err := net.Dial("tcp", s.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprintf(conn, "POST /graphql HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{\"query\":\"SECRET")
	if err := conn.(*net.TCPConn).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	answer, err := io.ReadAll(conn)
	if err != nil || !strings.HasPrefix(string(answer), "HTTP/1.1 400 ") || !strings.Contains(string(answer), wire.CodeBadRequest) || strings.Contains(string(answer), "SECRET") {
		t.Errorf("%v: %s", err, answer)
	}
}

func TestMethods(t *testing.T) {
	s := newSite(t)
	const get = "/graphql?query=%7B+echo+%7D"
	s.send(t, http.MethodGet, get, "").wants(t, http.StatusOK, "")
	for _, method := range []string{http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodTrace, "QUERY"} {
		r := s.send(t, method, get, query, "Content-Type: application/json")
		r.wants(t, http.StatusMethodNotAllowed, wire.CodeMethodNotAllowed)
		if allow := r.header.Get("Allow"); allow != "GET, HEAD, OPTIONS, POST" {
			t.Errorf("%s: Allow %q", method, allow)
		}
	}
	r := s.send(t, http.MethodOptions, get, "")
	if r.status != http.StatusNoContent || r.header.Get("Allow") != "GET, HEAD, OPTIONS, POST" || r.text != "" {
		t.Errorf("OPTIONS: %+v", r)
	}
	r = s.send(t, http.MethodHead, get, "")
	if r.status != http.StatusOK || r.text != "" || r.header.Get("Content-Type") != "application/json; charset=utf-8" {
		t.Errorf("HEAD: %+v", r)
	}
}

func TestOnlyPOSTMayWrite(t *testing.T) {
	s := newSite(t)
	ran := make(chan string, 10)
	s.executor = executorFunc(func(_ context.Context, op *operation.Prepared) *operation.Result {
		ran <- string(op.Kind())
		return &operation.Result{Data: []byte("{}")}
	})
	for _, text := range []string{"mutation { set(v: 1) }", "query A { echo } mutation B { set }"} {
		target := "/graphql?operationName=B&query=" + url.QueryEscape(text)
		if !strings.Contains(text, "query") {
			target = "/graphql?query=" + url.QueryEscape(text)
		}
		for _, accept := range []string{"application/json", "application/graphql-response+json"} {
			r := s.send(t, http.MethodGet, target, "", "Accept: "+accept)
			r.wants(t, http.StatusMethodNotAllowed, wire.CodeMethodNotAllowed)
			if allow := r.header.Get("Allow"); allow != http.MethodPost {
				t.Errorf("Allow %q", allow)
			}
		}
		if r := s.send(t, http.MethodHead, target, ""); r.status != http.StatusMethodNotAllowed || r.header.Get("Allow") != http.MethodPost {
			t.Errorf("HEAD: %+v", r)
		}
	}
	if len(ran) > 0 {
		t.Errorf("a %s ran", <-ran)
	}
	s.send(t, http.MethodGet, "/graphql?operationName=A&query="+url.QueryEscape("query A { echo } mutation B { set }"), "").wants(t, http.StatusOK, "")
}

func TestGET(t *testing.T) {
	s := newSite(t)
	text := url.QueryEscape("query A($text: String) { echo(text: $text) } query B { echo }")
	for _, tt := range []struct {
		name, params string
		want         echoed // nothing: refused
	}{
		{"variables", "query=" + text + "&operationName=A&variables=" + url.QueryEscape(`{"text":"x"}`), echoed{Operation: "A", Variables: map[string]any{"text": "x"}}},
		{"name", "query=" + text + "&operationName=B", echoed{Operation: "B"}},
		{"empty parameters", "query=%7Becho%7D&operationName=&variables=&extensions=", echoed{Operation: " "}},
		{"nulls", "query=%7Becho%7D&variables=null&extensions=null", echoed{Operation: " "}},
		{"others", "query=%7Becho%7D&x=1&extensions=%7B%7D", echoed{Operation: " "}},
		{"no query", "variables=%7B%7D", echoed{}},
		{"nothing", "", echoed{}},
		{"empty query", "query=", echoed{}},
		{"variables are no JSON", "query=%7Becho%7D&variables=SECRET", echoed{}},
		{"variables are a list", "query=%7Becho%7D&variables=%5B%5D", echoed{}},
		{"garbage behind variables", "query=%7Becho%7D&variables=%7B%7DSECRET", echoed{}},
		{"a bracket behind variables", "query=%7Becho%7D&variables=%7B%7D%7D", echoed{}},
		{"extensions are no object", "query=%7Becho%7D&extensions=1", echoed{}},
		{"not escaped", "query=%7Becho%7D&operationName=%zz", echoed{}},
		{"semicolons", "query=%7Becho%7D;variables=1", echoed{}},
		{"not UTF-8", "query=%7Becho%7D&variables=%7B%22text%22:%22%ff%22%7D", echoed{}},
		{"query not UTF-8", "query=%7Becho%7D%ff", echoed{}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := s.send(t, http.MethodGet, "/graphql?"+tt.params, "")
			if tt.want.Operation == "" {
				r.wants(t, http.StatusBadRequest, wire.CodeBadRequest)
				return
			}
			r.wants(t, http.StatusOK, "")
			got := r.echoed(t)
			if got.Operation != strings.TrimSpace(tt.want.Operation) || (tt.want.Variables != nil && !reflect.DeepEqual(got.Variables, tt.want.Variables)) {
				t.Errorf("ran %+v, want %+v", got, tt.want)
			}
		})
	}
}

func TestTheWorkEndsWhenTheClientLeaves(t *testing.T) {
	s := newSite(t)
	started, ended := make(chan struct{}), make(chan error, 1)
	s.executor = executorFunc(func(ctx context.Context, _ *operation.Prepared) *operation.Result {
		close(started)
		<-ctx.Done()
		ended <- ctx.Err()
		return &operation.Result{Data: []byte("null")}
	})
	ctx, leave := context.WithCancel(t.Context())
	request, _ := http.NewRequestWithContext(ctx, http.MethodPost, s.URL+"/graphql", strings.NewReader(query))
	request.Header.Set("Content-Type", "application/json")
	go func() {
		<-started
		leave()
	}()
	if response, err := s.Client().Do(request); err == nil {
		response.Body.Close()
		t.Error("an answer came although the client had left")
	}
	select {
	case err := <-ended:
		if err != context.Canceled {
			t.Errorf("the work ended with %v", err)
		}
	case <-time.After(10 * time.Second):
		t.Error("the work goes on")
	}
}
