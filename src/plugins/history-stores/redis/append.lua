-- Numbers and keeps what was published to one channel.
--   KEYS  the hash (e: epoch, o: last offset, t:<origin>: the last number of that origin and its offset), the stream (one slot)
--   ARGV  size of the history, time to live (ms) of the stream, of the hash; epoch and offset that the caller has seen ('' and 0: none),
--         the epoch to begin if there is none; then for each: origin, number, content
-- Returns the epoch, and the offset of each: 0 for what its origin has given before, unless it was the last one of that.
-- If Redis has less than the caller has seen, it has lost something: a new epoch begins.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local epoch = redis.call('HGET', KEYS[1], 'e')
local offset = tonumber(redis.call('HGET', KEYS[1], 'o') or 0)
if not epoch or epoch < ARGV[4] or (epoch == ARGV[4] and offset < tonumber(ARGV[5])) then
  redis.call('DEL', KEYS[1], KEYS[2])
  epoch = ARGV[6]
  offset = 0
  redis.call('HSET', KEYS[1], 'e', epoch, 'o', 0)
end
-- The boots that have ever published to it.
if redis.call('HLEN', KEYS[1]) > 258 then
  for _, field in ipairs(redis.call('HKEYS', KEYS[1])) do
    if string.sub(field, 1, 2) == 't:' then redis.call('HDEL', KEYS[1], field) end
  end
end
local reply = { epoch }
for at = 7, #ARGV, 3 do
  local field = 't:' .. ARGV[at]
  local number = tonumber(ARGV[at + 1])
  local taken = redis.call('HGET', KEYS[1], field)
  local last, place = 0, 0
  if taken then
    local from = string.find(taken, ':', 1, true)
    last, place = tonumber(string.sub(taken, 1, from - 1)), tonumber(string.sub(taken, from + 1))
  end
  if number > last then
    offset = offset + 1
    redis.call('XADD', KEYS[2], 'MAXLEN', ARGV[1], offset .. '-0', 'a', now, 'c', ARGV[at + 2])
    redis.call('HSET', KEYS[1], field, ARGV[at + 1] .. ':' .. offset)
    reply[#reply + 1] = offset
  elseif number == last then
    reply[#reply + 1] = place
  else
    reply[#reply + 1] = 0
  end
end
redis.call('HSET', KEYS[1], 'o', offset)
redis.call('PEXPIRE', KEYS[1], ARGV[3])
redis.call('PEXPIRE', KEYS[2], ARGV[2])
return reply
