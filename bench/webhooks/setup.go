package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"tributary/bench/process"
	"tributary/internal/auth"
	"tributary/internal/redisclient"
)

const (
	gatewayAddr = "127.0.0.1:18080"
	redisPort   = "18085"
	secret      = "whsec_YSBzZWNyZXQgb2YgdGhpcnR5LXR3byBieXRlcywgc28="
	patience    = time.Minute
)

// setup is where a gateway keeps its data, and a key to it.
type setup struct {
	program, dir, redisURL string
	redis                  *process.Process // nil with SQLite
	key                    string           // of an admin
}

// open makes a setup that nobody has used. The caller closes it.
func (b *benchmark) open(ctx context.Context, store string) (_ *setup, err error) {
	s := &setup{program: b.program}
	if s.dir, err = os.MkdirTemp(b.dir, ""); err != nil {
		return nil, err
	}
	if store == "Redis" {
		s.redisURL = "redis://127.0.0.1:" + redisPort
		s.redis, err = process.Start(ctx, process.Command{Name: "redis-server", Path: "redis-server", Env: os.Environ(), Args: []string{
			"--port", redisPort, "--bind", "127.0.0.1", "--dir", s.dir, "--save", "", "--appendonly", "yes", "--appendfsync", "always"}})
		if err != nil {
			return nil, err
		}
	}
	if s.key, err = s.makeKey(ctx); err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

func (s *setup) close() {
	if s.redis != nil {
		s.redis.Stop()
	}
}

// makeKey makes an API key of an admin's.
func (s *setup) makeKey(ctx context.Context) (key string, err error) {
	wanted := auth.NewKey{Name: "bench", Scopes: []string{"admin"}}
	if s.redis == nil {
		store, err := auth.OpenSQLiteKeys(filepath.Join(s.dir, "keys.db"))
		if err != nil {
			return "", err
		}
		_, key, err = auth.NewKeys(store, time.Now).Create(ctx, wanted)
		return key, errors.Join(err, store.Close())
	}
	client, err := redisclient.Open(s.redisURL)
	if err != nil {
		return "", err
	}
	defer client.Close()
	err = await(ctx, s.redis, func() error { return client.Ping(ctx).Err() })
	if err == nil {
		_, key, err = auth.NewKeys(auth.NewRedisKeys(client), time.Now).Create(ctx, wanted)
	}
	return key, err
}

// start starts a gateway whose services are not there: nobody asks for anything.
func (s *setup) start(ctx context.Context, args ...string) (*process.Process, error) {
	args = append([]string{"serve", "--addr", gatewayAddr, "--data-dir", s.dir, "--log-level", "error", "--no-limit-enabled",
		"--webhook-allow-http", "--webhook-allow-networks", "127.0.0.0/8", "--events-follower-secrets", secret}, args...)
	if s.redisURL != "" {
		args = append(args, "--redis-url", s.redisURL)
	}
	for _, name := range []string{"user", "post", "comment", "follower"} {
		args = append(args, "--"+name+"-url", "http://127.0.0.1:9")
	}
	gateway, err := process.Start(ctx, process.Command{Name: "tributary", Path: s.program, Args: args, Env: os.Environ()})
	if err != nil {
		return nil, err
	}
	err = await(ctx, gateway, func() error {
		response, err := http.Get("http://" + gatewayAddr + "/readyz")
		if err != nil {
			return err
		}
		return errors.Join(response.Body.Close(), expect(response, http.StatusOK))
	})
	if err != nil {
		gateway.Stop()
		return nil, err
	}
	return gateway, nil
}

// await tries until it succeeds, the process ends or patience does.
func await(ctx context.Context, p *process.Process, try func() error) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		err := try()
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return errors.Join(ctx.Err(), err)
		case <-p.Done():
			return p.Failure()
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func expect(response *http.Response, status int) error {
	if response.StatusCode != status {
		return fmt.Errorf("%s answers %s", response.Request.URL.Path, response.Status)
	}
	return nil
}
