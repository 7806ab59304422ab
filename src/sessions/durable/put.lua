-- Writes the record of a session.
--   KEYS  the sessions of a boot, those of them that are gone (one slot)
--   ARGV  session id, head (`owner|epoch|`), contents
-- Returns 1. Returns 0 and writes nothing if somebody else has claimed the session, or it has ended.
local present = redis.call('HGET', KEYS[1], ARGV[1])
if present then
  if string.sub(present, 1, #ARGV[2]) ~= ARGV[2] then return 0 end
elseif redis.call('SISMEMBER', KEYS[2], ARGV[1]) == 1 then
  return 0
end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2] .. ARGV[3])
return 1
