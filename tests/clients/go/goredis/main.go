// The scenario by go-redis. Prints a transcript; the same server must bring about the same one, whatever stands
// between.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	. "cloudvalkey.dev/tests/clients/transcript"
)

var ctx = context.Background()

// silence keeps the library's remarks out of the transcript.
type silence struct{}

func (silence) Printf(context.Context, string, ...interface{}) {}

func connect(change ...func(*redis.Options)) *redis.Client {
	options := &redis.Options{Addr: Address, Password: Password, Protocol: Protocol}
	for _, each := range change {
		each(options)
	}
	return redis.NewClient(options)
}

// outcome is the result, a server's error in its words, or that the connection was lost (whose words are the system's).
func outcome(result any, err error) any {
	var serverError redis.Error
	switch {
	case err == nil:
		return result
	case errors.Is(err, redis.Nil):
		return nil
	case errors.As(err, &serverError), errors.Is(err, redis.ErrPoolTimeout), errors.Is(err, redis.TxFailedErr):
		return err
	default:
		return "lost"
	}
}

func words(texts []string) []any {
	all := make([]any, len(texts))
	for i, each := range texts {
		all[i] = each
	}
	return all
}

func plainCommands(client *redis.Client) {
	Section("commands")
	for _, command := range Commands() {
		Say(command.Line, outcome(client.Do(ctx, words(command.Words)...).Result()))
	}
}

func pipelines(client *redis.Client) {
	Section("pipelines")
	pipe := client.Pipeline()
	for i := 0; i < 60; i++ {
		pipe.RPush(ctx, "pipe:list", i)
	}
	pipe.Incr(ctx, "pipe:list")
	pipe.LLen(ctx, "pipe:list")
	results, err := pipe.Exec(ctx)
	Say("first error", err)
	for i, each := range results {
		Say(fmt.Sprintf("pipelined %d", i), each.String())
	}
	Say("LRANGE pipe:list", outcome(client.LRange(ctx, "pipe:list", 0, -1).Result()))
	wide := client.Pipeline()
	for i := 0; i < 2000; i++ {
		key := fmt.Sprintf("wide:%d", i%10)
		wide.Set(ctx, key, strings.Repeat("y", 500), 0)
		wide.Get(ctx, key)
	}
	results, err = wide.Exec(ctx)
	Say("4000 pipelined", []any{len(results), results[0].String(), results[3999].String(), err})
}

func transactions(client *redis.Client) {
	Section("transactions")
	results, err := client.TxPipelined(ctx, func(tx redis.Pipeliner) error {
		tx.Set(ctx, "tx:a", 1, 0)
		tx.Incr(ctx, "tx:a")
		tx.LRange(ctx, "tx:none", 0, -1)
		tx.Get(ctx, "tx:a")
		return nil
	})
	Say("MULTI EXEC", texts(results, err))
	results, err = client.TxPipelined(ctx, func(tx redis.Pipeliner) error {
		tx.Incr(ctx, "tx:a")
		tx.LPush(ctx, "tx:a", 1)
		return nil
	})
	Say("MULTI with an error inside", texts(results, err))
	results, err = client.TxPipelined(ctx, func(tx redis.Pipeliner) error {
		tx.Do(ctx, "GET")
		tx.Incr(ctx, "tx:a")
		return nil
	})
	Say("MULTI that is refused", texts(results, err))
	set := func(tx *redis.Tx, value string) error {
		_, err := tx.TxPipelined(ctx, func(pipe redis.Pipeliner) error {
			pipe.Set(ctx, "tx:w", value, 0)
			return nil
		})
		return err
	}
	Say("EXEC after a conflict", outcome(nil, client.Watch(ctx, func(tx *redis.Tx) error {
		Say("GET under WATCH", outcome(tx.Get(ctx, "tx:w").Result()))
		Say("SET by another", outcome(client.Set(ctx, "tx:w", "another's", 0).Result()))
		return set(tx, "mine")
	}, "tx:w")))
	Say("EXEC without a conflict", outcome("done", client.Watch(ctx, func(tx *redis.Tx) error {
		return set(tx, "mine")
	}, "tx:w")))
	Say("EXEC after UNWATCH", outcome("done", client.Watch(ctx, func(tx *redis.Tx) error {
		Say("SET by another", outcome(client.Set(ctx, "tx:w", "changed", 0).Result()))
		Say("UNWATCH", outcome(tx.Unwatch(ctx).Result()))
		return set(tx, "mine again")
	}, "tx:w")))
	// 20 writers that add one each by reading first: none may be lost.
	addOne := func(tx *redis.Tx) error {
		n, err := tx.Get(ctx, "tx:n").Int()
		if err != nil && !errors.Is(err, redis.Nil) {
			return err
		}
		_, err = tx.TxPipelined(ctx, func(pipe redis.Pipeliner) error {
			pipe.Set(ctx, "tx:n", n+1, 0)
			return nil
		})
		return err
	}
	var group sync.WaitGroup
	failures := make([]error, 20)
	for i := range failures {
		group.Add(1)
		go func() {
			defer group.Done()
			failures[i] = redis.TxFailedErr
			for errors.Is(failures[i], redis.TxFailedErr) {
				failures[i] = client.Watch(ctx, addOne, "tx:n")
			}
		}()
	}
	group.Wait()
	Say("how they ended", fmt.Sprint(failures))
	Say("20 optimistic writers", outcome(client.Get(ctx, "tx:n").Result()))
}

