/** A real Erlang node, driven line by line: each line is evaluated and its value printed. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { TestContext } from 'node:test';
import { cookie } from './cluster.ts';

const evaluator = `
Loop = fun Loop(Bindings) ->
  case io:get_line("") of
    eof -> halt(0);
    Line ->
      Next = try
        {ok, Tokens, _} = erl_scan:string(Line),
        {ok, Expressions} = erl_parse:parse_exprs(Tokens),
        {value, Value, New} = erl_eval:exprs(Expressions, Bindings),
        io:format("=> ~0tp~n", [Value]),
        New
      catch Class:Reason -> io:format("=> ~0tp~n", [{raised, Class, Reason}]), Bindings
      end,
      Loop(Next)
  end
end,
io:setopts([{encoding, unicode}]),
io:format("=> ready~n"),
Loop([]).`;

export interface ErlangNode {
  readonly name: string;
  readonly process: ChildProcess;
  /** Evaluates expressions (without the final dot) and gives the printed value of the last one. */
  run(expressions: string): Promise<string>;
}

export interface ErlangOptions {
  readonly epmdPort: number;
  readonly cookie?: string;
  readonly args?: readonly string[];
}

/** Starts `erl`, which ends with the test. */
export async function startErlang(
  t: Pick<TestContext, 'after'>,
  name: string,
  options: ErlangOptions,
): Promise<ErlangNode> {
  const process_ = spawn(
    'erl',
    [
      ...['-noshell', '-start_epmd', 'false', '-name', name, '-setcookie', options.cookie ?? cookie],
      ...['-kernel', 'inet_dist_use_interface', '{127,0,0,1}', ...(options.args ?? [])],
      ...['-eval', evaluator],
    ],
    { env: { ...process.env, ERL_EPMD_PORT: String(options.epmdPort) }, stdio: ['pipe', 'pipe', 'inherit'] },
  );
  t.after(() => process_.kill('SIGKILL'));
  const waiting: ((value: string) => void)[] = [];
  const ended = new Promise<never>((_, reject) => {
    process_.once('exit', (code) => reject(new Error(`erl ended with ${code}`)));
  });
  ended.catch(() => {});
  createInterface({ input: process_.stdout! }).on('line', (line) => {
    if (line.startsWith('=> ')) waiting.shift()?.(line.slice(3));
  });
  const next = () => Promise.race([new Promise<string>((resolve) => waiting.push(resolve)), ended]);
  await next();
  return {
    name,
    process: process_,
    run(expressions) {
      const value = next();
      process_.stdin!.write(`${expressions.replaceAll('\n', ' ')}.\n`);
      return value;
    },
  };
}

/** Registers an Erlang process that answers every call with what it was asked. */
export async function startEcho(erlang: ErlangNode): Promise<void> {
  await erlang.run(
    `register(echo, spawn(fun Echo() ->
       receive {'$gen_call', From, Message} -> gen_server:reply(From, Message), Echo(); stop -> ok end
     end))`,
  );
}
