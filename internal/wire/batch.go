package wire

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"

	"tributary/internal/operation"
)

// readBatch reads an array of requests. Each stands for itself: one that is malformed does not spoil the others.
func (x *exchange) readBatch(raw []byte) (asked, *refusal) {
	if x.MaxBatch == 0 {
		return asked{}, &refusal{http.StatusBadRequest, CodeBatchingDisabled, "this server takes one operation in a request: send each by itself"}
	}
	var elements []json.RawMessage
	switch err := json.Unmarshal(raw, &elements); {
	case err != nil:
		return asked{}, badRequest("the body must be JSON: an object, or an array of them")
	case len(elements) == 0:
		return asked{}, badRequest("a batch must have at least one operation")
	case len(elements) > x.MaxBatch:
		return asked{}, &refusal{http.StatusBadRequest, CodeTooManyOperations, fmt.Sprintf("a batch may have at most %d operations", x.MaxBatch)}
	}
	batch := asked{batch: true, requests: make([]request, len(elements))}
	for i, element := range elements {
		one, refused := readOne(element)
		one.refused = refused
		batch.requests[i] = one
	}
	return batch, nil
}

// runBatch runs operations one after the other, in their order, and answers with an array. Its status is that of its answers
// where they all have the same, else 200; the fields of the header are those of the last. They share the bound of an answer.
func (x *exchange) runBatch(requests []request, call operation.Call) {
	answers, statuses := []byte{'['}, make([]int, 0, len(requests))
	left, key := x.maxResponseBytes(), call.IdempotencyKey
	for i, req := range requests {
		if x.r.Context().Err() != nil {
			return // nobody is left to answer
		}
		if key != "" {
			call.IdempotencyKey = key + ":" + strconv.Itoa(i)
		}
		answer := x.run(req, call)
		setFields(x.w.Header(), answer.header)
		status, raw := encode(answer, left, nil)
		left = max(0, left-int64(len(raw)))
		if i > 0 {
			answers = append(answers, ',')
		}
		answers, statuses = append(answers, raw...), append(statuses, status)
	}
	status := statuses[0]
	if slices.ContainsFunc(statuses, func(s int) bool { return s != status }) {
		status = http.StatusOK
	}
	if status != http.StatusTooManyRequests {
		x.w.Header().Del("Retry-After") // some may run later, the array is here now
	}
	x.send(status, append(answers, ']'))
}
