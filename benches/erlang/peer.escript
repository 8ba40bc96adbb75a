#!/usr/bin/env escript
%% Erlang as a side of the comparison, driven as benches/driver says: one scheduler, one
%% process under a registered name, messages of 32 bytes, compiled by the JIT.
%%! +S 1:1
-mode(compile).

-define(ROUND_NS, 30000000).
%% Messages sent before the process has its turn: as many as the bounded mailboxes hold.
-define(MESSAGES_MAX, 1000).

main(_) ->
    register(counter, spawn_link(fun() -> counter(0) end)),
    ok = io:setopts(standard_io, [{encoding, latin1}]),
    serve(#{}, 0).

counter(Handled) ->
    receive
        {tell, _Payload} ->
            counter(Handled + 1);
        {ask, From, Ref, Payload} ->
            From ! {Ref, Payload},
            counter(Handled + 1);
        {count, From, Ref} ->
            From ! {Ref, Handled},
            counter(Handled)
    end.

serve(Enough, Made) ->
    case io:get_line("") of
        eof ->
            ok;
        Line ->
            %% {"operation": "tell", "arguments": []}
            {match, [Name]} =
                re:run(Line, "\"operation\": *\"([a-z]+)\"", [{capture, [1], list}]),
            answer(Name, Enough, Made)
    end.

answer("finish", Enough, Made) ->
    io:format("{\"calls\": ~b, \"made\": ~b}~n", [count(), Made]),
    serve(Enough, Made);
answer(Name, Enough, Made) ->
    Operation = list_to_existing_atom(Name),
    {Times, Before} =
        case Enough of
            #{Operation := Known} -> {Known, 0};
            _ -> enough(Operation, 1, 0)
        end,
    Took = time(Operation, Times),
    io:format("{\"nanoseconds\": ~f}~n", [Took / Times]),
    serve(Enough#{Operation => Times}, Made + Before + Times).

%% How often it is run in a round, and how often it was to find that out.
enough(Operation, Times, Made) ->
    case time(Operation, Times) of
        Took when Took >= ?ROUND_NS div 4 ->
            {max(1, ?ROUND_NS * Times div Took), Made + Times};
        _ ->
            enough(Operation, Times * 2, Made + Times)
    end.

time(Operation, Times) ->
    Payload = <<7:256>>,
    Began = erlang:monotonic_time(nanosecond),
    run(Operation, Payload, Times),
    erlang:monotonic_time(nanosecond) - Began.

run(tell, Payload, Times) ->
    tell(Payload, Times),
    count();
run(ask, Payload, Times) ->
    ask(Payload, Times).

tell(_Payload, 0) ->
    ok;
tell(Payload, Times) ->
    counter ! {tell, Payload},
    case Times rem ?MESSAGES_MAX of
        0 -> erlang:yield();
        _ -> ok
    end,
    tell(Payload, Times - 1).

ask(_Payload, 0) ->
    ok;
ask(Payload, Times) ->
    Ref = make_ref(),
    counter ! {ask, self(), Ref, Payload},
    receive
        {Ref, Payload} -> ask(Payload, Times - 1)
    end.

count() ->
    Ref = make_ref(),
    counter ! {count, self(), Ref},
    receive
        {Ref, Handled} -> Handled
    end.
