// Package transcript is what every Go client here shares: printing a transcript, and asking the test for something.
package transcript

import (
	"bufio"
	"crypto/md5"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strconv"
	"strings"
	"time"
)

// What the test says about the server. Protocol 0 is the library's own choice.
var (
	Address  = os.Getenv("CVP_HOST") + ":" + os.Getenv("CVP_PORT")
	Password = os.Getenv("CVP_PASSWORD")
	Protocol = number(os.Getenv("CVP_PROTOCOL"))
)

var answers = bufio.NewScanner(os.Stdin)

func number(text string) int {
	value, _ := strconv.Atoi(text)
	return value
}

// Show makes one line of any reply. Long strings are told by length and hash; maps have no order in Go.
func Show(value any) string {
	switch v := value.(type) {
	case nil:
		return "nil"
	case string:
		if len(v) > 120 {
			return fmt.Sprintf("<%d bytes %x>", len(v), md5.Sum([]byte(v)))[:40]
		}
		return strconv.Quote(v)
	case []string:
		return list(v)
	case []any:
		return list(v)
	case []int64:
		return list(v)
	case []bool:
		return list(v)
	case map[any]any:
		pairs := make(map[string]any, len(v))
		for key, each := range v {
			pairs[Show(key)] = each
		}
		return object(pairs)
	case map[string]any:
		return object(v)
	case map[string]string:
		pairs := make(map[string]any, len(v))
		for key, each := range v {
			pairs[key] = each
		}
		return object(pairs)
	case error:
		return "!" + v.Error()
	default:
		return fmt.Sprintf("%v", v)
	}
}

func list[T any](values []T) string {
	texts := make([]string, len(values))
	for i, each := range values {
		texts[i] = Show(each)
	}
	return "[" + strings.Join(texts, ", ") + "]"
}

func object(pairs map[string]any) string {
	texts := make([]string, 0, len(pairs))
	for key, each := range pairs {
		texts = append(texts, key+": "+Show(each))
	}
	sort.Strings(texts)
	return "{" + strings.Join(texts, ", ") + "}"
}

// Section begins a part of the scenario.
func Section(name string) { fmt.Println("# " + name) }

// Say tells one operation and its result.
func Say(operation string, result any) {
	fmt.Println(strings.ReplaceAll(operation, "\n", "\\n") + " -> " + Show(result))
}

// AskTest has the test do something to the server, and waits until it is done.
func AskTest(request string) {
	fmt.Println("@" + request)
	if !answers.Scan() || answers.Text() != "done" {
		Fail(fmt.Sprintf("the test answered '%s' to '%s'", answers.Text(), request))
	}
}

// Fail ends the program.
func Fail(reason string) {
	fmt.Println(reason)
	os.Exit(1)
}

// Until waits until condition holds: for what a library shows without saying so.
func Until(what string, condition func() bool) {
	for deadline := time.Now().Add(10 * time.Second); !condition(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(deadline) {
			Fail("never: " + what)
		}
	}
}

// Command is a line of commands.txt and its words.
type Command struct {
	Line  string
	Words []string
}

// Commands reads the file that CVP_COMMANDS names, or commands.txt beside the sources.
func Commands() []Command {
	text, err := os.ReadFile(filepath.Join(os.Getenv("CVP_CLIENTS_DIR"), "commands.txt"))
	if err != nil {
		Fail(err.Error())
	}
	var commands []Command
	for _, line := range strings.Split(string(text), "\n") {
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		command := Command{Line: line}
		for _, word := range strings.Fields(line) {
			switch {
			case word == `""`:
				word = ""
			case strings.HasPrefix(word, "@"):
				word = strings.Repeat("x", number(word[1:]))
			}
			command.Words = append(command.Words, word)
		}
		commands = append(commands, command)
	}
	return commands
}
