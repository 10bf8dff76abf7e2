-- Remembers a payload as written now, and forgets what was written too long ago or is too much.
-- KEYS: the writer's payloads, a set sorted by their times in microseconds. ARGV: the payload, for how many milliseconds, and how
-- many are kept. A payload that is there already counts from now on.
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
redis.call('ZADD', KEYS[1], string.format('%.0f', now), ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', string.format('(%.0f', now - ARGV[2] * 1000))
redis.call('ZREMRANGEBYRANK', KEYS[1], 0, -1 - ARGV[3])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return 1
