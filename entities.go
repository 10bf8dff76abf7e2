package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"tributary/internal/config"
	"tributary/internal/event"
	"tributary/internal/redisclient"
)

const (
	entityPage     = 500
	entityKeys     = 50       // ids in one request: they stand in its URL
	maxEntityBytes = 64 << 20 // of one answer
)

// tendEvents compares the event log with the services, or completes it.
func tendEvents(ctx context.Context, cfg *config.Config, log *slog.Logger, stdout io.Writer) (err error) {
	e := &cfg.EventLog
	events, closeLog, err := openLog(ctx, cfg.DataDir, e.RedisURL)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closeLog()) }()
	return withServices(ctx, cfg.DataDir, &e.Gateway, log, func(ctx context.Context, urls map[string]string) error {
		reader := newEntityReader(urls, e.ServiceToken)
		defer reader.client.CloseIdleConnections()
		if e.Action == "sync" {
			report, err := event.Sync(ctx, events, reader.services(), time.Now)
			return errors.Join(err, report.Write(stdout))
		}
		report, err := event.Verify(ctx, events, events, reader.services(), e.Pause)
		if err := errors.Join(err, report.Write(stdout)); err != nil {
			return err
		}
		if n := report.Total(); n > 0 {
			return fmt.Errorf("the log and the services differ in %d entities", n)
		}
		return nil
	})
}

// openLog opens the log of a data dir, or the one in Redis.
func openLog(ctx context.Context, dataDir, redisURL string) (log eventLog, closeAll func() error, err error) {
	if redisURL == "" {
		if err := os.MkdirAll(dataDir, 0o700); err != nil {
			return nil, nil, fmt.Errorf("data directory: %w", err)
		}
		log, err := event.OpenSQLite(ctx, filepath.Join(dataDir, "events.db"), time.Now)
		if err != nil {
			return nil, nil, err
		}
		return log, log.Close, nil
	}
	var clients [2]redis.UniversalClient
	for i := range clients {
		if clients[i], err = redisclient.Open(redisURL); err != nil {
			return nil, nil, fmt.Errorf("--redis-url: %w", err)
		}
	}
	shared := event.NewRedis(clients[0], clients[1])
	return shared, func() error { return errors.Join(shared.Close(), clients[0].Close(), clients[1].Close()) }, nil
}

// entityReader reads what the services hold as they write it, drafts and hidden ones too, past every cache.
type entityReader struct {
	urls   map[string]string
	token  string
	client *http.Client
}

func newEntityReader(urls map[string]string, token string) *entityReader {
	return &entityReader{urls: urls, token: token, client: &http.Client{Transport: &http.Transport{}, Timeout: 30 * time.Second}}
}

func (r *entityReader) services() event.Services {
	return event.Services{Kinds: []string{"user", "post", "comment", "follow"}, ByID: r.byID, All: r.all}
}

// entityPages is a page, or pages by group.
type entityPages struct {
	Items  []json.RawMessage
	Next   *string
	Groups map[string]entityPages
}

func (r *entityReader) get(ctx context.Context, service, path string, query url.Values) (pages entityPages, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimSuffix(r.urls[service], "/")+path+"?"+query.Encode(), http.NoBody)
	if err != nil {
		return pages, err
	}
	if r.token != "" {
		request.Header.Set("Authorization", "Bearer "+r.token)
	}
	response, err := r.client.Do(request)
	if err != nil {
		return pages, fmt.Errorf("read the %s service: %w", service, err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return pages, fmt.Errorf("read the %s service: %s answers %d", service, path, response.StatusCode)
	}
	if err := json.NewDecoder(io.LimitReader(response.Body, maxEntityBytes)).Decode(&pages); err != nil {
		return pages, fmt.Errorf("read the %s service: %s: %w", service, path, err)
	}
	return pages, nil
}

// entity names what was read.
func entity(kind string, raw json.RawMessage) (event.Entity, error) {
	var e struct {
		ID, FollowerID, FolloweeID string
		Version                    int64
	}
	if err := json.Unmarshal(raw, &e); err != nil {
		return event.Entity{}, fmt.Errorf("a %s: %w", kind, err)
	}
	if kind == "follow" {
		e.ID = e.FollowerID + ":" + e.FolloweeID
	}
	return event.Entity{Subject: kind + "/" + e.ID, Version: e.Version, JSON: raw}, nil
}

