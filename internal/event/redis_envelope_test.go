package event

import (
	"encoding/json"
	"errors"
	"reflect"
	"testing"
	"time"
)

// FuzzRedisEvent holds every event to coming back from Redis as it went in.
func FuzzRedisEvent(f *testing.F) {
	f.Add("id", "post.created", "u1", "{}", int64(1), int64(2))
	f.Add("1:a/b", "3:x", ":", "12:", int64(-5), int64(1)<<62)
	f.Add("", "", "", "", int64(0), int64(0))
	f.Fuzz(func(t *testing.T, id, kind, actor, data string, sequence, version int64) {
		want := Event{
			Position: 17, ID: id, Source: "post", Sequence: sequence, Type: kind, Subject: "post/a", Time: time.Unix(sequence%1e10, 5).UTC(),
			Actor: actor, Version: max(version, 0),
		}
		if want.Time.Year() < 0 {
			want.Time = time.Time{}
		}
		if data != "" {
			want.Data = json.RawMessage(data)
		}
		got, err := parseRedisEvent("post/a", digits(version), redisEnvelope(want)+"2:17", redisPayload(want))
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("got %+v, %v, want %+v", got, err, want)
		}
	})
}

// FuzzRedisValue has whatever may stand in Redis read without harm.
func FuzzRedisValue(f *testing.F) {
	f.Add("1", "6:post/11:54:kind20:2026-03-01T12:00:00Z1:1", "2:u1{}")
	f.Add("x", "99999999999999999999:", "-1:")
	f.Add("", "5:post", "9:")
	f.Fuzz(func(t *testing.T, version, envelope, payload string) {
		_, err := parseRedisEvent("post/a", version, envelope, payload)
		if err != nil && !errors.Is(err, errRedisValue) {
			t.Errorf("%v does not say where it comes from", err)
		}
	})
}

func TestRedisReplies(t *testing.T) {
	for _, reply := range [][]string{nil, {"kept"}, {"kept", "x"}, {"gap", "1"}, {"gap", "x", "1"}, {"gap", "1", "x"}, {"else", "1"}} {
		if _, err := parseAppended(reply); err == nil {
			t.Errorf("%q is taken", reply)
		}
	}
	for _, values := range [][]any{{"x"}, {int64(3)}, {""}} {
		if _, err := redisNumber(values, 0); !errors.Is(err, errRedisValue) {
			t.Errorf("%v: %v", values, err)
		}
	}
}