func texts(results []redis.Cmder, err error) []any {
	all := []any{err}
	for _, each := range results {
		all = append(all, each.String())
	}
	return all
}

func scripts(client *redis.Client) {
	Section("scripts")
	Say("EVAL", outcome(client.Eval(ctx, "return {KEYS[1], ARGV[1], 42, false, {1, {2}}}", []string{"sc:k"}, "arg").Result()))
	Say("EVAL that fails", outcome(client.Eval(ctx, "return redis.error_reply('MY own error')", nil).Result()))
	Say("EVAL that calls wrongly", outcome(client.Eval(ctx, "return redis.call('INCR', KEYS[1], 1)", []string{"sc:k"}).Result()))
	digest := client.ScriptLoad(ctx, "return redis.call('INCRBY', KEYS[1], ARGV[1])").Val()
	Say("SCRIPT LOAD", digest)
	Say("SCRIPT EXISTS", outcome(client.ScriptExists(ctx, digest, strings.Repeat("0", 40)).Result()))
	for i := 0; i < 10; i++ {
		Say("EVALSHA", outcome(client.EvalSha(ctx, digest, []string{"sc:n"}, i).Result()))
	}
	Say("EVALSHA unknown", outcome(client.EvalSha(ctx, strings.Repeat("0", 40), nil).Result()))
	script := redis.NewScript("return {KEYS[1], redis.call('GET', KEYS[1])}")
	Say("SCRIPT FLUSH", outcome(client.ScriptFlush(ctx).Result()))
	Say("Script.Run", outcome(script.Run(ctx, client, []string{"sc:n"}).Result()))
	library := "#!lua name=mine\nserver.register_function('twice', function(keys, args) return args[1] * 2 end)"
	Say("FUNCTION LOAD", outcome(client.FunctionLoadReplace(ctx, library).Result()))
	Say("FCALL", outcome(client.FCall(ctx, "twice", nil, 21).Result()))
}

// receive takes messages until there are as many; what a lost connection costs is told by its resubscription.
func receive(pubsub *redis.PubSub, count int) (messages []string, subscriptions int) {
	deadline := time.Now().Add(10 * time.Second)
	for len(messages) < count && time.Now().Before(deadline) {
		switch m := must(pubsub.ReceiveTimeout(ctx, time.Second)).(type) {
		case *redis.Message:
			messages = append(messages, m.Payload)
		case *redis.Subscription:
			subscriptions++
		}
	}
	return messages, subscriptions
}

func must(message any, err error) any {
	if err != nil {
		return err
	}
	return message
}

// subscriptions numbers its messages; what the server says it delivered must arrive, in order, once.
func subscriptions(client *redis.Client) {
	Section("pub/sub")
	pubsub := client.Subscribe(ctx, "news", "other")
	for i := 0; i < 2; i++ {
		Say("SUBSCRIBE", fmt.Sprint(must(pubsub.Receive(ctx))))
	}
	pubsub.PSubscribe(ctx, "n*")
	Say("PSUBSCRIBE", fmt.Sprint(must(pubsub.Receive(ctx))))
	for i := 0; i < 50; i++ {
		Say(fmt.Sprintf("PUBLISH news %d", i), outcome(client.Publish(ctx, "news", i).Result()))
	}
	messages, _ := receive(pubsub, 100)
	Say("received", messages)
	Say("PING", outcome("sent", pubsub.Ping(ctx, "still there")))
	Say("PONG", fmt.Sprint(must(pubsub.Receive(ctx))))
	pubsub.Unsubscribe(ctx, "other")
	Say("UNSUBSCRIBE", fmt.Sprint(must(pubsub.Receive(ctx))))
	pubsub.PUnsubscribe(ctx, "n*")
	Say("PUNSUBSCRIBE", fmt.Sprint(must(pubsub.Receive(ctx))))

	AskTest("drop pubsub")
	var delivered []string
	done := make(chan struct{})
	go func() {
		defer close(done)
		for number := 0; len(delivered) < 100; number++ {
			// Nobody is subscribed before the cut is healed: a gap that its subscriber hears of.
			if client.Publish(ctx, "news", number).Val() > 0 {
				delivered = append(delivered, fmt.Sprint(number))
			} else {
				time.Sleep(2 * time.Millisecond)
			}
		}
	}()
	messages, again := receive(pubsub, 100)
	<-done
	Say("delivered after the cut", len(delivered))
	Say("received is what was delivered", strings.Join(messages, " ") == strings.Join(delivered, " "))
	Say("the subscriber heard of the cut", again > 0)
	pubsub.Close()

	shards := client.SSubscribe(ctx, "shard")
	Say("SSUBSCRIBE", fmt.Sprint(must(shards.Receive(ctx))))
	Say("SPUBLISH", outcome(client.SPublish(ctx, "shard", "sharded").Result()))
	Say("sharded", fmt.Sprint(must(shards.Receive(ctx))))
	shards.Close()
}

