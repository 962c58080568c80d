// The scenario by valkey-go, which speaks RESP3 with client-side caching by default and pipelines everything. Prints a
// transcript; the same server must bring about the same one, whatever stands between.
package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/valkey-io/valkey-go"

	. "cloudvalkey.dev/tests/clients/transcript"
)

var ctx = context.Background()

func connect(change ...func(*valkey.ClientOption)) valkey.Client {
	options := valkey.ClientOption{InitAddress: []string{Address}, Password: Password}
	if Protocol == 2 {
		options.AlwaysRESP2, options.DisableCache = true, true
	}
	for _, each := range change {
		each(&options)
	}
	client, err := valkey.NewClient(options)
	if err != nil {
		Fail(err.Error())
	}
	return client
}

// outcome is the result, a server's error in its words, or that the connection was lost (whose words are the system's).
func outcome(result valkey.ValkeyResult) any {
	value, err := result.ToAny()
	var serverError *valkey.ValkeyError
	switch {
	case err == nil:
		return value
	case valkey.IsValkeyNil(err):
		return nil
	case errors.As(err, &serverError):
		return errors.New(serverError.Error())
	default:
		return "lost"
	}
}

// doer is a client or a connection of one's own.
type doer interface {
	B() valkey.Builder
	Do(context.Context, valkey.Completed) valkey.ValkeyResult
	DoMulti(context.Context, ...valkey.Completed) []valkey.ValkeyResult
}

func command(client doer, words ...string) valkey.Completed {
	return client.B().Arbitrary(words[0]).Args(words[1:]...).Build()
}

func do(client doer, words ...string) any { return outcome(client.Do(ctx, command(client, words...))) }

// ask tells a command, with its words as the title.
func ask(client doer, words ...string) { Say(strings.Join(words, " "), do(client, words...)) }

func all(results []valkey.ValkeyResult) []any {
	values := make([]any, len(results))
	for i, each := range results {
		values[i] = outcome(each)
	}
	return values
}

// survives asks again while the library reconnects.
func survives(client doer, words ...string) {
	deadline := time.Now().Add(10 * time.Second)
	result := do(client, words...)
	for ; result == "lost" && time.Now().Before(deadline); result = do(client, words...) {
		time.Sleep(5 * time.Millisecond)
	}
	Say(strings.Join(words, " "), result)
}

// block runs a command that blocks; the library takes a connection of its pool for it.
func block(client valkey.Client, words ...string) chan any {
	result := make(chan any, 1)
	go func() {
		result <- outcome(client.Do(ctx, client.B().Arbitrary(words[0]).Args(words[1:]...).Blocking()))
	}()
	return result
}

func plainCommands(client valkey.Client) {
	Section("commands")
	for _, each := range Commands() {
		// SELECT would change a connection that everybody shares: the library refuses to think about it.
		if each.Words[0] != "SELECT" && each.Words[0] != "EXEC" && each.Words[0] != "DISCARD" {
			Say(each.Line, do(client, each.Words...))
		}
	}
}

func pipelines(client valkey.Client) {
	Section("pipelines")
	var commands valkey.Commands
	for i := 0; i < 60; i++ {
		commands = append(commands, command(client, "RPUSH", "pipe:list", fmt.Sprint(i)))
	}
	commands = append(commands, command(client, "INCR", "pipe:list"), command(client, "LLEN", "pipe:list"))
	for i, each := range client.DoMulti(ctx, commands...) {
		Say(fmt.Sprintf("pipelined %d", i), outcome(each))
	}
	ask(client, "LRANGE", "pipe:list", "0", "-1")
	commands = nil
	for i := 0; i < 2000; i++ {
		key := fmt.Sprintf("wide:%d", i%10)
		commands = append(commands, command(client, "SET", key, strings.Repeat("y", 500)), command(client, "GET", key))
	}
	results := client.DoMulti(ctx, commands...)
	Say("4000 pipelined", []any{len(results), outcome(results[0]), outcome(results[3999])})
	var group sync.WaitGroup
	for i := 0; i < 200; i++ {
		group.Add(1)
		go func() { defer group.Done(); do(client, "INCR", "pipe:n") }()
	}
	group.Wait()
	ask(client, "GET", "pipe:n")
}

