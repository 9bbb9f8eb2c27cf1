package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/aws/smithy-go"
)

var (
	background = context.Background()
	scenario   string
)

// runScenario runs the calls of one scenario, and reports a panic between them.
func runScenario(name string, run func()) {
	scenario = name
	defer func() {
		if cause := recover(); cause != nil {
			report("the rest of the scenario", false, nil, fmt.Sprint(cause))
		}
	}()
	run()
}

// try reports one call and returns its result.
func try[T any](name string, call func() (T, error)) T {
	result, err := call()
	report(name, err == nil, err, "")
	return result
}

// reject reports a call that AWS answers with this error code and words of the message.
func reject[T any](name, code, words string, call func() (T, error)) {
	_, err := call()
	var apiError smithy.APIError
	matches := errors.As(err, &apiError) && apiError.ErrorCode() == code && strings.Contains(apiError.ErrorMessage(), words)
	report(name+" -> "+code, matches, err, "expected "+code+" "+words)
}

// check reports a value that the calls before must have had as an effect.
func check(name string, ok bool, got any) {
	report(name, ok, nil, fmt.Sprint(got))
}

func report(name string, ok bool, err error, detail string) {
	result := "works"
	if !ok {
		result = "misbehaves"
		var apiError smithy.APIError
		if errors.As(err, &apiError) && apiError.ErrorCode() == "UnsupportedOperationException" {
			result = "refused"
		}
		if err != nil {
			detail += " " + err.Error()
		}
	} else {
		detail = ""
	}
	fmt.Printf("%s\t%s: %s\t%s\n", result, scenario, name, strings.ReplaceAll(detail, "\n", " "))
}

// wait repeats a call until its result is final or two minutes have passed.
func wait[T any](name string, call func() (T, error), final func(T) bool) T {
	for end := time.Now().Add(2 * time.Minute); ; time.Sleep(300 * time.Millisecond) {
		result, err := call()
		if err != nil || final(result) || time.Now().After(end) {
			report(name, err == nil && final(result), err, "")
			return result
		}
	}
}
