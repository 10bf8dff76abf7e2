package auth

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"
)

// The keys in Redis. Their hash tag puts them on one node of a cluster, where a script may touch them all.
const (
	redisRecords = "{auth}:keys"    // hash: of the secret → the key as JSON, without RevokedAt
	redisOrder   = "{auth}:order"   // sorted set, all scores 0: id:hash
	redisEnds    = "{auth}:ends"    // sorted set: id:hash by when the key ends, in microseconds; none of those that do not
	redisRevoked = "{auth}:revoked" // hash: of the secret → microseconds
)

// The scripts take the four names above as KEYS.
const (
	// putKey: hash, record, id, when it ends or "", limit, now.
	putKey = `
if redis.call('ZCARD', KEYS[2]) >= tonumber(ARGV[5]) then
  local ended = redis.call('ZRANGE', KEYS[3], '-inf', ARGV[6], 'BYSCORE', 'LIMIT', 0, 1)[1]
  if not ended then return 0 end
  local hash = string.sub(ended, string.find(ended, ':', 1, true) + 1)
  redis.call('HDEL', KEYS[1], hash)
  redis.call('HDEL', KEYS[4], hash)
  redis.call('ZREM', KEYS[2], ended)
  redis.call('ZREM', KEYS[3], ended)
end
local member = ARGV[3] .. ':' .. ARGV[1]
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
redis.call('ZADD', KEYS[2], 0, member)
if ARGV[4] ~= '' then redis.call('ZADD', KEYS[3], ARGV[4], member) end
return 1`
	// findKey: id. It returns the record and the revocation, "" for none.
	findKey = `
local member = redis.call('ZRANGE', KEYS[2], '[' .. ARGV[1] .. ':', '(' .. ARGV[1] .. ';', 'BYLEX', 'LIMIT', 0, 1)[1]
if not member then return false end
local hash = string.sub(member, #ARGV[1] + 2)
return {redis.call('HGET', KEYS[1], hash), redis.call('HGET', KEYS[4], hash) or ''}`
	// revokeKey: id, at. It returns the record and the revocation.
	revokeKey = `
local member = redis.call('ZRANGE', KEYS[2], '[' .. ARGV[1] .. ':', '(' .. ARGV[1] .. ';', 'BYLEX', 'LIMIT', 0, 1)[1]
if not member then return false end
local hash = string.sub(member, #ARGV[1] + 2)
redis.call('HSETNX', KEYS[4], hash, ARGV[2])
redis.call('ZADD', KEYS[3], 'LT', ARGV[2], member)
return {redis.call('HGET', KEYS[1], hash), redis.call('HGET', KEYS[4], hash)}`
	// listKeys: from where down, how many. It returns records and revocations in turn, "" for none.
	listKeys = `
local keys = {}
for _, member in ipairs(redis.call('ZRANGE', KEYS[2], ARGV[1], '-', 'BYLEX', 'REV', 'LIMIT', 0, ARGV[2])) do
  local hash = string.sub(member, string.find(member, ':', 1, true) + 1)
  keys[#keys + 1] = redis.call('HGET', KEYS[1], hash)
  keys[#keys + 1] = redis.call('HGET', KEYS[4], hash) or ''
end
return keys`
)

// RedisKeys is the KeyStore that replicas share, on one Redis or a cluster of them. It is safe for concurrent use.
type RedisKeys struct {
	client                  redis.UniversalClient
	put, find, revoke, list *redis.Script
	limit                   int
}

// NewRedisKeys makes a store over a client, which the caller closes. Nothing in it expires: an instance that evicts loses keys.
func NewRedisKeys(client redis.UniversalClient) *RedisKeys {
	return &RedisKeys{client, redis.NewScript(putKey), redis.NewScript(findKey), redis.NewScript(revokeKey), redis.NewScript(listKeys), maxStoredKeys}
}

func redisNames() []string { return []string{redisRecords, redisOrder, redisEnds, redisRevoked} }

// Put adds a key, as KeyStore says.
func (r *RedisKeys) Put(ctx context.Context, key Key, hash [sha256.Size]byte) error {
	record, err := json.Marshal(key)
	if err != nil {
		return err
	}
	ends := ""
	if key.ExpiresAt != nil {
		ends = strconv.FormatInt(key.ExpiresAt.UnixMicro(), 10)
	}
	added, err := r.put.Run(ctx, r.client, redisNames(),
		hex.EncodeToString(hash[:]), record, key.ID, ends, r.limit, key.CreatedAt.UnixMicro()).Bool()
	if err == nil && !added {
		err = ErrTooManyKeys
	}
	return err
}

// ByHash finds a key, as KeyStore says.
func (r *RedisKeys) ByHash(ctx context.Context, hash [sha256.Size]byte) (Key, bool, error) {
	field := hex.EncodeToString(hash[:])
	var record, revoked *redis.StringCmd
	// In a transaction, so that no revocation slips in between.
	_, err := r.client.TxPipelined(ctx, func(p redis.Pipeliner) error {
		record, revoked = p.HGet(ctx, redisRecords, field), p.HGet(ctx, redisRevoked, field)
		return nil
	})
	if err != nil && !errors.Is(err, redis.Nil) {
		return Key{}, false, err
	}
	if errors.Is(record.Err(), redis.Nil) {
		return Key{}, false, nil
	}
	key, err := readKey(record.Val(), revoked.Val())
	return key, err == nil, err
}

// ByID finds a key, as KeyStore says.
func (r *RedisKeys) ByID(ctx context.Context, id string) (Key, bool, error) {
	return foundKey(r.find.Run(ctx, r.client, redisNames(), id).StringSlice())
}

// Revoke ends a key, as KeyStore says.
func (r *RedisKeys) Revoke(ctx context.Context, id string, at time.Time) (Key, bool, error) {
	return foundKey(r.revoke.Run(ctx, r.client, redisNames(), id, at.UnixMicro()).StringSlice())
}

// foundKey reads a record and a revocation.
func foundKey(answer []string, err error) (Key, bool, error) {
	if errors.Is(err, redis.Nil) {
		return Key{}, false, nil
	}
	if err != nil {
		return Key{}, false, err
	}
	key, err := readKey(answer[0], answer[1])
	return key, err == nil, err
}

// List gives a page of keys, as KeyStore says.
func (r *RedisKeys) List(ctx context.Context, after string, limit int) ([]Key, error) {
	from := "+"
	if after != "" {
		from = "(" + after // a member is longer than its id and so above it
	}
	answer, err := r.list.Run(ctx, r.client, redisNames(), from, limit).StringSlice()
	if err != nil {
		return nil, err
	}
	var keys []Key
	for i := 0; i+1 < len(answer); i += 2 {
		key, err := readKey(answer[i], answer[i+1])
		if err != nil {
			return nil, err
		}
		keys = append(keys, key)
	}
	return keys, nil
}

// readKey puts a key together from its record and the time of its revocation, if any.
func readKey(record, revoked string) (Key, error) {
	var key Key
	if err := json.Unmarshal([]byte(record), &key); err != nil {
		return Key{}, fmt.Errorf("API key in Redis: %w", err)
	}
	if revoked != "" {
		at, err := strconv.ParseInt(revoked, 10, 64)
		if err != nil {
			return Key{}, fmt.Errorf("API key in Redis: revoked at: %w", err)
		}
		key.RevokedAt = moment(&at)
	}
	return key, nil
}