func transactions(client valkey.Client) {
	Section("transactions")
	one, release := client.Dedicate()
	defer release()
	multi := func(title string, lines ...string) {
		commands := valkey.Commands{command(one, "MULTI")}
		for _, line := range lines {
			commands = append(commands, command(one, strings.Fields(line)...))
		}
		Say(title, all(one.DoMulti(ctx, append(commands, command(one, "EXEC"))...)))
	}
	multi("MULTI EXEC", "SET tx:a 1", "INCR tx:a", "LRANGE tx:none 0 -1", "GET tx:a")
	multi("MULTI with an error inside", "INCR tx:a", "LPUSH tx:a 1")
	multi("MULTI that is refused", "GET", "INCR tx:a")
	ask(one, "WATCH", "tx:w")
	ask(client, "SET", "tx:w", "another's")
	multi("EXEC after a conflict", "SET tx:w mine")
	ask(one, "WATCH", "tx:w")
	multi("EXEC without a conflict", "SET tx:w mine")
	ask(one, "WATCH", "tx:w")
	ask(client, "SET", "tx:w", "changed")
	ask(one, "UNWATCH")
	multi("EXEC after UNWATCH", "GET tx:w")
	ask(one, "MULTI")
	ask(one, "SET", "tx:w", "discarded")
	ask(one, "DISCARD")
	ask(client, "GET", "tx:w")
}

func scripts(client valkey.Client) {
	Section("scripts")
	ask(client, "EVAL", "return {KEYS[1], ARGV[1], 42, false, {1, {2}}}", "1", "sc:k", "arg")
	ask(client, "EVAL", "return redis.error_reply('MY own error')", "0")
	ask(client, "EVAL", "return redis.call('INCR', KEYS[1], 1)", "1", "sc:k")
	digest := do(client, "SCRIPT", "LOAD", "return redis.call('INCRBY', KEYS[1], ARGV[1])").(string)
	ask(client, "SCRIPT", "EXISTS", digest, strings.Repeat("0", 40))
	for i := 0; i < 10; i++ {
		ask(client, "EVALSHA", digest, "1", "sc:n", fmt.Sprint(i))
	}
	ask(client, "EVALSHA", strings.Repeat("0", 40), "0")
	script := valkey.NewLuaScript("return {KEYS[1], redis.call('GET', KEYS[1])}")
	Say("LuaScript", outcome(script.Exec(ctx, client, []string{"sc:n"}, nil)))
	ask(client, "SCRIPT", "FLUSH")
	Say("LuaScript after SCRIPT FLUSH", outcome(script.Exec(ctx, client, []string{"sc:n"}, nil)))
	ask(client, "FUNCTION", "LOAD", "REPLACE",
		"#!lua name=mine\nserver.register_function('twice', function(keys, args) return args[1] * 2 end)")
	ask(client, "FCALL", "twice", "0", "21")
}

// caching: a value is kept until the server says that it changed.
func caching(client valkey.Client) {
	Section("client-side caching")
	get := func() (any, bool) {
		result := client.DoCache(ctx, client.B().Get().Key("ca:k").Cache(), time.Minute)
		return outcome(result), result.IsCacheHit()
	}
	writer := connect()
	defer writer.Close()
	for i := 0; i < 20; i++ {
		ask(writer, "SET", "ca:k", fmt.Sprint(i))
		var value any
		Until("the value is invalidated", func() bool { value, _ = get(); return value == fmt.Sprint(i) })
		Say("cached GET", value)
		again, hit := get()
		Say("again, and from the cache", []any{again, hit})
	}
}

