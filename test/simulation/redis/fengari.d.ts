/** What is used of the interpreter of Lua, which has no types of its own. */
declare module 'fengari' {
  export type State = { readonly opaque: unique symbol };

  export const lua: {
    readonly LUA_REGISTRYINDEX: number;
    readonly LUA_TNUMBER: number;
    readonly LUA_TSTRING: number;
    readonly LUA_TTABLE: number;
    readonly LUA_TBOOLEAN: number;
    lua_createtable(state: State, items: number, fields: number): void;
    lua_error(state: State): number;
    lua_getfield(state: State, at: number, name: Uint8Array): number;
    lua_gettop(state: State): number;
    lua_pcall(state: State, args: number, results: number, handler: number): number;
    lua_pop(state: State, count: number): void;
    lua_pushboolean(state: State, value: boolean): void;
    lua_pushcfunction(state: State, called: (state: State) => number): void;
    lua_pushinteger(state: State, value: number): void;
    lua_pushliteral(state: State, value: string): void;
    lua_rawgeti(state: State, at: number, index: number): number;
    lua_rawseti(state: State, at: number, index: number): void;
    lua_setfield(state: State, at: number, name: Uint8Array): void;
    lua_setglobal(state: State, name: Uint8Array): void;
    lua_toboolean(state: State, at: number): boolean;
    lua_tojsstring(state: State, at: number): string;
    lua_tonumber(state: State, at: number): number;
    lua_type(state: State, at: number): number;
  };
  export const lauxlib: {
    luaL_newstate(): State;
    luaL_loadstring(state: State, text: Uint8Array): number;
    luaL_ref(state: State, at: number): number;
  };
  export const lualib: { luaL_openlibs(state: State): void };
  export function to_luastring(text: string): Uint8Array;
}
