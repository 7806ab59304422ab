#!/usr/bin/env escript
%% The simple chat once more, with its back end on the BEAM. Hive asks it over HTTP, as it asks any back end; everything
%% that the back end does, it does by messages to Hive's registered processes, and a client that leaves is a 'DOWN'.
%%
%%     escript backend.escript [--node NODE] [--cookie COOKIE] [--port PORT] [--clients URL]
%%
%% OTP 25 or newer, nothing else. It listens on loopback: whoever can reach the hooks can speak for any user.
-mode(compile).

main(Arguments) ->
    Options = options(Arguments, #{
        "--node" => "hive@127.0.0.1", "--cookie" => "erlang-chat-cookie",
        "--port" => "8081", "--clients" => "http://127.0.0.1:8080"
    }),
    #{"--node" := Node, "--cookie" := Cookie, "--port" := Port, "--clients" := Clients} = Options,
    %% It only dials: no port for other nodes, nothing to register.
    {ok, _} = net_kernel:start('chat_backend@127.0.0.1', #{name_domain => longnames, dist_listen => false, hidden => true}),
    erlang:set_cookie(list_to_atom(Cookie)),
    register(chat, spawn_link(fun() -> chat(list_to_atom(Node), #{}) end)),
    {ok, Listener} = gen_tcp:listen(list_to_integer(Port), [
        binary, {packet, http_bin}, {active, false}, {ip, {127, 0, 0, 1}}, {reuseaddr, true}, {packet_size, 8192}
    ]),
    io:format("the back end is ready: http://127.0.0.1:~s/~n", [Port]),
    accept(Listener, iolist_to_binary(["[{\"name\":\"hive\",\"url\":\"", Clients, "\"}]"])).

options([Name, Value | Rest], Options) when is_map_key(Name, Options) -> options(Rest, Options#{Name := Value});
options([], Options) -> Options;
options(_, Options) ->
    io:format(standard_error, "usage: backend.escript ~s~n", [[[Name, " … "] || Name <- maps:keys(Options)]]),
    halt(2).

%% --- The chat: one process, so that it does one thing after the other. `People` maps sids to #{nick, rooms, monitor}.

chat(Node, People) ->
    receive
        {hook, From, Event, Sid, Argument} ->
            Changed =
                try hook(Event, Sid, Argument, Node, People)
                catch throw:{refused, Code, Text} ->
                    refuse(Node, Sid, Event, Code, Text),
                    People
                end,
            From ! done,
            chat(Node, Changed);
        {'DOWN', Monitor, process, _, _} ->
            %% The client has left, or its node is gone: nobody has to tell us, no session is forgotten.
            [{Sid, Person}] = [Entry || {_, #{monitor := M}} = Entry <- maps:to_list(People), M =:= Monitor],
            chat(Node, leave(Node, maps:get(rooms, Person), Sid, People, fun(Left) -> maps:remove(Sid, Left) end))
    end.

hook(<<"authorize">>, Sid, Argument, Node, People) ->
    Nick = clean(maps:get(<<"nick">>, Argument, none), <<"^\\w[\\w .'-]{0,23}$">>, bad_nick, <<"A nick has 1 to 24 letters.">>),
    is_map_key(Sid, People) andalso refused(already_authorized, <<"You have a nick already.">>),
    Taken = [true || #{nick := Other} <- maps:values(People), string:equal(Other, Nick, true)],
    Taken =:= [] orelse refused(nick_taken, <<"Somebody is called that already.">>),
    Client = succeed(call(Node, hive_router, {whereis, Sid})),
    send(Node, Sid, authorized, #{nick => Nick}),
    People#{Sid => #{nick => Nick, rooms => [], monitor => monitor(process, Client)}};
hook(<<"join_chat">>, Sid, Argument, Node, People) ->
    #{nick := Nick, rooms := Rooms} = Person = person(Sid, People),
    Room = room(Argument),
    succeed(call(Node, hive_router, {subscribe, Sid, channel(Room)})),
    Changed = People#{Sid := Person#{rooms := [Room | lists:delete(Room, Rooms)]}},
    tell(Node, Room, joined, #{nick => Nick}, Changed),
    send(Node, Sid, entered, #{rooms => [Room]}),
    Changed;
hook(<<"publish_msg">>, Sid, Argument, Node, People) ->
    #{nick := Nick, rooms := Rooms} = person(Sid, People),
    Room = maps:get(<<"room">>, Argument, none),
    lists:member(Room, Rooms) orelse refused(not_in_room, <<"Join the room first.">>),
    Text = clean(maps:get(<<"text">>, Argument, none), <<"^.{1,2000}$">>, bad_message, <<"A message has 1 to 2000 characters.">>),
    Id = integer_to_binary(erlang:unique_integer([positive])),
    tell(Node, Room, message, #{nick => Nick, text => Text, id => Id, time => erlang:system_time(millisecond)}, People),
    People;
hook(<<"leave_chat">>, Sid, Argument, Node, People) ->
    Person = person(Sid, People),
    Room = room(Argument),
    succeed(call(Node, hive_router, {unsubscribe, Sid, channel(Room)})),
    send(Node, Sid, exited, #{rooms => [Room]}),
    Rooms = [Room || lists:member(Room, maps:get(rooms, Person))],
    leave(Node, Rooms, Sid, People, fun(All) -> All#{Sid := Person#{rooms := lists:delete(Room, maps:get(rooms, Person))}} end).

%% Tells the rooms who has left them, after `Change` has taken them off the books.
leave(Node, Rooms, Sid, People, Change) ->
    #{Sid := #{nick := Nick}} = People,
    Changed = Change(People),
    [tell(Node, Room, left, #{nick => Nick}, Changed) || Room <- Rooms],
    Changed.

person(Sid, People) ->
    case People of
        #{Sid := Person} -> Person;
        #{} -> refused(not_authorized, <<"Choose a nick first.">>)
    end.

room(Argument) -> clean(maps:get(<<"chat">>, Argument, none), <<"^[\\w-]{1,32}$">>, bad_room, <<"A room has 1 to 32 letters.">>).

clean(Text, Pattern, Code, Description) ->
    Clean = is_binary(Text) andalso string:trim(Text),
    case is_binary(Clean) andalso re:run(Clean, Pattern, [unicode, ucp, dotall, {capture, none}]) of
        match -> Clean;
        _ -> refused(Code, Description)
    end.

refused(Code, Text) -> throw({refused, Code, Text}).

succeed(ok) -> ok;
succeed({ok, Value}) -> Value;
succeed({error, {Code, Text}}) -> refused(Code, Text).

channel(Room) -> <<"chat.", Room/binary>>.

%% --- What we say to Hive. Where it is away for the moment, the page hears nothing, and we go on.

tell(Node, Room, Event, Facts, People) ->
    Members = lists:sort([Nick || #{nick := Nick, rooms := Rooms} <- maps:values(People), lists:member(Room, Rooms)]),
    call(Node, hive_pubsub, {publish, channel(Room), {Event, [Facts#{room => Room, members => Members}]}}).

send(Node, Sid, Event, Fact) ->
    call(Node, hive_router, {act, Sid, {send_event, #{name => Event, args => [Fact]}}}).

refuse(Node, Sid, Event, Code, Text) ->
    send(Node, Sid, refused, #{event => Event, code => Code, description => Text}).

call(Node, Name, Request) ->
    try gen_server:call({Name, Node}, Request)
    catch exit:{Reason, _} -> {error, {cluster_error, iolist_to_binary(io_lib:format("~0p", [Reason]))}}
    end.

%% --- The HTTP server: Hive posts to /<event>, browsers get the page.

accept(Listener, Nodes) ->
    {ok, Socket} = gen_tcp:accept(Listener),
    Server = spawn(fun() -> receive go -> serve(Socket, Nodes) end end),
    ok = gen_tcp:controlling_process(Socket, Server),
    Server ! go,
    accept(Listener, Nodes).

serve(Socket, Nodes) ->
    case gen_tcp:recv(Socket, 0) of
        {ok, {http_request, Method, {abs_path, Path}, _}} ->
            Headers = headers(Socket, #{}),
            Length = binary_to_integer(maps:get('Content-Length', Headers, <<"0">>)),
            ok = inet:setopts(Socket, [{packet, raw}]),
            {ok, Body} = if Length > 0, Length =< 2000000 -> gen_tcp:recv(Socket, Length); true -> {ok, <<>>} end,
            {Status, Type, Content} = answer(Method, Path, Headers, Body, Nodes),
            ok = gen_tcp:send(Socket, [
                "HTTP/1.1 ", Status, "\r\nContent-Type: ", Type, "\r\nX-Content-Type-Options: nosniff\r\nContent-Length: ",
                integer_to_list(byte_size(Content)), "\r\n\r\n", Content
            ]),
            ok = inet:setopts(Socket, [{packet, http_bin}]),
            serve(Socket, Nodes);
        _ -> gen_tcp:close(Socket)
    end.

headers(Socket, Headers) ->
    case gen_tcp:recv(Socket, 0) of
        {ok, {http_header, _, Name, _, Value}} -> headers(Socket, Headers#{Name => Value});
        {ok, http_eoh} -> Headers
    end.

answer('POST', _, #{<<"Origin">> := _}, _, _) -> {"403 Forbidden", "text/plain", <<"hooks are for Hive, not for web pages">>};
answer('POST', <<"/", Event/binary>>, _, Body, _) when
    Event =:= <<"authorize">>; Event =:= <<"join_chat">>; Event =:= <<"publish_msg">>; Event =:= <<"leave_chat">>
->
    #{<<"sid">> := Sid, <<"trigger">> := #{<<"args">> := Arguments}} = json(Body),
    Argument = case Arguments of [One] when is_map(One) -> One; _ -> #{} end,
    chat ! {hook, self(), Event, Sid, Argument},
    receive done -> {"200 OK", "application/json", <<"[]">>} end;
answer('GET', <<"/nodes">>, _, _, Nodes) -> {"200 OK", "application/json", Nodes};
answer('GET', <<"/">>, Headers, Body, Nodes) -> answer('GET', <<"/index.html">>, Headers, Body, Nodes);
answer('GET', Path, _, _, _) ->
    Folder = filename:dirname(filename:absname(escript:script_name())),
    Name = filename:basename(Path),
    File = case Path of
        <<"/socket.io.min.js">> -> [Folder, "../../dist/socket.io-client", Name];
        <<"/shared/", Name/binary>> -> [Folder, "../shared/web", Name];
        _ -> [Folder, "../simple-chat/web", Name]
    end,
    Types = #{<<".html">> => "text/html; charset=utf-8", <<".css">> => "text/css", <<".js">> => "text/javascript", <<".svg">> => "image/svg+xml"},
    case {Types, file:read_file(filename:join(File))} of
        {#{}, {ok, Content}} -> {"200 OK", maps:get(filename:extension(Name), Types, "text/plain"), Content};
        _ -> {"404 Not Found", "text/plain", <<"no such page">>}
    end;
answer(_, _, _, _, _) -> {"405 Method Not Allowed", "text/plain", <<"GET or POST">>}.

%% --- JSON, which OTP itself can read from 27 on. What is none ends the connection that it came over.

json(Text) ->
    {Value, Rest} = value(blank(Text)),
    <<>> = blank(Rest),
    Value.

value(<<"{", Rest/binary>>) -> object(blank(Rest), #{});
value(<<"[", Rest/binary>>) -> array(blank(Rest), []);
value(<<"\"", Rest/binary>>) -> text(Rest, <<>>);
value(<<"true", Rest/binary>>) -> {true, Rest};
value(<<"false", Rest/binary>>) -> {false, Rest};
value(<<"null", Rest/binary>>) -> {null, Rest};
value(Text) ->
    {match, [{0, Length}]} = re:run(Text, <<"^-?\\d+(\\.\\d+)?([eE][+-]?\\d+)?">>, [{capture, first}]),
    <<Number:Length/binary, Rest/binary>> = Text,
    {try binary_to_integer(Number) catch error:badarg -> Number end, Rest}.

object(<<"}", Rest/binary>>, Object) -> {Object, Rest};
object(<<"\"", Text/binary>>, Object) ->
    {Key, AfterKey} = text(Text, <<>>),
    <<":", AfterColon/binary>> = blank(AfterKey),
    {Value, Rest} = value(blank(AfterColon)),
    object(next(Rest), Object#{Key => Value}).

array(<<"]", Rest/binary>>, Items) -> {lists:reverse(Items), Rest};
array(Text, Items) ->
    {Item, Rest} = value(Text),
    array(next(Rest), [Item | Items]).

next(Text) ->
    case blank(Text) of
        <<",", Rest/binary>> -> blank(Rest);
        Rest -> Rest
    end.

text(<<"\"", Rest/binary>>, Text) -> {Text, Rest};
text(<<"\\u", High:4/binary, "\\u", Low:4/binary, Rest/binary>>, Text) when High >= <<"D800">>, High < <<"DC00">>; High >= <<"d800">>, High < <<"dc00">> ->
    Code = 16#10000 + ((binary_to_integer(High, 16) band 16#3FF) bsl 10) + (binary_to_integer(Low, 16) band 16#3FF),
    text(Rest, <<Text/binary, Code/utf8>>);
text(<<"\\u", Code:4/binary, Rest/binary>>, Text) -> text(Rest, <<Text/binary, (binary_to_integer(Code, 16))/utf8>>);
text(<<"\\", Escape, Rest/binary>>, Text) ->
    Character = maps:get(Escape, #{$n => $\n, $t => $\t, $r => $\r, $b => $\b, $f => $\f}, Escape),
    text(Rest, <<Text/binary, Character>>);
text(<<Character/utf8, Rest/binary>>, Text) -> text(Rest, <<Text/binary, Character/utf8>>).

blank(<<Blank, Rest/binary>>) when Blank =:= $\s; Blank =:= $\n; Blank =:= $\t; Blank =:= $\r -> blank(Rest);
blank(Text) -> Text.
