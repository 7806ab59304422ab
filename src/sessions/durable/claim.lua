-- Makes somebody the owner of a session, whose present owner has lost its lease; that was seen before, and leases never return.
--   KEYS  the sessions of a boot, those of them that are gone (one slot)
--   ARGV  session id, present owner, new owner
-- Returns {epoch, contents}, with the epoch raised by one; as they are if the new owner has it already, to whom that was not answered.
-- Returns 0 if it has another owner or has ended, 1 if nothing is known of it.
local present = redis.call('HGET', KEYS[1], ARGV[1])
if not present then return 1 - redis.call('SISMEMBER', KEYS[2], ARGV[1]) end
local owner, epoch, contents = string.match(present, '^([^|]*)|(%d+)|(.*)$')
if owner == ARGV[3] then return {tonumber(epoch), contents} end
if owner ~= ARGV[2] then return 0 end
epoch = epoch + 1
redis.call('HSET', KEYS[1], ARGV[1], ARGV[3] .. '|' .. epoch .. '|' .. contents)
return {epoch, contents}
