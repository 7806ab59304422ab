-- Deletes the record of a session that has ended. One that has been claimed is remembered as gone: its former owner may still be there.
--   KEYS  the sessions of a boot, those of them that are gone (one slot)
--   ARGV  session id, head (`owner|epoch|`), how long it is remembered (ms), 1 if it is to be remembered
-- Returns 1; 2 if nothing is known of it. Returns 0 and deletes nothing if somebody else has claimed the session.
local present = redis.call('HGET', KEYS[1], ARGV[1])
if not present then return 2 - 2 * redis.call('SISMEMBER', KEYS[2], ARGV[1]) end
if string.sub(present, 1, #ARGV[2]) ~= ARGV[2] then return 0 end
redis.call('HDEL', KEYS[1], ARGV[1])
if ARGV[4] == '1' then
  redis.call('SADD', KEYS[2], ARGV[1])
  redis.call('PEXPIRE', KEYS[2], ARGV[3])
end
return 1
