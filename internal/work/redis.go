package work

import (
	"context"
	_ "embed"
	"errors"
	"fmt"

	"github.com/redis/go-redis/v9"
)

//go:embed redis_create.lua
var redisCreate string

//go:embed redis_update.lua
var redisUpdate string

//go:embed redis_delete.lua
var redisDelete string

// The keys in Redis. Their hash tag puts them on one node of a cluster, where a script may touch them all. None expires by itself.
const (
	redisRecord = "{work}:r:"     // + id; string: the record as JSON
	redisKeys   = "{work}:keys"   // hash: length of the name, name, key → id
	redisAll    = "{work}:all"    // sorted set, all scores 0: places of all records
	redisOpen   = "{work}:open"   // sorted set: of those that have not ended
	redisDue    = "{work}:due"    // sorted set: of those that are due
	redisOwner  = "{work}:of:"    // + owner's id; sorted set: of theirs
	redisOwners = "{work}:owners" // sorted set: ids of owners by how many records they have
	redisPage   = 200             // records that List reads at a time
)

// Redis is the Store that replicas share, on one Redis or a cluster of them. Records are there for good as far as Redis' appendfsync
// goes: with "everysec" a crash may lose the last second of changes. It is safe for concurrent use.
type Redis struct {
	client                 redis.UniversalClient
	create, update, delete *redis.Script
}

// NewRedis makes a store over a client, which the caller closes after it. It does not connect.
func NewRedis(client redis.UniversalClient) *Redis {
	return &Redis{client, redis.NewScript(redisCreate), redis.NewScript(redisUpdate), redis.NewScript(redisDelete)}
}

// keyField is where the key of a record stands in redisKeys; empty if it has none. The length keeps names and keys apart.
func keyField(r Record) string {
	if r.Key == "" {
		return ""
	}
	return fmt.Sprintf("%d:%s:%s", len(r.Name), r.Name, r.Key)
}

func flag(b bool) string {
	if b {
		return "1"
	}
	return "0"
}

// Create implements Store.
func (s *Redis) Create(ctx context.Context, r Record) (Record, bool, error) {
	r.Revision = 1
	data, err := encode(r)
	if err != nil {
		return Record{}, false, err
	}
	keys := []string{redisRecord + r.ID, redisKeys, redisAll, redisOpen, redisDue, redisOwners, redisOwner + r.OwnerID}
	kept, err := s.create.Run(ctx, s.client, keys, r.ID, data, place(r.CreatedAt, r.ID), keyField(r), r.OwnerID, flag(!r.State.Ended()), flag(due(r))).Text()
	created := errors.Is(err, redis.Nil)
	if err != nil && !created {
		return Record{}, false, fmt.Errorf("work: create: %w", err)
	}
	if !created {
		data = []byte(kept)
	}
	r, err = decode(data)
	return r, created, err
}

// Get implements Store.
func (s *Redis) Get(ctx context.Context, id string) (Record, error) {
	data, err := s.read(ctx, id)
	if err != nil {
		return Record{}, err
	}
	return decode(data)
}

func (s *Redis) read(ctx context.Context, id string) ([]byte, error) {
	data, err := s.client.Get(ctx, redisRecord+id).Bytes()
	if errors.Is(err, redis.Nil) {
		return nil, ErrUnknown
	}
	if err != nil {
		return nil, fmt.Errorf("work: read: %w", err)
	}
	return data, nil
}

// Update implements Store. It goes on until it is the faster one or its context ends.
func (s *Redis) Update(ctx context.Context, id string, change func(*Record) error) (Record, error) {
	for {
		kept, err := s.read(ctx, id)
		if err != nil {
			return Record{}, err
		}
		_, after, next, err := changed(kept, change)
		if err != nil || next == nil {
			return after, err
		}
		keys := []string{redisRecord + id, redisOpen, redisDue}
		done, err := s.update.Run(ctx, s.client, keys, kept, next, place(after.CreatedAt, id), flag(!after.State.Ended()), flag(due(after))).Bool()
		if err != nil {
			return Record{}, fmt.Errorf("work: update: %w", err)
		}
		if done {
			return after, nil
		}
	}
}

// List implements Store. With an owner it looks at their records, else at those that are due or have not ended where only these are
// asked for, else at all.
func (s *Redis) List(ctx context.Context, filter Filter, after string, limit int) ([]Record, error) {
	index := redisAll
	if filter.OwnerID != "" {
		index = redisOwner + filter.OwnerID
	} else if filter.Due {
		index = redisDue
	} else if filter.openOnly() {
		index = redisOpen
	}
	below := "+"
	if after != "" {
		r, err := s.Get(ctx, after)
		if errors.Is(err, ErrUnknown) {
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
		below = "(" + place(r.CreatedAt, r.ID)
	}
	var records []Record
	for len(records) < limit {
		places, err := s.client.ZRangeArgs(ctx, redis.ZRangeArgs{
			Key: index, Start: below, Stop: "-", ByLex: true, Rev: true, Count: redisPage,
		}).Result()
		if err != nil {
			return nil, fmt.Errorf("work: list: %w", err)
		}
		page, err := s.records(ctx, places)
		if err != nil {
			return nil, err
		}
		for _, r := range page {
			if len(records) < limit && filter.picks(r) {
				records = append(records, r)
			}
		}
		if len(places) < redisPage {
			break
		}
		below = "(" + places[len(places)-1]
	}
	return records, nil
}

// records reads those that stand at places, without any that has been deleted meanwhile.
func (s *Redis) records(ctx context.Context, places []string) ([]Record, error) {
	if len(places) == 0 {
		return nil, nil
	}
	keys := make([]string, len(places))
	for i, at := range places {
		keys[i] = redisRecord + placed(at)
	}
	values, err := s.client.MGet(ctx, keys...).Result()
	if err != nil {
		return nil, fmt.Errorf("work: list: %w", err)
	}
	records := make([]Record, 0, len(values))
	for _, value := range values {
		if text, ok := value.(string); ok {
			r, err := decode([]byte(text))
			if err != nil {
				return nil, err
			}
			records = append(records, r)
		}
	}
	return records, nil
}
