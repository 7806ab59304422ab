#!/usr/bin/env escript
%%! -start_epmd false +zdbbl 32768
%% One of two BEAM nodes: `beam.escript receiver`, `beam.escript sender NODE MESSAGES ROUND_TRIPS`. The distribution buffer is
%% that of tuned installations (32 MB), so that the sender is rarely suspended.
-mode(compile).

main(["receiver"]) ->
    start('receiver@127.0.0.1'),
    register(sink, self()),
    io:format("{\"at\":\"receiver@127.0.0.1\"}~n"),
    sink(0);
main(["sender", Node, Messages, RoundTrips]) ->
    start('sender@127.0.0.1'),
    Sink = {sink, list_to_atom(Node)},
    [ask(Sink) || _ <- lists:seq(1, 2000)],
    send_all(Sink, 100000),
    Total = list_to_integer(Messages),
    io:format("{\"begins\":true}~n"),
    {Sending, _} = timer:tc(fun() -> send_all(Sink, Total) end),
    io:format("{\"perSecond\":~.1f}~n", [Total / (Sending / 1000000)]),
    Asks = list_to_integer(RoundTrips),
    {Asking, _} = timer:tc(fun() -> [ask(Sink) || _ <- lists:seq(1, Asks)] end),
    io:format("{\"roundTripUs\":~.2f}~n", [Asking / Asks]).

start(Name) ->
    {ok, _} = net_kernel:start([Name, longnames]),
    erlang:set_cookie(bench).

sink(Count) ->
    receive
        {'$gen_call', From, count} ->
            gen_server:reply(From, Count),
            sink(Count);
        #{<<"type">> := <<"publish">>} -> sink(Count + 1)
    end.

ask(Sink) -> gen_server:call(Sink, count, infinity).

send_all(Sink, Total) ->
    Before = ask(Sink),
    send(Sink, 1, Total),
    Total = ask(Sink) - Before.

send(_, N, Total) when N > Total -> ok;
send(Sink, N, Total) ->
    Sink ! #{
        <<"type">> => <<"publish">>, <<"channel">> => <<"chat.lobby">>, <<"n">> => N,
        <<"text">> => <<"The quick brown fox jumps over the lazy dog, and back.">>
    },
    send(Sink, N + 1, Total).
