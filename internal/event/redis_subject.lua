-- Reads events of a subject. KEYS: its versions, its hash. ARGV: ends of the range as ZRANGE BYLEX takes them, in the order of
-- reading; limit; 1 for the newest first. Returns version, envelope and payload in turn, the payload empty when it is redacted.
local command = { 'ZRANGE', KEYS[1], ARGV[1], ARGV[2], 'BYLEX', 'LIMIT', 0, ARGV[3] }
if ARGV[4] == '1' then
  command[#command + 1] = 'REV'
end
local versions = redis.call(unpack(command))
local events = {}
for _, version in ipairs(versions) do
  local kept = redis.call('HMGET', KEYS[2], version, version .. ':data')
  events[#events + 1] = version
  events[#events + 1] = kept[1]
  events[#events + 1] = kept[2] or ''
end
return events
