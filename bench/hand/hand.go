// Package hand is what one would write by hand for the benchmark's queries in place of a GraphQL server: parallel calls in as few batches
// and rounds as the data allows, encoding/json both ways, no cache. It shares nothing with the gateway.
package hand

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
)

// Config is where the services are.
type Config struct {
	User, Post, Comment, Follower string // base URLs
}

// Server answers the benchmark's operations, told apart by their names. It is safe for concurrent use.
type Server struct {
	services Config
	client   *http.Client
	buffers  sync.Pool
}

// New makes a server. The caller closes it.
func New(services Config) *Server {
	return &Server{
		services: services,
		client: &http.Client{Transport: &http.Transport{
			MaxIdleConnsPerHost: 4096, // as many as there may be calls at a time: no connection is made anew
			DisableCompression:  true,
		}},
		buffers: sync.Pool{New: func() any { return new(bytes.Buffer) }},
	}
}

// Close closes idle connections to the services.
func (s *Server) Close() { s.client.CloseIdleConnections() }

// maxRequest bounds the body of a request.
const maxRequest = 1 << 20

// ServeHTTP answers one operation, sent as GraphQL over HTTP.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var request struct {
		OperationName string
		Variables     json.RawMessage
	}
	buffer := s.buffers.Get().(*bytes.Buffer)
	defer s.buffers.Put(buffer)
	buffer.Reset()
	if _, err := buffer.ReadFrom(http.MaxBytesReader(w, r.Body, maxRequest)); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	if err := json.Unmarshal(buffer.Bytes(), &request); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	data, err := s.answer(r.Context(), request.OperationName, request.Variables)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	buffer.Reset()
	encoder := json.NewEncoder(buffer)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(struct {
		Data any `json:"data"`
	}{data}); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/graphql-response+json; charset=utf-8")
	w.Header().Set("Content-Length", strconv.Itoa(buffer.Len()))
	_, _ = w.Write(buffer.Bytes()) // the caller has gone
}

// answer gives the data of an operation.
func (s *Server) answer(ctx context.Context, operation string, variables json.RawMessage) (any, error) {
	switch operation {
	case "":
		return map[string]string{"__typename": "Query"}, nil
	case "Timeline":
		var v struct{ First int }
		if err := json.Unmarshal(variables, &v); err != nil {
			return nil, err
		}
		return s.timeline(ctx, v.First)
	case "LongTimeline":
		var cursors map[string]string
		if err := json.Unmarshal(variables, &cursors); err != nil {
			return nil, err
		}
		return s.longTimeline(ctx, cursors)
	case "Profile":
		var v struct{ ID string }
		if err := json.Unmarshal(variables, &v); err != nil {
			return nil, err
		}
		return s.profile(ctx, strings.TrimPrefix(v.ID, "user_"))
	}
	return nil, errors.New("unknown operation")
}

// get reads a service's answer into value.
func (s *Server) get(ctx context.Context, url string, value any) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	response, err := s.client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		body, _ := io.ReadAll(io.LimitReader(response.Body, 1<<10))
		return fmt.Errorf("%s: status %d: %s", url, response.StatusCode, body)
	}
	buffer := s.buffers.Get().(*bytes.Buffer)
	defer s.buffers.Put(buffer)
	buffer.Reset()
	if _, err := buffer.ReadFrom(response.Body); err != nil {
		return err
	}
	return json.Unmarshal(buffer.Bytes(), value)
}
