package wire_test

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"tributary/internal/operation"
	"tributary/internal/wire"
)

func TestBatches(t *testing.T) {
	s := newSite(t)
	s.post(t, "["+query+"]").wants(t, http.StatusBadRequest, wire.CodeBatchingDisabled)
	s.post(t, " \r\n\t[]").wants(t, http.StatusBadRequest, wire.CodeBatchingDisabled)

	s = newSite(t)
	s.http.MaxBatch = 3
	const named = `{"query":"query A { echo } query B { echo }","operationName":"B"}`
	r := s.post(t, " \n["+query+","+named+`,{"query":"mutation C { set }"}] `, "Idempotency-Key: k", "Authorization: 7")
	var answers []struct{ Data echoed }
	if err := json.Unmarshal([]byte(r.text), &answers); err != nil || len(answers) != 3 || r.status != http.StatusOK {
		t.Fatalf("%v: %+v", err, r)
	}
	for i, want := range []echoed{{Operation: "", Key: "k:0"}, {Operation: "B", Key: "k:1"}, {Operation: "C", Key: "k:2"}} {
		if got := answers[i].Data; got.Operation != want.Operation || got.Key != want.Key || got.Viewer != "7" {
			t.Errorf("%d ran %+v", i, got)
		}
	}
	s.post(t, query).wants(t, http.StatusOK, "") // one alone is no array
	s.post(t, "["+strings.Repeat(query+",", 3)+query+"]").wants(t, http.StatusBadRequest, wire.CodeTooManyOperations)
	for _, malformed := range []string{"[]", "[", "[" + query, "[" + query + ",]", "[" + query + "]SECRET"} {
		s.post(t, malformed).wants(t, http.StatusBadRequest, wire.CodeBadRequest)
	}
}

func TestTheStatusOfABatch(t *testing.T) {
	s := newSite(t)
	s.http.MaxBatch = 9
	const graphql, plain = "application/graphql-response+json", "application/json"
	const invalid = `{"query":"{ nope }"}`
	for _, tt := range []struct {
		accept, body string
		status       int
		codes        []string
	}{
		{graphql, query + "," + invalid, http.StatusOK, []string{"", operation.CodeValidationFailed}},
		{graphql, invalid + "," + invalid, http.StatusBadRequest, []string{operation.CodeValidationFailed, operation.CodeValidationFailed}},
		{plain, invalid + "," + invalid, http.StatusOK, []string{operation.CodeValidationFailed, operation.CodeValidationFailed}},
		{plain, `5,{},[` + query + `],null,` + query, http.StatusOK, []string{wire.CodeBadRequest, wire.CodeBadRequest, wire.CodeBadRequest, wire.CodeBadRequest, ""}},
		{plain, `{"query":5}`, http.StatusBadRequest, []string{wire.CodeBadRequest}},
	} {
		r := s.post(t, "["+tt.body+"]", "Accept: "+tt.accept)
		var answers []struct {
			Errors []struct{ Extensions struct{ Code string } }
			Data   json.RawMessage
		}
		if err := json.Unmarshal([]byte(r.text), &answers); err != nil || len(answers) != len(tt.codes) || r.status != tt.status {
			t.Errorf("%s: %v: %+v", tt.body, err, r)
			continue
		}
		for i, code := range tt.codes {
			if ran := len(answers[i].Errors) == 0; ran != (code == "") || ran != (answers[i].Data != nil) || (!ran && answers[i].Errors[0].Extensions.Code != code) {
				t.Errorf("%s: %d is %+v, want %q", tt.body, i, answers[i], code)
			}
		}
	}
}

func TestAThrottledBatch(t *testing.T) {
	s := newSite(t)
	s.http.MaxBatch, s.http.Pipeline.Limiter = 9, twoRequests()
	batch := "[" + query + "," + query + "," + query + "]"
	if r := s.post(t, batch); r.status != http.StatusOK || strings.Count(r.text, operation.CodeThrottled) != 1 || r.header.Get("Retry-After") != "" {
		t.Errorf("%+v", r)
	}
	if r := s.post(t, batch); r.status != http.StatusTooManyRequests || strings.Count(r.text, operation.CodeThrottled) != 3 || r.header.Get("Retry-After") == "" {
		t.Errorf("%+v", r)
	}
}

func TestABatchSharesTheBoundOfAnAnswer(t *testing.T) {
	s := newSite(t)
	s.http.MaxBatch, s.http.MaxResponseBytes = 9, 1000
	s.executor = answers(operation.Result{Data: []byte(`{"echo":"` + strings.Repeat("x", 600) + `"}`)})
	r := s.post(t, "["+query+","+query+"]")
	if strings.Count(r.text, "xxx\"") != 1 || strings.Count(r.text, wire.CodeResponseTooLarge) != 1 || !json.Valid([]byte(r.text)) {
		t.Errorf("%+v", r)
	}
}

func TestABatchEndsWhenTheClientLeaves(t *testing.T) {
	s := newSite(t)
	s.http.MaxBatch = 9
	ran, ended := make(chan struct{}, 9), make(chan struct{})
	s.executor = executorFunc(func(ctx context.Context, _ *operation.Prepared) *operation.Result {
		ran <- struct{}{}
		<-ctx.Done()
		return &operation.Result{Data: []byte("null")}
	})
	s.after = func() { close(ended) }
	conn := s.dial(t)
	conn.post("["+query+","+query+"]", "")
	<-ran
	conn.Close()
	await(t, ended)
	if len(ran) > 0 {
		t.Error("the batch went on")
	}
}
