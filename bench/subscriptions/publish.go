package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"
)

// titled stands before the number of a post that was published to be measured, in each payload about it.
const titled = `"title":"measured `

// publish has a post of a number published.
func publish(ctx context.Context, number int) error {
	body := fmt.Sprintf(`{"authorId":"u1",%s%d","body":%q,"status":"published"}`, titled, number, strings.Repeat("x", 250))
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, fmt.Sprintf("http://127.0.0.1:%d/posts", demoPort+1), strings.NewReader(body))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	response.Body.Close()
	if response.StatusCode != http.StatusCreated {
		return fmt.Errorf("the post service answers %s", response.Status)
	}
	return nil
}

// schedule is posts that are published at a steady rate, whatever becomes of them. Their times count from when each was due.
type schedule struct{ starts []time.Time }

// newSchedule plans n posts from now on.
func newSchedule(n int, perSecond float64) *schedule {
	every := time.Duration(float64(time.Second) / perSecond)
	s := &schedule{starts: make([]time.Time, n)}
	begin := time.Now().Add(every)
	for i := range s.starts {
		s.starts[i] = begin.Add(time.Duration(i) * every)
	}
	return s
}

// run publishes the posts, the first under the number given.
func (s *schedule) run(ctx context.Context, first int) error {
	failed := make([]error, len(s.starts))
	var posting sync.WaitGroup
	for i, at := range s.starts {
		select {
		case <-time.After(time.Until(at)):
			posting.Go(func() { failed[i] = publish(ctx, first+i) })
		case <-ctx.Done():
		}
	}
	posting.Wait()
	return errors.Join(append(failed, ctx.Err())...)
}
