#!/usr/bin/env escript
%%! +S 1:1 +sbwt none
%% The BEAM with one scheduler: `beam.escript MS LIVES`. A process does what an actor does there.
-mode(compile).

-define(BATCH, 1000).
-define(CROWD, 10000).
-define(TOGETHER, 100).

main([Ms, Lives]) ->
    put(ms, list_to_integer(Ms)),
    Main = self(),
    {Spawns, Bytes} = population(list_to_integer(Lives)),

    One = spawn_link(fun() -> receiver(Main, ?BATCH, 0) end),
    OnePerSecond = flood(One),

    Crowd = [spawn_link(fun() -> receiver(Main, every(I), 0) end) || I <- lists:seq(1, ?CROWD)],
    Many = rounds(Crowd),

    Parent = spawn_link(fun() -> parent(Main) end),
    receive ready -> ok end,
    Children = flood(Parent),

    Asks = per_second(fun() -> ask(One, ?BATCH), ?BATCH end),
    Together = per_second(fun() -> together(One), ?TOGETHER * ?BATCH end),
    io:format(
        "{\"one\":~.1f,\"many\":~.1f,\"children\":~.1f,\"asks\":~.1f,\"asksTogether\":~.1f,\"spawns\":~.1f,\"bytes\":~.1f}~n",
        [OnePerSecond, Many, Children, Asks, Together, Spawns, Bytes]
    ).

every(?CROWD) -> 1;
every(_) -> infinity.

parent(Main) ->
    [spawn_link(fun() -> receiver(Main, infinity, 0) end) || _ <- lists:seq(1, ?CROWD)],
    Main ! ready,
    receiver(Main, ?BATCH, 0).

%% Letters are numbered from 1; another one than the next is a fault that ends the run.
receiver(Main, Every, Received) ->
    receive
        {letter, N} when N =:= Received + 1 ->
            if
                Every =/= infinity, N rem Every =:= 0 -> Main ! confirmed;
                true -> ok
            end,
            receiver(Main, Every, N);
        {'$gen_call', From, received} ->
            gen_server:reply(From, Received),
            receiver(Main, Every, Received);
        {'$gen_call', From, {next, N}} ->
            gen_server:reply(From, N + 1),
            receiver(Main, Every, Received);
        Other ->
            exit({unexpected, Other, 'after', Received})
    end.

%% Does Step, which returns how much it has done, for the time given, after a quarter of it for warming up; gives how much that is per
%% second of processor time.
per_second(Step) ->
    Ms = get(ms),
    work(Step, Ms div 4),
    work(Step, Ms).

work(Step, Ms) ->
    Used = cpu_ms(),
    Total = work_until(Step, erlang:monotonic_time(millisecond) + Ms, 0),
    Total * 1000 / max(1, cpu_ms() - Used).

work_until(Step, End, Total) ->
    case erlang:monotonic_time(millisecond) < End of
        true -> work_until(Step, End, Total + Step());
        false -> Total
    end.

cpu_ms() -> element(1, erlang:statistics(runtime)).

flood(To) ->
    put(sent, 0),
    Rate = per_second(fun() ->
        From = get(sent) + 1,
        [To ! {letter, N} || N <- lists:seq(From, From + ?BATCH - 1)],
        put(sent, From + ?BATCH - 1),
        receive confirmed -> ?BATCH end
    end),
    Sent = get(sent),
    Sent = gen_server:call(To, received),
    Rate.

rounds(All) ->
    put(sent, 0),
    Rate = per_second(fun() ->
        Round = get(sent) + 1,
        put(sent, Round),
        [To ! {letter, Round} || To <- All],
        receive confirmed -> ?CROWD end
    end),
    Sent = get(sent),
    [Sent = gen_server:call(To, received) || To <- All],
    Rate.

ask(_, 0) -> ok;
ask(To, N) ->
    Next = N + 1,
    Next = gen_server:call(To, {next, N}),
    ask(To, N - 1).

together(To) ->
    Main = self(),
    [spawn_link(fun() -> ask(To, ?BATCH), Main ! asked end) || _ <- lists:seq(1, ?TOGETHER)],
    [receive asked -> ok end || _ <- lists:seq(1, ?TOGETHER)].

population(Lives) ->
    Parent = spawn_link(fun() -> idlers() end),
    make(Parent, Lives div 10),
    Before = erlang:memory(processes_used),
    Used = cpu_ms(),
    Pids = make(Parent, Lives),
    Spawns = Lives * 1000 / max(1, cpu_ms() - Used),
    [Pid ! {letter, 1} || Pid <- Pids],
    timer:sleep(100),
    Bytes = (erlang:memory(processes_used) - Before) / Lives,
    unlink(Parent),
    exit(Parent, kill),
    {Spawns, Bytes}.

make(Parent, N) ->
    Parent ! {make, N, self()},
    receive {made, Pids} -> Pids end.

idlers() ->
    receive
        {make, N, To} ->
            To ! {made, [spawn_link(fun() -> idler(0) end) || _ <- lists:seq(1, N)]},
            idlers()
    end.

idler(Received) ->
    receive
        {letter, N} -> idler(Received + N)
    end.
