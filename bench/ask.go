package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
)

// maxAnswer bounds one answer.
const maxAnswer = 64 << 20

// fetch sends one GraphQL request and gives the bytes of its answer, which must be whole: a 200 without errors, and without remarks but for the cost.
func fetch(ctx context.Context, url string, body []byte) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	request.Close = true // nothing is left open that somebody would have to close
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Accept", "application/graphql-response+json")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	if err != nil {
		return nil, err
	}
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("status %d: %.500s", response.StatusCode, answer)
	}
	if _, err := dataOf(answer); err != nil {
		return nil, err
	}
	return answer, nil
}

// dataOf is what an answer says, without what it cost. It is an error for an answer not to be whole.
func dataOf(answer []byte) ([]byte, error) {
	var a struct {
		Data       json.RawMessage
		Errors     json.RawMessage
		Extensions map[string]json.RawMessage
	}
	if err := json.Unmarshal(answer, &a); err != nil {
		return nil, err
	}
	delete(a.Extensions, "cost")
	if a.Data == nil || a.Errors != nil || len(a.Extensions) > 0 {
		return nil, fmt.Errorf("the answer is not whole: %.500s", answer)
	}
	return a.Data, nil
}

// ask is fetch with the answer read into value.
func ask(ctx context.Context, url string, body []byte, value any) error {
	answer, err := fetch(ctx, url, body)
	if err != nil {
		return err
	}
	return json.Unmarshal(answer, value)
}