// subscriptions numbers its messages; what the server says it delivered must arrive, in order, once.
func subscriptions(client valkey.Client) {
	Section("pub/sub")
	messages := map[string]chan string{} // by pattern and channel; the library keeps the order only within one
	for _, from := range []string{"news", "n*news", "other", "shard"} {
		messages[from] = make(chan string, 1000)
	}
	lost := make(chan struct{}, 1000)
	var closed atomic.Bool
	listen := func(subscribe func(valkey.Client) valkey.Completed) {
		for !closed.Load() {
			// A client for each try: in RESP2 one whose subscriber was cut never gets another.
			subscriber := connect(func(o *valkey.ClientOption) { o.DisableRetry = true })
			subscriber.Receive(ctx, subscribe(subscriber), func(m valkey.PubSubMessage) {
				messages[m.Pattern+m.Channel] <- m.Message
			})
			lost <- struct{}{}
			subscriber.Close()
		}
	}
	take := func(from string, count int) (texts []string) {
		timeout := time.After(10 * time.Second)
		for len(texts) < count {
			select {
			case text := <-messages[from]:
				texts = append(texts, text)
			case <-timeout:
				return append(texts, "and no more")
			}
		}
		return texts
	}
	go listen(func(c valkey.Client) valkey.Completed { return c.B().Subscribe().Channel("news", "other").Build() })
	go listen(func(c valkey.Client) valkey.Completed { return c.B().Psubscribe().Pattern("n*").Build() })
	Until("subscribed", func() bool {
		channels := do(client, "PUBSUB", "NUMSUB", "news", "other")
		patterns := do(client, "PUBSUB", "NUMPAT")
		return Show(patterns) == "1" && strings.Count(Show(channels), "1") == 2
	})
	for i := 0; i < 50; i++ {
		ask(client, "PUBLISH", "news", fmt.Sprint(i))
	}
	Say("received", take("news", 50))
	Say("received by pattern", take("n*news", 50))
	AskTest("drop pubsub")
	var delivered []string
	for number := 0; len(delivered) < 100; number++ {
		// Nobody is subscribed before the cut is healed: a gap that its subscriber hears of.
		if Show(do(client, "PUBLISH", "other", fmt.Sprint(number))) == "1" {
			delivered = append(delivered, fmt.Sprint(number))
		} else {
			time.Sleep(2 * time.Millisecond)
		}
	}
	Say("delivered after the cut", len(delivered))
	Say("received is what was delivered", strings.Join(take("other", 100), ",") == strings.Join(delivered, ","))
	Say("the subscribers heard of the cut", len(lost) >= 2)
	closed.Store(true)

	shards := connect()
	go shards.Receive(ctx, shards.B().Ssubscribe().Channel("shard").Build(), func(m valkey.PubSubMessage) {
		messages[m.Channel] <- m.Message
	})
	Until("subscribed", func() bool { return strings.Contains(Show(do(client, "PUBSUB", "SHARDNUMSUB", "shard")), "1") })
	ask(client, "SPUBLISH", "shard", "sharded")
	Say("sharded", take("shard", 1))
	shards.Close()
}

func streams(client valkey.Client) {
	Section("streams")
	for i := 1; i <= 20; i++ {
		ask(client, "XADD", "st:s", fmt.Sprintf("%d-1", i), "n", fmt.Sprint(i), "text", strings.Repeat("x", i))
	}
	for _, line := range []string{
		"XADD st:s 5-1 n 0", "XLEN st:s", "XRANGE st:s 3-0 6-0", "XREVRANGE st:s + - COUNT 2",
		"XREAD COUNT 10 STREAMS st:s 17-1", "XGROUP CREATE st:s workers 0", "XGROUP CREATE st:s workers 0",
		"XREADGROUP GROUP workers ann COUNT 4 STREAMS st:s >", "XREADGROUP GROUP workers bob COUNT 4 STREAMS st:s >",
		"XREADGROUP GROUP workers ann COUNT 4 STREAMS st:s >", "XREADGROUP GROUP workers bob COUNT 4 STREAMS st:s >",
		"XACK st:s workers 1-1 2-1 5-1 99-1", "XPENDING st:s workers", "XCLAIM st:s workers cleo 0 3-1 4-1",
		"XAUTOCLAIM st:s workers dan 0 0-0 COUNT 2", "XREADGROUP GROUP workers cleo STREAMS st:s 0",
		"XREADGROUP GROUP workers ann STREAMS st:s >", "XDEL st:s 20-1", "XTRIM st:s MAXLEN 10",
	} {
		ask(client, strings.Fields(line)...)
	}
	waiting := block(client, "XREAD", "BLOCK", "5000", "STREAMS", "st:s", "$")
	AskTest("blocked 1")
	ask(client, "XADD", "st:s", "50-1", "n", "50")
	Say("XREAD BLOCK", <-waiting)
}

