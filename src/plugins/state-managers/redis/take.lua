-- Takes the state of a session over: whoever has a lower epoch cannot change it from now on.
--   KEYS  the hash, the epoch that it has been claimed with (one slot)
--   ARGV  epoch of the claim, time to live (ms)
-- Returns fields and values in turn. Returns -1 and changes nothing if the session has been claimed with a higher epoch.
local claimed = redis.call('GET', KEYS[2])
if claimed and tonumber(claimed) > tonumber(ARGV[1]) then return -1 end
redis.call('SET', KEYS[2], ARGV[1], 'PX', ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return redis.call('HGETALL', KEYS[1])