func streams(client *redis.Client) {
	Section("streams")
	add := func(id string, values ...any) any {
		return outcome(client.XAdd(ctx, &redis.XAddArgs{Stream: "st:s", ID: id, Values: values}).Result())
	}
	for i := 1; i <= 20; i++ {
		Say(fmt.Sprintf("XADD %d", i), add(fmt.Sprintf("%d-1", i), "n", i, "text", strings.Repeat("x", i)))
	}
	Say("XADD too old", add("5-1", "n", 0))
	Say("XLEN", outcome(client.XLen(ctx, "st:s").Result()))
	Say("XRANGE", outcome(client.XRange(ctx, "st:s", "3-0", "6-0").Result()))
	Say("XREVRANGE", outcome(client.XRevRangeN(ctx, "st:s", "+", "-", 2).Result()))
	Say("XREAD", outcome(client.XRead(ctx, &redis.XReadArgs{Streams: []string{"st:s", "17-1"}, Block: -1}).Result()))
	Say("XGROUP CREATE", outcome(client.XGroupCreate(ctx, "st:s", "workers", "0").Result()))
	Say("XGROUP CREATE again", outcome(client.XGroupCreate(ctx, "st:s", "workers", "0").Result()))
	read := func(consumer, from string, count int64, block time.Duration) any {
		return outcome(client.XReadGroup(ctx, &redis.XReadGroupArgs{Group: "workers", Consumer: consumer,
			Streams: []string{"st:s", from}, Count: count, Block: block}).Result())
	}
	for _, consumer := range []string{"ann", "bob", "ann", "bob"} {
		Say("XREADGROUP "+consumer, read(consumer, ">", 4, -1))
	}
	Say("XACK", outcome(client.XAck(ctx, "st:s", "workers", "1-1", "2-1", "5-1", "99-1").Result()))
	pending := client.XPending(ctx, "st:s", "workers").Val()
	Say("XPENDING", []any{pending.Count, pending.Lower, pending.Higher, fmt.Sprint(pending.Consumers)})
	Say("XCLAIM", outcome(client.XClaim(ctx, &redis.XClaimArgs{Stream: "st:s", Group: "workers", Consumer: "cleo",
		Messages: []string{"3-1", "4-1"}}).Result()))
	claimed, next, err := client.XAutoClaim(ctx, &redis.XAutoClaimArgs{Stream: "st:s", Group: "workers", Consumer: "dan",
		Start: "0-0", Count: 2}).Result()
	Say("XAUTOCLAIM", []any{fmt.Sprint(claimed), next, err})
	Say("XREADGROUP history", read("cleo", "0", 10, -1))
	Say("XREADGROUP rest", read("ann", ">", 100, -1))
	Say("XREADGROUP empty", read("ann", ">", 100, 20*time.Millisecond))
	Say("XDEL", outcome(client.XDel(ctx, "st:s", "20-1").Result()))
	Say("XTRIM", outcome(client.XTrimMaxLen(ctx, "st:s", 10).Result()))
	waiting := background(func() any {
		return outcome(client.XRead(ctx, &redis.XReadArgs{Streams: []string{"st:s", "$"}, Block: 5 * time.Second}).Result())
	})
	AskTest("blocked 1")
	Say("XADD while somebody waits", add("50-1", "n", 50))
	Say("XREAD BLOCK", <-waiting)
}

func background(call func() any) chan any {
	result := make(chan any, 1)
	go func() { result <- call() }()
	return result
}

func blpop(client *redis.Client, key string) chan any {
	return background(func() any { return outcome(client.BLPop(ctx, 10*time.Second, key).Result()) })
}