// byID reads those of some subjects that exist.
func (r *entityReader) byID(ctx context.Context, kind string, subjects []string) (found []event.Entity, err error) {
	for chunk := range slices.Chunk(subjects, entityKeys) {
		ids := make([]string, len(chunk))
		for i, subject := range chunk {
			_, ids[i], _ = strings.Cut(subject, "/")
		}
		service, path, query := kind, "/"+kind+"s", url.Values{"ids": {strings.Join(ids, ",")}}
		switch kind {
		case "post":
			query.Set("visibility", "author")
		case "follow":
			service, path, query = "follower", "/edges", url.Values{"pairs": {strings.Join(ids, ",")}}
		}
		pages, err := r.get(ctx, service, path, query)
		if err != nil {
			return nil, err
		}
		for _, raw := range pages.Items {
			e, err := entity(kind, raw)
			if err != nil {
				return nil, err
			}
			if !deletedComment(kind, raw) {
				found = append(found, e)
			}
		}
	}
	return found, nil
}

// deletedComment says whether a comment only stands there for its replies.
func deletedComment(kind string, raw json.RawMessage) bool {
	var c struct{ Status string }
	return kind == "comment" && json.Unmarshal(raw, &c) == nil && c.Status == "deleted"
}

// all yields every entity of a kind. Comments and follows have no list of their own: they are read below posts and users.
func (r *entityReader) all(ctx context.Context, kind string) iter.Seq2[event.Entity, error] {
	switch kind {
	case "user":
		return r.listed(ctx, "user", "/users", url.Values{})
	case "post":
		return r.listed(ctx, "post", "/posts", url.Values{"visibility": {"author"}})
	case "comment":
		return r.below(ctx, "post", "comment", "comment", "/comments/by-post", "postIds")
	}
	return r.below(ctx, "user", "follow", "follower", "/followers", "userIds")
}

// listed yields the pages of a list.
func (r *entityReader) listed(ctx context.Context, kind, path string, query url.Values) iter.Seq2[event.Entity, error] {
	return func(yield func(event.Entity, error) bool) {
		query.Set("limit", fmt.Sprint(entityPage))
		for {
			page, err := r.get(ctx, kind, path, query)
			if err != nil {
				yield(event.Entity{}, err)
				return
			}
			if !yieldAll(kind, page.Items, yield) || page.Next == nil {
				return
			}
			query.Set("after", *page.Next)
		}
	}
}

// below yields what stands in the lists of the entities of another kind.
func (r *entityReader) below(ctx context.Context, parents, kind, service, path, parameter string) iter.Seq2[event.Entity, error] {
	return func(yield func(event.Entity, error) bool) {
		var ids []string
		flush := func() bool {
			ok := r.groups(ctx, kind, service, path, parameter, ids, "", yield)
			ids = ids[:0]
			return ok
		}
		for parent, err := range r.all(ctx, parents) {
			if err != nil {
				yield(event.Entity{}, err)
				return
			}
			ids = append(ids, strings.TrimPrefix(parent.Subject, parents+"/"))
			if len(ids) == entityKeys && !flush() {
				return
			}
		}
		if len(ids) > 0 {
			flush()
		}
	}
}

// groups yields the lists of some keys behind a cursor, and what goes on beyond a page key by key.
func (r *entityReader) groups(ctx context.Context, kind, service, path, parameter string, ids []string, after string, yield func(event.Entity, error) bool) bool {
	query := url.Values{parameter: {strings.Join(ids, ",")}, "limit": {fmt.Sprint(entityPage)}}
	if after != "" {
		query.Set("after", after)
	}
	pages, err := r.get(ctx, service, path, query)
	if err != nil {
		yield(event.Entity{}, err)
		return false
	}
	for id, page := range pages.Groups {
		if !yieldAll(kind, page.Items, yield) {
			return false
		}
		if page.Next != nil && !r.groups(ctx, kind, service, path, parameter, []string{id}, *page.Next, yield) {
			return false
		}
	}
	return true
}

func yieldAll(kind string, items []json.RawMessage, yield func(event.Entity, error) bool) bool {
	for _, raw := range items {
		if deletedComment(kind, raw) {
			continue
		}
		e, err := entity(kind, raw)
		if !yield(e, err) || err != nil {
			return false
		}
	}
	return true
}
