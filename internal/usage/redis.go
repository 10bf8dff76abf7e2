package usage

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

// The shared table in Redis, by member: version, coordinate and client with spaces between. Their hash tag puts all on one node of a
// cluster, where a script may touch them together.
const (
	redisCounts   = "{usage}:counts"   // hash
	redisFirst    = "{usage}:first"    // hash: microseconds
	redisLast     = "{usage}:last"     // sorted set: by microseconds
	redisVersions = "{usage}:versions" // hash: what clients called their versions
	redisBatch    = "{usage}:batch:"   // and the id of a batch that was added
)

// knownFor is how long a batch is known to have been added. One that is sent again later, because no answer came, may count twice.
const knownFor = time.Hour

// addRows takes the four names above and that of the batch as KEYS. ARGV: the bound of rows, the time before which rows are outdated, how
// long rows and the batch are kept in seconds, and for each row its member, the one in place of it in a full table, count, first, last
// and the client's own version or "".
const addRows = `
if not redis.call('SET', KEYS[5], '', 'NX', 'EX', ARGV[4]) then return 0 end
for _, member in ipairs(redis.call('ZRANGE', KEYS[3], '-inf', '(' .. ARGV[2], 'BYSCORE', 'LIMIT', 0, 1000)) do
  redis.call('HDEL', KEYS[1], member)
  redis.call('HDEL', KEYS[2], member)
  redis.call('ZREM', KEYS[3], member)
  redis.call('HDEL', KEYS[4], member)
end
for i = 5, #ARGV, 6 do
  local member = ARGV[i]
  if not redis.call('ZSCORE', KEYS[3], member) and redis.call('ZCARD', KEYS[3]) >= tonumber(ARGV[1]) then member = ARGV[i + 1] end
  redis.call('HINCRBY', KEYS[1], member, ARGV[i + 2])
  redis.call('HSETNX', KEYS[2], member, ARGV[i + 3])
  redis.call('ZADD', KEYS[3], 'GT', ARGV[i + 4], member)
  if ARGV[i + 5] ~= '' then redis.call('HSET', KEYS[4], member, ARGV[i + 5]) end
end
for i = 1, 4 do redis.call('EXPIRE', KEYS[i], ARGV[3]) end
return 1`

// Redis is the table that replicas share, on one Redis or a cluster of them. It is safe for concurrent use.
type Redis struct {
	client redis.UniversalClient
	adding *redis.Script
	limit  int
}

// NewRedis makes a shared table over a client, which the caller closes.
func NewRedis(client redis.UniversalClient) *Redis {
	return &Redis{client, redis.NewScript(addRows), MaxRows}
}

// add adds a batch, once.
func (r *Redis) add(ctx context.Context, b *batch, now time.Time) error {
	args := []any{r.limit, now.Add(-KeepFor).UnixMicro(), int64(KeepFor / time.Second), int64(knownFor / time.Second)}
	for _, row := range b.rows {
		other := row.Use
		other.Client = Other
		args = append(args, member(row.Use), member(other), row.Count, row.First.UnixMicro(), row.Last.UnixMicro(), row.ClientVersion)
	}
	return r.adding.Run(ctx, r.client, []string{redisCounts, redisFirst, redisLast, redisVersions, redisBatch + b.id}, args...).Err()
}

// all reads the rows that were used since a time.
func (r *Redis) all(ctx context.Context, since time.Time) ([]Row, error) {
	ctx, cancel := context.WithTimeout(ctx, flushTime)
	defer cancel()
	var counts, first, versions *redis.MapStringStringCmd
	var last *redis.ZSliceCmd
	_, err := r.client.TxPipelined(ctx, func(p redis.Pipeliner) error {
		counts, first, versions = p.HGetAll(ctx, redisCounts), p.HGetAll(ctx, redisFirst), p.HGetAll(ctx, redisVersions)
		last = p.ZRangeByScoreWithScores(ctx, redisLast, &redis.ZRangeBy{Min: strconv.FormatInt(since.UnixMicro(), 10), Max: "+inf"})
		return nil
	})
	if err != nil {
		return nil, err
	}
	rows := make([]Row, 0, len(last.Val()))
	for _, z := range last.Val() {
		name, _ := z.Member.(string)
		use, err := readMember(name)
		count, err1 := strconv.ParseInt(counts.Val()[name], 10, 64)
		begin, err2 := strconv.ParseInt(first.Val()[name], 10, 64)
		if err := errors.Join(err, err1, err2); err != nil {
			return nil, fmt.Errorf("use of deprecated elements in Redis: %w", err)
		}
		rows = append(rows, Row{
			Use: use, ClientVersion: versions.Val()[name], Count: count,
			First: time.UnixMicro(begin).UTC(), Last: time.UnixMicro(int64(z.Score)).UTC(), // a float holds microseconds exactly until the year 2255
		})
	}
	return rows, nil
}

func member(u Use) string { return strconv.Itoa(u.Version) + " " + u.Coordinate + " " + u.Client }

func readMember(text string) (Use, error) {
	parts := strings.SplitN(text, " ", 3)
	if len(parts) != 3 {
		return Use{}, errors.New("no use")
	}
	version, err := strconv.Atoi(parts[0])
	return Use{Coordinate: parts[1], Version: version, Client: parts[2]}, err
}
