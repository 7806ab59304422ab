/** Runs the scripts that a node sends, as Redis does: the same text, by an interpreter of Lua. What it calls is up to the caller. */
import type { State } from 'fengari';

// Redis has Lua 5.1, which writes 1 and not 1.0. That is read when it is loaded.
process.env.FENGARICONF = '{"LUA_COMPAT_FLOATSTRING":true}';
const { lauxlib, lua, lualib, to_luastring } = await import('fengari');

/** Executes a command of a script, or throws what Redis refuses it with. */
export type Call = (name: string, ...args: string[]) => unknown;

const prelude = 'unpack = table.unpack';

export class Lua {
  readonly #state: State;
  readonly #scripts = new Map<string, number>();
  #call: Call = () => undefined;

  constructor() {
    const state = lauxlib.luaL_newstate();
    this.#state = state;
    lualib.luaL_openlibs(state);
    lua.lua_createtable(state, 0, 1);
    lua.lua_pushcfunction(state, (called) => this.#called(called));
    lua.lua_setfield(state, -2, to_luastring('call'));
    lua.lua_setglobal(state, to_luastring('redis'));
    this.#run(this.#load(prelude));
  }

  /** @throws Error what the script fails with */
  run(script: string, keys: readonly string[], args: readonly string[], call: Call): unknown {
    this.#call = call;
    this.#setGlobal('KEYS', keys);
    this.#setGlobal('ARGV', args);
    return this.#run(this.#load(script));
  }

  #load(script: string): number {
    const known = this.#scripts.get(script);
    if (known !== undefined) return known;
    const state = this.#state;
    if (lauxlib.luaL_loadstring(state, to_luastring(script)) !== 0) throw this.#failure();
    const loaded = lauxlib.luaL_ref(state, lua.LUA_REGISTRYINDEX);
    this.#scripts.set(script, loaded);
    return loaded;
  }

  #run(loaded: number): unknown {
    const state = this.#state;
    lua.lua_rawgeti(state, lua.LUA_REGISTRYINDEX, loaded);
    if (lua.lua_pcall(state, 0, 1, 0) !== 0) throw this.#failure();
    const reply = this.#pop();
    return reply === undefined ? null : reply;
  }

  #failure(): Error {
    const message = lua.lua_tojsstring(this.#state, -1);
    lua.lua_pop(this.#state, 1);
    return new Error(message);
  }

  #setGlobal(name: string, values: readonly string[]): void {
    this.#push(values);
    lua.lua_setglobal(this.#state, to_luastring(name));
  }

  #called(state: State): number {
    const args: string[] = [];
    for (let at = 1; at <= lua.lua_gettop(state); at += 1) args.push(lua.lua_tojsstring(state, at));
    const [name = '', ...rest] = args;
    try {
      this.#push(this.#call(name, ...rest));
      return 1;
    } catch (error) {
      lua.lua_pushliteral(state, (error as Error).message);
      return lua.lua_error(state);
    }
  }

  /** As replies become values of Lua: nothing is `false`. */
  #push(value: unknown): void {
    const state = this.#state;
    if (typeof value === 'string') {
      lua.lua_pushliteral(state, value);
    } else if (typeof value === 'number') {
      lua.lua_pushinteger(state, value);
    } else if (Array.isArray(value)) {
      lua.lua_createtable(state, value.length, 0);
      for (const [i, item] of value.entries()) {
        this.#push(item);
        lua.lua_rawseti(state, -2, i + 1);
      }
    } else {
      lua.lua_pushboolean(state, false);
    }
  }

  /** As values of Lua become replies: numbers are cut to integers, a table ends with its first nil. */
  #pop(): unknown {
    const state = this.#state;
    const value = this.#top();
    lua.lua_pop(state, 1);
    return value;
  }

  #top(): unknown {
    const state = this.#state;
    switch (lua.lua_type(state, -1)) {
      case lua.LUA_TSTRING:
        return lua.lua_tojsstring(state, -1);
      case lua.LUA_TNUMBER:
        return Math.trunc(lua.lua_tonumber(state, -1));
      case lua.LUA_TBOOLEAN:
        return lua.lua_toboolean(state, -1) ? 1 : null;
      case lua.LUA_TTABLE:
        return this.#topTable();
      default:
        return undefined;
    }
  }

  #topTable(): unknown[] {
    const items: unknown[] = [];
    for (let index = 1; ; index += 1) {
      lua.lua_rawgeti(this.#state, -1, index);
      const item = this.#pop();
      if (item === undefined) return items;
      items.push(item);
    }
  }
}
