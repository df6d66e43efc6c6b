/**
 * What Redis does in one step. An amount is `<dollars>:<pico-dollars below a dollar>`: Lua counts in doubles, which hold both parts exactly.
 * A share is a hash: what each node has leased of it. All keys lie in one slot of a cluster.
 */
const AMOUNTS = `
local ONE = 1000000000000
local function read(text)
  local whole, rest = string.match(text, '^(%d+):(%d+)$')
  return { tonumber(whole), tonumber(rest) }
end
local function write(a) return string.format('%.0f:%.0f', a[1], a[2]) end
local function add(a, b)
  local whole, rest = a[1] + b[1], a[2] + b[2]
  if rest >= ONE then return { whole + 1, rest - ONE } end
  return { whole, rest }
end
local function less(a, b) return a[1] < b[1] or (a[1] == b[1] and a[2] < b[2]) end
local function minus(a, b)
  if less(a, b) then return { 0, 0 } end
  if a[2] < b[2] then return { a[1] - b[1] - 1, a[2] - b[2] + ONE } end
  return { a[1] - b[1], a[2] - b[2] }
end
local function elsewhere()
  local sum = { 0, 0 }
  local all = redis.call('HGETALL', KEYS[1])
  for at = 1, #all, 2 do
    if all[at] ~= ARGV[1] then sum = add(sum, read(all[at + 1])) end
  end
  return sum
end
local function keep(amount)
  if amount[1] == 0 and amount[2] == 0 then
    redis.call('HDEL', KEYS[1], ARGV[1])
  else
    redis.call('HSET', KEYS[1], ARGV[1], write(amount))
    if ARGV[3] ~= '' then redis.call('PEXPIREAT', KEYS[1], ARGV[3]) end
  end
end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local born = redis.call('GET', KEYS[2])
if not born then
  born = string.format('%.0f', now)
  redis.call('SET', KEYS[2], born)
end
`;

/** KEYS: birth. Answers it. */
export const BIRTH_SCRIPT = `
local time = redis.call('TIME')
redis.call('SET', KEYS[1], string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000)), 'NX')
return redis.call('GET', KEYS[1])
`;

/**
 * KEYS: share, birth. ARGV: node, what it has leased or more, until (ms or empty).
 * Answers the birth of what Redis knows, and what the other nodes have leased.
 */
export const KEEP_SCRIPT = `${AMOUNTS}
keep(read(ARGV[2]))
return { born, write(elsewhere()) }
`;

/**
 * KEYS: share, birth. ARGV: node, what it has leased or more, until, least, most, limit, settling ms, channel, message.
 * Leases between `least` and `most` beyond what the node has, if the limit has room for it; else tells the others that it is wanted.
 * Nothing is leased until every node has had time to say what it has after Redis forgot.
 * Answers birth, ms until then, what the node has now, what the others have.
 */
export const LEASE_SCRIPT = `${AMOUNTS}
local own, others, limit = read(ARGV[2]), elsewhere(), read(ARGV[6])
local settling = tonumber(born) + tonumber(ARGV[7]) - now
if settling < 0 then settling = 0 end
local room = minus(limit, add(own, others))
if settling == 0 and not less(room, read(ARGV[4])) then
  local most = read(ARGV[5])
  own = add(own, less(room, most) and room or most)
elseif settling == 0 then
  redis.call('PUBLISH', ARGV[8], ARGV[9])
end
keep(own)
return { born, settling, write(own), write(others) }
`;

const PICO_DIGITS = 12;

/** An amount as the scripts read it; less than nothing is nothing. */
export function scriptAmount(pico: bigint): string {
  const digits = (pico > 0n ? pico : 0n).toString().padStart(PICO_DIGITS + 1, '0');
  return `${digits.slice(0, -PICO_DIGITS)}:${BigInt(digits.slice(-PICO_DIGITS))}`;
}

export function picoOfScript(amount: string): bigint {
  const [whole = '', rest = ''] = amount.split(':');
  return BigInt(whole) * 10n ** BigInt(PICO_DIGITS) + BigInt(rest);
}