func blocking(client valkey.Client) {
	Section("blocking")
	Say("BLPOP times out", <-block(client, "BLPOP", "bl:none", "0.05"))
	Say("BZPOPMIN times out", <-block(client, "BZPOPMIN", "bl:none", "0.05"))
	ask(client, "RPUSH", "bl:a", "1", "2", "3")
	Say("BLPOP at once", <-block(client, "BLPOP", "bl:none", "bl:a", "1"))
	Say("BRPOP at once", <-block(client, "BRPOP", "bl:a", "1"))
	Say("BLMOVE at once", <-block(client, "BLMOVE", "bl:a", "bl:b", "LEFT", "RIGHT", "1"))
	for i := 0; i < 10; i++ {
		waiting := block(client, "BLPOP", "bl:job", "10")
		AskTest("blocked 1")
		ask(client, "RPUSH", "bl:job", fmt.Sprint(i))
		Say("BLPOP", <-waiting)
	}
	ask(client, "LLEN", "bl:job")
}

func pool(client valkey.Client) {
	Section("pool")
	small := connect(func(o *valkey.ClientOption) { o.BlockingPoolSize = 2 })
	first, second := block(small, "BLPOP", "pl:a", "10"), block(small, "BLPOP", "pl:a", "10")
	AskTest("blocked 2")
	third := block(small, "BLPOP", "pl:b", "10") // waits for a connection, not on the server
	ask(client, "RPUSH", "pl:b", "1")
	ask(client, "LLEN", "pl:b")
	ask(client, "RPUSH", "pl:a", "1", "1")
	Say("BLPOP", []any{<-first, <-second, <-third})
	ask(small, "PING")
	small.Close()
	many := make([]any, 10)
	for i := range many {
		one := connect()
		many[i] = do(one, "INCR", "pl:n")
		defer one.Close()
	}
	Say("10 clients", many)
}

func reconnects(client valkey.Client) {
	Section("reconnects")
	two := connect(func(o *valkey.ClientOption) { o.SelectDB, o.ClientName = 2, "two" })
	ask(two, "SET", "re:two", "db 2")
	for i := 0; i < 5; i++ {
		survives(client, "INCR", "re:n")
		AskTest("drop normal")
		survives(client, "GET", "re:n")
	}
	worker := connect() // whose connections are alive: those in the other's pool were cut
	waiting := block(worker, "BLPOP", "re:job", "10")
	AskTest("blocked 1")
	AskTest("drop normal")
	Say("BLPOP that was cut", <-waiting)
	survives(client, "RPUSH", "re:job", "job")
	survives(client, "LLEN", "re:job")
	worker.Close()
	AskTest("restart")
	survives(client, "GET", "re:n")
	survives(two, "GET", "re:two")
	survives(two, "CLIENT", "GETNAME")
	for i := 0; i < 20; i++ {
		survives(client, "INCR", "re:n")
	}
	two.Close()
}

func main() {
	client := connect()
	info, _ := client.Do(ctx, command(client, "CLIENT", "INFO")).ToString()
	_, resp, _ := strings.Cut(info, "resp=")
	Say("RESP", resp[:1])
	parts := []func(valkey.Client){plainCommands, pipelines, transactions, scripts, subscriptions, streams, blocking, pool,
		reconnects}
	if Protocol != 2 {
		parts = append(parts, caching)
	}
	for _, part := range parts {
		part(client)
	}
	client.Close()
	Section("end")
}