func blocking(client *redis.Client) {
	Section("blocking")
	Say("BLPOP times out", outcome(client.Do(ctx, "BLPOP", "bl:none", "0.05").Result()))
	Say("BZPOPMIN times out", outcome(client.Do(ctx, "BZPOPMIN", "bl:none", "0.05").Result()))
	client.RPush(ctx, "bl:a", 1, 2, 3)
	Say("BLPOP at once", outcome(client.BLPop(ctx, time.Second, "bl:none", "bl:a").Result()))
	Say("BRPOP at once", outcome(client.BRPop(ctx, time.Second, "bl:a").Result()))
	Say("BLMOVE at once", outcome(client.BLMove(ctx, "bl:a", "bl:b", "LEFT", "RIGHT", time.Second).Result()))
	for i := 0; i < 10; i++ {
		waiting := blpop(client, "bl:job")
		AskTest("blocked 1")
		Say("RPUSH", outcome(client.RPush(ctx, "bl:job", i).Result()))
		Say("BLPOP", <-waiting)
	}
	Say("WAIT", outcome(client.Wait(ctx, 0, 10*time.Millisecond).Result()))
	Say("LLEN bl:job", outcome(client.LLen(ctx, "bl:job").Result()))
}

func pool(client *redis.Client) {
	Section("pool")
	small := connect(func(o *redis.Options) { o.PoolSize, o.PoolTimeout = 2, 50*time.Millisecond })
	first, second := blpop(small, "pl:a"), blpop(small, "pl:a")
	AskTest("blocked 2")
	Say("third of two connections", outcome(small.Ping(ctx).Result()))
	Say("RPUSH", outcome(client.RPush(ctx, "pl:a", 1, 1).Result()))
	Say("BLPOP", []any{<-first, <-second})
	Say("PING", outcome(small.Ping(ctx).Result()))
	small.Close()
	many := make([]any, 20)
	for i := range many {
		one := connect()
		many[i] = one.Incr(ctx, "pl:n").Val()
		defer one.Close()
	}
	Say("20 clients", many)
}

func reconnects(client *redis.Client) {
	Section("reconnects")
	two := connect(func(o *redis.Options) { o.DB, o.ClientName = 2, "two" })
	Say("SET in db 2", outcome(two.Set(ctx, "re:two", "db 2", 0).Result()))
	for i := 0; i < 5; i++ {
		Say("INCR", outcome(client.Incr(ctx, "re:n").Result()))
		AskTest("drop normal")
		Say("GET after an idle connection was cut", outcome(client.Get(ctx, "re:n").Result()))
	}
	waiting := blpop(client, "re:job")
	AskTest("blocked 1")
	AskTest("drop normal")
	AskTest("blocked 1") // it asks again by itself
	Say("RPUSH", outcome(client.RPush(ctx, "re:job", "job").Result()))
	Say("BLPOP that was cut", <-waiting)
	Say("LLEN re:job", outcome(client.LLen(ctx, "re:job").Result()))
	AskTest("restart")
	Say("GET after kill -9", outcome(client.Get(ctx, "re:n").Result()))
	Say("INCR after kill -9", outcome(client.Incr(ctx, "re:n").Result()))
	Say("GET in db 2 after kill -9", outcome(two.Get(ctx, "re:two").Result()))
	Say("CLIENT GETNAME after kill -9", outcome(two.ClientGetName(ctx).Result()))
	for i := 0; i < 20; i++ {
		Say("INCR", outcome(client.Incr(ctx, "re:n").Result()))
	}
	two.Close()
}

// coldStart has ten clients connect, and say their first command, while the server is away for a second.
func coldStart() {
	AskTest("down 1000")
	clients := make([]*redis.Client, 10)
	results := make([]any, len(clients))
	var group sync.WaitGroup
	for i := range clients {
		clients[i] = connect()
		group.Add(1)
		go func() {
			defer group.Done()
			value, err := clients[i].Incr(ctx, "n").Result()
			if results[i] = value; err != nil {
				results[i] = err
			}
		}()
	}
	group.Wait()
	failures, executed, protocols := []any{}, []int64{}, []any{}
	for i, client := range clients {
		if err, failed := results[i].(error); failed {
			failures = append(failures, err)
		} else {
			executed = append(executed, results[i].(int64))
		}
		_, resp, _ := strings.Cut(client.Do(ctx, "CLIENT", "INFO").String(), "resp=")
		protocols = append(protocols, resp[:1])
	}
	Say("errors", failures)
	slices.Sort(executed)
	Say("executed", executed)
	Say("protocols", protocols)
	Section("end")
}

func main() {
	redis.SetLogger(silence{})
	if len(os.Args) > 1 && os.Args[1] == "cold-start" {
		coldStart()
		return
	}
	client := connect()
	_, resp, _ := strings.Cut(client.Do(ctx, "CLIENT", "INFO").String(), "resp=")
	Say("RESP", resp[:1])
	for _, part := range []func(*redis.Client){plainCommands, pipelines, transactions, scripts, subscriptions, streams,
		blocking, pool, reconnects} {
		part(client)
	}
	client.Close()
	Section("end")
}
